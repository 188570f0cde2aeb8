//! The copy of a data object that was lent.

use serde_json::Value;

use super::Reference;
use crate::api::rpc::{Changed, Delta, Snapshot};

/// Elements that one change may add with nothing in them.
const GAP_MAX: usize = 262_144;

/// Something is missing in front of a change: ask for a snapshot, and adopt it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("changes of the data object are missing; its snapshot has them")]
pub struct OutOfStep;

/// The copy of a data object that was lent, kept up to date by its changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Mirror {
    reference: String,
    data: Value,
    change: u64,
}

impl Mirror {
    /// The data as it was when it was lent; `None` for what is no data object.
    pub fn of(reference: &Reference) -> Option<Self> {
        let lent = reference.lent();
        Some(Self {
            reference: lent.reference.clone(),
            data: lent.data.clone()?,
            change: lent.change?,
        })
    }

    /// The data as it is now.
    pub const fn data(&self) -> &Value {
        &self.data
    }

    /// Takes over what is newer in some changes; those of other objects are left alone.
    ///
    /// After an error the data is older than it could be, until a snapshot is adopted.
    pub fn apply(&mut self, changed: &Changed) -> Result<(), OutOfStep> {
        if changed.reference != self.reference {
            return Ok(());
        }
        let next = self.change + 1;
        if changed.behind || changed.change > next {
            return Err(OutOfStep);
        }
        let known = usize::try_from(next - changed.change).unwrap_or(usize::MAX);
        for delta in changed.deltas.iter().skip(known) {
            apply(&mut self.data, delta).ok_or(OutOfStep)?;
            self.change += 1;
        }
        Ok(())
    }

    /// Takes over the whole, unless it is older.
    pub fn adopt(&mut self, snapshot: Snapshot) {
        if snapshot.change >= self.change {
            self.data = snapshot.data;
            self.change = snapshot.change;
        }
    }
}

fn apply(data: &mut Value, delta: &Delta) -> Option<()> {
    let (last, path) = delta.path.split_last()?;
    let around = path.iter().try_fold(data, |at, key| inner(at, key))?;
    match around {
        Value::Object(members) => {
            let name = text(last);
            match &delta.value {
                Some(value) => members.insert(name, value.clone()),
                None => members.remove(&name),
            };
        }
        Value::Array(items) => element(items, index(last)?, delta)?,
        _ => return None,
    }
    Some(())
}

fn element(items: &mut Vec<Value>, at: usize, delta: &Delta) -> Option<()> {
    let value = delta.value.as_ref();
    match delta.operation.as_str() {
        "add" if at <= items.len() => {
            // A list is several elements; one that is an element itself comes in another.
            let added = match value {
                Some(Value::Array(values)) => values.clone(),
                other => vec![other.cloned().unwrap_or_default()],
            };
            items.splice(at..at, added);
        }
        "remove" => {
            let count = value.and_then(Value::as_u64).unwrap_or(1);
            let end = at.checked_add(usize::try_from(count).ok()?)?;
            items.get(at..end)?;
            items.drain(at..end);
        }
        "" if at < items.len().saturating_add(GAP_MAX) => {
            if at >= items.len() {
                items.resize(at + 1, Value::Null);
            }
            *items.get_mut(at)? = value.cloned().unwrap_or_default();
        }
        _ => return None,
    }
    Some(())
}

fn inner<'a>(at: &'a mut Value, key: &Value) -> Option<&'a mut Value> {
    match at {
        Value::Object(members) => members.get_mut(&text(key)),
        Value::Array(items) => items.get_mut(index(key)?),
        _ => None,
    }
}

fn text(key: &Value) -> String {
    key.as_str().map_or_else(|| key.to_string(), str::to_owned)
}

fn index(key: &Value) -> Option<usize> {
    let number = match key {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    };
    usize::try_from(number?).ok()
}
