//! # stub-message-node — the protocol stub of a reTHINK message node
//!
//! ```text
//!  core ── link ── main ──┬── session::Session   decides; no socket, no clock
//!                         └── talk               one connection, in a task of its own
//! ```

pub mod config;
pub mod dialect;
pub mod limits;
pub mod session;
pub mod talk;
pub mod wire;
