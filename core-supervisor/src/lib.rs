//! # core-supervisor — the trusted part of the Hyperty Runtime
//!
//! ```text
//!  shell/    link ── Event ─────────────┐        ┌─── Action ── link, launcher, files
//!                                       ▼        │
//!  core.rs                      Core::handle(event, now, actions)
//!  ingress.rs                 admit: bytes → Admitted        ← the only gate
//!  flows/                     deliver → serve | connect → deploy → respond
//!  rooms/     bus registry policy user_agent catalogue sandboxes allocation discovery subscriptions
//! ```
//!
//! Outside `shell/` there is no socket, file, process, clock, randomness, lock or
//! `async`: the core is a plain synchronous state machine.

mod audit;
pub mod core;
pub mod event;
pub(crate) mod flows;
pub mod ids;
pub mod ingress;
pub mod limits;
pub mod party;
pub mod place;
pub mod quota;
pub mod rooms;
mod schemes;
pub mod shell;
pub mod store;
pub mod user;
mod utc;
