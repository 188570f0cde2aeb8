//! # Storage — files that components share, and what scripts keep
//!
//! Address:  hyperty-runtime://<runtime>/storage
//! Answers:  Create, Update, Read, Delete   — see protocol::api::storage
//! Keeps:    files with their creators; of each component what its script keeps
//! Holds:    nobody has more than a share, all together no more than the whole; a
//!           file is seen whole or not at all; a script sees what is its own
//! Not here: who may ask (flows/judge.rs), the disk (flows/persist.rs), a file's
//!           address (rooms/allocation)
//!
//! All of it is in memory, because the core reads no disk; the bounds below are
//! therefore bounds of the supervisor's memory.

mod content;
mod files;
mod items;

pub use files::{Files, Refused, Taken};
pub use items::{Items, Kept};

use crate::store::{Change, Record};

/// Bytes of the files of one component, as they travel.
///
/// Two of the largest files as base64, with some small ones beside them.
pub const FILES_PER_OWNER_BYTES_MAX: usize = 24 * 1024 * 1024;

/// Bytes of all files.
///
/// The supervisor holds them; a desktop's runtime has some tens of pictures.
pub const FILES_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Files of one component: an empty one takes place, too.
pub const FILES_PER_OWNER_MAX: usize = 1024;

/// Files of one component of which parts are missing.
pub const UNFINISHED_PER_OWNER_MAX: usize = 4;

/// Parts of one file; many tiny ones would cost more than they carry.
pub const PARTS_MAX: u32 = 64;

/// Bytes of what is known about a file besides its content; a preview fits.
pub const METADATA_BYTES_MAX: usize = 64 * 1024;

/// What one script may keep: UTF-16 units of keys and values, as browsers count,
/// which give an origin about as much.
pub const ITEMS_PER_OWNER_UNITS_MAX: usize = 5 * 1024 * 1024;

/// What each key costs besides its text, so that a million empty ones are not free.
pub const ITEM_UNITS: usize = 32;

/// Bytes of what all scripts keep.
pub const ITEMS_BYTES_MAX: usize = 64 * 1024 * 1024;

/// The storage room.
#[derive(Debug, Default)]
pub struct Storage {
    /// What components share.
    pub files: Files,
    /// What scripts keep.
    pub items: Items,
}

impl Storage {
    /// Bytes of all that a component has kept.
    pub fn bytes_of(&self, owner: &str) -> u64 {
        (self.files.bytes_of(owner) + self.items.bytes_of(owner)) as u64
    }

    /// Deletes all that a component has kept; what is to be written.
    pub fn purge(&mut self, owner: &str) -> Vec<Change> {
        let mut changes = self.files.purge(owner);
        changes.extend(self.items.purge(owner));
        changes
    }

    /// Takes back what was kept; what cannot be read any more is left out.
    pub fn restore(&mut self, record: &Record) {
        let mut parts = record.key.splitn(3, '\0');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(files::FOLDER), Some(url), Some(part)) => {
                self.files.restore(url, part, &record.value);
            }
            (Some(items::FOLDER), Some(owner), Some(key)) => {
                self.items.restore(owner, key, &record.value);
            }
            _ => {}
        }
    }
}
