//! Addresses that are given out again to whoever had them.

use std::collections::BTreeMap;

use protocol::Address;

use crate::limits::REUSED_PER_PROVIDER_MAX;
use crate::store::{Change, Record, Table};

/// Whose addresses they are, and which of them: a list of texts, written as JSON.
///
/// The published key joins its parts with nothing between, so that different
/// components share one (spec messaging §6.1); a JSON list cannot collide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReuseKey {
    text: String,
    provider: String,
}

impl ReuseKey {
    /// A key of a provider's.
    pub fn new(provider: &str, parts: &[&str]) -> Self {
        let mut all = vec![provider];
        all.extend(parts);
        Self {
            text: serde_json::Value::from(all).to_string(),
            provider: provider.to_owned(),
        }
    }

    fn restored(text: &str) -> Option<Self> {
        let parts: Vec<String> = serde_json::from_str(text).ok()?;
        Some(Self {
            text: text.to_owned(),
            provider: parts.into_iter().next()?,
        })
    }
}

/// Addresses by their keys; the room's part that outlives the supervisor.
#[derive(Debug, Default)]
pub struct Reuse {
    by_key: BTreeMap<String, Vec<Address>>,
    // INVARIANT: how many keys of `by_key` each provider has.
    counts: BTreeMap<String, usize>,
}

impl Reuse {
    /// The addresses kept under a key; none when nothing is.
    pub fn of(&self, key: &ReuseKey) -> &[Address] {
        self.by_key.get(&key.text).map_or(&[], Vec::as_slice)
    }

    /// Keeps addresses under a key; what is to be written, or nothing when the
    /// provider has used up its share.
    pub fn keep(&mut self, key: ReuseKey, addresses: Vec<Address>) -> Option<Change> {
        let texts: Vec<&str> = addresses.iter().map(Address::as_str).collect();
        let value = serde_json::to_vec(&texts).ok()?;
        let text = key.text.clone();
        self.insert(key, addresses).then_some(Change {
            table: Table::Addresses,
            key: text,
            value: Some(value),
        })
    }

    /// Forgets a key; what is to be written, or nothing when it was not known.
    pub fn forget(&mut self, key: &ReuseKey) -> Option<(Vec<Address>, Change)> {
        let addresses = self.by_key.remove(&key.text)?;
        if let Some(count) = self.counts.get_mut(&key.provider) {
            *count -= 1;
        }
        let change = Change {
            table: Table::Addresses,
            key: key.text.clone(),
            value: None,
        };
        Some((addresses, change))
    }

    /// Takes back what was kept; one that cannot be read any more is left out.
    pub fn restore(&mut self, record: &Record) {
        let texts: Vec<String> = serde_json::from_slice(&record.value).unwrap_or_default();
        let addresses: Result<Vec<Address>, _> = texts.iter().map(|text| text.parse()).collect();
        if let (Some(key), Ok(addresses)) = (ReuseKey::restored(&record.key), addresses) {
            self.insert(key, addresses);
        }
    }

    fn insert(&mut self, key: ReuseKey, addresses: Vec<Address>) -> bool {
        let count = self.counts.entry(key.provider).or_default();
        if !self.by_key.contains_key(&key.text) {
            if *count >= REUSED_PER_PROVIDER_MAX {
                return false;
            }
            *count += 1;
        }
        self.by_key.insert(key.text, addresses);
        true
    }
}
