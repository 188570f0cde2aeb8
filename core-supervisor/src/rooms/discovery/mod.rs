//! # Discovery — what can be found, and under what
//!
//! Address:  hyperty-runtime://<runtime>/discovery
//! Answers:  Read (a search)   — see protocol::api::discovery
//! Keeps:    records of data objects: what their reporters say about them
//! Holds:    a record is as old as its object: whoever unregisters an object takes
//!           its record out
//! Not here: records of hyperties (rooms/registry, rooms/user_agent), data objects
//!           themselves (rooms/sync), who is told of a change (flows/registration.rs)

use std::collections::BTreeMap;

use protocol::Address;

/// How a registration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Its component runs, or its object has a reporter that does.
    Live,
    /// It is down, or has been removed.
    Disconnected,
}

impl Status {
    /// The word that records and notifications carry.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Disconnected => "disconnected",
        }
    }
}

/// What is known about a data object (spec messaging §6.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRecord {
    /// Its address.
    pub url: Address,
    /// Its name.
    pub name: String,
    /// The address of its schema.
    pub schema: String,
    /// The hyperty that reports it.
    pub reporter: Address,
    /// What it carries: `chat`, `audio`, …
    pub resources: Vec<String>,
    /// Its schemes; usually the one of its address.
    pub data_schemes: Vec<String>,
    /// How it stands.
    pub status: Status,
    /// The runtime that it was registered in.
    pub runtime: Address,
    /// When it was created, in microseconds since the Unix epoch.
    pub starting_us: u64,
    /// When its record changed last, likewise.
    pub modified_us: u64,
    /// How long the record holds without a refresh, in seconds.
    pub expires_s: u64,
}

/// The discovery room.
#[derive(Debug, Default)]
pub struct Discovery {
    // Bounded by the addresses that their owners may hold (OBJECTS_PER_COMPONENT_MAX).
    objects: BTreeMap<String, ObjectRecord>,
}

impl Discovery {
    /// Enters an object, or replaces its record.
    pub fn register_object(&mut self, record: ObjectRecord) {
        self.objects.insert(record.url.as_str().to_owned(), record);
    }

    /// Notes how an object stands; `false` when it stood so already, or is unknown.
    pub fn set_status(&mut self, url: &Address, status: Status, now_us: u64) -> bool {
        match self.objects.get_mut(url.as_str()) {
            Some(record) if record.status != status => {
                record.status = status;
                record.modified_us = now_us;
                true
            }
            _ => false,
        }
    }

    /// Takes an object out.
    pub fn unregister_object(&mut self, url: &Address) -> Option<ObjectRecord> {
        self.objects.remove(url.as_str())
    }
}
