//! What the process tests are written in, and what their fixtures are made of.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

pub mod harness;
pub mod link;
