//! What outlives the supervisor, as the core sees it: tables of keys and bytes.
//!
//! A room says what is to be kept as a list of [`Change`]s, which the shell writes
//! together or not at all (`Action::Persist`). Whoever is told that something was
//! done is told after it is written; the bus never waits for the disk. At its
//! start the core is handed every [`Record`] (`Core::restore`).

/// The tables. Their names on disk stand in `shell/store`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Addresses that a component gets again: its key → its address.
    Addresses,
    /// Data objects: address → the object without its children.
    Objects,
    /// What changed in an object since it was written whole: address, version → change.
    Deltas,
    /// Children of data objects: address, child → child.
    Children,
    /// Subscriptions to registrations: subscriber → addresses.
    Subscriptions,
    /// What scripts keep for themselves: component, key → text.
    Storage,
    /// What the operator granted and revoked: component, whose word, place → it.
    Grants,
    /// Whom this runtime believes: keys of providers, releases of packages → them.
    Trust,
}

/// One change of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The table.
    pub table: Table,
    /// The key; its parts, where it has several, are joined by a zero byte.
    pub key: String,
    /// The new value; `None` takes the key out.
    pub value: Option<Vec<u8>>,
}

impl Change {
    /// The memory it takes, about.
    pub fn bytes(&self) -> usize {
        // The names of its parts: a change of nothing takes place, too.
        64 + self.key.len() + self.value.as_ref().map_or(0, Vec::len)
    }
}

/// One entry, as it was read at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The table.
    pub table: Table,
    /// The key.
    pub key: String,
    /// The value.
    pub value: Vec<u8>,
}
