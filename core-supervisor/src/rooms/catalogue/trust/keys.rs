//! The keys of providers: pinned at first use, or named by the operator.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Signed;
use super::setting::NotPinned;
use crate::store::{Change, Table};

/// Providers whose keys are known.
const PROVIDERS_MAX: usize = 4096;

/// Keys of one provider: the one in use, the next one, and those of some colleagues.
const KEYS_MAX: usize = 8;

/// A key that the operator names: `example.org=RW…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// The provider.
    pub provider: String,
    /// Its key.
    pub key: hyperty_package::Key,
}

/// A key that is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) key: String,
    pub(crate) id: String,
    /// `configuration`, `operator` or `first use`.
    pub(crate) by: String,
    /// Seconds since the Unix epoch.
    pub(crate) since_s: u64,
}

/// Every key that is known.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    by_provider: BTreeMap<String, Vec<Known>>,
}

impl Keys {
    /// Those of the configuration; they are not written.
    pub(crate) fn configure(&mut self, pinned: &[Pinned]) {
        for Pinned { provider, key } in pinned {
            let known = Known {
                key: key.to_string(),
                id: key.id(),
                by: "configuration".to_owned(),
                since_s: 0,
            };
            self.by_provider
                .entry(provider.clone())
                .or_default()
                .push(known);
        }
    }

    /// One key of a provider, if there is any.
    pub(crate) fn first(&self, provider: &str) -> Option<&Known> {
        self.by_provider.get(provider)?.first()
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Known)> {
        let all = self.by_provider.iter();
        all.flat_map(|(provider, keys)| keys.iter().map(move |key| (provider, key)))
    }

    /// Whether a package is signed by a key of its provider, or the provider has none yet.
    pub(super) fn has(&self, provider: &str, signed: &Signed) -> Result<(), String> {
        let Some(known) = self.by_provider.get(provider) else {
            return Ok(());
        };
        if known.iter().any(|known| known.key == signed.key) {
            return Ok(());
        }
        let ids: Vec<String> = known
            .iter()
            .map(|key| format!("{} ({})", key.id, key.by))
            .collect();
        Err(format!(
            "it is signed by the key {}, and {provider} signs with {}: it is by somebody else, or the \
             provider has a new key. If it says so in a way that you believe: `hyperty keys add {provider} {}`",
            signed.key_id,
            ids.join(", "),
            signed.key,
        ))
    }

    /// Remembers the first key of a provider.
    pub(super) fn pin(
        &mut self,
        provider: &str,
        signed: &Signed,
        now_s: u64,
        told: &mut Vec<String>,
    ) -> Option<Change> {
        if self.by_provider.contains_key(provider) || self.by_provider.len() >= PROVIDERS_MAX {
            return None;
        }
        told.push(format!(
            "the key {} of {provider} was pinned at its first use",
            signed.key_id
        ));
        let known = Known {
            key: signed.key.clone(),
            id: signed.key_id.clone(),
            by: "first use".to_owned(),
            since_s: now_s,
        };
        self.by_provider.insert(provider.to_owned(), vec![known]);
        Some(self.change(provider))
    }

    /// Adds a key by the operator's word.
    pub(crate) fn add(&mut self, said: &str, now_s: u64) -> Result<Change, String> {
        let Pinned { provider, key } = said.parse().map_err(|e: NotPinned| e.to_string())?;
        let is_new = !self.by_provider.contains_key(&provider);
        if is_new && self.by_provider.len() >= PROVIDERS_MAX {
            return Err(format!(
                "the keys of {PROVIDERS_MAX} providers are known already"
            ));
        }
        let known = self.by_provider.entry(provider.clone()).or_default();
        known.retain(|other| other.key != key.as_str() || other.by == "configuration");
        if known.len() >= KEYS_MAX {
            return Err(format!("{provider} has {KEYS_MAX} keys already"));
        }
        known.push(Known {
            key: key.to_string(),
            id: key.id(),
            by: "operator".to_owned(),
            since_s: now_s,
        });
        Ok(self.change(&provider))
    }

    /// Forgets keys of a provider: the one with this number or text, or all.
    pub(crate) fn remove(&mut self, provider: &str, key: &str) -> Result<Change, String> {
        let is_it = |known: &Known| key.is_empty() || known.id == key || known.key == key;
        let known = self.by_provider.entry(provider.to_owned()).or_default();
        let before = known.len();
        known.retain(|known| known.by == "configuration" || !is_it(known));
        let is_gone = known.len() < before;
        let stays = known.iter().any(is_it);
        if known.is_empty() {
            self.by_provider.remove(provider);
        }
        match (is_gone, stays) {
            (true, _) => Ok(self.change(provider)),
            (false, true) => Err(format!(
                "that key of {provider} stands in the configuration"
            )),
            (false, false) => Err(format!("no such key of {provider} is known")),
        }
    }

    pub(super) fn restore(&mut self, provider: &str, value: &[u8]) {
        if let Ok(kept) = serde_json::from_slice::<Vec<Known>>(value) {
            let known = self.by_provider.entry(provider.to_owned()).or_default();
            known.extend(kept);
        }
    }

    fn change(&self, provider: &str) -> Change {
        let known = self.by_provider.get(provider);
        let kept: Vec<&Known> = known
            .into_iter()
            .flatten()
            .filter(|known| known.by != "configuration")
            .collect();
        Change {
            table: Table::Trust,
            key: format!("key\0{provider}"),
            value: (!kept.is_empty()).then(|| serde_json::to_vec(&kept).unwrap_or_default()),
        }
    }
}
