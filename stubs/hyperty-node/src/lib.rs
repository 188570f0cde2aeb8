//! # hyperty-node — a message node for one domain
//!
//! ```text
//!  runtimes ── WebSocket ── shell/link ── Event ──┐      ┌── Action ── shell/link, store, nats
//!                                                 ▼      │
//!                                      node::Node::handle(event, now)
//! ```
//!
//! [`node`] decides and has neither a socket nor a clock; [`shell`] has both and
//! decides nothing. See the README for what is spoken and why.

pub mod answer;
pub mod envelope;
pub mod event;
pub mod limits;
pub mod names;
pub mod node;
pub mod rows;
pub mod shell;

pub use event::{Action, End, Event, LinkId, Pass, Text, Ticket};
pub use node::{Node, Numbers, Settings};
