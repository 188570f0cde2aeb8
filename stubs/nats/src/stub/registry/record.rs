//! One record, as registries show it, and its times.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use super::super::node::strings;
use crate::client::Entry;

/// As registries show records (spec messaging §6.8).
pub(super) fn shown(entry: &Entry, mut record: Map<String, Value>, now: u64) -> Map<String, Value> {
    let number = |member: &str| {
        record
            .get(member)
            .and_then(Value::as_u64)
            .unwrap_or_default()
    };
    let is_over = number("modified").saturating_add(number("expires")) < now;
    record.remove("modified");
    if is_over {
        record.insert("status".to_owned(), "disconnected".into());
    }
    if entry.key.starts_with("h.") {
        for (old, new) in [("url", "hypertyID"), ("user", "userID")] {
            if let Some(value) = record.remove(old) {
                record.insert(new.to_owned(), value);
            }
        }
    }
    record
}

/// Whether a list of the record has every word that is wanted.
pub(super) fn has(
    record: &Map<String, Value>,
    criteria: &Map<String, Value>,
    member: &str,
) -> bool {
    let wanted = strings(criteria.get(member));
    let there = strings(record.get(member));
    wanted.iter().all(|word| there.contains(word))
}

/// Seconds since 1970.
pub(super) fn seconds() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.unwrap_or_default().as_secs()
}

/// `2026-11-24T09:00:00Z`, by the calendar of Gregory.
pub(super) fn time(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Years that begin with March: the odd day stands at the end.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}Z")
}
