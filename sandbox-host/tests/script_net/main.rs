//! Scripts in a locked host that speak to real servers, over connections which the
//! test dials in the core's place.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "what is not there fails the test"
)]

mod core;
#[path = "../../net/tests/far_end/mod.rs"]
mod far_end;
mod fetch;
mod hostile;
mod socket;
