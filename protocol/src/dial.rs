//! Dialling: how a component comes by a socket of the network.
//!
//! No sandbox can make a socket. It asks the core, which asks the policy and then
//! the connector, the one process that can; what the asker gets is a connected
//! descriptor and nothing else.
//!
//! ```text
//! component                    core                       connector
//!   ── Dial ──────────────────▶ permitted?
//!                                  ── Connect ─────────────▶
//!                                                            resolves, checks, dials
//!                                  ◀── Connected + descriptor ──
//!   ◀── Socket + descriptor ───
//!   reads and writes it
//!   ── Hangup, once closed ───▶
//! ```
//!
//! Each `Dial` is followed by exactly one `Socket`, `Bound` or `NotDialled`, many
//! of them may be under way at once, and they may end in any order. A listener
//! (`Bound`) has no descriptor: each caller comes as an `Accepted` with one, so
//! that every connection is counted, shown and can be taken back by itself. When a
//! grant is revoked the socket is shut down, which both ends see at once, and
//! `Hungup` says why. `Hangup` makes room for the next dial; it may cross a
//! `Hungup`, and is then of no interest.
//!
//! `TakeRoots` is answered by one `Roots` or `NoRoots`.

use crate::code::Code;

/// What kind of socket.
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
pub enum Transport {
    /// A stream to a host.
    Tcp,
    /// Datagrams to and from one address of a host.
    Udp,
    /// Streams that others open: the host is an address of this machine.
    Listen,
}

impl Transport {
    /// The word for it in descriptors, rules and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Listen => "listen",
        }
    }
}

impl std::fmt::Display for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Transport {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "tcp" => Ok(Self::Tcp),
            "udp" => Ok(Self::Udp),
            "listen" => Ok(Self::Listen),
            other => Err(format!(
                "`{other}` is not a protocol: say tcp, udp or listen"
            )),
        }
    }
}

/// What a component asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::BorrowDecode)]
pub struct Dial<'a> {
    /// Which of the link's components: its grants decide.
    pub component: &'a str,
    /// A number of the asker's, which the answer repeats; not in use by another dial.
    pub request: u64,
    /// A name or an address, without brackets; at most [`HOST_BYTES_MAX`](crate::limits::HOST_BYTES_MAX).
    pub host: &'a str,
    /// The port; 0 only to listen at any.
    pub port: u16,
    /// What kind of socket.
    pub transport: Transport,
    /// After so many milliseconds it has failed, at most
    /// [`DIAL_WAIT_MS_MAX`](crate::limits::DIAL_WAIT_MS_MAX); 0 for the usual time.
    pub wait_ms: u32,
}

/// What the connector is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::BorrowDecode)]
pub struct Connect<'a> {
    /// The core's number for it, never used twice.
    pub job: u64,
    /// A name or an address.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// What kind of socket.
    pub transport: Transport,
    /// Whether the grant covers addresses that are not public.
    pub allow_private: bool,
    /// After so many milliseconds the core does not wait any more.
    pub wait_ms: u32,
}

/// Why there is no socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::BorrowDecode)]
pub struct NotDialled<'a> {
    /// The number of the `Dial`.
    pub request: u64,
    /// 400 for a dial that makes no sense, 403 when it is not granted, 404 for a
    /// name that nobody has, 408 when nobody answered in time, 429 when too much
    /// is open or under way, 503 when they refused or the connector is gone.
    pub code: Code,
    /// One sentence.
    pub reason: &'a str,
    /// The decision that refused it, for `hyperty why`; empty when no rule did.
    pub decision: &'a str,
}
