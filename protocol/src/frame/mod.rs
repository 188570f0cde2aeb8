//! One enum per direction: what a host may say, and what the core may say.
//!
//! A host cannot even express a frame of the core. Strings are borrowed from
//! the receive buffer. Variants and fields are never reordered: the bytes have
//! no names (golden bytes in `tests/golden/`).
//!
//! | link phase | host says | core says |
//! |---|---|---|
//! | greeting | `Hello` | `Welcome` (first bytes on every link) |
//! | confining (sandboxes) | `Confined` | – |
//! | loading | `Loaded`, `LoadFailed`, `Log`, `Send`, `Listen` | `Load`, or `Exec` then `Start` |
//! | running | `Send`, `Listen`, `Unlisten`, `Log`, `Pong` … | `Deliver`, `Listening`, `Ping`, `Load`, `Unload`, `Stop` |
//! | running, after `TakeSlots` | `SendBy`, `Return` | `Borrow`, `Lend`, `DeliverBy`, `Returned`, `Unsent`, `Revoke` |
//! | running, who dials | `Dial`, `Hangup`, `TakeRoots` | `Socket`, `NotDialled`, `Bound`, `Accepted`, `Hungup`, `Roots`, `NoRoots` |
//! | running, the connector | `Connected`, `Bound`, `Accepted`, `NotConnected` | `Connect`, `Disconnect` |

mod kinds;

pub use self::kinds::{ComponentKind, Level, LoadStage, LogLevel, Role};
use crate::code::Code;
use crate::dial::{Connect, Dial, NotDialled};
use crate::message::Message;
use crate::slot::{InSlot, Lend};

/// The first frame of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::BorrowDecode)]
pub struct Hello<'a> {
    /// The frames it speaks: [`crate::version::PROTOCOL`].
    pub version: u16,
    /// The nonce of the `Welcome`, sent back: a recorded `Hello` opens no other link.
    pub nonce: [u8; 16],
    /// What it is.
    pub role: Role<'a>,
    /// Its build, for humans.
    pub build: &'a str,
}

/// What a sandbox found when it tried the forbidden on itself, after lockdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::BorrowDecode)]
pub struct Confined<'a> {
    /// The level it reached. A claim: the core looks from outside as well.
    pub level: Level,
    /// The Landlock ABI in force, 0 for none.
    pub landlock_abi: u8,
    /// The profile it applied, e.g. `script`.
    pub profile: &'a str,
    /// The acts it tried on itself and saw refused, comma separated.
    pub proofs: &'a str,
}

/// A script for a sandbox; the frame's body is its source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::BorrowDecode)]
pub struct Load<'a> {
    /// The address it gets, in the spelling that scripts are given (`runtime://` for runtimes).
    pub component: &'a str,
    /// `name` of its descriptor, or of its file.
    pub name: &'a str,
    /// What it is.
    pub kind: ComponentKind,
    /// The configuration: JSON object text, `runtimeURL` included.
    pub config: &'a str,
    /// The file name for stack traces, e.g. `hello.hy.js`.
    pub file: &'a str,
}

/// Tells a native host to execute the program whose descriptor comes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::BorrowDecode)]
pub struct Exec<'a> {
    /// The component's address, for messages about failure.
    pub component: &'a str,
    /// The program's `argv[0]`.
    pub name: &'a str,
}

/// Tells a native component, application or operator who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::BorrowDecode)]
pub struct Start<'a> {
    /// The address it owns.
    pub address: &'a str,
    /// The runtime's address; rooms live below it.
    pub runtime: &'a str,
    /// The configuration of its descriptor: JSON object text.
    pub config: &'a str,
}

/// A load that did not succeed; nothing of the component is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::BorrowDecode)]
pub struct LoadFailed<'a> {
    /// The address it would have had.
    pub component: &'a str,
    /// How far it came.
    pub stage: LoadStage,
    /// What went wrong, in one line.
    pub reason: &'a str,
    /// `file:line:column`, or empty.
    pub place: &'a str,
    /// The stack, one call per line, or empty.
    pub stack: &'a str,
}

/// One line of a component's log; the frame's body is its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::BorrowDecode)]
pub struct Log<'a> {
    /// Whose line it is, or empty for the host itself.
    pub component: &'a str,
    /// How much it matters.
    pub level: LogLevel,
    /// `file:line:column` of the call, or empty.
    pub place: &'a str,
}

/// What a peer of the core may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostFrame<'a> {
    /// Opens the link.
    Hello(Hello<'a>),
    /// The sandbox is locked and has tried its lock.
    Confined(Confined<'a>),
    /// The component at this address runs.
    Loaded {
        /// Its address.
        component: &'a str,
    },
    /// The component could not be started.
    LoadFailed(LoadFailed<'a>),
    /// The component at this address is gone, as asked.
    Unloaded {
        /// The address it had.
        component: &'a str,
    },
    /// A message for somebody.
    Send(Message<'a>),
    /// Wants messages to `address` as well, besides those to its own addresses.
    Listen {
        /// The component that listens: one of the link's own addresses.
        component: &'a str,
        /// The address to listen to.
        address: &'a str,
    },
    /// Takes a `Listen` back.
    Unlisten {
        /// The component that listened.
        component: &'a str,
        /// The address.
        address: &'a str,
    },
    /// One line of a log, and its text.
    Log(Log<'a>, &'a [u8]),
    /// Answers a `Ping`.
    Pong {
        /// The token of the ping.
        token: u64,
    },
    /// Is ready to hold slots (see [`crate::slot`]); who never says so is given none.
    TakeSlots {
        /// So many to write, and so many to read; 0 gives all of them back.
        most: u16,
    },
    /// A message for somebody, whose body lies in a slot.
    SendBy(InSlot<'a>),
    /// The slot was received, or what lay in it was copied.
    Return {
        /// The slot, one that the peer may read.
        slot: u64,
    },
    /// Wants a socket of the network (see [`crate::dial`]).
    Dial(Dial<'a>),
    /// Has closed its end of this socket.
    Hangup {
        /// The socket, of `Socket`, `Bound` or `Accepted`.
        socket: u64,
    },
    /// Wants the certificates of the authorities that this machine trusts.
    TakeRoots,
    /// The connector: this job's socket comes along as a descriptor.
    Connected {
        /// The number of the `Connect`.
        job: u64,
        /// The address it checked and dialled, e.g. `192.0.2.1:443`.
        peer: &'a str,
    },
    /// The connector: this job listens.
    Bound {
        /// The number of the `Connect`.
        job: u64,
        /// Where, e.g. `0.0.0.0:8080`.
        local: &'a str,
    },
    /// The connector: somebody called a job that listens; the descriptor comes along.
    Accepted {
        /// The number of the `Connect`.
        job: u64,
        /// Who.
        peer: &'a str,
    },
    /// The connector: this job came to nothing, or has ended listening.
    NotConnected {
        /// The number of the `Connect`.
        job: u64,
        /// 403 for an address that is not permitted, 404 for a name that nobody
        /// has, 408 when nobody answered in time, 503 when they refused.
        code: Code,
        /// One sentence.
        reason: &'a str,
    },
}

/// What the core may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoreFrame<'a> {
    /// The first frame on every link, written before the peer even runs.
    Welcome {
        /// [`crate::version::PROTOCOL`] of the core.
        version: u16,
        /// To be sent back in `Hello`.
        nonce: [u8; 16],
    },
    /// Load this script; the slice is its source text.
    Load(Load<'a>, &'a [u8]),
    /// Execute the program that comes along as a descriptor.
    Exec(Exec<'a>),
    /// This is who you are.
    Start(Start<'a>),
    /// Remove the component at this address.
    Unload {
        /// Its address.
        component: &'a str,
    },
    /// A message that the policy permitted.
    Deliver(Message<'a>),
    /// What became of a `Listen`: 200, 403 or 429, with the reason.
    Listening {
        /// The address that was to be listened to.
        address: &'a str,
        /// What became of it.
        code: Code,
        /// One sentence, or empty.
        reason: &'a str,
    },
    /// Are you alive? To be answered by `Pong` within the heartbeat deadline.
    Ping {
        /// To be sent back.
        token: u64,
    },
    /// End within so many milliseconds.
    Stop {
        /// After that the process is killed.
        grace_ms: u32,
    },
    /// A slot to read, whose descriptor comes along; `Return` says that it arrived.
    Borrow {
        /// Its number.
        slot: u64,
        /// How many bytes it holds.
        bytes: u32,
    },
    /// A slot to write, whose descriptor comes along.
    Lend(Lend<'a>),
    /// A message that the policy permitted, whose body lies in a slot.
    DeliverBy(InSlot<'a>),
    /// The message in this slot needs it no more: it was copied, or refused.
    Returned {
        /// The slot.
        slot: u64,
    },
    /// The message in this slot went nowhere: to be sent as a `Send`.
    Unsent {
        /// The slot.
        slot: u64,
    },
    /// This slot is taken back.
    Revoke {
        /// The slot.
        slot: u64,
    },
    /// What the component that is loaded next has kept; several add up.
    Seed {
        /// Its address, in the spelling of its `Load`.
        component: &'a str,
        /// JSON: a list of `protocol::api::storage::Item`.
        items: &'a [u8],
    },
    /// The socket that was dialled; its descriptor comes along.
    Socket {
        /// The number of the `Dial`.
        request: u64,
        /// The number it has from now on.
        socket: u64,
        /// The address at its other end, e.g. `[2001:db8::1]:443`.
        peer: &'a str,
    },
    /// There is no socket for this `Dial`.
    NotDialled(NotDialled<'a>),
    /// The `Dial` listens: each caller comes as an `Accepted`.
    Bound {
        /// The number of the `Dial`.
        request: u64,
        /// The number of the listener.
        socket: u64,
        /// Where it listens.
        local: &'a str,
    },
    /// Somebody called a listener; the descriptor comes along.
    Accepted {
        /// Which listener.
        listener: u64,
        /// The number that the new socket has.
        socket: u64,
        /// The address at its other end.
        peer: &'a str,
    },
    /// This socket was taken back: nothing passes any more.
    Hungup {
        /// The socket, or the listener.
        socket: u64,
        /// One sentence.
        reason: &'a str,
    },
    /// The authorities' certificates, as PEM in sealed memory that comes along.
    Roots {
        /// How many bytes.
        bytes: u32,
    },
    /// There are no certificates.
    NoRoots {
        /// One sentence.
        reason: &'a str,
    },
    /// To the connector: make this connection.
    Connect(Connect<'a>),
    /// To the connector: this job is not wanted any more.
    Disconnect {
        /// The number of the `Connect`.
        job: u64,
    },
}
