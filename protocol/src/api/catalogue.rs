//! The runtime catalogue (`/catalogue`): descriptors of what can be deployed.
//!
//! `read` [`Query`] → `value`: [`Listing`]; `execute` with `method: "check"` and
//! the same members → `value`: [`Listing`] with every problem of every entry.

use serde::{Deserialize, Serialize};

use crate::frame::ComponentKind;
use crate::nursery::Engine;

/// Where the room lives under the runtime's address.
pub const PATH: &str = "catalogue";

/// Which directory to look at; empty means every configured one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Query {
    /// A directory that holds `.well-known/`.
    pub catalogue: String,
    /// `check` when every file is to be read and verified; empty to list.
    pub method: String,
}

/// What a catalogue holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// In order of path.
    pub entries: Vec<Entry>,
}

/// One descriptor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// `name`, else `objectName`, else the file's name.
    pub name: String,
    /// What it describes.
    pub kind: ComponentKind,
    /// What would run it.
    pub engine: Engine,
    /// The provider's domain.
    pub provider: String,
    /// The descriptor's file.
    pub descriptor: String,
    /// The code's file.
    pub code: String,
    /// Bytes of the code, 0 when unreadable.
    pub bytes: u64,
    /// `sha256:…` of the code, when it was checked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digest: String,
    /// What is wrong with it; empty when it can be deployed.
    #[serde(default)]
    pub problems: Vec<String>,
}
