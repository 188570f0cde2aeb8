//! Records of other registries, for as long as they hold.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::Address;
use serde_json::Value;

use crate::limits::{FAR_RECORD_BYTES_MAX, FAR_RECORD_HOLDS, FAR_RECORDS_MAX};

#[derive(Debug)]
struct Kept {
    record: Value,
    until: Duration,
    // Whether it was asked for again because the first one was wrong.
    is_second: bool,
}

/// What other registries have said.
#[derive(Debug, Default)]
pub struct Far {
    records: BTreeMap<String, Kept>,
}

impl Far {
    /// Keeps a record for as long as it says, and no longer than is sensible.
    pub fn keep(&mut self, record: &Value, now: Duration) {
        self.insert(record, now, false);
    }

    /// Keeps one that was asked for again.
    pub fn keep_again(&mut self, record: &Value, now: Duration) {
        self.insert(record, now, true);
    }

    /// The record of an address, while it holds.
    pub fn get(&self, url: &str, now: Duration) -> Option<&Value> {
        let kept = self.records.get(url).filter(|kept| kept.until > now);
        kept.map(|kept| &kept.record)
    }

    /// Drops a record that is wrong; whether it was a second one. Nothing when there
    /// was none.
    pub fn drop(&mut self, url: &str) -> Option<bool> {
        self.records.remove(url).map(|kept| kept.is_second)
    }

    /// All that hold, with how long they do.
    pub fn iter(&self, now: Duration) -> impl Iterator<Item = (&str, &Value, Duration)> {
        let kept = self
            .records
            .iter()
            .filter(move |(_, kept)| kept.until > now);
        kept.map(move |(url, kept)| (url.as_str(), &kept.record, kept.until.saturating_sub(now)))
    }

    fn insert(&mut self, record: &Value, now: Duration, is_second: bool) {
        let url = record.get("hypertyID").or_else(|| record.get("url"));
        let url = url
            .and_then(Value::as_str)
            .and_then(|url| url.parse::<Address>().ok());
        let (Some(url), true) = (url, record.to_string().len() <= FAR_RECORD_BYTES_MAX) else {
            return;
        };
        if self.records.len() >= FAR_RECORDS_MAX {
            self.records.retain(|_, kept| kept.until > now);
        }
        if self.records.len() >= FAR_RECORDS_MAX {
            self.records.pop_first();
        }
        let says = record.get("expires").and_then(Value::as_u64);
        let holds = says.map_or(FAR_RECORD_HOLDS, Duration::from_secs);
        let kept = Kept {
            record: record.clone(),
            until: now + holds.min(FAR_RECORD_HOLDS),
            is_second,
        };
        self.records.insert(url.as_str().to_owned(), kept);
    }
}
