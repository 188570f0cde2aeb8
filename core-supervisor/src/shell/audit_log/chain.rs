//! Lines that each carry a hash of themselves and of the one before.

use std::fmt::Write as _;

use protocol::api::audit::{BEGINNING, Entry};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::utc;

/// What stands in front of the hash, and between it and what it is of.
const OPENING: &str = "{\"hash\":\"";
const CLOSING: &str = "\",";

/// Hexadecimal digits of a hash.
const DIGITS: usize = 64;

/// Where the chain is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    /// The hash of the last line.
    pub(super) last: String,
    /// Its number.
    pub(super) n: u64,
}

#[derive(Serialize)]
struct Rest<'a> {
    prev: &'a str,
    n: u64,
    at: String,
    #[serde(flatten)]
    entry: &'a Entry,
}

impl Default for Chain {
    fn default() -> Self {
        Self {
            last: BEGINNING.to_owned(),
            n: 0,
        }
    }
}

impl Chain {
    /// The next line, with its end; the chain goes on from it.
    pub(super) fn line(&mut self, at_us: u64, entry: &Entry) -> serde_json::Result<String> {
        let rest = Rest {
            prev: &self.last,
            n: self.n + 1,
            at: utc::exact(at_us),
            entry,
        };
        let rest = serde_json::to_string(&rest)?;
        // Without its own opening brace: it goes on behind the hash.
        let rest = rest.get(1..).unwrap_or_default();
        let hash = hash_of(rest);
        let line = format!("{OPENING}{hash}{CLOSING}{rest}\n");
        self.last = hash;
        self.n += 1;
        Ok(line)
    }
}

/// The hash that a line claims, and the one that it has; `None` for no line of ours.
pub(super) fn hashes(line: &str) -> Option<(&str, String)> {
    let after = line.strip_prefix(OPENING)?;
    let (claimed, rest) = after.split_at_checked(DIGITS)?;
    Some((claimed, hash_of(rest.strip_prefix(CLOSING)?)))
}

fn hash_of(rest: &str) -> String {
    let mut text = String::with_capacity(DIGITS);
    for byte in Sha256::digest(rest.as_bytes()) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
