//! # Bus — what is under way
//!
//! Address:  hyperty-runtime://<runtime>/bus
//! Answers:  Read (numbers), Subscribe and Unsubscribe (tap)  — see protocol::api::bus
//! Keeps:    requests that wait for answers, messages that wait for a way, listeners, slots, taps, counters
//! Holds:    a request waits at most once, and ends exactly once
//! Not here: whether a message may pass (flows/judge.rs), who has an address
//!           (rooms/registry)

mod listeners;
mod parked;
mod pending;
mod redact;
mod slots;
mod tap;

pub(crate) use listeners::{Listener, Listeners};
pub(crate) use parked::{Held, NoRoom, Parked};
pub(crate) use pending::{Asked, Goes, Key, Pending, Request};
pub use protocol::api::bus::Numbers;
pub(crate) use redact::redact;
pub(crate) use slots::{Basis, Slot, Slots, Turn};
pub(crate) use tap::Taps;

/// The bus.
#[derive(Debug, Default)]
pub struct Bus {
    pub(crate) pending: Pending,
    pub(crate) parked: Parked,
    pub(crate) listeners: Listeners,
    pub(crate) slots: Slots,
    pub(crate) taps: Taps,
    pub(crate) numbers: Numbers,
}
