//! Signed packages, with real files, keys, supervisors and sandboxes.
//!
//! The ids are those of the list of attacks on packages: PK-01 …

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod authors;
mod damaged;
mod kept;
mod shop;
mod trusted;
mod updates;
