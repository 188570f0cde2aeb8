//! # Registry — who is where in this domain
//!
//! Keeps:    address → registration; user, GUID, name and reporter → addresses
//! Holds:    an address has one registration, a registration one runtime
//! Not here: who may register (register.rs), who is told of changes

pub(super) mod query;
pub(super) mod record;

use std::collections::{BTreeMap, BTreeSet};

use protocol::Address;
use serde_json::Value;

use self::query::{Found, Query};
use self::record::Record;
use crate::limits::RESULTS_MAX;

/// All registrations.
#[derive(Debug, Default)]
pub struct Registry {
    records: BTreeMap<Address, Record>,
    // INVARIANT: the indexes name what is in `records`, under its present members.
    index: BTreeMap<String, BTreeSet<Address>>,
    owned: BTreeMap<Address, BTreeSet<Address>>,
    deadlines: BTreeSet<(u64, Address)>,
}

impl Registry {
    pub(super) fn len(&self) -> usize {
        self.records.len()
    }

    pub(super) fn get(&self, url: &Address) -> Option<&Record> {
        self.records.get(url)
    }

    /// Whose an address is.
    pub(super) fn owner(&self, url: &Address) -> Option<&Address> {
        self.records.get(url).map(|record| &record.owner)
    }

    /// What a runtime has registered.
    pub(super) fn owned(&self, runtime: &Address) -> impl Iterator<Item = &Address> {
        self.owned.get(runtime).into_iter().flatten()
    }

    /// The access token with which a runtime registered.
    pub(super) fn pass_of(&self, runtime: &Address) -> Option<&String> {
        let mut records = self.owned(runtime).filter_map(|url| self.records.get(url));
        records.find_map(|record| record.pass.as_ref())
    }

    /// The objects of this name.
    pub(super) fn named(&self, name: &str) -> impl Iterator<Item = &Address> {
        self.index
            .get(&format!("name {name}"))
            .into_iter()
            .flatten()
    }

    pub(super) fn put(&mut self, url: Address, record: Record) {
        self.remove(&url);
        for key in record.keys() {
            self.index.entry(key).or_default().insert(url.clone());
        }
        let owned = self.owned.entry(record.owner.clone()).or_default();
        owned.insert(url.clone());
        self.deadlines.insert((record.deadline(), url.clone()));
        self.records.insert(url, record);
    }

    pub(super) fn remove(&mut self, url: &Address) -> Option<Record> {
        let record = self.records.remove(url)?;
        for key in record.keys() {
            take(&mut self.index, &key, url);
        }
        take(&mut self.owned, &record.owner, url);
        self.deadlines.remove(&(record.deadline(), url.clone()));
        Some(record)
    }

    /// What was not kept alive until now.
    pub(super) fn overdue(&self, now: u64) -> Vec<Address> {
        let overdue = self.deadlines.iter().take_while(|(at, _)| *at <= now);
        overdue.map(|(_, url)| url.clone()).collect()
    }

    pub(super) fn find(&self, query: &Query<'_>) -> Option<Found> {
        let key = match query {
            Query::Url(url) => {
                let record = self.records.get(url)?;
                return Some(Found {
                    value: record.show(url),
                    is_live: record.is_live(),
                });
            }
            Query::Index { key, .. } => key,
        };
        let urls = self.index.get(key).into_iter().flatten();
        let records = urls.filter_map(|url| Some((url, self.records.get(url)?)));
        let matching = records.filter(|(_, record)| query.matches(record));
        let mut is_live = false;
        let found: serde_json::Map<_, _> = matching
            .take(RESULTS_MAX)
            .inspect(|(_, record)| is_live |= record.is_live())
            .map(|(url, record)| (url.published(), record.show(url)))
            .collect();
        (!found.is_empty()).then_some(Found {
            value: Value::Object(found),
            is_live,
        })
    }
}

fn take<K: Ord>(index: &mut BTreeMap<K, BTreeSet<Address>>, key: &K, url: &Address) {
    if let Some(urls) = index.get_mut(key) {
        urls.remove(url);
        if urls.is_empty() {
            index.remove(key);
        }
    }
}
