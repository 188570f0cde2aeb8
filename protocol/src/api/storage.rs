//! Storage (`/storage`): files that hyperties share, and what scripts keep (spec services §1.17).
//!
//! | message | body | answer |
//! |---|---|---|
//! | `create` | `value`: [`File`] with the first part of its content | `value`: the file's address |
//! | `update` | [`Part`]: a further part, in order | `value`: the file's address |
//! | `update` | [`Keep`]: what a script puts into its `localStorage` | 200 |
//! | `read` | [`Select`] | `value`: [`File`], of further parts [`Part`]; `p2p: true` beside it |
//! | `delete` | [`Select`] | 200 |
//!
//! A message of 1 MiB does not hold every file, so a content may come in parts. A file is
//! there once its last part is on disk. Codes: 400 malformed, 403 not the creator's, 404
//! unknown or unfinished, 413 too large, 429 the disk cannot keep up.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where the room lives under the runtime's address.
pub const PATH: &str = "storage";

/// Bytes of content in one part, before base64.
///
/// As base64 it has 700 kB, which leaves room for what is known about the file.
pub const PART_BYTES_MAX: usize = 512 * 1024;

/// Bytes of one file's content. Published readers keep up to 5 MiB.
pub const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// What `contentEncoding` says of content that is no text.
pub const BASE64: &str = "base64";

/// What may be created.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Create {
    /// The file.
    pub value: File,
}

/// A file: what is known about it, and a part of its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct File {
    /// Part 0: text, or base64 when `contentEncoding` says so.
    pub content: String,
    /// `base64`, or empty for text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub content_encoding: String,
    /// Bytes of the whole content; checked once all of it is there.
    #[serde(default)]
    pub size: Option<u64>,
    /// In how many parts it comes.
    #[serde(default = "one")]
    pub parts: u32,
    /// Where it is kept. One of the asker's own is replaced by what is created.
    #[serde(rename = "contentURL", default)]
    pub content_url: Vec<String>,
    /// The rest: `name`, `mimetype`, `preview`, `created`, `reporter`, …
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// One further part of a file's content.
#[allow(clippy::struct_field_names, reason = "the names of the wire")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// The file's address; empty in answers.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resource: String,
    /// Which: 1 up to, and without, `parts`.
    pub part: u32,
    /// The content, encoded as the first part.
    pub content: String,
    /// `base64`, or empty for text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub content_encoding: String,
}

/// Selects files by address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Select {
    /// One file.
    pub resource: String,
    /// Several, to be deleted.
    pub resources: Vec<String>,
    /// The part to be read.
    pub part: u32,
}

/// Changes of what a script keeps, in order. Those of several messages are done
/// together, once one comes without `more`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    /// The changes.
    pub items: Vec<Item>,
    /// Forgets what came before without its end.
    #[serde(default)]
    pub first: bool,
    /// Whether further messages belong to these changes.
    #[serde(default)]
    pub more: bool,
}

/// One change: `["set", key, value]`, `["add", key, value]`, `["remove", key]`, `["clear"]`.
///
/// `add` appends to what the key has: a long value comes in pieces.
pub type Item = Vec<String>;

fn one() -> u32 {
    1
}
