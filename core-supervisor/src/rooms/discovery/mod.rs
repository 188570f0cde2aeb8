//! # Discovery — what can be found, and under what
//!
//! Address:  hyperty-runtime://<runtime>/discovery, and domain://registry.<domain>
//!           for the domains whose components run here
//! Answers:  Read (a search)   — see protocol::api::discovery
//! Keeps:    records of hyperties and of data objects
//! Holds:    a record is as old as what it tells of: whoever unregisters that takes
//!           its record out; an answer is bounded, whatever components call themselves
//! Not here: whose addresses they are (rooms/registry), data objects themselves
//!           (rooms/sync), who is told of a change (flows/registration.rs)

mod far;
mod query;
mod record;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use protocol::Address;
use protocol::api::discovery::Query;
use serde_json::{Map, Value};

use crate::limits::FOUND_BYTES_MAX;
use crate::user::User;
pub use far::Far;
use query::{By, Kind, Search};
pub use record::{HypertyRecord, ObjectRecord, Status};

/// The discovery room.
#[derive(Debug, Default)]
pub struct Discovery {
    /// What registries elsewhere have said.
    pub(crate) far: Far,
    hyperties: BTreeMap<String, HypertyRecord>,
    // Bounded by the addresses that their owners may hold (OBJECTS_PER_COMPONENT_MAX).
    objects: BTreeMap<String, ObjectRecord>,
}

/// What a search found, as the answer's `value`.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// This.
    Value(Value),
    /// Nothing.
    Nothing,
    /// Nothing here, and only somebody elsewhere could know.
    NotHere,
    /// The question makes no sense; what is wrong with it.
    NotAsked(&'static str),
}

impl Discovery {
    /// Answers a search in the runtime; `everywhere` are domains that stand for all.
    pub fn handle(&self, query: Query, everywhere: [&str; 2]) -> Found {
        let mut search = match Search::of_runtime(query) {
            Ok(Some(search)) => search,
            Ok(None) => return Found::Nothing,
            Err(bad) => return Found::NotAsked(bad.0),
        };
        let domain = &mut search.criteria.domain;
        if everywhere.contains(&domain.as_deref().unwrap_or_default()) {
            *domain = None;
        }
        let found = self.find(&search);
        if found.is_empty() {
            return match search.by {
                By::Guid(_) | By::Profile(_) => Found::NotHere,
                _ => Found::Nothing,
            };
        }
        let mut found = found.into_iter().map(|(_, record)| record);
        Found::Value(match search.by {
            By::Url(_) => found.next().unwrap_or_default(),
            _ => found.collect(),
        })
    }

    /// Answers as the registry of a domain: records by address.
    pub fn handle_as_registry(&self, query: Query) -> Found {
        let search = match Search::of_registry(query) {
            Ok(Some(search)) => search,
            Ok(None) => return Found::Nothing,
            Err(bad) => return Found::NotAsked(bad.0),
        };
        let mut found = self.find(&search).into_iter();
        let value = match search.by {
            By::Url(_) => found.next().map(|(_, record)| record),
            _ if found.len() == 0 => None,
            _ => Some(Value::Object(found.collect::<Map<_, _>>())),
        };
        value.map_or(Found::Nothing, Found::Value)
    }

    /// The addresses of all hyperties.
    pub fn hyperties(&self) -> impl Iterator<Item = &Address> {
        self.hyperties.values().map(|record| &record.url)
    }

    /// The addresses of all data objects.
    pub fn objects(&self) -> impl Iterator<Item = &Address> {
        self.objects.values().map(|record| &record.url)
    }

    /// One hyperty's record.
    pub fn hyperty(&self, url: &Address) -> Option<&HypertyRecord> {
        self.hyperties.get(url.as_str())
    }

    /// One data object's.
    pub fn object(&self, url: &Address) -> Option<&ObjectRecord> {
        self.objects.get(url.as_str())
    }

    /// Enters a hyperty, or replaces its record; what stood there.
    pub fn register_hyperty(&mut self, mut record: HypertyRecord) -> Option<Status> {
        let before = self.hyperties.get(record.url.as_str());
        let before = before.map(|before| (before.starting_us, before.status));
        if let Some((starting_us, _)) = before {
            record.starting_us = starting_us;
        }
        let key = record.url.as_str().to_owned();
        self.hyperties.insert(key, record);
        before.map(|(_, status)| status)
    }

    /// Enters an object, or replaces its record; how it stood.
    pub fn register_object(&mut self, record: ObjectRecord) -> Option<Status> {
        let mut record = record.bounded();
        let before = self.objects.get(record.url.as_str());
        let before = before.map(|before| (before.starting_us, before.status));
        if let Some((starting_us, _)) = before {
            record.starting_us = starting_us;
        }
        let key = record.url.as_str().to_owned();
        self.objects.insert(key, record);
        before.map(|(_, status)| status)
    }

    /// Notes how something stands; `false` when it stood so already, or is unknown.
    pub fn set_status(&mut self, url: &Address, status: Status, now_us: u64) -> bool {
        let hyperty = self.hyperties.get_mut(url.as_str());
        let object = self.objects.get_mut(url.as_str());
        let hyperty = hyperty.map(|record| (&mut record.status, &mut record.modified_us));
        let object = object.map(|record| (&mut record.status, &mut record.modified_us));
        match hyperty.or(object) {
            Some((before, modified_us)) if *before != status => {
                *before = status;
                *modified_us = now_us;
                true
            }
            _ => false,
        }
    }

    /// Takes a hyperty out; how it stood.
    pub fn unregister_hyperty(&mut self, url: &Address) -> Option<Status> {
        self.hyperties
            .remove(url.as_str())
            .map(|record| record.status)
    }

    /// Takes an object out; how it stood.
    pub fn unregister_object(&mut self, url: &Address) -> Option<Status> {
        self.objects
            .remove(url.as_str())
            .map(|record| record.status)
    }

    /// The objects that a hyperty reports.
    pub fn objects_of(&self, reporter: &Address) -> Vec<Address> {
        let objects = self.objects.values();
        let its = objects.filter(|object| object.reporter == *reporter);
        its.map(|object| object.url.clone()).collect()
    }

    // The newest first, so that a bound cuts off what is old.
    fn find(&self, search: &Search) -> Vec<(String, Value)> {
        let mut found = match search.kind {
            Kind::Hyperty => self.find_hyperties(search),
            Kind::Object => self.find_objects(search),
        };
        found.sort_by_key(|(modified_us, ..)| std::cmp::Reverse(*modified_us));
        let mut bytes = 0;
        let records = found.into_iter().map(|(_, url, record)| (url, record));
        records
            .take_while(|(url, record)| {
                bytes += url.len() + record.to_string().len();
                bytes <= FOUND_BYTES_MAX
            })
            .collect()
    }

    fn find_hyperties(&self, search: &Search) -> Vec<(u64, String, Value)> {
        let hyperties = self.hyperties.values();
        let matching = hyperties.filter(|record| {
            let is_it = match &search.by {
                By::Url(url) => record.url == *url,
                By::Name(name) => record.name == *name,
                By::Reporter(_) => false,
                by => is_of(by, &record.user),
            };
            is_it && record.has(&search.criteria)
        });
        let show = |record: &HypertyRecord| {
            let shown = serde_json::to_value(record.shown()).unwrap_or_default();
            (record.modified_us, record.url.as_str().to_owned(), shown)
        };
        matching.map(show).collect()
    }

    fn find_objects(&self, search: &Search) -> Vec<(u64, String, Value)> {
        let objects = self.objects.values();
        let matching = objects.filter(|record| {
            let is_it = match &search.by {
                By::Url(url) => record.url == *url,
                By::Name(name) => record.name == *name,
                By::Reporter(reporter) => record.reporter == *reporter,
                By::Criteria => true,
                // An object is its reporter's user's.
                by => self
                    .hyperties
                    .get(record.reporter.as_str())
                    .is_some_and(|reporter| is_of(by, &reporter.user)),
            };
            is_it && record.has(&search.criteria)
        });
        let show = |record: &ObjectRecord| {
            let shown = serde_json::to_value(record.shown()).unwrap_or_default();
            (record.modified_us, record.url.as_str().to_owned(), shown)
        };
        matching.map(show).collect()
    }
}

fn is_of(by: &By, user: &User) -> bool {
    match by {
        By::User(wanted) => wanted.is(user),
        By::Guid(guid) => user.guid() == *guid,
        By::Profile(text) => {
            let profile = format!("{}\n{}\n{}", user.name(), user.email(), user.url());
            !text.is_empty() && profile.to_lowercase().contains(text.as_str())
        }
        By::Criteria => true,
        By::Url(_) | By::Name(_) | By::Reporter(_) => false,
    }
}
