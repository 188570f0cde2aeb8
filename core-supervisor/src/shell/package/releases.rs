//! Releases that are in use, or can be gone back to: whole packages, by their digest.
//!
//! ```text
//!  DATA/packages/<blake3 of the manifest>.pkg
//! ```
//!
//! Written beside its place, synced and moved there whole; read without following
//! links, and verified again whenever it is read. It may be swept away at any time:
//! what must not be forgotten stands in the store.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use hyperty_package::limits::PACKAGE_BYTES_MAX;

use crate::shell::beneath::{Place, Unread};

/// The releases of one data directory.
#[derive(Debug, Clone)]
pub(super) struct Releases {
    folder: PathBuf,
}

impl Releases {
    /// Below a data directory; made when it is first written to.
    pub(super) fn new(data: &Path) -> Self {
        let folder = data.join("packages");
        Self { folder }
    }

    /// Where a release is.
    pub(super) fn path(&self, digest: &str) -> PathBuf {
        self.folder.join(file_of(digest))
    }

    /// Keeps a package under its digest.
    pub(super) fn put(&self, digest: &str, bytes: &[u8]) -> io::Result<()> {
        if self.get(digest).is_ok_and(|there| there == bytes) {
            return Ok(());
        }
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&self.folder)?;
        let file = self.path(digest);
        let beside = file.with_extension("new");
        remove(&beside);
        let mut open = OpenOptions::new();
        let mut open = open
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)?;
        open.write_all(bytes)?;
        open.sync_all()?;
        if file.is_dir() {
            remove(&file);
        }
        fs::rename(&beside, &file)?;
        File::open(&self.folder)?.sync_all()
    }

    /// The bytes under a digest, whatever they are now.
    pub(super) fn get(&self, digest: &str) -> Result<Vec<u8>, Unread> {
        let opened = Place::open(&self.folder)?.file(&file_of(digest))?;
        opened.read(PACKAGE_BYTES_MAX)
    }

    /// Throws a release away.
    pub(super) fn drop(&self, digest: &str) {
        remove(&self.path(digest));
    }

    /// Throws everything away but these, and what a crash left half written.
    pub(super) fn sweep(&self, keep: &[String]) {
        let Ok(entries) = fs::read_dir(&self.folder) else {
            return;
        };
        let keep: Vec<String> = keep.iter().map(|digest| file_of(digest)).collect();
        for entry in entries.flatten() {
            let name = entry.file_name();
            if !name
                .to_str()
                .is_some_and(|name| keep.iter().any(|kept| kept == name))
            {
                remove(&entry.path());
            }
        }
    }
}

// Whatever was put there: a link goes, and not what it leads to.
fn remove(path: &Path) {
    let is_folder = fs::symlink_metadata(path).is_ok_and(|about| about.is_dir());
    let _ = if is_folder {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
}

fn file_of(digest: &str) -> String {
    let hex = digest.strip_prefix("blake3:").unwrap_or_default();
    let hex: String = hex
        .chars()
        .filter(char::is_ascii_hexdigit)
        .take(64)
        .collect();
    format!("{hex}.pkg")
}
