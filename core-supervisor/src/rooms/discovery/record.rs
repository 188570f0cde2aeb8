//! What is known about what can be found, and how it is shown.

use protocol::Address;
use protocol::api::discovery::{Criteria, DataObject, Hyperty};

use crate::limits::{RECORD_TEXT_BYTES_MAX, RECORD_WORDS_MAX};
use crate::user::User;
use crate::utc;

/// How a registration stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Its component runs, or its object has a reporter that does.
    Live,
    /// It is down, or has been removed.
    Disconnected,
}

impl Status {
    /// The word that records and notifications carry.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Disconnected => "disconnected",
        }
    }
}

/// What is known about a hyperty (spec messaging §6.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HypertyRecord {
    /// Its address.
    pub url: Address,
    /// Its name in the catalogue.
    pub name: String,
    /// For whom it acts.
    pub user: User,
    /// Where its descriptor is.
    pub descriptor: String,
    /// What it offers.
    pub resources: Vec<String>,
    /// The schemes of its data objects.
    pub data_schemes: Vec<String>,
    /// How it stands.
    pub status: Status,
    /// Whether the registry of its domain is to know it, and the node to bring what is
    /// for it: `domain_registration` and `domain_routing` of its configuration.
    pub enters: (bool, bool),
    /// The runtime that it was registered in.
    pub runtime: Address,
    /// When it was registered first, in microseconds since the Unix epoch.
    pub starting_us: u64,
    /// When its record changed last, likewise.
    pub modified_us: u64,
}

/// What is known about a data object (spec messaging §6.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRecord {
    /// Its address.
    pub url: Address,
    /// Its name.
    pub name: String,
    /// The address of its schema.
    pub schema: String,
    /// The hyperty that reports it.
    pub reporter: Address,
    /// What it carries: `chat`, `audio`, …
    pub resources: Vec<String>,
    /// Its schemes; usually the one of its address.
    pub data_schemes: Vec<String>,
    /// How it stands.
    pub status: Status,
    /// The runtime that it was registered in.
    pub runtime: Address,
    /// When it was created, in microseconds since the Unix epoch. A record that is
    /// registered again keeps its first one.
    pub starting_us: u64,
    /// When its record changed last, likewise.
    pub modified_us: u64,
    /// How long the record holds without a refresh, in seconds.
    pub expires_s: u64,
}

/// Seconds that a hyperty's registration holds; what published runtimes say.
const EXPIRES_S: u64 = 3600;

impl HypertyRecord {
    pub(super) fn shown(&self) -> Hyperty {
        Hyperty {
            id: self.url.as_str().to_owned(),
            user: self.user.url().as_str().to_owned(),
            guid: self.user.guid(),
            descriptor: self.descriptor.clone(),
            starting_time: utc::text(self.starting_us),
            last_modified: utc::text(self.modified_us),
            expires: EXPIRES_S,
            resources: self.resources.clone(),
            data_schemes: self.data_schemes.clone(),
            status: self.status.word().to_owned(),
            // The spelling that published components have for it.
            runtime: self.runtime.published(),
        }
    }

    pub(super) fn has(&self, criteria: &Criteria) -> bool {
        contains(&self.resources, criteria.resources.as_deref())
            && contains(&self.data_schemes, criteria.data_schemes.as_deref())
            && is_in(&self.url, criteria.domain.as_deref())
    }
}

impl ObjectRecord {
    pub(super) fn shown(&self) -> DataObject {
        DataObject {
            url: self.url.as_str().to_owned(),
            name: self.name.clone(),
            schema: self.schema.clone(),
            reporter: self.reporter.as_str().to_owned(),
            starting_time: utc::text(self.starting_us),
            last_modified: utc::text(self.modified_us),
            expires: self.expires_s,
            resources: self.resources.clone(),
            data_schemes: self.data_schemes.clone(),
            status: self.status.word().to_owned(),
            runtime: self.runtime.published(),
        }
    }

    pub(super) fn has(&self, criteria: &Criteria) -> bool {
        contains(&self.resources, criteria.resources.as_deref())
            && contains(&self.data_schemes, criteria.data_schemes.as_deref())
            && is_in(&self.url, criteria.domain.as_deref())
    }

    /// Within the bounds of a record: its texts are a component's own words.
    pub(super) fn bounded(mut self) -> Self {
        cut(&mut self.name);
        cut(&mut self.schema);
        for words in [&mut self.resources, &mut self.data_schemes] {
            words.truncate(RECORD_WORDS_MAX);
            words.iter_mut().for_each(cut);
        }
        self
    }
}

fn contains(words: &[String], wanted: Option<&[String]>) -> bool {
    wanted.is_none_or(|wanted| wanted.iter().all(|word| words.contains(word)))
}

fn is_in(url: &Address, domain: Option<&str>) -> bool {
    domain.is_none_or(|domain| domain.is_empty() || url.domain().eq_ignore_ascii_case(domain))
}

fn cut(text: &mut String) {
    if text.len() > RECORD_TEXT_BYTES_MAX {
        text.truncate(text.floor_char_boundary(RECORD_TEXT_BYTES_MAX));
    }
}
