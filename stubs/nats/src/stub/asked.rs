//! Requests of other runtimes that this one has to answer.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use super::limits::ASKED_MAX;

/// Who asked, and under which number.
pub(super) type Key = (String, u64);

/// One request.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) at: String,
    pub(super) until: Instant,
    /// Whether an answer has come that is not the last one.
    pub(super) is_heard: bool,
    /// Whether its sender tells more than it asks, and gives its place to a newer one.
    pub(super) is_told: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct AllAsked {
    all: HashMap<Key, (u64, Asked)>,
    // In the order in which they came.
    told: BTreeMap<u64, Key>,
    last: u64,
}

impl AllAsked {
    pub(super) fn get(&self, key: &Key) -> Option<&Asked> {
        self.all.get(key).map(|(_, asked)| asked)
    }

    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut Asked> {
        self.all.get_mut(key).map(|(_, asked)| asked)
    }

    /// Notes a request; false when there is no room and nothing that may be forgotten.
    pub(super) fn put(&mut self, key: Key, asked: Asked) -> bool {
        self.remove(&key);
        if self.all.len() >= ASKED_MAX {
            let Some((_, oldest)) = self.told.pop_first() else {
                return false;
            };
            self.all.remove(&oldest);
        }
        self.last += 1;
        if asked.is_told {
            self.told.insert(self.last, key.clone());
        }
        self.all.insert(key, (self.last, asked));
        true
    }

    pub(super) fn remove(&mut self, key: &Key) {
        if let Some((number, _)) = self.all.remove(key) {
            self.told.remove(&number);
        }
    }

    /// Forgets those for whose answers nobody waits any more.
    pub(super) fn forget_overdue(&mut self, now: Instant) {
        let Self { all, told, .. } = self;
        all.retain(|_, (number, asked)| {
            let is_awaited = asked.until > now;
            if !is_awaited {
                told.remove(number);
            }
            is_awaited
        });
    }
}
