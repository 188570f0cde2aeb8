//! What the nursery keeps open, because its own root will be empty.

use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;

/// Descriptors that are opened once, at the start.
#[derive(Debug)]
pub(super) struct Places {
    /// `/dev/null`.
    pub(super) null: OwnedFd,
    /// `sandbox-host` itself.
    pub(super) program: OwnedFd,
    /// Rings when a child stops or ends.
    pub(super) signals: SignalFd,
    /// `/proc`: what the watch reads of its processes.
    pub(super) processes: OwnedFd,
}

impl Places {
    /// Opens them.
    pub(super) fn open() -> rustix::io::Result<Self> {
        let open = |path, flags| openat(CWD, path, flags | OFlags::CLOEXEC, Mode::empty());
        let signals =
            SignalFd::with_flags(&children(), SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
                .map_err(|e| Errno::from_raw_os_error(e as i32))?;
        Ok(Self {
            null: open("/dev/null", OFlags::RDWR)?,
            program: open("/proc/self/exe", OFlags::PATH)?,
            signals,
            processes: open("/proc", OFlags::PATH | OFlags::DIRECTORY)?,
        })
    }

    /// Their numbers: no sandbox may keep one.
    pub(super) fn descriptors(&self) -> [RawFd; 4] {
        let Self {
            null,
            program,
            signals,
            processes,
        } = self;
        [
            null.as_raw_fd(),
            program.as_raw_fd(),
            signals.as_fd().as_raw_fd(),
            processes.as_raw_fd(),
        ]
    }
}

/// The signal of a child that stopped or ended.
pub(super) fn children() -> SigSet {
    let mut set = SigSet::empty();
    set.add(Signal::SIGCHLD);
    set
}

/// Closes everything but 0, 1 and 2.
///
/// A supervisor that was started by a careless program may have leaked
/// descriptors to us, and through us to every sandbox.
pub(super) fn close_leaked() {
    let Ok(listing) = std::fs::read_dir("/proc/self/fd") else {
        return;
    };
    let number = |entry: std::fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    let numbers: Vec<RawFd> = listing.flatten().filter_map(number).collect();
    for number in numbers.into_iter().filter(|number| *number > 2) {
        // The one that listed them is among them, and closed already.
        let _ = nix::unistd::close(number);
    }
}
