//! # Registry — who owns which address
//!
//! Address:  hyperty-runtime://<runtime>/registry
//! Answers:  Read (list, resolve)   — see protocol::api::registry
//! Keeps:    address → owner, owner → standing, domain → the stub that speaks for it,
//!           and which domains cannot be reached now
//! Holds:    an address has at most one owner; what is below an address is its owner's;
//!           a component that crashed keeps its addresses, without a link
//! Not here: whether the asker may (flows/judge.rs), starting what is down (flows/supervise.rs)

mod roll;
mod ways;

use std::collections::{BTreeMap, HashMap};

use protocol::Address;
use protocol::frame::Level;

use crate::ids::{LinkId, OwnerId, RoomName};
use crate::party::PartyKind;
use crate::user::User;
pub use roll::{Roll, Row, Said, Stands, Step, What};
pub use ways::{Place, Shut, Ways, domain_of, legacy_name};

/// What the registry knows about an owner.
#[derive(Debug, Clone)]
pub struct Standing {
    /// What it is.
    pub kind: PartyKind,
    /// Its provider's domain; empty for rooms and the operator.
    pub provider: String,
    /// Its name.
    pub name: String,
    /// The domain it speaks for; empty for all but protocol stubs.
    pub speaks_for: String,
    /// For whom it acts; nobody for rooms.
    pub user: Option<User>,
    /// Its first address.
    pub home: Address,
    /// Where its messages go now; `None` while it is down.
    pub link: Option<LinkId>,
    /// The level of its sandbox.
    pub level: Option<Level>,
    /// `sha256:…` of its code.
    pub digest: String,
}

impl Standing {
    /// The address of the user it acts for, or empty.
    pub(crate) fn acts_for(&self) -> &str {
        self.user.as_ref().map_or("", |user| user.url().as_str())
    }
}

/// Where an address leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// To its owner.
    Owner(OwnerId),
    /// Out of this runtime, through the stub that speaks for its domain.
    Stub(OwnerId),
    /// Nowhere: it would be here, and nobody has it.
    Absent,
    /// Nowhere: it belongs to a domain that no stub speaks for.
    Foreign,
}

/// The registry.
#[derive(Debug, Default)]
pub struct Registry {
    /// Ways to domains that no stub speaks for.
    pub(crate) ways: Ways,
    /// What the domains of this runtime have been told.
    pub(crate) roll: Roll,
    // The runtime's own domain, and those it belongs to.
    own: String,
    homes: Vec<String>,
    addresses: HashMap<String, OwnerId>,
    owners: BTreeMap<OwnerId, Standing>,
    // INVARIANT: names only components that are in `owners`.
    stubs: BTreeMap<String, OwnerId>,
}

impl Registry {
    /// The registry of a runtime of the domain `own`, that belongs to the domains `homes`.
    pub fn new(own: &str, homes: &[String]) -> Self {
        Self {
            own: own.to_owned(),
            homes: homes.to_vec(),
            ..Self::default()
        }
    }

    /// Enters an owner with its home address; `false` when somebody has the address.
    pub fn register(&mut self, owner: OwnerId, standing: Standing) -> bool {
        if !self.assign(&standing.home, owner) {
            return false;
        }
        if standing.kind == PartyKind::ProtoStub {
            let domain = standing.speaks_for.clone();
            self.stubs.entry(domain).or_insert(owner);
        }
        self.owners.insert(owner, standing);
        true
    }

    /// Gives an owner one more address; `false` when somebody has it.
    pub fn assign(&mut self, address: &Address, owner: OwnerId) -> bool {
        if let Some(known) = self.addresses.get(address.as_str()) {
            *known == owner
        } else {
            self.addresses.insert(address.as_str().to_owned(), owner);
            true
        }
    }

    /// Whether an owner has exactly this address.
    pub fn owns(&self, address: &Address, owner: OwnerId) -> bool {
        self.addresses.get(address.as_str()) == Some(&owner)
    }

    /// Takes one address back.
    pub fn unassign(&mut self, address: &Address, owner: OwnerId) -> bool {
        let is_owner = self.owns(address, owner);
        if is_owner {
            self.addresses.remove(address.as_str());
        }
        is_owner
    }

    /// Forgets an owner and all its addresses.
    pub fn unregister(&mut self, owner: OwnerId) {
        self.owners.remove(&owner);
        self.addresses.retain(|_, known| *known != owner);
        self.stubs.retain(|_, known| *known != owner);
    }

    /// What is known about an owner.
    pub fn standing(&self, owner: OwnerId) -> Option<&Standing> {
        self.owners.get(&owner)
    }

    /// The same, to note a link or a level.
    pub fn standing_mut(&mut self, owner: OwnerId) -> Option<&mut Standing> {
        self.owners.get_mut(&owner)
    }

    /// The owner of an address, or of the nearest address above it.
    pub fn owner_of(&self, address: &Address) -> Option<OwnerId> {
        if let Some(owner) = self.addresses.get(address.as_str()) {
            return Some(*owner);
        }
        if self.is_registry_here(address) {
            return Some(OwnerId::Room(RoomName::Discovery));
        }
        let mut above = address.parent();
        while let Some(address) = above {
            // A room answers at its own address only: what is below it is nobody's.
            match self.addresses.get(address.as_str()) {
                Some(OwnerId::Room(_)) => return None,
                Some(owner) => return Some(*owner),
                None => above = address.parent(),
            }
        }
        None
    }

    /// Where a message for this address goes now.
    pub fn resolve(&self, to: &Address, runtime: &Address) -> Route {
        if let Some(owner) = self.owner_of(to) {
            return Route::Owner(owner);
        }
        if to.is_within(runtime) || to.domain().is_empty() {
            return Route::Absent;
        }
        match self.stub_to(to, runtime) {
            Some((_, stub)) => Route::Stub(stub),
            None => Route::Foreign,
        }
    }

    /// The domain whose stub carries messages for an address: that of the stub which
    /// does, else the one to look for.
    pub fn way_to(&self, to: &Address, runtime: &Address) -> String {
        if let Some((domain, _)) = self.stub_to(to, runtime) {
            return domain.to_owned();
        }
        let name = legacy_name(to).filter(|_| self.ways.is_legacy(to.domain()) != Some(false));
        let domain = domain_of(to, runtime);
        let home = self.homes.iter().find(|home| is_below(domain, home));
        name.unwrap_or_else(|| home.map_or(domain, |home| home).to_owned())
    }

    /// Whether components of this provider are here.
    pub fn is_provider(&self, domain: &str) -> bool {
        self.is_provider_here(domain)
    }

    /// The stub that speaks for exactly this domain.
    pub fn stub_of(&self, domain: &str) -> Option<OwnerId> {
        self.stubs.get(domain).copied()
    }

    /// Whether this runtime belongs to a domain, or to one above it.
    pub fn is_home(&self, domain: &str) -> bool {
        self.homes.iter().any(|home| is_below(domain, home))
    }

    /// The domain, or the one above it, that a stub here speaks for.
    pub fn domain_above(&self, domain: &str) -> Option<&str> {
        self.nearest(domain).map(|(domain, _)| domain.as_str())
    }

    /// Every domain that a stub here speaks for.
    pub fn domains(&self) -> impl Iterator<Item = (&str, OwnerId)> {
        self.stubs
            .iter()
            .map(|(domain, stub)| (domain.as_str(), *stub))
    }

    fn stub_to(&self, to: &Address, runtime: &Address) -> Option<(&str, OwnerId)> {
        let legacy = legacy_name(to);
        let legacy = legacy.and_then(|name| self.stubs.get_key_value(&name));
        let stub = legacy.or_else(|| self.nearest(domain_of(to, runtime)));
        stub.map(|(domain, stub)| (domain.as_str(), *stub))
    }

    /// The stub that speaks for a domain or a domain above it.
    pub fn stub_for(&self, domain: &str) -> Option<OwnerId> {
        self.nearest(domain).map(|(_, stub)| *stub)
    }

    fn nearest(&self, domain: &str) -> Option<(&String, &OwnerId)> {
        let mut rest = domain;
        loop {
            if let Some(found) = self.stubs.get_key_value(rest) {
                return Some(found);
            }
            rest = rest.split_once('.')?.1;
        }
    }

    /// Every address and its owner, in order of address.
    pub fn entries(&self) -> Vec<(&str, OwnerId)> {
        let mut entries: Vec<_> = self
            .addresses
            .iter()
            .map(|(address, owner)| (address.as_str(), *owner))
            .collect();
        entries.sort_unstable();
        entries
    }

    /// The addresses of one owner besides its home.
    pub fn objects_of(&self, owner: OwnerId) -> usize {
        self.addresses
            .values()
            .filter(|known| **known == owner)
            .count()
            .saturating_sub(1)
    }

    // `domain://registry.<domain>`: published libraries ask there for a domain's
    // components. Those of a domain without a stub are known here or nowhere, unless
    // the runtime belongs to the domain: then its stub is on its way.
    fn is_registry_here(&self, address: &Address) -> bool {
        let domain = address.domain().strip_prefix("registry.");
        address.scheme() == "domain"
            && domain.is_some_and(|domain| {
                let is_ours = domain == self.own || self.is_provider_here(domain);
                self.stub_for(domain).is_none() && !self.is_home(domain) && is_ours
            })
    }

    fn is_provider_here(&self, domain: &str) -> bool {
        self.owners
            .values()
            .any(|standing| standing.provider == domain)
    }
}

fn is_below(domain: &str, above: &str) -> bool {
    let rest = domain.strip_suffix(above);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}
