//! Signed packages, with real files, keys, supervisors and sandboxes.
//!
//! The ids are those of the list of attacks on packages: PK-01 …

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "../https/mod.rs"]
mod https;
#[path = "../served/mod.rs"]
mod served;

mod authors;
mod damaged;
mod fetched;
mod kept;
mod shop;
mod trusted;
mod updates;
