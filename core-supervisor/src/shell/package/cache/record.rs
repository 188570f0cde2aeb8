//! What is known of one item that was fetched.

use protocol::api::catalogue::{Fetched, Item};
use serde::{Deserialize, Serialize};

use crate::rooms::catalogue::elsewhere::{Piece, Tags};

/// A record has names, addresses and digests.
pub(super) const RECORD_BYTES_MAX: u64 = 64 * 1024;

/// One item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Record {
    /// What it is.
    pub(in super::super) item: Item,
    /// Its descriptor, or the schema.
    pub(in super::super) descriptor: Stored,
    /// Its code; none of a schema, and when the descriptor carries it.
    pub(in super::super) code: Option<Stored>,
    /// When it was compared with what is elsewhere, in seconds since the Unix epoch.
    pub(in super::super) checked_s: u64,
    /// When it was read.
    pub(in super::super) used_s: u64,
    /// Whether it stays as it is.
    pub(in super::super) pinned: bool,
    /// What a newer version asks for beyond this one.
    #[serde(default)]
    pub(in super::super) grown: Vec<String>,
}

/// One file of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Stored {
    /// `sha256:…` of its bytes.
    pub(in super::super) digest: String,
    /// How many these are.
    pub(in super::super) bytes: u64,
    /// Where it was found.
    pub(in super::super) url: String,
    /// What was said about it.
    #[serde(default)]
    pub(in super::super) etag: String,
    /// Likewise.
    #[serde(default)]
    pub(in super::super) modified: String,
}

impl Record {
    /// How many bytes its content has.
    pub(super) fn bytes(&self) -> u64 {
        let code = self.code.as_ref().map_or(0, |code| code.bytes);
        self.descriptor.bytes.saturating_add(code)
    }

    /// What it names.
    pub(super) fn digests(&self) -> impl Iterator<Item = String> + use<> {
        let code = self.code.as_ref().map(|code| code.digest.clone());
        [self.descriptor.digest.clone()].into_iter().chain(code)
    }

    /// How the outside sees it.
    pub(in super::super) fn view(&self, now_s: u64) -> Fetched {
        let content = self.code.as_ref().unwrap_or(&self.descriptor);
        Fetched {
            item: self.item.clone(),
            digest: content.digest.clone(),
            bytes: content.bytes,
            age_s: now_s.saturating_sub(self.checked_s),
            pinned: self.pinned,
            etag: self.descriptor.etag.clone(),
            modified: self.descriptor.modified.clone(),
            grown: self.grown.clone(),
        }
    }
}

impl Stored {
    /// Of bytes that came.
    pub(super) fn of(piece: &Piece, bytes: &[u8]) -> Self {
        Self {
            digest: super::digest(bytes),
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            url: piece.url.clone(),
            etag: piece.tags.etag.clone(),
            modified: piece.tags.modified.clone(),
        }
    }

    /// For a conditional request.
    pub(in super::super) fn tags(&self) -> Tags {
        Tags {
            etag: self.etag.clone(),
            modified: self.modified.clone(),
        }
    }
}
