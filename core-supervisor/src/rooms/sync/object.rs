//! One data object: what it says, under which version, and who takes part.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::Address;
use protocol::api::sync::Delta;
use serde_json::{Map, Value};

use super::children::Children;
use super::delta::{Change, Undo};
use super::limits::{OBJECT_BYTES_MAX, OBSERVERS_PER_OBJECT_MAX, VERSION_MAX};
use super::log::Log;
use super::shape::Shape;
use super::{Bad, measure};
use crate::ids::OwnerId;

/// Members of a record that the room keeps apart, or that are nobody else's business.
const OWN_MEMBERS: [&str; 5] = [
    "data",
    "version",
    "childrenObjects",
    "authorise",
    "resource",
];

/// One data object.
#[derive(Debug)]
pub(crate) struct Object {
    /// Its address.
    pub(crate) address: Address,
    /// The hyperty that reports it.
    pub(crate) reporter: Address,
    /// The domain that pays for it.
    pub(crate) provider: String,
    /// The user its reporter acts for; empty where it is reported elsewhere.
    pub(crate) user: String,
    /// The catalogue URL of its schema.
    pub(crate) schema: String,
    /// The names of its collections of children.
    pub(crate) collections: Vec<String>,
    /// What is kept of it here.
    pub(crate) role: Role,
    /// Who is told of changes, by address: those that are there, and those to come back.
    pub(crate) observers: BTreeMap<String, Observer>,
    /// Its children.
    pub(crate) children: Children,
    pub(super) metadata: Map<String, Value>,
    pub(super) data: Value,
    pub(super) version: u64,
    pub(super) bytes: usize,
    pub(super) log: Log,
    /// Whether changes of an object elsewhere were missed.
    pub(super) has_missed: bool,
    /// What its schema demands, where a catalogue has it.
    pub(crate) shape: Option<Arc<Shape>>,
}

/// Where an object is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Here: this copy is the object.
    Reported,
    /// In another runtime: this copy follows it.
    Followed,
}

/// One observer of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Observer {
    /// Who it is while it observes; `None` until it comes back.
    pub(crate) owner: Option<OwnerId>,
    /// The policy version that permitted it last; 0 asks again.
    pub(crate) permitted_by: u64,
    /// The user it acts for, or empty.
    pub(crate) user: String,
    /// Whether it lives elsewhere, behind a stub.
    pub(crate) is_far: bool,
}

/// What is known of a new object.
#[derive(Debug, Clone)]
pub(crate) struct New {
    /// Its address.
    pub(crate) address: Address,
    /// Its reporter.
    pub(crate) reporter: Address,
    /// Who pays for it.
    pub(crate) provider: String,
    /// The user its reporter acts for, or empty.
    pub(crate) user: String,
    /// Its schema's URL.
    pub(crate) schema: String,
    /// Its collections of children.
    pub(crate) collections: Vec<String>,
    /// Where it is reported.
    pub(crate) role: Role,
    /// Its metadata, `data` and `version` among them.
    pub(crate) value: Map<String, Value>,
}

impl Object {
    /// Makes an object out of what its reporter says of it.
    pub(super) fn new(new: New) -> Result<Self, Bad> {
        let mut metadata = new.value;
        let data = metadata.remove("data").unwrap_or_else(|| Map::new().into());
        let version = metadata.get("version").and_then(Value::as_u64);
        metadata.retain(|member, _| !OWN_MEMBERS.contains(&member.as_str()));
        metadata.insert("url".to_owned(), new.address.as_str().into());
        metadata.insert("schema".to_owned(), new.schema.as_str().into());
        if !new.collections.is_empty() {
            metadata.insert("childrens".to_owned(), new.collections.clone().into());
        }
        check(&data)?;
        metadata
            .values()
            .try_for_each(|value| measure::fits(value, 1))?;
        let bytes = measure::bytes(&data) + metadata_bytes(&metadata);
        if bytes > OBJECT_BYTES_MAX {
            return Err(too_large(bytes));
        }
        Ok(Self {
            address: new.address,
            reporter: new.reporter,
            provider: new.provider,
            user: new.user,
            schema: new.schema,
            collections: new.collections,
            role: new.role,
            observers: BTreeMap::new(),
            children: Children::default(),
            metadata,
            data,
            version: version
                .filter(|version| *version < VERSION_MAX)
                .unwrap_or(0),
            bytes,
            log: Log::default(),
            has_missed: false,
            shape: None,
        })
    }

    /// The version of its data.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Its data.
    pub(crate) fn data(&self) -> &Value {
        &self.data
    }

    /// A member of its metadata.
    pub(crate) fn meta(&self, member: &str) -> Option<&Value> {
        self.metadata.get(member)
    }

    /// Bytes of its metadata and data.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes it is charged for, children included.
    pub(super) fn charge(&self) -> usize {
        self.bytes + self.children.bytes()
    }

    /// What readers are handed: metadata with `data` and `version`.
    pub(crate) fn record(&self) -> Map<String, Value> {
        let mut record = self.metadata.clone();
        record.insert("data".to_owned(), self.data.clone());
        record.insert("version".to_owned(), self.version.into());
        record
    }

    /// Applies a change that follows the last one.
    ///
    /// `room` is how many bytes its provider has left. What comes back undoes it.
    pub(super) fn change(&mut self, delta: Delta, room: usize) -> Result<Changed, Bad> {
        self.follows(delta.version)?;
        let (version, modified) = (delta.version, delta.last_modified.clone());
        let room = room.min(OBJECT_BYTES_MAX.saturating_sub(self.bytes));
        let before = (self.version, self.bytes);
        let change = Change::read(delta)?;
        let keys = change.keys().to_vec();
        let (undo, grown) = change.apply(&mut self.data, room)?;
        self.version = version;
        self.bytes = self.bytes.saturating_add_signed(grown);
        if let Some(modified) = modified {
            self.metadata
                .insert("lastModified".to_owned(), modified.into());
        }
        Ok(Changed {
            undo,
            before,
            grown,
            keys,
        })
    }

    /// Takes a change back, right after it was applied.
    pub(super) fn undo(&mut self, changed: Changed) {
        changed.undo.apply(&mut self.data);
        (self.version, self.bytes) = changed.before;
    }

    /// Puts other data in the place of what there is, under a higher version.
    pub(super) fn replace(&mut self, data: Value, version: u64, room: usize) -> Result<isize, Bad> {
        if version <= self.version || version > VERSION_MAX {
            return Err(Bad::Version(self.version));
        }
        check(&data)?;
        let (old, new) = (measure::bytes(&self.data), measure::bytes(&data));
        let bytes = self.bytes - old.min(self.bytes) + new;
        if bytes > OBJECT_BYTES_MAX || new.saturating_sub(old) > room {
            return Err(too_large(bytes));
        }
        let grown = isize::try_from(bytes).unwrap_or_default()
            - isize::try_from(self.bytes).unwrap_or_default();
        (self.data, self.version, self.bytes) = (data, version, bytes);
        Ok(grown)
    }

    /// Lets somebody observe it; one that did before is taken over.
    pub(crate) fn observe(&mut self, observer: &str, how: Observer) -> Result<(), Bad> {
        let is_known = self.observers.contains_key(observer);
        if !is_known && self.observers.len() >= OBSERVERS_PER_OBJECT_MAX {
            // Whoever has left gives way: it may subscribe again.
            let gone = self.observers.iter().find(|(_, o)| o.owner.is_none());
            let Some(gone) = gone.map(|(url, _)| url.clone()) else {
                return Err(Bad::Share(format!(
                    "it has {OBSERVERS_PER_OBJECT_MAX} observers already"
                )));
            };
            self.observers.remove(&gone);
        }
        self.observers.insert(observer.to_owned(), how);
        Ok(())
    }

    /// The users of its observers.
    pub(crate) fn users(&self) -> BTreeSet<&str> {
        let users = self.observers.values().map(|o| o.user.as_str());
        users.filter(|user| !user.is_empty()).collect()
    }

    // The next version and no other: two writers, or a lost change, are found out.
    fn follows(&self, version: u64) -> Result<(), Bad> {
        if version != self.version + 1 || version > VERSION_MAX {
            return Err(Bad::Version(self.version));
        }
        Ok(())
    }
}

/// What an applied change did.
#[derive(Debug)]
pub(super) struct Changed {
    undo: Undo,
    before: (u64, usize),
    pub(super) grown: isize,
    pub(super) keys: Vec<String>,
}

fn check(data: &Value) -> Result<(), Bad> {
    if !data.is_object() {
        return Err(Bad::Malformed("`data` is not an object".to_owned()));
    }
    measure::fits(data, 0)
}

fn metadata_bytes(metadata: &Map<String, Value>) -> usize {
    let members = metadata.iter();
    members
        .map(|(key, value)| key.len() + 4 + measure::bytes(value))
        .sum()
}

fn too_large(bytes: usize) -> Bad {
    Bad::TooLarge(format!(
        "an object of {bytes} bytes is larger than {OBJECT_BYTES_MAX}, or than its provider has left"
    ))
}
