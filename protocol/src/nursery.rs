//! What the supervisor asks of the nursery, the process that starts sandboxes.
//!
//! The nursery is `sandbox-host nursery`: small and single-threaded, so that a
//! fork costs microseconds where a fork of the supervisor would cost
//! milliseconds. One datagram of a `SOCK_SEQPACKET` pair (its descriptor 0)
//! holds one [`Request`] or [`Report`]; descriptors travel beside it.

use crate::frame::Level;

/// The longest datagram, in bytes.
pub const DATAGRAM_BYTES_MAX: usize = 4096;

/// Which program a sandbox runs once it is locked.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    bincode::Encode,
    bincode::Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// The JavaScript engine of `sandbox-host`.
    Script,
    /// One program from the catalogue, handed over as a descriptor.
    Native,
}

/// What the supervisor asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::BorrowDecode)]
pub enum Request<'a> {
    /// Start one sandbox; its end of the link comes along as a descriptor.
    Launch(Launch<'a>),
}

/// One sandbox to be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::BorrowDecode)]
pub struct Launch<'a> {
    /// The supervisor's number for it, unique for the life of the supervisor.
    pub sandbox: u64,
    /// What it will run.
    pub engine: Engine,
    /// The profile under `policies/sandbox/`, without `.toml`.
    pub profile: &'a str,
    /// Below this level it must not run.
    pub min_level: Level,
    /// The level to try for: [`Level::L3`] unless the operator asked for less.
    pub max_level: Level,
    /// What it may fill, in bytes; 0 takes the profile's number.
    pub memory_bytes: u64,
    /// Descriptors that it may have; 0 takes the profile's number.
    pub descriptors: u32,
    /// Timers that its scripts may have armed; 0 takes the usual number.
    pub timers: u32,
}

/// What the nursery tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::BorrowDecode)]
pub enum Report<'a> {
    /// The process runs and is locking itself; its pidfd comes along.
    Launched {
        /// The supervisor's number.
        sandbox: u64,
        /// Its process id as the supervisor sees it.
        pid: u32,
    },
    /// No process came to be.
    NotLaunched {
        /// The supervisor's number.
        sandbox: u64,
        /// What was being done, and what the system said.
        reason: &'a str,
    },
    /// The process has ended and has been reaped.
    Exited {
        /// The supervisor's number.
        sandbox: u64,
        /// How it ended.
        exit: Exit<'a>,
    },
}

/// How a sandbox process ended, as the kernel tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::BorrowDecode)]
pub enum Exit<'a> {
    /// It returned this status.
    Code(i32),
    /// This signal ended it.
    Signal(i32),
    /// It made a system call that is never legitimate, and was killed for it.
    Syscall {
        /// The call's number on this machine.
        number: i64,
        /// Its name, or empty when it has none here.
        name: &'a str,
    },
    /// It could not lock itself to the level that was asked for; the reason.
    ///
    /// The process writes the reason to the nursery before it ends, so that the
    /// operator reads `landlock: …`, not an exit status.
    NotLocked(&'a str),
    /// It had used up the memory it may have, and ended by this signal.
    Memory(i32),
}
