//! The shell: the only code with sockets, files, processes, clock or `async`.
//!
//! ```text
//!  loop thread                                   world thread (tokio)
//!  ───────────                                   ────────────────────
//!  run_loop ── act ── link(s)                    world ── endpoint, signals
//!     │          └─── launcher ── nursery          └───── package, policy_files
//!     ├──────────────────────────────────────► store, audit_log (a thread each)
//!     │ poller, buffers, clock        inbox ◄── arrivals ── leash (its own thread)
//!     └──────────── Brain::handle(event, now, actions)
//! ```

use std::time::Duration;

use crate::core::Core;
use crate::event::{Actions, Event, Now};

mod act;
pub mod args;
pub mod audit_log;
mod beneath;
mod buffers;
pub mod cgroup;
mod chores;
pub mod clock;
pub mod config;
mod deadlines;
pub mod descriptors;
mod endpoint;
pub mod floor;
mod hear;
pub mod inbox;
mod inspect;
pub mod instance;
pub mod launcher;
pub mod leash;
mod link;
mod links;
pub mod log;
mod network;
pub mod nursery;
pub mod package;
mod placement;
pub mod policy_files;
mod poller;
pub mod run_loop;
mod slots;
mod sockets;
pub mod start;
pub mod store;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod world;

/// What the loop turns events into actions with: the core, or a test's script.
pub trait Brain {
    /// Called once, before the first event.
    fn start(&mut self, now: Now, actions: &mut Actions);

    /// Takes one event; what is to be done stands in `actions` afterwards.
    fn handle(&mut self, event: Event<'_>, now: Now, actions: &mut Actions);

    /// When it wants to hear `Ticked`, since the supervisor's start.
    fn next_deadline(&self) -> Option<Duration>;
}

impl Brain for Core {
    fn start(&mut self, now: Now, actions: &mut Actions) {
        Self::start(self, now, actions);
    }

    fn handle(&mut self, event: Event<'_>, now: Now, actions: &mut Actions) {
        Self::handle(self, event, now, actions);
    }

    fn next_deadline(&self) -> Option<Duration> {
        Self::next_deadline(self)
    }
}
