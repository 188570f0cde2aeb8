//! The store of a story: a map that outlives the core.

use core_supervisor::core::Settings;
use core_supervisor::event::Event;
use core_supervisor::ids::Ticket;
use core_supervisor::store::{Change, Record};

use super::{Story, settings};

/// How the disk of a story behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    /// It writes at once.
    Sound,
    /// It writes only once it is sound again.
    Slow,
    /// It takes nothing.
    Full,
}

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
        if self.disk == Disk::Slow {
            self.unwritten.push((Some(ticket), changes));
            return;
        }
        self.unwritten.push((None, changes));
        self.write(ticket);
    }

    /// Puts another disk under the story; a slow one writes what waits for it then.
    pub fn disk(&mut self, disk: Disk) {
        self.disk = disk;
        let waiting: Vec<_> = self
            .unwritten
            .iter()
            .filter_map(|(ticket, _)| *ticket)
            .collect();
        for ticket in waiting {
            self.write(ticket);
        }
    }

    // As the store does it: what was refused before goes in front.
    fn write(&mut self, ticket: Ticket) {
        if self.disk == Disk::Full {
            let result = Err("no space left".to_owned());
            self.happens(Event::Persisted { ticket, result });
            return;
        }
        for (_, changes) in std::mem::take(&mut self.unwritten) {
            for change in changes {
                self.keep(change);
            }
        }
        let result = Ok(());
        self.happens(Event::Persisted { ticket, result });
    }

    fn keep(&mut self, change: Change) {
        let key = (change.table, change.key);
        match change.value {
            Some(value) => drop(self.kept.insert(key, value)),
            None => drop(self.kept.remove(&key)),
        }
    }
}
