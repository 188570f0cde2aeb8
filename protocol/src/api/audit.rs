//! The audit log: what the runtime did, denied and suffered, one JSON object a line.
//!
//! ```json
//! {"hash":"<64 hex>","prev":"<64 hex>","n":7,"at":"2026-01-31T23:59:59.000001Z","what":"denied",…}
//! ```
//!
//! `hash` is SHA-256 over the bytes of the line that follow it, `prev` included:
//! no line can be changed, left out or put in without every later one telling.

use serde::{Deserialize, Serialize};

/// What the first line of all has for `prev`.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// One entry, without what chains it to the others.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Entry {
    /// `started`, `deployed`, `removed`, `not-deployed`, `denied`, `fault`, `ended`,
    /// `granted`, `revoked`, `withdrawn` (a grant, or its revocation), `purged`, `missed`, `ended-supervisor`, or of a package `package-trusted`,
    /// `-not-trusted`, `-waits`, `-approved`, `-rolled-back`, `-expired`, `-trust`, `-distrust`.
    pub what: String,
    /// Who did it, or to whom it happened: an address, or `operator`.
    pub who: String,
    /// To or about whom: an address, or empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub whom: String,
    /// One sentence.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The decision behind it, for `hyperty why`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub decision: String,
    /// `L0` … `L3`, of a deployment.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub level: String,
    /// `sha256:…` of the code, of a deployment.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub digest: String,
    /// So many of the same kind by the same sender were left out before this one.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_out: u64,
}

// The shape that serde asks for.
#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// One line as it is read back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Line {
    /// SHA-256 of the rest of the line, in hexadecimal digits.
    pub hash: String,
    /// The hash of the line before it; [`BEGINNING`] for the first.
    pub prev: String,
    /// Counts lines from 1, across files.
    pub n: u64,
    /// When, in UTC.
    pub at: String,
    /// What.
    #[serde(flatten)]
    pub entry: Entry,
}

/// What a look at the whole log found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Checked {
    /// Files that were read, the oldest first.
    pub files: Vec<String>,
    /// Lines that hold.
    pub lines: u64,
    /// The first line's number: greater than 1 when older files were removed.
    pub first: u64,
    /// What does not hold, each with file and line.
    pub problems: Vec<String>,
}
