//! The store of a story: a map that outlives the core.

use core_supervisor::core::Settings;
use core_supervisor::event::Event;
use core_supervisor::ids::Ticket;
use core_supervisor::store::{Change, Record};

use super::{Story, settings};

impl Story {
    /// The supervisor is killed and starts again with what it had kept.
    pub fn restarted(&self) -> Self {
        // Another seed: no supervisor draws the same addresses as the one before it.
        let mut seed = self.seed;
        seed[0] = seed[0].wrapping_add(1);
        let mut next = Self::with(Settings { seed, ..settings() });
        next.seed = seed;
        next.kept.clone_from(&self.kept);
        let records = self.kept.iter().map(|((table, key), value)| Record {
            table: *table,
            key: key.clone(),
            value: value.clone(),
        });
        next.core.restore(records.collect());
        next.core
            .audit()
            .unwrap_or_else(|broken| panic!("{broken}"));
        next
    }

    pub(super) fn persist(&mut self, ticket: Ticket, changes: Vec<Change>) {
        for change in changes {
            let key = (change.table, change.key);
            match change.value {
                Some(value) => drop(self.kept.insert(key, value)),
                None => drop(self.kept.remove(&key)),
            }
        }
        let result = Ok(());
        self.happens(Event::Persisted { ticket, result });
    }
}
