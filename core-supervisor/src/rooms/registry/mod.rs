//! # Registry — who owns which address
//!
//! Address:  hyperty-runtime://<runtime>/registry
//! Answers:  Read (list, resolve)   — see protocol::api::registry
//! Keeps:    address → owner, owner → standing, domain → the stub that speaks for it
//! Holds:    an address has at most one owner; what is below an address is its owner's;
//!           a component that crashed keeps its addresses, without a link
//! Not here: whether the asker may (flows/judge.rs), starting what is down (flows/supervise.rs)

use std::collections::{BTreeMap, HashMap};

use protocol::Address;
use protocol::frame::Level;

use crate::ids::{LinkId, OwnerId, RoomName};
use crate::party::PartyKind;
use crate::user::User;

/// What the registry knows about an owner.
#[derive(Debug, Clone)]
pub struct Standing {
    /// What it is.
    pub kind: PartyKind,
    /// Its provider's domain; empty for rooms and the operator.
    pub provider: String,
    /// Its name.
    pub name: String,
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
    addresses: HashMap<String, OwnerId>,
    owners: BTreeMap<OwnerId, Standing>,
    // INVARIANT: names only components that are in `owners`.
    stubs: BTreeMap<String, OwnerId>,
}

impl Registry {
    /// Enters an owner with its home address; `false` when somebody has the address.
    pub fn register(&mut self, owner: OwnerId, standing: Standing) -> bool {
        if !self.assign(&standing.home, owner) {
            return false;
        }
        if standing.kind == PartyKind::ProtoStub {
            self.stubs.entry(standing.provider.clone()).or_insert(owner);
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
        if to.is_within(runtime) {
            return Route::Absent;
        }
        match self.stub_for(to.domain()) {
            Some(stub) => Route::Stub(stub),
            None if self.is_provider_here(to.domain()) => Route::Absent,
            None => Route::Foreign,
        }
    }

    /// The stub that speaks for a domain or a domain above it.
    pub fn stub_for(&self, domain: &str) -> Option<OwnerId> {
        let mut rest = domain;
        loop {
            if let Some(stub) = self.stubs.get(rest) {
                return Some(*stub);
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
    // components. Those of a domain without a stub are known here or nowhere.
    fn is_registry_here(&self, address: &Address) -> bool {
        let domain = address.domain().strip_prefix("registry.");
        address.scheme() == "domain"
            && domain.is_some_and(|domain| {
                self.stub_for(domain).is_none() && self.is_provider_here(domain)
            })
    }

    fn is_provider_here(&self, domain: &str) -> bool {
        self.owners
            .values()
            .any(|standing| standing.provider == domain)
    }
}
