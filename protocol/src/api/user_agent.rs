//! The runtime user agent (`/ua`): deployments, from asking to running.
//!
//! `create` [`Deploy`] → `value`: [`Component`]; `read` `{}` → `value`: [`Listing`];
//! `read` [`Select`] → `value`: [`Component`]; `delete` [`Select`] → 200, and with `purge` `value`: [`Purged`];
//! `execute` [`Method`] → `value`: [`Component`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::capabilities::Met;
use crate::frame::{ComponentKind, Level};
use crate::nursery::Engine;

/// Where the room lives under the runtime's address.
pub const PATH: &str = "ua";

/// Asks for one component of a catalogue to be deployed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Deploy {
    /// A directory that holds `.well-known/`, or empty for the configured ones.
    pub catalogue: String,
    /// `hyperty/NAME`, `protocolstub/NAME`, `idp-proxy/NAME`, or `NAME` for a hyperty.
    pub component: String,
    /// The provider, when the catalogue holds several or names none.
    pub provider: String,
    /// Below this level it must not run; the operator's floor when absent.
    pub min_level: Option<Level>,
    /// Members that replace those of the descriptor's `configuration`.
    pub configuration: Option<serde_json::Value>,
    /// For whom it acts: `user://idp/name`, or `name@idp`, which means the same;
    /// the runtime's own user when absent.
    pub user: Option<String>,
}

/// Names a deployed component.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Select {
    /// Its address, or its name when only one has it.
    pub resource: String,
    /// With `delete`: what the component kept goes as well, its files and what its script
    /// keeps for itself; then the address may be one at which nothing runs any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub purge: bool,
}

/// What was deleted besides a component.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purged {
    /// Bytes of its files and of what its script kept.
    pub bytes: u64,
}

/// A method on a deployed component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method {
    /// `stop`, `start`, `restart`, or `reload`: read its package again and load that
    /// at the same address; the old code goes on when the new one cannot. Of signed
    /// packages also `approve`: take the newer version that waits; `rollback`: go back
    /// to the version before, and stay there until `approve`. For the operator also
    /// `debug`: start it again in a process of its own, stopped in front of its code;
    /// `go`: let that go on.
    pub method: String,
    /// Its address, or its name when only one has it.
    pub resource: String,
}

/// Every deployed component.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// In order of deployment.
    pub components: Vec<Component>,
}

/// One deployed component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// Its address, in canonical form.
    pub address: String,
    /// The descriptor's name for it.
    pub name: String,
    /// The provider's domain.
    pub provider: String,
    /// For whom it acts: `user://idp/name`.
    #[serde(default)]
    pub user: String,
    /// What it is.
    pub kind: ComponentKind,
    /// What runs it.
    pub engine: Engine,
    /// `reading`, `launching`, `locking`, `loading`, `running`, `waiting` (to be
    /// tried again), `stopped`, `paused` (stopped for a debugger, its process is there),
    /// `failed` (will not be tried again).
    pub state: String,
    /// Why it is in that state, when it is not running.
    #[serde(default)]
    pub reason: String,
    /// The level it runs at, once confirmed.
    pub level: Option<Level>,
    /// Its process, shared by the components of one provider, kind and user.
    pub pid: Option<u32>,
    /// The supervisor's number for its sandbox.
    pub sandbox: Option<u64>,
    /// How often it was started again.
    pub restarts: u32,
    /// When it will be tried again, in milliseconds from now.
    pub next_try_ms: Option<u64>,
    /// How a protocol stub stands to its domain, in its own word: `created`,
    /// `in-progress`, `live`, `failed`, `disconnected`; empty for all others.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub session: String,
    /// Why, in its words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub session_desc: String,
    /// Since when, in milliseconds after the start of the supervisor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_ms: Option<u64>,
    /// How long it has been running, in milliseconds.
    pub running_ms: Option<u64>,
    /// Messages it sent that were delivered.
    pub sent: u64,
    /// Messages delivered to it.
    pub received: u64,
    /// Messages of its that were refused.
    pub refused: u64,
    /// `sha256:…` of the code that runs.
    #[serde(default)]
    pub digest: String,
    /// Where it was read from.
    #[serde(default)]
    pub source: String,
    /// Who signed its package: the number of the key, `unsigned`, or `shipped` with the
    /// runtime.
    #[serde(default)]
    pub signer: String,
    /// The version of a signed package.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// `blake3:…` of a signed package.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub package: String,
    /// The newer version that waits for `approve`, and what it asks for beyond this one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub waits: String,
    /// How the constraints of its descriptor are met, by name.
    #[serde(default)]
    pub constraints: BTreeMap<String, Met>,
    /// How much of everything it may have; only when it is the one that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<Limit>,
}

/// One quota of a component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Its member in a descriptor's `limits`: `memory`, `pending`, …
    pub name: String,
    /// The number in force; none where there is no bound.
    pub most: Option<u64>,
    /// In what it is counted.
    pub unit: String,
    /// By whose word: `default`, `descriptor`, or `file:line` of the operator's ceiling.
    pub origin: String,
    /// How much of it is in use now, where that is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<u64>,
}
