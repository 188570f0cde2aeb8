//! A directory of our own under `/tmp`, gone when it is dropped.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::error::{Failure, Id};

/// A private directory for what must not outlive a command.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes one. Its name is short: a socket's path has 107 bytes.
    pub(crate) fn new(purpose: &str) -> Result<Self, Failure> {
        Self::make(purpose).map_err(|error| {
            let parent = std::env::temp_dir();
            Failure::new(
                Id::Local,
                format!("cannot make a directory in `{}`: {error}", parent.display()),
            )
        })
    }

    fn make(purpose: &str) -> io::Result<Self> {
        let mut random = [0_u8; 4];
        getrandom::fill(&mut random).map_err(|error| io::Error::other(error.to_string()))?;
        let name = format!("hyperty-{purpose}-{:08x}", u32::from_ne_bytes(random));
        let path = std::env::temp_dir().join(name);
        // Fails when it exists, also as a link: nobody can put another in its place.
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
