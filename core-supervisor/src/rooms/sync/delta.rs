//! One change of JSON data: read, applied, and taken back.
//!
//! Applying costs no more than the way to the place, what is put there or taken
//! away, and moving what follows it; the rest of the data is not looked at. A
//! change that cannot be applied leaves the data as it was.
//!
//! Members keep the order in which they came, as in a script: who reads an object
//! back lists it as its reporter does.

use protocol::api::sync::Delta;
use serde_json::{Map, Value};

use super::{Bad, measure, path};

/// Elements that one change may take out: more than any array here can have.
const REMOVED_MAX: u64 = 1 << 32;

/// A change that was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    keys: Vec<String>,
    deed: Deed,
}

#[derive(Debug, Clone, PartialEq)]
enum Deed {
    Assign(Value),
    Delete,
    /// Puts a deleted member back where it was; only what undoes says so.
    Restore(usize, Value),
    Insert(Vec<Value>),
    Remove(usize),
}

/// What takes an applied change back.
#[derive(Debug)]
pub(crate) struct Undo(Option<Change>);

impl Change {
    /// Reads a change; what it says is bounded, whether it fits is seen later.
    pub(crate) fn read(delta: Delta) -> Result<Self, Bad> {
        let keys = path::of(&delta)?;
        if let Some(value) = &delta.value {
            measure::fits(value, keys.len())?;
        }
        let deed = match (delta.operation.as_deref(), delta.value) {
            (None | Some(""), Some(value)) => Deed::Assign(value),
            (None | Some(""), None) => Deed::Delete,
            (Some("add"), Some(Value::Array(elements))) => Deed::Insert(elements),
            (Some("add"), Some(element)) => Deed::Insert(vec![element]),
            (Some("add"), None) => return Err(malformed("`add` without a `value`")),
            (Some("remove"), value) => Deed::Remove(count(value.as_ref())?),
            (Some(other), _) => {
                return Err(malformed(&format!(
                    "`{other}` is not an operation: say add or remove"
                )));
            }
        };
        Ok(Self { keys, deed })
    }

    /// Where it is.
    pub(crate) fn keys(&self) -> &[String] {
        &self.keys
    }

    /// Applies the change; gives back what undoes it and by how much the data grew.
    pub(crate) fn apply(self, root: &mut Value, room: usize) -> Result<(Undo, isize), Bad> {
        let Some((last, above)) = self.keys.split_last() else {
            return Err(malformed("no path"));
        };
        match (place(root, above)?, self.deed) {
            (Value::Object(members), Deed::Assign(value)) => {
                assign_member(members, self.keys.clone(), last, value, room)
            }
            (Value::Object(members), Deed::Delete) => {
                Ok(delete_member(members, self.keys.clone(), last))
            }
            (Value::Object(members), Deed::Restore(at, value)) => {
                members.shift_insert(at.min(members.len()), last.clone(), value);
                Ok((Undo(None), 0))
            }
            (Value::Array(items), deed) => {
                let at = last.parse::<usize>().ok();
                let at = at.ok_or_else(|| no_place(format!("`{last}` is not an index")))?;
                change_array(items, self.keys.clone(), at, deed, room)
            }
            (Value::Object(_), Deed::Insert(_) | Deed::Remove(_)) => Err(no_place(format!(
                "what has the member `{last}` is no array"
            ))),
            (_, _) => Err(no_place(format!(
                "what should have the member `{last}` has no members"
            ))),
        }
    }
}

impl Undo {
    /// Takes the change back, right after it was applied.
    pub(crate) fn apply(self, root: &mut Value) {
        if let Some(change) = self.0 {
            // It leads to where the change has just been.
            let _ = change.apply(root, usize::MAX);
        }
    }
}

fn place<'v>(root: &'v mut Value, keys: &[String]) -> Result<&'v mut Value, Bad> {
    keys.iter().try_fold(root, |value, key| {
        let member = match value {
            Value::Object(members) => members.get_mut(key),
            Value::Array(items) => key.parse::<usize>().ok().and_then(|at| items.get_mut(at)),
            _ => None,
        };
        member.ok_or_else(|| no_place(format!("there is no `{key}` on the way to it")))
    })
}

fn assign_member(
    members: &mut Map<String, Value>,
    keys: Vec<String>,
    last: &str,
    value: Value,
    room: usize,
) -> Result<(Undo, isize), Bad> {
    let new = measure::bytes(&value);
    let old = match members.get(last) {
        Some(old) => measure::bytes(old),
        None => 0,
    };
    // A key is written with two quotation marks, a colon and a comma.
    let key = if old == 0 { last.len() + 4 } else { 0 };
    let grown = grown(new + key, old, room)?;
    let deed = match members.insert(last.to_owned(), value) {
        Some(old) => Deed::Assign(old),
        None => Deed::Delete,
    };
    Ok((Undo(Some(Change { keys, deed })), grown))
}

fn delete_member(members: &mut Map<String, Value>, keys: Vec<String>, last: &str) -> (Undo, isize) {
    let Some(at) = members.keys().position(|key| key == last) else {
        return (Undo(None), 0);
    };
    // Not `remove`: it puts the last member into the gap.
    let Some(old) = members.shift_remove(last) else {
        return (Undo(None), 0);
    };
    let freed = measure::bytes(&old) + last.len() + 4;
    let deed = Deed::Restore(at, old);
    (Undo(Some(Change { keys, deed })), -signed(freed))
}

fn change_array(
    items: &mut Vec<Value>,
    keys: Vec<String>,
    at: usize,
    deed: Deed,
    room: usize,
) -> Result<(Undo, isize), Bad> {
    let (deed, grown) = match deed {
        // What a script calls a hole is `null` to everybody else.
        Deed::Delete if at < items.len() => replace(items, at, Value::Null, room)?,
        Deed::Delete => return Ok((Undo(None), 0)),
        Deed::Assign(value) if at < items.len() => replace(items, at, value, room)?,
        Deed::Assign(value) => return extend(items, keys, at, value, room),
        Deed::Insert(elements) if at <= items.len() => {
            let size: usize = elements.iter().map(|e| measure::bytes(e) + 1).sum();
            let grown = grown(size, 0, room)?;
            let count = elements.len();
            items.splice(at..at, elements);
            (Deed::Remove(count), grown)
        }
        // Only a member is put back.
        Deed::Restore(..) => return Err(malformed("an element is not put back")),
        Deed::Insert(_) => {
            return Err(no_place(format!(
                "an array of {} elements has no place {at} to insert at",
                items.len()
            )));
        }
        Deed::Remove(count) => {
            let end = at.saturating_add(count).min(items.len());
            let taken: Vec<Value> = items.drain(at.min(end)..end).collect();
            let size: usize = taken.iter().map(|e| measure::bytes(e) + 1).sum();
            (Deed::Insert(taken), -signed(size))
        }
    };
    Ok((Undo(Some(Change { keys, deed })), grown))
}

fn replace(
    items: &mut [Value],
    at: usize,
    value: Value,
    room: usize,
) -> Result<(Deed, isize), Bad> {
    let Some(place) = items.get_mut(at) else {
        return Err(no_place(format!("there is no element {at}")));
    };
    let grown = grown(measure::bytes(&value), measure::bytes(place), room)?;
    Ok((Deed::Assign(std::mem::replace(place, value)), grown))
}

// Beyond the end: what lies between is `null`, as scripts write such arrays.
fn extend(
    items: &mut Vec<Value>,
    mut keys: Vec<String>,
    at: usize,
    value: Value,
    room: usize,
) -> Result<(Undo, isize), Bad> {
    let before = items.len();
    let holes = at - before;
    let size = holes
        .saturating_mul(5)
        .saturating_add(measure::bytes(&value) + 1);
    let grown = grown(size, 0, room)?;
    items.resize(at, Value::Null);
    items.push(value);
    if let Some(last) = keys.last_mut() {
        *last = before.to_string();
    }
    let deed = Deed::Remove(holes + 1);
    Ok((Undo(Some(Change { keys, deed })), grown))
}

fn grown(new: usize, old: usize, room: usize) -> Result<isize, Bad> {
    if new.saturating_sub(old) > room {
        return Err(Bad::TooLarge(format!(
            "the object would be {} bytes larger than it may be",
            new - old - room
        )));
    }
    Ok(signed(new) - signed(old))
}

fn signed(bytes: usize) -> isize {
    isize::try_from(bytes).unwrap_or(isize::MAX)
}

fn count(value: Option<&Value>) -> Result<usize, Bad> {
    // Old peers leave it out and mean one (spec services §1.6).
    let count = value.map_or(Some(1), Value::as_u64);
    count
        .filter(|count| *count <= REMOVED_MAX)
        .and_then(|count| usize::try_from(count).ok())
        .ok_or_else(|| malformed("the `value` of `remove` is not a number of elements"))
}

fn malformed(what: &str) -> Bad {
    Bad::Malformed(what.to_owned())
}

fn no_place(why: String) -> Bad {
    Bad::NoPlace(why)
}
