//! Random numbers by the system call, and by nothing else.
//!
//! The crate whose name and functions this has looks for libc's function by
//! `dlsym`, which a static program does not have, and opens `/dev/urandom` instead.
//! In a locked sandbox there is no such file: whoever draws a number would panic.

use core::fmt;

use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};

/// What the system said.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Error(Errno);

impl Error {
    /// The number of the error.
    pub const fn raw_os_error(self) -> Option<i32> {
        Some(self.0.raw_os_error())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot draw random numbers: {}", self.0)
    }
}

impl std::error::Error for Error {}

impl From<Error> for std::io::Error {
    fn from(error: Error) -> Self {
        error.0.into()
    }
}

/// Fills a buffer with random bytes.
pub fn fill(mut into: &mut [u8]) -> Result<(), Error> {
    while !into.is_empty() {
        match getrandom(&mut *into, GetRandomFlags::empty()) {
            Ok(drawn) => into = into.get_mut(drawn..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Error(errno)),
        }
    }
    Ok(())
}

/// A random number.
pub fn u32() -> Result<u32, Error> {
    let mut bytes = [0; 4];
    fill(&mut bytes).map(|()| u32::from_ne_bytes(bytes))
}

/// A random number.
pub fn u64() -> Result<u64, Error> {
    let mut bytes = [0; 8];
    fill(&mut bytes).map(|()| u64::from_ne_bytes(bytes))
}
