//! The children of an object: each written by its creator alone.

use std::collections::BTreeMap;

use protocol::api::sync::Delta;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::delta::Change;
use super::limits::{CHILD_BYTES_MAX, CHILDREN_PER_OBJECT_MAX, NAME_BYTES_MAX, VERSION_MAX};
use super::{Bad, measure};

/// One child, as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Child {
    /// Who created it, and may change it.
    pub(crate) creator: String,
    /// Whom the creator acts for.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub(crate) identity: Value,
    /// Its metadata with `data`.
    pub(crate) value: Value,
    /// The version of its data.
    #[serde(default)]
    pub(crate) version: u64,
    #[serde(skip)]
    bytes: usize,
}

/// The children of one object, by their ids.
#[derive(Debug, Default)]
pub(crate) struct Children {
    by_id: BTreeMap<String, Child>,
    bytes: usize,
}

impl Child {
    /// A child as its creator announced it.
    pub(crate) fn new(creator: &str, identity: Value, value: Value) -> Self {
        let creator = creator.to_owned();
        Self {
            creator,
            identity,
            value,
            version: 0,
            bytes: 0,
        }
    }
}

impl Children {
    /// Bytes of all of them.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Takes a child in; its creator may announce it again.
    pub(super) fn put(&mut self, id: &str, mut child: Child, room: usize) -> Result<(), Bad> {
        check_id(id)?;
        measure::fits(&child.value, 0)?;
        measure::fits(&child.identity, 1)?;
        child.bytes = id.len() + measure::bytes(&child.value) + measure::bytes(&child.identity);
        let known = self.by_id.get(id);
        if known.is_some_and(|known| known.creator != child.creator) {
            return Err(Bad::NotYours(format!(
                "the child `{id}` is somebody else's"
            )));
        }
        if known.is_none() && self.by_id.len() >= CHILDREN_PER_OBJECT_MAX {
            return Err(Bad::Share(format!(
                "the object has {CHILDREN_PER_OBJECT_MAX} children already"
            )));
        }
        let old = known.map_or(0, |known| known.bytes);
        if child.bytes > CHILD_BYTES_MAX || child.bytes.saturating_sub(old) > room {
            return Err(too_large(child.bytes));
        }
        self.bytes = self.bytes - old + child.bytes;
        self.by_id.insert(id.to_owned(), child);
        Ok(())
    }

    /// Changes the data of a child.
    pub(super) fn change(
        &mut self,
        id: &str,
        writer: &str,
        mut delta: Delta,
        room: usize,
    ) -> Result<(), Bad> {
        let child = yours(&mut self.by_id, id, writer)?;
        // Old peers count children with their object: gaps are theirs to make.
        if delta.version == 0 {
            delta.version = child.version + 1;
        }
        if delta.version <= child.version || delta.version > VERSION_MAX {
            return Err(Bad::Version(child.version));
        }
        let version = delta.version;
        let room = room.min(CHILD_BYTES_MAX.saturating_sub(child.bytes));
        let Some(data) = data_of(&mut child.value) else {
            return Err(Bad::NoPlace(format!("the child `{id}` has no data")));
        };
        let (_, grown) = Change::read(delta)?.apply(data, room)?;
        child.version = version;
        child.bytes = child.bytes.saturating_add_signed(grown);
        self.bytes = self.bytes.saturating_add_signed(grown);
        Ok(())
    }

    /// Takes a child out.
    pub(super) fn remove(&mut self, id: &str, writer: &str) -> Result<(), Bad> {
        yours(&mut self.by_id, id, writer)?;
        if let Some(gone) = self.by_id.remove(id) {
            self.bytes = self.bytes.saturating_sub(gone.bytes);
        }
        Ok(())
    }

    /// Takes in what was kept; nothing is checked again but its size.
    pub(super) fn restore(&mut self, id: &str, mut child: Child) {
        child.bytes = id.len() + measure::bytes(&child.value) + measure::bytes(&child.identity);
        self.bytes += child.bytes;
        self.by_id.insert(id.to_owned(), child);
    }

    /// One child.
    pub(crate) fn get(&self, id: &str) -> Option<&Child> {
        self.by_id.get(id)
    }

    /// All ids.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.by_id.keys().map(String::as_str)
    }

    /// As readers see them: id → `{identity, value, version}`, in parts of so many bytes.
    pub(crate) fn parts(&self, bytes_max: usize) -> Vec<Map<String, Value>> {
        let mut parts = vec![Map::new()];
        let mut size = 0;
        for (id, child) in &self.by_id {
            size += child.bytes + 64;
            if size > bytes_max && parts.last().is_some_and(|part| !part.is_empty()) {
                parts.push(Map::new());
                size = child.bytes + 64;
            }
            if let Some(part) = parts.last_mut() {
                part.insert(id.clone(), seen(child));
            }
        }
        parts
    }
}

// A heartbeat is a number, not a record (spec services §1.9).
fn seen(child: &Child) -> Value {
    if child.value.is_number() {
        return child.value.clone();
    }
    let mut seen = Map::new();
    if !child.identity.is_null() {
        seen.insert("identity".to_owned(), child.identity.clone());
    }
    seen.insert("value".to_owned(), child.value.clone());
    // A reader that missed an update compares it with its own.
    seen.insert("version".to_owned(), child.version.into());
    seen.into()
}

fn yours<'c>(
    children: &'c mut BTreeMap<String, Child>,
    id: &str,
    writer: &str,
) -> Result<&'c mut Child, Bad> {
    let Some(child) = children.get_mut(id) else {
        return Err(Bad::Unknown(format!("the object has no child `{id}`")));
    };
    if child.creator != writer {
        return Err(Bad::NotYours(format!(
            "the child `{id}` is its creator's to change"
        )));
    }
    Ok(child)
}

fn data_of(value: &mut Value) -> Option<&mut Value> {
    let members = value.as_object_mut()?;
    Some(
        members
            .entry("data")
            .or_insert_with(|| Value::Object(Map::new())),
    )
}

fn check_id(id: &str) -> Result<(), Bad> {
    // A zero byte parts the key of the store.
    if id.is_empty() || id.len() > NAME_BYTES_MAX || id.contains('\0') {
        return Err(Bad::Malformed(format!(
            "a child's id has 1 to {NAME_BYTES_MAX} bytes"
        )));
    }
    if id == "__proto__" {
        return Err(Bad::Malformed("`__proto__` is not a child's id".to_owned()));
    }
    Ok(())
}

fn too_large(bytes: usize) -> Bad {
    Bad::TooLarge(format!(
        "a child of {bytes} bytes is larger than {CHILD_BYTES_MAX}, or than the object's provider has left"
    ))
}
