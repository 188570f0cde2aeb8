//! # stub-xmpp — chat and presence with users of an XMPP server
//!
//! ```text
//!  core ── link ── main ──┬── bridge::Bridge   decides; no socket, no clock
//!                         └── talk             one connection, in a task of its own
//!                               └── session ── stream ── xml, scram
//! ```
//!
//! An interworking stub (spec messaging §6.5): `xmpp://bob@example.org` is the address
//! of a user of that network, and the stub one ordinary client of the server there.

pub mod bridge;
pub mod config;
pub mod limits;
pub mod scram;
pub mod session;
pub mod stanza;
pub mod stream;
pub mod talk;
pub mod xml;
