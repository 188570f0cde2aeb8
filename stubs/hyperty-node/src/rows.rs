//! What a node keeps: rows of four tables, as JSON, the same in every store.

use protocol::Address;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Runtime → session.
    Session,
    /// Runtime and address → nothing more.
    Route,
    /// Address → registration.
    Record,
    /// Runtime, scheme and key → block of addresses.
    Block,
    /// Node → when it was last heard of.
    Beat,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Session,
        Self::Route,
        Self::Record,
        Self::Block,
        Self::Beat,
    ];

    /// Its name in a store; never given to another table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Route => "route",
            Self::Record => "record",
            Self::Block => "block",
            Self::Beat => "beat",
        }
    }
}

/// One change of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Where.
    pub table: Table,
    /// Which.
    pub key: String,
    /// JSON text; `None` removes the row.
    pub value: Option<String>,
    /// Refuse the write when the row is there already.
    ///
    /// Only stores that several nodes share can find it there: a node by itself
    /// has looked before.
    pub is_new: bool,
}

impl Row {
    /// Writes a row.
    pub fn put(table: Table, key: impl Into<String>, value: &impl Serialize) -> Self {
        Self {
            table,
            key: key.into(),
            // Our own types, without maps that have other keys than text.
            value: Some(serde_json::to_string(value).unwrap_or_default()),
            is_new: false,
        }
    }

    /// Removes a row.
    pub fn remove(table: Table, key: impl Into<String>) -> Self {
        Self {
            table,
            key: key.into(),
            value: None,
            is_new: false,
        }
    }

    /// The same, refused when another node has written it.
    #[must_use]
    pub fn if_new(mut self) -> Self {
        self.is_new = true;
        self
    }

    /// The row's content, or nothing when a newer build wrote something else.
    pub fn read<T: for<'a> Deserialize<'a>>(&self) -> Option<T> {
        serde_json::from_str(self.value.as_deref()?).ok()
    }
}

/// A session, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// The secret with which it is resumed.
    pub token: String,
    /// The name of the access token that opened it.
    pub pass: Option<String>,
    /// The node that has it.
    pub home: String,
}

/// A block of addresses, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockRow {
    /// Whose.
    pub runtime: String,
    /// The addresses.
    pub addresses: Vec<String>,
}

/// A registration, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordRow {
    /// The runtime whose it is.
    pub owner: String,
    /// The access token it was made with.
    pub pass: Option<String>,
    /// Milliseconds since 1970.
    pub started: u64,
    /// Milliseconds since 1970.
    pub modified: u64,
    /// Seconds after `modified`.
    pub expires: u64,
    /// `live`, `disconnected`, or what its owner says.
    pub status: String,
    /// The other members, as the owner gave them.
    pub members: Map<String, Value>,
}

/// The key of a route.
///
/// A space has no place in an address, so that no two routes have one key.
pub fn route_key(runtime: &Address, address: &Address) -> String {
    format!("{runtime} {address}")
}

/// The two addresses of a route's key.
pub fn route_of(key: &str) -> Option<(Address, Address)> {
    let (runtime, address) = key.split_once(' ')?;
    Some((runtime.parse().ok()?, address.parse().ok()?))
}
