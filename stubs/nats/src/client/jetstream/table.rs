//! A key-value table: the last message of each subject of a stream.
//!
//! The same layout as every NATS client writes, so that an operator can look at
//! it with the tools of NATS.

use std::collections::BTreeMap;
use std::time::Duration;

use data_encoding::BASE64;
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{JetStream, JetStreamError, Refused, Stored};
use crate::wire::Headers;

/// Keys that one question may find.
///
/// What is told of 10,000 keys is a megabyte; nothing asks for more than that.
pub(super) const FOUND_MAX: usize = 10_000;

/// Keys that are read at once.
const READ_AT_ONCE: usize = 64;

/// One table.
#[derive(Debug, Clone)]
pub struct Table {
    stream: JetStream,
    name: String,
}

/// What stands under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Its number in the table: what was written first has the lower one.
    pub seq: u64,
    /// The value.
    pub value: Vec<u8>,
}

impl Table {
    /// The table of this name; [`Self::ensure`] makes it.
    pub const fn new(stream: JetStream, name: String) -> Self {
        Self { stream, name }
    }

    /// Makes it unless it is there. `max_age` is how long a value stays.
    pub async fn ensure(&self, max_age: Duration) -> Result<(), JetStreamError> {
        let config = json!({
            "name": self.stream_name(),
            "subjects": [format!("$KV.{}.>", self.name)],
            "max_msgs_per_subject": 1,
            "max_age": u64::try_from(max_age.as_nanos()).unwrap_or(u64::MAX),
            "max_msg_size": -1,
            "max_bytes": -1,
            "max_msgs": -1,
            "storage": "file",
            "retention": "limits",
            "discard": "new",
            "allow_rollup_hdrs": true,
            "deny_delete": true,
            "allow_direct": true,
            "duplicate_window": 120_000_000_000_u64,
        });
        self.stream.ensure(&self.stream_name(), config).await
    }

    /// Writes a value.
    pub async fn put(&self, key: &str, value: &[u8]) -> Result<u64, JetStreamError> {
        let stored = self.stream.store(&self.subject(key), &[], value).await?;
        Ok(stored.seq)
    }

    /// Writes a value unless there is one; `None` when there is.
    pub async fn create(&self, key: &str, value: &[u8]) -> Result<Option<u64>, JetStreamError> {
        match self.put_after(key, 0, value).await {
            Ok(seq) => return Ok(Some(seq)),
            Err(JetStreamError::Refused(refused)) if refused.is_conflict() => {}
            Err(error) => return Err(error),
        }
        // A key that was taken back has a mark in its place.
        match self.last(key).await? {
            Some(Last { seq, entry: None }) => self.put_after(key, seq, value).await.map(Some),
            Some(_) => Ok(None),
            None => Ok(Some(self.put(key, value).await?)),
        }
    }

    async fn put_after(&self, key: &str, seq: u64, value: &[u8]) -> Result<u64, JetStreamError> {
        let seq = seq.to_string();
        let headers = [("Nats-Expected-Last-Subject-Sequence", seq.as_str())];
        let stored: Stored = self
            .stream
            .store(&self.subject(key), &headers, value)
            .await?;
        Ok(stored.seq)
    }

    /// Takes a value back.
    pub async fn delete(&self, key: &str) -> Result<(), JetStreamError> {
        let headers = [("KV-Operation", "DEL")];
        self.stream.store(&self.subject(key), &headers, &[]).await?;
        Ok(())
    }

    /// The value under a key.
    pub async fn get(&self, key: &str) -> Result<Option<Entry>, JetStreamError> {
        Ok(self.last(key).await?.and_then(|last| last.entry))
    }

    /// Every value whose key fits a pattern: `*` is one word, `>` the rest.
    pub async fn find(&self, pattern: &str) -> Result<Vec<Entry>, JetStreamError> {
        let keys = self.keys(pattern).await?;
        let mut found = Vec::new();
        for some in keys.chunks(READ_AT_ONCE) {
            let entries = join_all(some.iter().map(|key| self.get(key))).await;
            for entry in entries {
                found.extend(entry?);
            }
        }
        Ok(found)
    }

    // Also those that were taken back.
    async fn keys(&self, pattern: &str) -> Result<Vec<String>, JetStreamError> {
        #[derive(Deserialize)]
        struct Info {
            state: State,
        }
        #[derive(Deserialize)]
        struct State {
            #[serde(default)]
            subjects: Option<BTreeMap<String, u64>>,
        }
        let what = format!("STREAM.INFO.{}", self.stream_name());
        let filter = json!({ "subjects_filter": self.subject(pattern) });
        let info: Info = self.stream.ask(&what, &filter).await?;
        let subjects = info.state.subjects.unwrap_or_default();
        let prefix = self.subject("");
        let keys = subjects.into_keys().take(FOUND_MAX);
        Ok(keys
            .filter_map(|subject| subject.strip_prefix(&prefix).map(str::to_owned))
            .collect())
    }

    async fn last(&self, key: &str) -> Result<Option<Last>, JetStreamError> {
        #[derive(Serialize)]
        struct Question {
            last_by_subj: String,
        }
        #[derive(Deserialize)]
        struct Found {
            message: Value,
        }
        let what = format!("STREAM.MSG.GET.{}", self.stream_name());
        let question = Question {
            last_by_subj: self.subject(key),
        };
        let found: Result<Found, _> = self.stream.ask(&what, &question).await;
        match found {
            Ok(found) => read(key, &found.message).map(Some),
            Err(JetStreamError::Refused(Refused { code: 404, .. })) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn subject(&self, key: &str) -> String {
        format!("$KV.{}.{key}", self.name)
    }

    fn stream_name(&self) -> String {
        format!("KV_{}", self.name)
    }
}

struct Last {
    seq: u64,
    entry: Option<Entry>,
}

fn read(key: &str, message: &Value) -> Result<Last, JetStreamError> {
    let nonsense = || JetStreamError::Nonsense(format!("a value of `{key}` without a number"));
    let bytes = |member: &str| {
        let text = message
            .get(member)
            .and_then(Value::as_str)
            .unwrap_or_default();
        BASE64.decode(text.as_bytes())
    };
    let seq = message
        .get("seq")
        .and_then(Value::as_u64)
        .ok_or_else(nonsense)?;
    let headers = bytes("hdrs").map_err(|_| nonsense())?;
    let value = bytes("data").map_err(|_| nonsense())?;
    let is_gone = Headers::of(&headers).get("KV-Operation").is_some();
    let entry = Entry {
        key: key.to_owned(),
        seq,
        value,
    };
    Ok(Last {
        seq,
        entry: (!is_gone).then_some(entry),
    })
}
