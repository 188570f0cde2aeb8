//! What there are quotas of, and the numbers that stand without anybody's word.

use protocol::limits::FRAME_BYTES_MAX;
use protocol::nursery::Engine;

use crate::limits::{
    LISTENERS_PER_COMPONENT_MAX, LOG_LINES_PER_SECOND_MAX, OBJECTS_PER_COMPONENT_MAX,
    PENDING_PER_LINK_MAX, SOCKETS_PER_LINK_MAX,
};
use crate::rooms::storage::{
    FILES_BYTES_MAX, FILES_PER_OWNER_BYTES_MAX, ITEMS_BYTES_MAX, ITEMS_PER_OWNER_UNITS_MAX,
};

/// No bound.
pub const UNBOUNDED: u64 = u64::MAX;

/// What there is a quota of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quota {
    /// Messages that it sends.
    Messages,
    /// Their bytes.
    Bytes,
    /// Requests of its that wait for their answers.
    Pending,
    /// Addresses that it listens to besides its own.
    Listeners,
    /// Addresses of objects that it holds.
    Addresses,
    /// Lines that it logs.
    LogLines,
    /// Sockets of the network that it has open or dials.
    Sockets,
    /// Timers of a script that are armed.
    Timers,
    /// What a script keeps (`localStorage`).
    Storage,
    /// Files that it shares.
    Files,
    /// Descriptors of its process.
    Descriptors,
    /// Memory that it fills.
    Memory,
    /// Processor time.
    Cpu,
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its member of a descriptor's `limits`.
    pub member: &'static str,
    /// Its key in the table `[limits]` of `hyperty.toml`.
    pub key: &'static str,
    /// In what it is counted.
    pub unit: &'static str,
    /// What a script has, and at the same time may ask for, unless the operator says
    /// otherwise.
    pub script: u64,
    /// The same for a program.
    pub native: u64,
    /// With less nothing would run.
    pub least: u64,
    /// More the runtime cannot give, whatever the operator says.
    pub most: u64,
    /// Whether it is a matter of the process, which components may share, or of its link.
    pub is_shared: bool,
}

/// How many there are.
pub(super) const NUMBER: usize = Quota::ALL.len();

const MIB: u64 = 1 << 20;

/// Timers of one script host.
///
/// As many as the framework takes (`sandbox-host/framework/timers.js`): its own, one for
/// each request that waits, are not counted. One costs about 200 bytes of the heap.
const TIMERS: u64 = 10_000;

impl Quota {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 13] = [
        Self::Messages,
        Self::Bytes,
        Self::Pending,
        Self::Listeners,
        Self::Addresses,
        Self::LogLines,
        Self::Sockets,
        Self::Timers,
        Self::Storage,
        Self::Files,
        Self::Descriptors,
        Self::Memory,
        Self::Cpu,
    ];

    /// Its line.
    ///
    /// The numbers of processes are those of `policies/sandbox/*.toml`; a test holds
    /// them together.
    #[rustfmt::skip] // a table is read by its columns
    pub const fn row(self) -> Row {
        const NONE: [u64; 2] = [UNBOUNDED, UNBOUNDED];
        const PENDING: u64 = PENDING_PER_LINK_MAX as u64;
        const LISTENERS: u64 = LISTENERS_PER_COMPONENT_MAX as u64;
        const ADDRESSES: u64 = OBJECTS_PER_COMPONENT_MAX as u64;
        const LOG_LINES: u64 = LOG_LINES_PER_SECOND_MAX as u64;
        const SOCKETS: u64 = SOCKETS_PER_LINK_MAX as u64;
        const STORAGE: u64 = ITEMS_PER_OWNER_UNITS_MAX as u64;
        const FILES: u64 = FILES_PER_OWNER_BYTES_MAX as u64;
        match self {
            // A receiver that does not read makes its senders wait already: by default
            // nobody is held to a rate.
            Self::Messages => row("messages", "limits.messages", "a second", NONE, [1, UNBOUNDED], true),
            // The largest message must fit, or it could never be sent.
            Self::Bytes => row("bytes", "limits.bytes", "bytes a second", NONE, [FRAME_BYTES_MAX as u64, UNBOUNDED], true),
            Self::Pending => row("pending", "limits.pending", "requests", [PENDING; 2], [1, PENDING], true),
            Self::Listeners => row("listeners", "limits.listeners", "addresses", [LISTENERS; 2], [0, 4096], false),
            Self::Addresses => row("addresses", "limits.addresses", "addresses", [ADDRESSES; 2], [0, ADDRESSES], false),
            Self::LogLines => row("logLines", "limits.log-lines", "a second", [LOG_LINES; 2], [1, 10_000], true),
            // Each is a descriptor, of which the profile has few.
            Self::Sockets => row("sockets", "limits.sockets", "sockets", [SOCKETS; 2], [0, SOCKETS], true),
            Self::Timers => row("timers", "limits.timers", "timers", [TIMERS, UNBOUNDED], [1, 1 << 20], true),
            Self::Storage => row("storage", "limits.storage", "UTF-16 units", [STORAGE; 2], [0, ITEMS_BYTES_MAX as u64 / 4], false),
            Self::Files => row("files", "limits.files", "bytes", [FILES; 2], [0, FILES_BYTES_MAX as u64 / 10 * 9], false),
            // Not more than the profile's: a program's own descriptor lies just above.
            Self::Descriptors => row("descriptors", "limits.descriptors", "descriptors", [40, 64], [8, 64], true),
            Self::Memory => row("memory", "limits.memory", "bytes", [64 * MIB, 256 * MIB], [8 * MIB, 8192 * MIB], true),
            // Of one processor, so that 250 are two and a half.
            Self::Cpu => row("cpu", "limits.cpu", "percent of a processor", NONE, [1, 102_400], true),
        }
    }

    /// What a component has when nobody says anything.
    pub const fn usual(self, engine: Engine) -> u64 {
        let row = self.row();
        match engine {
            Engine::Script => row.script,
            Engine::Native => row.native,
        }
    }

    /// The one with this member of a descriptor.
    pub(super) fn by_member(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|quota| quota.row().member == name)
    }

    /// The one with this key of the table `[limits]`.
    pub fn by_key(name: &str) -> Option<Self> {
        let is_it = |quota: &Self| quota.row().key.strip_prefix("limits.") == Some(name);
        Self::ALL.into_iter().find(is_it)
    }
}

const fn row(
    member: &'static str,
    key: &'static str,
    unit: &'static str,
    [script, native]: [u64; 2],
    [least, most]: [u64; 2],
    is_shared: bool,
) -> Row {
    Row {
        member,
        key,
        unit,
        script,
        native,
        least,
        most,
        is_shared,
    }
}
