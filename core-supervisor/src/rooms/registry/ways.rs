//! Ways out of this runtime that are not there: being opened, or known to be shut.
//!
//! A way that is open is a stub in the registry's books, and not mentioned here.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use protocol::{Address, Code};

use crate::limits::{LEGACY_MAX, WAY_REST_FIRST, WAY_REST_LONGEST, WAYS_MAX, WAYS_OPENING_MAX};

/// Why a way is shut, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shut {
    /// The number of the refusals.
    pub code: Code,
    /// Why, in one sentence.
    pub reason: String,
    /// When it may be tried again.
    pub until: Duration,
    /// How often it has failed in a row.
    pub failures: u32,
}

/// Where the stub of a domain may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its name in a catalogue: `protocolstub/NAME`.
    pub component: String,
    /// Whose catalogue.
    pub provider: String,
}

#[derive(Debug)]
enum Way {
    Opening {
        tries: VecDeque<Place>,
        failures: u32,
    },
    Shut(Shut),
}

/// All ways that are not open.
#[derive(Debug, Default)]
pub struct Ways {
    ways: BTreeMap<String, Way>,
    // Identity providers whose users are reached by stubs of another network.
    legacy: BTreeMap<String, bool>,
}

impl Ways {
    /// Why the way to a domain is shut now.
    pub fn shut(&self, domain: &str, now: Duration) -> Option<&Shut> {
        match self.ways.get(domain) {
            Some(Way::Shut(shut)) if shut.until > now => Some(shut),
            _ => None,
        }
    }

    /// Whether the way to a domain is being opened.
    pub fn is_opening(&self, domain: &str) -> bool {
        matches!(self.ways.get(domain), Some(Way::Opening { .. }))
    }

    /// The ways that are being opened.
    pub fn opening(&self) -> impl Iterator<Item = &str> {
        let opening = self
            .ways
            .iter()
            .filter(|(_, way)| matches!(way, Way::Opening { .. }));
        opening.map(|(domain, _)| domain.as_str())
    }

    /// The ways that are shut, with the reasons.
    pub fn all_shut(&self) -> impl Iterator<Item = (&str, &Shut)> {
        self.ways.iter().filter_map(|(domain, way)| match way {
            Way::Shut(shut) => Some((domain.as_str(), shut)),
            Way::Opening { .. } => None,
        })
    }

    /// Begins to open a way with these packages, one after the other; `false` when
    /// too many are being opened already.
    pub fn begin(&mut self, domain: &str, tries: impl IntoIterator<Item = Place>) -> bool {
        if self.opening().count() >= WAYS_OPENING_MAX {
            return false;
        }
        let failures = match self.ways.get(domain) {
            Some(Way::Shut(shut)) => shut.failures,
            Some(Way::Opening { .. }) => return true,
            None => 0,
        };
        self.make_room();
        let tries = tries.into_iter().collect();
        self.ways
            .insert(domain.to_owned(), Way::Opening { tries, failures });
        true
    }

    /// What to try next.
    pub fn next_try(&mut self, domain: &str) -> Option<Place> {
        match self.ways.get_mut(domain)? {
            Way::Opening { tries, .. } => tries.pop_front(),
            Way::Shut(_) => None,
        }
    }

    /// It could not be opened: it rests, longer each time.
    pub fn fail(&mut self, domain: &str, code: Code, reason: &str, now: Duration) -> Duration {
        let failures = match self.ways.get(domain) {
            Some(Way::Opening { failures, .. }) => *failures,
            Some(Way::Shut(shut)) => shut.failures,
            None => 0,
        };
        let rest = WAY_REST_FIRST * 2_u32.saturating_pow(failures.min(16));
        let until = now + rest.min(WAY_REST_LONGEST);
        let shut = Shut {
            code,
            reason: reason.to_owned(),
            until,
            failures: failures + 1,
        };
        self.ways.insert(domain.to_owned(), Way::Shut(shut));
        until
    }

    /// It is open, or nobody needs it any more.
    pub fn forget(&mut self, domain: &str) {
        self.ways.remove(domain);
    }

    /// Whether the users of an identity provider are of another network, if known.
    pub fn is_legacy(&self, provider: &str) -> Option<bool> {
        self.legacy.get(provider).copied()
    }

    /// Notes whether they are.
    pub fn note_legacy(&mut self, provider: &str, is_legacy: bool) {
        // Whoever fills this table only makes itself and others ask again.
        if self.legacy.len() >= LEGACY_MAX {
            self.legacy.pop_first();
        }
        self.legacy.insert(provider.to_owned(), is_legacy);
    }

    /// How many are known, for the audit.
    pub fn len(&self) -> usize {
        self.ways.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.ways.is_empty()
    }

    // The one that may be tried again soonest is the least worth knowing.
    fn make_room(&mut self) {
        if self.ways.len() < WAYS_MAX {
            return;
        }
        let shut = self.all_shut().min_by_key(|(_, shut)| shut.until);
        if let Some(domain) = shut.map(|(domain, _)| domain.to_owned()) {
            self.ways.remove(&domain);
        }
    }
}

/// The domain whose stub carries messages for an address (spec messaging §6.5).
pub fn domain_of<'a>(to: &'a Address, runtime: &'a Address) -> &'a str {
    if to.scheme() == "global" {
        return runtime.domain();
    }
    to.served_domain()
}

/// The name of the stub for an address of another network: `fitness.google.com` for
/// `fitness://a@google.com`; nothing for addresses that cannot be of one.
pub fn legacy_name(to: &Address) -> Option<String> {
    let is_ours = matches!(
        to.scheme(),
        "hyperty" | "hyperty-runtime" | "domain" | "global" | "domain-idp" | "mn"
    );
    if is_ours || !to.as_str().contains('@') {
        return None;
    }
    let scheme = match to.scheme() {
        "" => "smtp",
        scheme => scheme,
    };
    let mut labels: Vec<_> = to.domain().rsplit('.').take(2).collect();
    labels.reverse();
    Some(format!("{scheme}.{}", labels.join(".")).to_ascii_lowercase())
}
