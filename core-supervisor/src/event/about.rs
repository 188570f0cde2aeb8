//! What events are about: the time, who is there, how a process ended.

use std::time::Duration;

use crate::ids::SandboxId;

/// The time, as the shell read it once for this event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now {
    /// Since the supervisor started; never goes back. Deadlines are kept in it.
    pub mono: Duration,
    /// Microseconds since the Unix epoch; for rules and records, may jump.
    pub wall_us: u64,
}

/// Who is at the other end of a new link, as the shell knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A sandbox that the shell launched: possession of the socket is its identity.
    Sandbox(SandboxId),
    /// A local process of the same user, by its peer credentials.
    Local {
        /// Its process id, for humans only.
        pid: u32,
    },
}

/// How a sandbox process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// It returned this status.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// Killed for a system call that is never legitimate.
    Syscall {
        /// Its number on this machine.
        number: i64,
        /// Its name, or empty.
        name: String,
    },
    /// It could not lock itself; the reason.
    NotLocked(String),
    /// It had used up the memory it may have, and ended by this signal.
    Memory(i32),
}

/// What `/proc/<pid>/status` says about a sandbox, read from outside.
// Each is one line of `/proc/<pid>/status`, not a choice among states.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Confinement {
    /// `NoNewPrivs`.
    pub no_new_privs: bool,
    /// `Seccomp: 2`, that is, filtered.
    pub seccomp_filtered: bool,
    /// `Threads`.
    pub threads: u32,
    /// Whether it lives in a user, mount, pid, network, ipc and uts namespace of its own.
    pub own_namespaces: bool,
    /// Whether every capability set is empty.
    pub no_capabilities: bool,
}
