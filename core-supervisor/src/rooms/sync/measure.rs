//! How large and how deep a JSON value is.

use serde_json::Value;

use super::Bad;
use super::limits::DEPTH_MAX;

/// Bytes of a value's JSON text.
pub(super) fn bytes(value: &Value) -> usize {
    let mut counter = Counter(0);
    // Counting cannot fail, and every value has a text.
    let _ = serde_json::to_writer(&mut counter, value);
    counter.0
}

/// Whether a value may be put `above` levels below the top of an object.
pub(super) fn fits(value: &Value, above: usize) -> Result<(), Bad> {
    if above > DEPTH_MAX {
        return Err(Bad::TooLarge(format!(
            "data nests deeper than {DEPTH_MAX} levels"
        )));
    }
    match value {
        Value::Object(members) => members.iter().try_for_each(|(key, member)| {
            // A script that copies members one by one would set a prototype.
            if key == "__proto__" {
                return Err(Bad::Malformed(
                    "`__proto__` is not a key of data".to_owned(),
                ));
            }
            fits(member, above + 1)
        }),
        Value::Array(items) => items.iter().try_for_each(|item| fits(item, above + 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
