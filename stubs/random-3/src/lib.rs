//! `getrandom` 0.3 for programs that live in a sandbox; see `source`.

mod source;

pub use source::{Error, fill, u32, u64};
