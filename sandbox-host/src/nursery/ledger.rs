//! Which process is which sandbox, and how it ended.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;

use protocol::nursery::Exit;
use rustix::io::Errno;
use rustix::net::{SendFlags, send};
use rustix::process::WaitStatus;

use super::cradle::{UNWATCHED, WATCHED};
use crate::native::NOT_LOCKED;
use crate::profile::never_name;

const NOT_LOCKED_CODE: i32 = NOT_LOCKED as i32;
const ABORTED: i32 = nix::libc::SIGABRT;

/// A reason longer than this would not fit into a report.
pub(super) const LAMENT_BYTES_MAX: usize = 2048;

/// One child, from its fork to its end.
#[derive(Debug)]
pub(super) struct Entry {
    /// The process that was forked.
    pub(super) first: i32,
    /// The process that is the sandbox, once it is born: `first`, or its child.
    pub(super) own: Option<i32>,
    /// Our end of its cradle, until it is locked.
    pub(super) cradle: Option<OwnedFd>,
    /// Whether `first` has ended: the sandbox is our own child now.
    pub(super) adopted: bool,
    /// Whether it could be traced.
    pub(super) traced: bool,
    /// Why it could not lock itself.
    pub(super) lament: String,
    /// The call it is being killed for.
    pub(super) syscall: Option<i64>,
    /// The signal it is being killed for.
    pub(super) signal: Option<i32>,
    /// Whether it had used up the memory it may have.
    pub(super) starved: bool,
}

impl Entry {
    /// A child that was just forked.
    pub(super) fn forked(pid: i32, cradle: OwnedFd) -> Self {
        Self {
            first: pid,
            own: None,
            cradle: Some(cradle),
            adopted: false,
            traced: false,
            lament: String::new(),
            syscall: None,
            signal: None,
            starved: false,
        }
    }
}

impl Entry {
    /// Tells the sandbox whether it is watched, once it is our own child.
    ///
    /// Not before: `PDEATHSIG`, which it sets next, names the parent of that moment.
    pub(super) fn encourage(&mut self) -> rustix::io::Result<()> {
        let ours = self.adopted || self.own == Some(self.first);
        let (Some(cradle), true, true) = (&self.cradle, ours, self.own.is_some()) else {
            return Ok(());
        };
        let word = if self.traced { WATCHED } else { UNWATCHED };
        match send(cradle, &[word], SendFlags::NOSIGNAL) {
            // It has died; its end is on the way.
            Err(Errno::PIPE | Errno::CONNRESET) | Ok(_) => Ok(()),
            Err(e) => Err(e),
        }
    }

    /// How it ended.
    pub(super) fn exit(&self, status: WaitStatus) -> Exit<'_> {
        if let Some(number) = self.syscall {
            return Exit::Syscall {
                number,
                name: never_name(number),
            };
        }
        match (
            self.signal.or(status.terminating_signal()),
            status.exit_status(),
        ) {
            // The second is a panic before the lock; afterwards nothing is heard.
            (None, Some(NOT_LOCKED_CODE)) | (Some(ABORTED), _) if !self.lament.is_empty() => {
                Exit::NotLocked(self.lament.trim_end())
            }
            (Some(signal), _) if self.starved => Exit::Memory(signal),
            (Some(signal), _) => Exit::Signal(signal),
            (None, code) => Exit::Code(code.unwrap_or_default()),
        }
    }
}

/// All children, by the supervisor's number.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// The entries.
    pub(super) entries: BTreeMap<u64, Entry>,
    // INVARIANT: every value is a key of `entries`.
    by_pid: BTreeMap<i32, u64>,
}

impl Ledger {
    /// Adds a child.
    pub(super) fn add(&mut self, sandbox: u64, entry: Entry) {
        self.by_pid.insert(entry.first, sandbox);
        self.entries.insert(sandbox, entry);
    }

    /// Notes which process the sandbox is.
    pub(super) fn born(&mut self, sandbox: u64, pid: i32) {
        if let Some(entry) = self.entries.get_mut(&sandbox) {
            entry.own = Some(pid);
            self.by_pid.insert(pid, sandbox);
        }
    }

    /// Notes a thread of a sandbox.
    pub(super) fn thread(&mut self, sandbox: u64, thread: i32) {
        self.by_pid.insert(thread, sandbox);
    }

    /// The sandbox that a process or thread belongs to.
    pub(super) fn sandbox_of(&self, pid: i32) -> Option<u64> {
        self.by_pid.get(&pid).copied()
    }

    /// Forgets a process; its sandbox stays.
    pub(super) fn forget_process(&mut self, pid: i32) {
        self.by_pid.remove(&pid);
    }

    /// Forgets a sandbox and what is left of its processes.
    pub(super) fn remove(&mut self, sandbox: u64) -> Option<Entry> {
        let entry = self.entries.remove(&sandbox)?;
        self.by_pid.retain(|_, other| *other != sandbox);
        Some(entry)
    }
}
