//! How an object is kept: whole now and then, and what changed since.
//!
//! Rows of `Table::Objects`: address → [`Whole`]; address, zero byte, observer →
//! [`Remembered`]. Rows of `Table::Deltas`: address, zero byte, first version →
//! the changes, as a JSON array. Rows of `Table::Children`: address, zero byte,
//! id → child.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::limits::{GATHERED_BYTES_MAX, GATHERED_FOR, LOG_BYTES_MIN, OBJECT_BYTES_MAX};
use super::object::{Object, Role};
use crate::store::{Change, Table};

/// An object as a row.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Whole {
    pub(super) reporter: String,
    pub(super) provider: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) user: String,
    pub(super) schema: String,
    #[serde(default)]
    pub(super) collections: Vec<String>,
    pub(super) is_reporter: bool,
    pub(super) version: u64,
    pub(super) metadata: Map<String, Value>,
    pub(super) data: Value,
}

/// An observer as a row, so that one more costs nothing but itself.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Remembered {
    /// The user it acts for, or empty.
    pub(super) user: String,
    /// Whether it lives elsewhere.
    #[serde(default, skip_serializing_if = "is_here")]
    pub(super) is_far: bool,
}

// What serde asks for is a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_here(is_far: &bool) -> bool {
    !*is_far
}

/// What is not written yet, and what is.
#[derive(Debug, Default)]
pub(crate) struct Log {
    // Changes as they came, each with a comma in front.
    gathered: Vec<u8>,
    first: u64,
    children: BTreeSet<String>,
    due: Option<Duration>,
    // First versions of the rows that are written.
    rows: Vec<u64>,
    rows_bytes: usize,
    whole_bytes: usize,
    // Too much was gathered to be written as changes.
    is_whole_due: bool,
}

impl Log {
    /// Notes a change; its body is kept as it came.
    pub(super) fn note(&mut self, version: u64, body: &[u8], now: Duration) {
        if self.gathered.is_empty() {
            self.first = version;
        }
        if self.gathered.len() + body.len() > OBJECT_BYTES_MAX {
            // The disk cannot keep up: the object itself is shorter than what it was told.
            self.gathered.clear();
            self.is_whole_due = true;
        } else {
            self.gathered.push(b',');
            self.gathered.extend_from_slice(body);
        }
        self.due_by(now);
    }

    /// Notes that a child is other than what is written of it.
    pub(super) fn note_child(&mut self, id: &str, now: Duration) {
        self.children.insert(id.to_owned());
        self.due_by(now);
    }

    /// When it must be written.
    pub(crate) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// Notes the rows that were read at the start.
    pub(super) fn restored(&mut self, first: u64) {
        self.rows.push(first);
    }

    fn due_by(&mut self, now: Duration) {
        let is_full = self.gathered.len() > GATHERED_BYTES_MAX;
        let by = if is_full { now } else { now + GATHERED_FOR };
        self.due = Some(self.due.map_or(by, |due| due.min(by)));
    }

    fn has_outgrown(&self) -> bool {
        let logged = self.rows_bytes + self.gathered.len();
        self.is_whole_due || logged > self.whole_bytes.max(LOG_BYTES_MIN)
    }
}

impl Object {
    /// What has to be written of what was gathered.
    pub(super) fn gathered(&mut self) -> Vec<Change> {
        if self.log.has_outgrown() {
            return self.whole();
        }
        let mut changes = self.gathered_children();
        self.log.due = None;
        if self.log.gathered.is_empty() {
            return changes;
        }
        let mut row = std::mem::take(&mut self.log.gathered);
        if let Some(first) = row.first_mut() {
            *first = b'[';
        }
        row.push(b']');
        self.log.rows.push(self.log.first);
        self.log.rows_bytes += row.len();
        changes.push(Change {
            table: Table::Deltas,
            key: delta_key(self.address.as_str(), self.log.first),
            value: Some(row),
        });
        changes
    }

    /// Writes the object whole; its log begins anew.
    pub(super) fn whole(&mut self) -> Vec<Change> {
        let mut changes = self.gathered_children();
        let address = self.address.as_str();
        let row = serde_json::to_vec(&self.row()).unwrap_or_default();
        self.log.whole_bytes = row.len();
        self.log.gathered.clear();
        self.log.rows_bytes = 0;
        self.log.is_whole_due = false;
        self.log.due = None;
        let rows = std::mem::take(&mut self.log.rows);
        changes.extend(rows.into_iter().map(|first| Change {
            table: Table::Deltas,
            key: delta_key(address, first),
            value: None,
        }));
        changes.push(Change {
            table: Table::Objects,
            key: address.to_owned(),
            value: Some(row),
        });
        changes
    }

    /// Takes every row of the object out.
    pub(super) fn erased(&mut self) -> Vec<Change> {
        let address = self.address.as_str();
        let deltas = self.log.rows.iter();
        let deltas = deltas.map(|first| (Table::Deltas, delta_key(address, *first)));
        let children = self.children.ids();
        let children = children.chain(self.log.children.iter().map(String::as_str));
        let children: BTreeSet<String> = children.map(|id| child_key(address, id)).collect();
        let children = children.into_iter().map(|key| (Table::Children, key));
        let observers = self.observers.keys();
        let observers = observers.map(|url| (Table::Objects, child_key(address, url)));
        let object = (Table::Objects, address.to_owned());
        let rows = deltas.chain(children).chain(observers).chain([object]);
        rows.map(|(table, key)| Change {
            table,
            key,
            value: None,
        })
        .collect()
    }

    /// What has to be written of one observer.
    pub(super) fn remembered(&self, observer: &str) -> Change {
        let known = self.observers.get(observer);
        let row = known.map(|known| Remembered {
            user: known.user.clone(),
            is_far: known.is_far,
        });
        Change {
            table: Table::Objects,
            key: child_key(self.address.as_str(), observer),
            value: row.and_then(|row| serde_json::to_vec(&row).ok()),
        }
    }

    fn gathered_children(&mut self) -> Vec<Change> {
        let ids = std::mem::take(&mut self.log.children);
        let rows = ids.into_iter().map(|id| Change {
            table: Table::Children,
            key: child_key(self.address.as_str(), &id),
            value: self
                .children
                .get(&id)
                .and_then(|child| serde_json::to_vec(child).ok()),
        });
        rows.collect()
    }

    fn row(&self) -> Whole {
        Whole {
            reporter: self.reporter.as_str().to_owned(),
            provider: self.provider.clone(),
            user: self.user.clone(),
            schema: self.schema.clone(),
            collections: self.collections.clone(),
            is_reporter: self.role == Role::Reported,
            version: self.version,
            metadata: self.metadata.clone(),
            data: self.data.clone(),
        }
    }
}

fn delta_key(address: &str, first: u64) -> String {
    format!("{address}\0{first:020}")
}

fn child_key(address: &str, id: &str) -> String {
    format!("{address}\0{id}")
}
