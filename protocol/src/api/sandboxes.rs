//! The sandboxes (`/sandboxes`): processes, their levels, and their logs.
//!
//! `read` → `value`: [`Listing`]; `execute` `{"method":"shutdown"}` → 200, then
//! everything ends; `subscribe` [`LogFilter`] → 200, then `update` messages whose
//! body's `value` is a [`LogBatch`]; `unsubscribe` → 200.

use serde::{Deserialize, Serialize};

use crate::frame::{Level, LogLevel};
use crate::nursery::Engine;

/// Where the room lives under the runtime's address.
pub const PATH: &str = "sandboxes";

/// Every sandbox there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// In order of number.
    pub sandboxes: Vec<Sandbox>,
}

/// One sandbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sandbox {
    /// The supervisor's number for it.
    pub id: u64,
    /// The provider whose code it runs; empty for a spare one.
    pub provider: String,
    /// What it runs.
    pub engine: Engine,
    /// The profile it was locked by.
    pub profile: String,
    /// `starting`, `spare`, `running`, `ending`.
    pub phase: String,
    /// The level it reached and the core confirmed.
    pub level: Option<Level>,
    /// Its process.
    pub pid: Option<u32>,
    /// The components in it.
    pub components: Vec<String>,
    /// Private memory, in bytes, when it was asked for.
    pub private_bytes: Option<u64>,
    /// What it proved on itself after lockdown.
    pub proofs: Vec<String>,
}

/// Which log lines to show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogFilter {
    /// Part of the component's address or name; empty for all.
    pub component: String,
    /// How many kept lines to send first.
    pub last: u32,
    /// Whether to send those that come later, too.
    pub follow: bool,
}

/// Some log lines, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogBatch {
    /// The lines.
    pub lines: Vec<LogLine>,
    /// How many more there were than a batch holds.
    #[serde(default)]
    pub missed: u64,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When, in microseconds since the Unix epoch.
    pub at_us: u64,
    /// The component's address, or the runtime's for what the core says about it.
    pub component: String,
    /// How much it matters.
    pub level: LogLevel,
    /// The text; control characters are escaped.
    pub text: String,
    /// `file:line:column`, or empty.
    #[serde(default)]
    pub place: String,
}
