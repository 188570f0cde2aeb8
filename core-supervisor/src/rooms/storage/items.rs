//! What scripts keep for themselves: `localStorage`, by component.

use std::collections::BTreeMap;

use protocol::Code;
use protocol::api::storage::{Item, Keep};

use super::files::Refused;
use super::{ITEM_UNITS, ITEMS_BYTES_MAX, ITEMS_PER_OWNER_UNITS_MAX};
use crate::store::{Change, Table};

/// What stands in front of the keys of items.
pub(super) const FOLDER: &str = "item";

/// What became of changes.
#[derive(Debug, PartialEq, Eq)]
pub enum Kept {
    /// They wait for the rest of them.
    Begun,
    /// They are done: this is to be written.
    Done(Vec<Change>),
}

/// The items of all scripts.
#[derive(Debug, Default)]
pub struct Items {
    by_owner: BTreeMap<String, BTreeMap<String, String>>,
    // Changes whose end has not come.
    begun: BTreeMap<String, Begun>,
    // INVARIANT: the bytes of `by_owner` and `begun`.
    bytes: usize,
}

#[derive(Debug, Default)]
struct Begun {
    items: Vec<Item>,
    bytes: usize,
}

impl Items {
    /// Does a script's changes, all or none; it may keep so many units.
    pub fn keep(&mut self, owner: &str, keep: Keep, most: usize) -> Result<Kept, Refused> {
        if keep.first {
            self.forget(owner);
        }
        let bytes: usize = keep.items.iter().flatten().map(String::len).sum();
        if self.bytes + bytes > ITEMS_BYTES_MAX {
            self.forget(owner);
            let reason = format!("all scripts together keep {ITEMS_BYTES_MAX} bytes already");
            return Err((Code::TOO_LARGE, reason));
        }
        self.bytes += bytes;
        let begun = self.begun.entry(owner.to_owned()).or_default();
        begun.bytes += bytes;
        begun.items.extend(keep.items);
        // UTF-8 has at most three bytes for one unit, and a batch says no key twice.
        if begun.bytes > most.max(ITEMS_PER_OWNER_UNITS_MAX) * 4 {
            self.forget(owner);
            return Err(full(most));
        }
        if keep.more {
            return Ok(Kept::Begun);
        }
        let items = self.forget(owner);
        self.commit(owner, items, most).map(Kept::Done)
    }

    /// Forgets changes whose end has not come.
    pub fn forget(&mut self, owner: &str) -> Vec<Item> {
        let begun = self.begun.remove(owner).unwrap_or_default();
        self.bytes -= begun.bytes;
        begun.items
    }

    /// What a script keeps, as changes from nothing, in lists of about so many bytes.
    pub fn seed(&self, owner: &str, bytes_max: usize) -> Vec<Vec<Item>> {
        let mut lists: Vec<Vec<Item>> = Vec::new();
        let mut room = 0;
        let items = self.by_owner.get(owner).into_iter().flatten();
        for (key, value) in items {
            for (at, piece) in pieces(value, bytes_max / 2).into_iter().enumerate() {
                let word = if at == 0 { "set" } else { "add" };
                let cost = key.len() + piece.len() + 16;
                if cost > room {
                    lists.push(Vec::new());
                    room = bytes_max;
                }
                room = room.saturating_sub(cost);
                if let Some(list) = lists.last_mut() {
                    list.push(vec![word.to_owned(), key.clone(), piece.to_owned()]);
                }
            }
        }
        lists
    }

    pub(super) fn restore(&mut self, owner: &str, key: &str, value: &[u8]) {
        if let Ok(value) = String::from_utf8(value.to_vec()) {
            self.bytes += key.len() + value.len();
            let items = self.by_owner.entry(owner.to_owned()).or_default();
            items.insert(key.to_owned(), value);
        }
    }

    /// What a script keeps, in units.
    pub fn units_of(&self, owner: &str) -> usize {
        self.by_owner.get(owner).map(units).unwrap_or_default()
    }

    /// Bytes of what a script keeps.
    pub fn bytes_of(&self, owner: &str) -> usize {
        self.by_owner.get(owner).map(bytes).unwrap_or_default()
    }

    /// Forgets all that a script keeps; what is to be written.
    pub fn purge(&mut self, owner: &str) -> Vec<Change> {
        self.forget(owner);
        let items = self.by_owner.remove(owner).unwrap_or_default();
        self.bytes -= bytes(&items);
        items.keys().map(|key| change(owner, key, None)).collect()
    }

    fn commit(
        &mut self,
        owner: &str,
        changes: Vec<Item>,
        most: usize,
    ) -> Result<Vec<Change>, Refused> {
        let before = self.by_owner.get(owner);
        let mut after = before.cloned().unwrap_or_default();
        for item in changes {
            apply(&mut after, item)?;
        }
        // Who has more since the operator lowered the number may still remove.
        let after_units = units(&after);
        if after_units > most && after_units > before.map(units).unwrap_or_default() {
            return Err(full(most));
        }
        let before = self.by_owner.remove(owner).unwrap_or_default();
        let mut written = Vec::new();
        for (key, value) in &after {
            if before.get(key) != Some(value) {
                written.push(change(owner, key, Some(value.clone().into_bytes())));
            }
        }
        let gone = before.keys().filter(|key| !after.contains_key(*key));
        written.extend(gone.map(|key| change(owner, key, None)));
        self.bytes = self.bytes + bytes(&after) - bytes(&before);
        if !after.is_empty() {
            self.by_owner.insert(owner.to_owned(), after);
        }
        Ok(written)
    }
}

fn apply(items: &mut BTreeMap<String, String>, item: Item) -> Result<(), Refused> {
    let mut words = item.into_iter();
    let word = words.next().unwrap_or_default();
    match (word.as_str(), words.next(), words.next()) {
        ("set", Some(key), Some(value)) => drop(items.insert(key, value)),
        ("add", Some(key), Some(value)) => items.entry(key).or_default().push_str(&value),
        ("remove", Some(key), None) => drop(items.remove(&key)),
        ("clear", None, None) => items.clear(),
        _ => {
            return Err((
                Code::BAD_REQUEST,
                "`items` has what is no change".to_owned(),
            ));
        }
    }
    Ok(())
}

fn units(items: &BTreeMap<String, String>) -> usize {
    let units = |text: &str| text.encode_utf16().count();
    let cost = |(key, value): (&String, &String)| units(key) + units(value) + ITEM_UNITS;
    items.iter().map(cost).sum()
}

fn bytes(items: &BTreeMap<String, String>) -> usize {
    items
        .iter()
        .map(|(key, value)| key.len() + value.len())
        .sum()
}

// A text in pieces of at most so many bytes.
fn pieces(mut text: &str, bytes_max: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    while text.len() > bytes_max {
        let (piece, rest) = text.split_at(text.floor_char_boundary(bytes_max));
        pieces.push(piece);
        text = rest;
    }
    pieces.push(text);
    pieces
}

fn full(most: usize) -> Refused {
    let reason = format!(
        "this script keeps at most {most} units of text (`limits.storage`): remove what is not needed"
    );
    (Code::TOO_LARGE, reason)
}

fn change(owner: &str, key: &str, value: Option<Vec<u8>>) -> Change {
    Change {
        table: Table::Storage,
        key: format!("{FOLDER}\0{owner}\0{key}"),
        value,
    }
}
