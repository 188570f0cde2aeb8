//! The files of one directory, read whole, of one provider or of several.
//!
//! ```text
//!  DIR/.well-known/…            one provider, whatever host is asked for
//!  DIR/<domain>/.well-known/…   several: the host name tells which
//! ```
//!
//! A file is read at once and hashed from the bytes that are sent, so what an
//! author saves meanwhile never gets half into an answer.

use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use rustix::fs::Stat;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::beneath::Place;
use crate::limits::{FILE_BYTES_MAX, IN_FLIGHT_BYTES_MAX, NAMES_MAX, ROOM_WITHIN};
use crate::paths::{Kind, name_of};

/// What is served. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    directory: Arc<PathBuf>,
    // Set when one provider is served under any host name.
    provider: Option<Arc<str>>,
    // One permit is a KiB, because a semaphore counts with 32 bits.
    room: Arc<Semaphore>,
}

/// One file, as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Content {
    /// Its bytes; they hold their share of the memory until they are sent.
    pub(crate) bytes: Bytes,
    /// SHA-256 of them, in hex.
    pub(crate) digest: String,
    /// When it was changed last, if the file system knows.
    pub(crate) modified: Option<SystemTime>,
}

/// One provider's part.
#[derive(Debug, Clone)]
pub(crate) struct Stock {
    path: PathBuf,
    room: Arc<Semaphore>,
}

/// Why a file is not served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unserved {
    /// There is none, or what is there is no file below the directory.
    #[error("there is no such file")]
    Absent,
    /// Too long for what it is.
    #[error("the file is longer than {0} bytes")]
    TooLong(usize),
    /// Others are being served.
    #[error("too much is being sent already: ask again in a moment")]
    Busy,
    /// The system refused.
    #[error("the file cannot be read")]
    Unread,
}

/// Why a directory cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoShelf {
    /// It cannot be opened.
    #[error("cannot open `{0}`: {1}")]
    Closed(PathBuf, std::io::Error),
    /// It is no catalogue.
    #[error(
        "`{0}` holds neither `.well-known/` nor folders of providers that do: \
         see how it is laid out with `hyperty help files`"
    )]
    NoCatalogue(PathBuf),
    /// The provider is not there.
    #[error("`{0}` holds nothing of `{1}`: it has {2}")]
    NoProvider(PathBuf, String, String),
}

impl Shelf {
    /// Looks whether the directory is a catalogue.
    pub(crate) fn open(directory: &Path, provider: Option<&str>) -> Result<Self, NoShelf> {
        let closed = |e| NoShelf::Closed(directory.to_path_buf(), e);
        let place = Place::open(directory).map_err(closed)?;
        let has_own = place.below(".well-known").is_ok();
        let shelf = Self {
            directory: Arc::new(directory.to_path_buf()),
            provider: provider.map(Arc::from),
            room: Arc::new(Semaphore::new(IN_FLIGHT_BYTES_MAX / 1024)),
        };
        let providers = shelf.providers();
        if !has_own && providers.is_empty() {
            return Err(NoShelf::NoCatalogue(directory.to_path_buf()));
        }
        match provider {
            Some(wanted) if !has_own && !providers.iter().any(|one| one == wanted) => {
                Err(NoShelf::NoProvider(
                    directory.to_path_buf(),
                    wanted.to_owned(),
                    providers.join(", "),
                ))
            }
            _ => Ok(shelf),
        }
    }

    /// The folders of providers in it, as they are now.
    pub(crate) fn providers(&self) -> Vec<String> {
        let Ok(place) = Place::open(&self.directory) else {
            return Vec::new();
        };
        let names = place.names(NAMES_MAX).unwrap_or_default();
        let has_catalogue = |name: &String| {
            !name.starts_with('.') && place.below(&format!("{name}/.well-known")).is_ok()
        };
        names.into_iter().filter(has_catalogue).collect()
    }

    /// The part that a host name stands for; `None` when that is nobody's here.
    ///
    /// The folder of that name; else the only one there is, because an author
    /// asks for `localhost`.
    pub(crate) fn stock(&self, host: &str) -> Option<Stock> {
        let stock = |path: PathBuf| Stock {
            path,
            room: Arc::clone(&self.room),
        };
        let wanted = self.provider.as_deref().unwrap_or(host);
        let providers = self.providers();
        if let Some(folder) = providers.iter().find(|name| *name == wanted) {
            return Some(stock(self.directory.join(folder)));
        }
        if self.directory.join(".well-known").is_dir() {
            return Some(stock(self.directory.to_path_buf()));
        }
        match providers.as_slice() {
            [only] if self.provider.is_none() => Some(stock(self.directory.join(only))),
            _ => None,
        }
    }
}

impl Stock {
    /// Reads the first of these files that is there.
    pub(crate) async fn first(
        &self,
        files: &[String],
        max: usize,
    ) -> Result<(String, Content), Unserved> {
        for file in files {
            match self.read(file, max).await {
                Err(Unserved::Absent) => {}
                result => return result.map(|content| (file.clone(), content)),
            }
        }
        Err(Unserved::Absent)
    }

    /// Reads a file of at most `max` bytes.
    pub(crate) async fn read(&self, file: &str, max: usize) -> Result<Content, Unserved> {
        let max = max.min(FILE_BYTES_MAX);
        let (path, file) = (self.path.clone(), file.to_owned());
        let opened = blocking(move || Place::open(&path).and_then(|place| place.file(&file)));
        let (file, stat) = opened.await?.map_err(|e| unserved(&e))?;
        let size = usize::try_from(stat.st_size).unwrap_or(usize::MAX);
        if size > max {
            return Err(Unserved::TooLong(max));
        }
        let permit = self.share(size).await?;
        blocking(move || content(file, &stat, size, permit)).await?
    }

    /// The names that have a descriptor.
    pub(crate) async fn names(&self, kind: Kind) -> Result<Vec<String>, Unserved> {
        let path = self.path.clone();
        let folder = format!(".well-known/{}", kind.folder);
        let listed = blocking(move || {
            let folder = Place::open(&path)?.below(&folder)?;
            folder.names(NAMES_MAX)
        });
        match listed.await?.map_err(|e| unserved(&e)) {
            Ok(files) => Ok(files
                .iter()
                .filter_map(|file| name_of(kind, file))
                .map(str::to_owned)
                .collect()),
            Err(Unserved::Absent) => Ok(Vec::new()),
            Err(e) => Err(e),
        }
    }

    async fn share(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Unserved> {
        let permits = u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room).acquire_many_owned(permits);
        match tokio::time::timeout(ROOM_WITHIN, room).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Unserved::Busy),
        }
    }
}

// Bytes that give their share of the memory back with themselves.
struct Held(Vec<u8>, #[allow(dead_code)] OwnedSemaphorePermit);

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

fn content(
    file: std::fs::File,
    stat: &Stat,
    size: usize,
    permit: OwnedSemaphorePermit,
) -> Result<Content, Unserved> {
    let mut bytes = Vec::with_capacity(size);
    // It may have grown since: that is another state of it, which the next request reads.
    let limit = u64::try_from(size).unwrap_or(u64::MAX);
    let read = file.take(limit).read_to_end(&mut bytes);
    read.map_err(|_| Unserved::Unread)?;
    let digest = hex(&Sha256::digest(&bytes));
    Ok(Content {
        bytes: Bytes::from_owner(Held(bytes, permit)),
        digest,
        modified: modified(stat),
    })
}

fn modified(stat: &Stat) -> Option<SystemTime> {
    let seconds = u64::try_from(stat.st_mtime).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Bytes as text of two digits each.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing into a `String` cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn unserved(e: &std::io::Error) -> Unserved {
    use std::io::ErrorKind;
    match e.kind() {
        ErrorKind::PermissionDenied | ErrorKind::Other => Unserved::Unread,
        // Absent, a link, a folder, a name that leads out: nothing of this tells which.
        _ => Unserved::Absent,
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Unserved> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Unserved::Unread)
}
