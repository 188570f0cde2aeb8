//! The registry (`/registry`): who owns which address, and whom a hyperty acts for.
//!
//! `read` `{}` → `value`: [`Listing`]; `read` [`Resolve`] → `value`: [`Entry`], or 404;
//! `read` [`Profile`] → `{"resource":…,"code":200}`, or `{"resource":"","code":404}`.

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

/// Asks whom a hyperty acts for (spec messaging §6.7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// `.` for the whole profile, or one member of it: `userURL`, `guid`,
    /// `preferred_username`, `name`, `email`.
    #[serde(default = "whole")]
    pub resource: String,
    /// The hyperty's address, or that of something it owns.
    pub criteria: String,
}

fn whole() -> String {
    ".".to_owned()
}

/// What can be asked with a `read`: a profile when there are `criteria`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Query {
    /// Whom a hyperty acts for.
    Profile(Profile),
    /// Who owns an address, or all of them.
    Resolve(Resolve),
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
