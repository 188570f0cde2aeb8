//! What was fetched from other domains, kept by what it is.
//!
//! ```text
//!  DATA/catalogue/content/<sha256>        bytes: a descriptor, a script, a program
//!  DATA/catalogue/index/<sha256>.json     a record: whose, which content, since when
//! ```
//!
//! Content is never changed: it is written beside its place, synced, and moved
//! there whole. A record is replaced in the same way, after the content that it
//! names. Content is hashed whenever it is read; what does not have the digest that
//! its record says is thrown away, and is then as good as never fetched.

mod keep;
mod record;
mod signed;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use protocol::api::catalogue::Item;
use sha2::{Digest, Sha256};

use crate::rooms::catalogue::limits::{CACHE_BYTES_MAX, CACHE_ITEMS_MAX, PROGRAM_BYTES_MAX};

pub(super) use record::{Record, Stored};

/// The cache of one data directory.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    content: PathBuf,
    index: PathBuf,
}

/// Why something cannot be kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotKept {
    #[error("cannot write what was fetched to `{0}`: {1}")]
    Write(PathBuf, io::Error),
    #[error(
        "there is no room for what was fetched: everything else is pinned \
         (`hyperty catalogue ls`, `hyperty catalogue unpin`)"
    )]
    Full,
}

impl Cache {
    /// Below a data directory; made when it is first written to.
    pub(super) fn new(data: &Path) -> Self {
        let base = data.join("catalogue");
        Self {
            content: base.join("content"),
            index: base.join("index"),
        }
    }

    /// What is known of an item.
    pub(super) fn record(&self, item: &Item) -> Option<Record> {
        let record = read_record(&self.record_file(item))?;
        (record.item == *item).then_some(record)
    }

    /// Everything that is known, in the order of its names.
    pub(super) fn records(&self) -> Vec<Record> {
        let Ok(entries) = fs::read_dir(&self.index) else {
            return Vec::new();
        };
        let files = entries.flatten().map(|entry| entry.path());
        let mut records: Vec<Record> = files
            .filter(|file| file.extension().is_some_and(|ending| ending == "json"))
            .filter_map(|file| read_record(&file))
            .take(CACHE_ITEMS_MAX)
            .collect();
        records.sort_by(|one, other| one.item.cmp(&other.item));
        records
    }

    /// Bytes that have this digest; what has another one is removed.
    pub(super) fn content(&self, stored: &Stored) -> Option<Vec<u8>> {
        let file = self.content.join(name_of(&stored.digest)?);
        let bytes = fs::metadata(&file).ok()?.len();
        if bytes != stored.bytes || bytes > PROGRAM_BYTES_MAX as u64 {
            let _ = fs::remove_file(&file);
            return None;
        }
        let bytes = fs::read(&file).ok()?;
        if digest(&bytes) != stored.digest {
            tracing::warn!(file = %file.display(), "fetched content was altered, and is thrown away");
            let _ = fs::remove_file(&file);
            return None;
        }
        Some(bytes)
    }

    /// Keeps bytes under their digest.
    pub(super) fn put(&self, bytes: &[u8]) -> Result<(), NotKept> {
        let digest = digest(bytes);
        let Some(name) = name_of(&digest) else {
            return Ok(());
        };
        let file = self.content.join(name);
        let is_there = fs::read(&file).is_ok_and(|there| there == bytes);
        if is_there {
            return Ok(());
        }
        write(&self.content, &file, bytes)
    }

    /// Keeps a record, and makes room for it.
    pub(super) fn enter(&self, record: &Record) -> Result<(), NotKept> {
        self.make_room(record)?;
        self.save(record)?;
        // Only now: until here the record before it has its content.
        self.sweep();
        Ok(())
    }

    /// Writes a record over the one before it.
    pub(super) fn save(&self, record: &Record) -> Result<(), NotKept> {
        let text = serde_json::to_vec_pretty(record).unwrap_or_default();
        write(&self.index, &self.record_file(&record.item), &text)
    }

    // What was used longest ago goes, except what is pinned.
    fn make_room(&self, fresh: &Record) -> Result<(), NotKept> {
        let mut others = self.records();
        others.retain(|record| record.item != fresh.item);
        others.sort_by_key(|record| (record.pinned, record.used_s));
        let mut bytes: u64 = others.iter().map(Record::bytes).sum();
        let mut items = others.len();
        let mut rest = others.iter();
        while bytes + fresh.bytes() > CACHE_BYTES_MAX || items >= CACHE_ITEMS_MAX {
            match rest.next() {
                Some(oldest) if !oldest.pinned => {
                    let _ = fs::remove_file(self.record_file(&oldest.item));
                    bytes -= oldest.bytes();
                    items -= 1;
                }
                _ => return Err(NotKept::Full),
            }
        }
        Ok(())
    }

    // Content that no record names, and what a crash left half written.
    fn sweep(&self) {
        let records = self.records();
        let named: BTreeSet<String> = records
            .iter()
            .flat_map(Record::digests)
            .filter_map(|digest| name_of(&digest).map(str::to_owned))
            .collect();
        let Ok(entries) = fs::read_dir(&self.content) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if !name.to_str().is_some_and(|name| named.contains(name)) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn record_file(&self, item: &Item) -> PathBuf {
        let Item {
            base,
            provider,
            kind,
            name,
        } = item;
        // No part of a name can make two items one: none has a line feed.
        let key = digest(format!("{base}\n{provider}\n{kind}\n{name}").as_bytes());
        let name = name_of(&key).unwrap_or_default();
        self.index.join(format!("{name}.json"))
    }
}

fn read_record(file: &Path) -> Option<Record> {
    let bytes = fs::metadata(file).ok()?.len();
    if bytes > record::RECORD_BYTES_MAX {
        return None;
    }
    let text = fs::read(file).ok()?;
    serde_json::from_slice(&text).ok()
}

// Beside it first, synced, then moved: there is never half of it.
fn write(folder: &Path, file: &Path, bytes: &[u8]) -> Result<(), NotKept> {
    let failed = |e| NotKept::Write(file.to_owned(), e);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(failed)?;
    let beside = file.with_extension("new");
    let _ = fs::remove_file(&beside);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .and_then(|mut open| open.write_all(bytes).and_then(|()| open.sync_all()))
        .and_then(|()| fs::rename(&beside, file))
        .and_then(|()| File::open(folder)?.sync_all());
    written.map_err(failed)
}

/// `sha256:…` of bytes.
pub(super) fn digest(bytes: &[u8]) -> String {
    super::digest_text(&Sha256::digest(bytes))
}

// The file of a digest; `None` for what is none.
fn name_of(digest: &str) -> Option<&str> {
    let hex = digest.strip_prefix("sha256:")?;
    let is_hex = hex.len() == 64 && hex.bytes().all(|c| c.is_ascii_hexdigit());
    is_hex.then_some(hex)
}

/// Seconds since the Unix epoch.
pub(super) fn now_s() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}
