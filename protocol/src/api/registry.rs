//! The registry (`/registry`): who owns which address.
//!
//! `read` `{}` → `value`: [`Listing`]; `read` [`Resolve`] → `value`: [`Entry`], or 404.

use serde::{Deserialize, Serialize};

/// Where the room lives under the runtime's address.
pub const PATH: &str = "registry";

/// Asks who owns an address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resolve {
    /// Any spelling of the address.
    pub resource: String,
}

/// Everything that is registered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// In order of address.
    pub entries: Vec<Entry>,
}

/// One registered address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// In canonical form.
    pub address: String,
    /// `hyperty`, `proto-stub`, `idp-proxy`, `application`, `operator`, `room`, `object`.
    pub kind: String,
    /// The owner's provider domain.
    pub provider: String,
    /// The owner's name.
    pub name: String,
    /// For an object the component that owns it; else the address itself.
    pub owner: String,
    /// `live`, or `reserved` while its component is down.
    pub status: String,
    /// How a message for it travels, hop by hop.
    pub route: Vec<String>,
}
