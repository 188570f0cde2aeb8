//! What leaves the machine: locked components, script and native, speak through the real
//! connector with real servers, as far as they were granted and no further.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod catalogues;
#[path = "../../sandbox-host/net/tests/far_end/mod.rs"]
mod far_end;
#[path = "../far_hosts/mod.rs"]
mod far_hosts;
#[path = "../node/mod.rs"]
mod node;
mod nodes;
mod refused;
mod site;
mod stage;
mod visits;
