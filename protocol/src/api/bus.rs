//! The bus (`/bus`): numbers, and the live view of the traffic.
//!
//! `read` → `value`: [`Numbers`]; `subscribe` [`TapFilter`] → 200, then `update`
//! messages whose body's `value` is a [`TapBatch`]; `unsubscribe` → 200.
//!
//! The updates come from the room's own address, without `code`, until the link
//! ends or unsubscribes. A subscriber that falls behind is told how many it missed.

use serde::{Deserialize, Serialize};

/// Where the room lives under the runtime's address.
pub const PATH: &str = "bus";

/// Which messages a tap shows. Empty texts match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TapFilter {
    /// Part of either address.
    pub component: String,
    /// Part of the sender's address.
    pub from: String,
    /// Part of the receiver's address.
    pub to: String,
    /// The message type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Only what was refused.
    pub denied: bool,
    /// Bodies as well, with secrets taken out.
    pub bodies: bool,
}

/// Some of what passed since the last batch, in order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TapBatch {
    /// The messages.
    pub messages: Vec<TapEntry>,
    /// How many more there were than a batch holds.
    #[serde(default)]
    pub missed: u64,
}

/// One message as the core saw it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TapEntry {
    /// When, in microseconds since the Unix epoch.
    pub at_us: u64,
    /// The sender.
    pub from: String,
    /// The receiver.
    pub to: String,
    /// The message type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The sender's number.
    pub id: u64,
    /// Bytes of the body.
    pub bytes: u64,
    /// `permit`, `deny`, or the name of the gate that refused it, e.g. `forged-from`.
    pub verdict: String,
    /// The decision's id, for `hyperty why`; empty when no rule was asked.
    pub decision: String,
    /// `file:line` of the rule that decided, or the reason of the refusal.
    pub rule: String,
    /// For a final response: microseconds since its request was delivered.
    pub latency_us: Option<u64>,
    /// The body, redacted, when it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

/// What the bus has done since the supervisor started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbers {
    /// Messages delivered.
    pub delivered: u64,
    /// Messages that policy refused.
    pub denied: u64,
    /// Messages refused for another reason.
    pub refused: u64,
    /// Links that were cut for breaking the protocol.
    pub faults: u64,
    /// Requests that wait for their answer now.
    pub pending: u64,
    /// Links open now.
    pub links: u64,
    /// Messages delivered whose bodies went by slots, past the core.
    #[serde(default)]
    pub by_slot: u64,
    /// Slots lent now.
    #[serde(default)]
    pub slots: u64,
}
