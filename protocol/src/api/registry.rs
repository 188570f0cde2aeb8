//! The registry (`/registry`): who owns which address, and whom a hyperty acts for.
//!
//! `read` `{}` → `value`: [`Listing`]; `read` [`Resolve`] → `value`: [`Entry`], or 404;
//! with `explain` a [`Way`], with `remote` a [`Remote`];
//! `read` [`Profile`] → `{"resource":…,"code":200}`, or `{"resource":"","code":404}`.

use serde::{Deserialize, Serialize};

/// Where the room lives under the runtime's address.
pub const PATH: &str = "registry";

/// Asks who owns an address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resolve {
    /// Any spelling of the address.
    pub resource: String,
    /// Tell the way step by step: a [`Way`].
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub explain: bool,
    /// Tell of the domains around: a [`Remote`].
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub remote: bool,
}

/// Asks whom a hyperty acts for (spec messaging §6.7).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// `.` for the whole profile, or one member of it: `userURL`, `guid`,
    /// `preferred_username`, `name`, `email`.
    #[serde(default = "whole")]
    pub resource: String,
    /// The hyperty's address, or that of something it owns.
    pub criteria: String,
}

fn whole() -> String {
    ".".to_owned()
}

/// What can be asked with a `read`: a profile when there are `criteria`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Query {
    /// Whom a hyperty acts for.
    Profile(Profile),
    /// Who owns an address, or all of them.
    Resolve(Resolve),
}

/// Everything that is registered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// In order of address.
    pub entries: Vec<Entry>,
}

/// One registered address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// In canonical form.
    pub address: String,
    /// `hyperty`, `proto-stub`, `idp-proxy`, `application`, `operator`, `room`, `object`.
    pub kind: String,
    /// The owner's provider domain.
    pub provider: String,
    /// The owner's name.
    pub name: String,
    /// For an object the component that owns it; else the address itself.
    pub owner: String,
    /// `live`, or `reserved` while its component is down.
    pub status: String,
    /// How a message for it travels, hop by hop.
    pub route: Vec<String>,
}

/// Where a message for an address would go now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// In canonical form.
    pub address: String,
    /// Whether it would reach somebody, or a stub that carries it, or might.
    pub reachable: bool,
    /// What is looked at, in order; the last one decides.
    pub hops: Vec<Hop>,
}

/// One step on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hop {
    /// `here`, `runtime`, `peer`, `record`, `interworking`, `stub`, `catalogue`.
    pub step: String,
    /// Whether there is something.
    pub found: bool,
    /// What, in words.
    pub text: String,
}

/// The domains around a runtime.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remote {
    /// Those that are reached, or were tried, in order of name.
    pub domains: Vec<Domain>,
    /// What their registries have been told, and have said.
    pub entries: Vec<FarEntry>,
}

/// One domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// What it is called.
    pub name: String,
    /// Whether the runtime belongs to it: it is kept up.
    pub is_home: bool,
    /// The address of its stub, or empty.
    pub stub: String,
    /// How that stands: see [`Component::session`](super::user_agent::Component).
    pub session: String,
    /// Since when, in milliseconds after the start of the supervisor.
    pub session_ms: Option<u64>,
    /// Messages that wait for it.
    pub waiting: usize,
    /// What is wrong, or empty.
    pub fault: String,
    /// When it may be tried again, in milliseconds from now.
    pub next_try_ms: Option<u64>,
}

/// One entry at a registry elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FarEntry {
    /// Its address.
    pub address: String,
    /// `hyperty` or `object` of this runtime; `followed` or `topic`: elsewhere, and
    /// heard of here; `record`: what a registry has said.
    pub kind: String,
    /// Whose registry.
    pub domain: String,
    /// `live`, `disconnected`, `untold`, `leaving`, `routed`, or as a record says.
    pub status: String,
    /// Why its registry does not take it, or empty.
    pub fault: String,
    /// When it is told again, or forgotten, in milliseconds from now.
    pub next_ms: Option<u64>,
}
