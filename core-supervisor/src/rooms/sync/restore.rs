//! The objects as they were kept, read back at a start of the supervisor.

use std::collections::BTreeMap;

use protocol::Address;
use protocol::api::sync::Delta;
use serde_json::Value;

use super::children::{Child, Children};
use super::limits::{VERSION_MAX, VERSIONS_PER_START};
use super::log::{Log, Remembered, Whole};
use super::measure;
use super::object::{Object, Observer, Role};
use crate::store::{Change, Record, Table};

/// What was read back.
#[derive(Debug, Default)]
pub(super) struct Restored {
    pub(super) objects: Vec<Object>,
    /// To be written before anything else: the versions that were moved on.
    pub(super) changes: Vec<Change>,
    /// What could not be read, for the log.
    pub(super) problems: Vec<String>,
}

/// Reads the rows of the room's tables.
pub(super) fn restore(records: Vec<Record>) -> Restored {
    let mut restored = Restored::default();
    let mut objects = BTreeMap::new();
    let mut rest = Vec::new();
    for record in records {
        if record.table == Table::Objects && !record.key.contains('\0') {
            match whole(&record) {
                Ok(object) => drop(objects.insert(record.key, object)),
                Err(problem) => restored.problems.push(problem),
            }
        } else {
            rest.push(record);
        }
    }
    // The key of a row of changes ends in its version: in this order they follow.
    rest.sort_by(|a, b| a.key.cmp(&b.key));
    for record in rest {
        if let Err(problem) = part(&mut objects, &record) {
            restored.problems.push(problem);
        }
    }
    for mut object in objects.into_values() {
        // The versions of an object elsewhere are its reporter's to count.
        if object.role == Role::Reported {
            object.version = (object.version + VERSIONS_PER_START).min(VERSION_MAX);
        }
        restored.changes.extend(object.whole());
        restored.objects.push(object);
    }
    restored
}

fn whole(record: &Record) -> Result<Object, String> {
    let bad = |why: String| format!("the row of object `{}`: {why}", record.key);
    let whole: Whole = serde_json::from_slice(&record.value).map_err(|e| bad(e.to_string()))?;
    let address = |text: &str| text.parse::<Address>().map_err(|e| bad(e.to_string()));
    Ok(Object {
        address: address(&record.key)?,
        reporter: address(&whole.reporter)?,
        provider: whole.provider,
        user: whole.user,
        schema: whole.schema,
        collections: whole.collections,
        role: if whole.is_reporter {
            Role::Reported
        } else {
            Role::Followed
        },
        observers: BTreeMap::new(),
        children: Children::default(),
        bytes: measure::bytes(&whole.data) + measure::bytes(&Value::Object(whole.metadata.clone())),
        metadata: whole.metadata,
        data: whole.data,
        version: whole.version,
        log: Log::default(),
        // What came while this runtime was down was not for it.
        has_missed: !whole.is_reporter,
        shape: None,
    })
}

// A change, a child or an observer of an object that was read.
fn part(objects: &mut BTreeMap<String, Object>, record: &Record) -> Result<(), String> {
    let bad = |why: &str| format!("a row of `{}`: {why}", record.key.replace('\0', " "));
    let (address, name) = record.key.split_once('\0').ok_or_else(|| bad("no key"))?;
    let object = objects.get_mut(address);
    let object = object.ok_or_else(|| bad("its object was not kept"))?;
    match record.table {
        Table::Deltas => {
            let first = name.parse().map_err(|_| bad("no version"))?;
            // Known to the log even if unreadable, so that it is taken out.
            object.log.restored(first);
            replay(object, &record.value).map_err(|why| bad(&why))
        }
        Table::Children => {
            let child: Child =
                serde_json::from_slice(&record.value).map_err(|e| bad(&e.to_string()))?;
            object.children.restore(name, child);
            Ok(())
        }
        _ => {
            let known: Remembered =
                serde_json::from_slice(&record.value).map_err(|e| bad(&e.to_string()))?;
            let observer = Observer {
                owner: None,
                permitted_by: 0,
                user: known.user,
                is_far: known.is_far,
            };
            object.observers.insert(name.to_owned(), observer);
            Ok(())
        }
    }
}

// Changes that the whole row has in it already are passed over.
fn replay(object: &mut Object, row: &[u8]) -> Result<(), String> {
    let deltas: Vec<Delta> = serde_json::from_slice(row).map_err(|e| e.to_string())?;
    for delta in deltas {
        if delta.version > object.version {
            object
                .change(delta, usize::MAX)
                .map_err(|bad| bad.to_string())?;
        }
    }
    Ok(())
}
