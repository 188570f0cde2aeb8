//! One supervisor per data directory and per runtime directory, and who it is.
//!
//! A lock belongs to an open file, so the kernel releases it when its owner ends
//! in whatever way; what the file says is for people. The socket of a supervisor
//! that was killed is removed under the lock only: a live one never loses it.

mod identity;
mod lock;
#[cfg(test)]
mod tests;

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use protocol::Address;

use identity::identity;
use lock::lock;

const SOCKET: &str = "bus.sock";
const IDENTITY: &str = "runtime.toml";

/// Why this supervisor cannot be.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// Another one is here already.
    #[error(
        "{path} is in use by another supervisor: {holder}; end it, or choose another directory"
    )]
    InUse {
        /// The directory.
        path: PathBuf,
        /// `pid …, build …, since …`.
        holder: String,
    },
    /// A directory or file cannot be made, read or written.
    #[error("cannot {act} `{path}`: {source}; {remedy}")]
    File {
        /// What was tried.
        act: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
        /// What the operator can do.
        remedy: &'static str,
    },
    /// A directory that others can write to, or that is another user's.
    #[error("`{path}` {problem}: a directory of mode 0700 that is yours is needed")]
    NotPrivate {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The identity is damaged.
    #[error(
        "cannot understand `{path}`: {message}; mend it, or move it away to become a new runtime"
    )]
    Identity {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
}

/// The right to be the supervisor of two directories; ends when it is dropped.
#[derive(Debug)]
pub struct Instance {
    /// Where the endpoint is to be.
    pub socket: PathBuf,
    data_dir: PathBuf,
    _locks: Vec<File>,
}

impl Instance {
    /// Makes both directories, locks them, and removes what a dead one left.
    pub fn claim(data_dir: &Path, runtime_dir: &Path, unix_s: u64) -> Result<Self, InstanceError> {
        private_dir(data_dir, DATA_REMEDY)?;
        private_dir(runtime_dir, RUNTIME_REMEDY)?;
        let mut locks = vec![lock(data_dir, DATA_REMEDY, unix_s)?];
        if !same(data_dir, runtime_dir) {
            locks.push(lock(runtime_dir, RUNTIME_REMEDY, unix_s)?);
        }
        let socket = runtime_dir.join(SOCKET);
        match fs::remove_file(&socket) {
            Ok(()) => tracing::info!(socket = %socket.display(), "removed a stale endpoint"),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(source) => return Err(file_error("remove", &socket, source, RUNTIME_REMEDY)),
        }
        Ok(Self {
            socket,
            data_dir: data_dir.to_owned(),
            _locks: locks,
        })
    }

    /// Where what outlives the supervisor is kept.
    pub fn store(&self) -> PathBuf {
        self.data_dir.join(super::store::FILE)
    }

    /// The runtime's address: the one it had before, or a new one.
    pub fn address(&self, domain: &str) -> Result<Address, InstanceError> {
        let path = self.data_dir.join(IDENTITY);
        let id = identity(&path)?;
        let text = format!("hyperty-runtime://{domain}/{id}");
        text.parse::<Address>()
            .map_err(|error| InstanceError::Identity {
                path,
                message: format!("`{text}` is no address: {error}"),
            })
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // Its locks are still held, so this is its own.
        let _ = fs::remove_file(&self.socket);
    }
}

const DATA_REMEDY: &str = "free space, mend its rights, or choose another with `--data-dir`";
const RUNTIME_REMEDY: &str = "mend its rights, or choose another with `--runtime-dir`";

fn file_error(
    act: &'static str,
    path: &Path,
    source: io::Error,
    remedy: &'static str,
) -> InstanceError {
    InstanceError::File {
        act,
        path: path.to_owned(),
        source,
        remedy,
    }
}

// A directory made by us is private from birth. One that was there is taken
// only when it is ours alone to write: `/tmp/hyperty-1000` could be anybody's.
// Its mode is left as it is: it may be `/`, named by mistake.
fn private_dir(path: &Path, remedy: &'static str) -> Result<(), InstanceError> {
    let mut builder = DirBuilder::new();
    builder
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| file_error("make", path, source, remedy))?;
    let found =
        fs::symlink_metadata(path).map_err(|source| file_error("look at", path, source, remedy))?;
    let not_private = |problem| InstanceError::NotPrivate {
        path: path.to_owned(),
        problem,
    };
    if !found.is_dir() {
        return Err(not_private("is not a directory"));
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(not_private("belongs to another user"));
    }
    if found.mode() & 0o022 != 0 {
        return Err(not_private("can be written by others"));
    }
    Ok(())
}

fn same(one: &Path, other: &Path) -> bool {
    let key = |path: &Path| {
        fs::metadata(path)
            .map(|found| (found.dev(), found.ino()))
            .ok()
    };
    key(one).is_some_and(|found| key(other) == Some(found))
}
