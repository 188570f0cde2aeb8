//! Opening files below one directory, and no others.
//!
//! What is opened cannot lead out of the directory, through no `..`, link or
//! magic link, whatever is renamed meanwhile; all questions go to the descriptor.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;

/// A directory, held open.
#[derive(Debug)]
pub(crate) struct Place {
    directory: OwnedFd,
}

impl Place {
    /// Opens a directory that the author named; links in its own path are followed.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
        Ok(Self { directory })
    }

    /// Opens a directory below this one.
    pub(crate) fn below(&self, path: &str) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = self.open_beneath(path, flags)?;
        Ok(Self { directory })
    }

    /// Opens a regular file below this directory.
    pub(crate) fn file(&self, path: &str) -> io::Result<(File, Stat)> {
        // A pipe must not hold us until somebody writes to it.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = self.open_beneath(path, flags)?;
        let stat = rustix::fs::fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok((file.into(), stat))
    }

    /// The names in this directory, at most `max`, in C order; others than UTF-8 are left out.
    pub(crate) fn names(&self, max: usize) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in Dir::read_from(&self.directory)?.take(max) {
            if let Ok(name) = entry?.file_name().to_str()
                && !matches!(name, "." | "..")
            {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    fn open_beneath(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        let resolve =
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        // EAGAIN: a rename somewhere on the machine made the kernel unsure; it asks to try again.
        for _ in 0..16 {
            let opened = rustix::fs::openat2(&self.directory, path, flags, Mode::empty(), resolve);
            match opened {
                Err(Errno::AGAIN) => {}
                Err(Errno::NOSYS) => return self.open_stepwise(path, flags),
                result => return result,
            }
        }
        self.open_stepwise(path, flags)
    }

    // For kernels and outer sandboxes without openat2: one plain name after the other.
    fn open_stepwise(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
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
            let from = held.as_ref().unwrap_or(&self.directory);
            held = Some(rustix::fs::openat(from, name, flags, Mode::empty())?);
        }
        held.ok_or(Errno::NOENT)
    }
}
