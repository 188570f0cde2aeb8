//! What outlives the supervisor, on the disk: one file, `state.redb`.
//!
//! ```text
//!  open → (check every page) → read all records → the core is given them
//!  keeper: waits for writes → takes all that wait → one transaction → tells the core
//! ```
//!
//! A commit is on the disk whole or not at all, whatever happens in between: redb
//! writes copies and turns one checksummed page over. The file is ours alone (0600)
//! and locked; what it holds is checked page by page before it is believed. A file
//! that is damaged is moved aside, loudly, never deleted; one of a newer build is
//! left alone, and the supervisor does not start.

mod damage;
mod keeper;
mod tables;
#[cfg(test)]
mod tests;

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{Builder, Database, ReadableDatabase};
use rustix::fs::OFlags;

use crate::store::{Change, Record};

pub use keeper::{Keeper, Write};

/// The file in the data directory.
pub const FILE: &str = "state.redb";

/// Bytes of the file that may be kept in memory.
///
/// Everything is read once, at the start, and then only written: the pages on the
/// way to a leaf are all that is worth remembering. The library's own default is 1 GiB.
const CACHE_BYTES: usize = 4 * 1024 * 1024;

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened or made.
    #[error(
        "cannot open the store `{path}`: {source}; free space, mend its rights, or choose another \
         with `--data-dir`"
    )]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system or the library said.
        source: redb::Error,
    },
    /// It could not be moved out of the way.
    #[error("cannot move the damaged store `{path}` aside: {source}; move it away yourself")]
    MoveAside {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A newer build wrote it.
    #[error(
        "the store `{path}` has version {found}, this build knows {known}: run the newer build, or \
         move the file away to begin anew"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
        /// Ours.
        known: u64,
    },
    /// A commit failed.
    #[error("cannot write the store `{path}`: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system or the library said.
        source: redb::Error,
    },
    /// The keeper's thread.
    #[error("cannot start the store's thread: {0}")]
    Thread(io::Error),
}

/// The store, opened.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    // `None` after a commit failed: the library takes no more writes until the file
    // is opened again, which the next write does.
    database: Option<Database>,
}

impl Store {
    /// Opens the file, or makes it, and reads everything in it. A damaged file is moved aside.
    pub fn open(path: &Path, unix_s: u64) -> Result<(Self, Vec<Record>), StoreError> {
        match Self::read(path) {
            Err(StoreError::Open { source, .. }) if damage::is_damage(&source) => {
                damage::move_aside(path, &source, unix_s)?;
                Self::read(path)
            }
            read => read,
        }
    }

    /// Writes changes, all or none; when this returns they are on the disk.
    pub fn write(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        let database = match self.database.take() {
            Some(database) => database,
            None => self.open_again()?,
        };
        let written = tables::write(&database, changes).map_err(|source| StoreError::Write {
            path: self.path.clone(),
            source,
        });
        if written.is_ok() {
            self.database = Some(database);
        }
        written
    }

    fn read(path: &Path) -> Result<(Self, Vec<Record>), StoreError> {
        let failed = |source| StoreError::Open {
            path: path.to_owned(),
            source,
        };
        let mut database = open_file(path).map_err(failed)?;
        let found = tables::version(&database).map_err(failed)?;
        if found > tables::VERSION {
            return Err(StoreError::Newer {
                path: path.to_owned(),
                found,
                known: tables::VERSION,
            });
        }
        let records = database
            .begin_read()
            .map_err(redb::Error::from)
            .and_then(|transaction| tables::read(&transaction))
            .map_err(failed)?;
        tables::compact(&mut database).map_err(failed)?;
        let store = Self {
            path: path.to_owned(),
            database: Some(database),
        };
        Ok((store, records))
    }

    fn open_again(&self) -> Result<Database, StoreError> {
        open_file(&self.path).map_err(|source| StoreError::Open {
            path: self.path.clone(),
            source,
        })
    }
}

// Not followed when it is a link: the file is ours, in a directory of ours.
fn open_file(path: &Path) -> Result<Database, redb::Error> {
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    let database = Builder::new()
        .set_cache_size(CACHE_BYTES)
        // Without it a file that was altered outside may end the process (panic).
        .set_check_integrity_on_open(true)
        .create_with_backend(FileBackend::new(file)?)?;
    Ok(database)
}
