//! Opening files below a directory that somebody else may write to.
//!
//! The directory is opened once and held; what is opened below it cannot lead
//! out of it, through no `..`, link or magic link, whatever is renamed meanwhile.
//! What is read is the file that was checked: all questions go to its descriptor.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

/// A directory, held open.
#[derive(Debug)]
pub(crate) struct Place {
    directory: OwnedFd,
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unread {
    /// The system refused.
    #[error("{}", said(.0))]
    System(#[from] io::Error),
    /// A directory, a pipe, a socket or a device.
    #[error("is no regular file")]
    NotAFile,
    /// Longer than its kind of file may be.
    #[error("is longer than {0} bytes")]
    TooLong(usize),
    /// It changed while it was read.
    #[error("changed while it was read")]
    Changed,
}

impl Unread {
    /// Whether there is nothing of that name.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::System(e) if e.kind() == io::ErrorKind::NotFound)
    }
}

impl From<Errno> for Unread {
    fn from(errno: Errno) -> Self {
        Self::System(errno.into())
    }
}

fn said(e: &io::Error) -> String {
    match e.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::LOOP | Errno::XDEV) => {
            "is a link, or lies behind one: links are not followed here".to_owned()
        }
        Some(errno) => {
            // "No such file or directory (os error 2)" without its number.
            let text = io::Error::from(errno).to_string();
            let text = text.split(" (os error").next().unwrap_or_default();
            text.to_lowercase()
        }
        None => e.to_string(),
    }
}

/// A regular file, opened, with what the system said about it then.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Its descriptor.
    pub(crate) file: File,
    /// Its owner, mode, size and times.
    pub(crate) stat: Stat,
}

impl Place {
    /// Opens a directory that the operator named; links in its own path are followed.
    pub(crate) fn open(path: &Path) -> Result<Self, Unread> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
        Ok(Self { directory })
    }

    /// Opens a directory below this one.
    pub(crate) fn below(&self, path: &str) -> Result<Self, Unread> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = open_beneath(&self.directory, path, flags)?;
        Ok(Self { directory })
    }

    /// Opens a regular file below this directory.
    pub(crate) fn file(&self, path: &str) -> Result<Opened, Unread> {
        // A pipe must not hold us until somebody writes to it.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = open_beneath(&self.directory, path, flags)?;
        let stat = rustix::fs::fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(Unread::NotAFile);
        }
        Ok(Opened {
            file: file.into(),
            stat,
        })
    }

    /// The names in this directory, at most `max`, in C order; others than UTF-8 are left out.
    pub(crate) fn names(&self, max: usize) -> Result<Vec<String>, Unread> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.directory)? {
            let entry = entry?;
            match entry.file_name().to_str() {
                Ok("." | "..") | Err(_) => {}
                Ok(name) => names.push(name.to_owned()),
            }
            if names.len() >= max {
                break;
            }
        }
        names.sort();
        Ok(names)
    }

    /// Its owner and mode.
    pub(crate) fn stat(&self) -> Result<Stat, Unread> {
        Ok(rustix::fs::fstat(&self.directory)?)
    }
}

impl Opened {
    /// Reads the whole file, which must not be longer than `max`.
    pub(crate) fn read(mut self, max: usize) -> Result<Vec<u8>, Unread> {
        let size = usize::try_from(self.stat.st_size).unwrap_or(usize::MAX);
        if size > max {
            return Err(Unread::TooLong(max));
        }
        let mut bytes = Vec::with_capacity(size);
        // It may have grown since: never more than was allowed.
        let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
        self.file.by_ref().take(limit).read_to_end(&mut bytes)?;
        if bytes.len() > max {
            return Err(Unread::TooLong(max));
        }
        Ok(bytes)
    }
}

fn open_beneath(directory: &OwnedFd, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    // EAGAIN: a rename somewhere on the machine made the kernel unsure; it asks to try again.
    for _ in 0..16 {
        match rustix::fs::openat2(directory, path, flags, Mode::empty(), resolve) {
            Err(Errno::AGAIN) => {}
            Err(Errno::NOSYS) => return open_stepwise(directory, path, flags),
            result => return result,
        }
    }
    open_stepwise(directory, path, flags)
}

// For kernels and outer sandboxes without openat2: one plain name after the other.
fn open_stepwise(directory: &OwnedFd, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
    let step = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut held: Option<OwnedFd> = None;
    let mut names = path.split('/').peekable();
    while let Some(name) = names.next() {
        if matches!(name, "" | "." | "..") {
            return Err(Errno::XDEV);
        }
        let flags = if names.peek().is_some() {
            step
        } else {
            flags | OFlags::NOFOLLOW
        };
        let from = held.as_ref().unwrap_or(directory);
        held = Some(rustix::fs::openat(from, name, flags, Mode::empty())?);
    }
    held.ok_or(Errno::NOENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_opening_refuse_to_leave_the_directory() {
        let base = crate::shell::testing::directory("beneath");
        let inside = base.path().join("inside");
        std::fs::create_dir(&inside).unwrap();
        std::fs::write(base.path().join("secret"), "x").unwrap();
        std::fs::write(inside.join("plain"), "x").unwrap();
        std::os::unix::fs::symlink("../secret", inside.join("link")).unwrap();
        std::os::unix::fs::symlink("..", inside.join("up")).unwrap();
        let place = Place::open(&inside).unwrap();
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;

        for open in [open_beneath, open_stepwise] {
            assert!(open(&place.directory, "plain", flags).is_ok());
            for path in ["link", "up/secret", "../secret", "/etc/passwd", "up"] {
                assert!(open(&place.directory, path, flags).is_err(), "{path}");
            }
        }
    }
}
