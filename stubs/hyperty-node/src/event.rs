//! What happens to a node, and what it wants done: two closed lists.

use std::fmt;
use std::sync::Arc;

use protocol::Address;

use crate::rows::Row;

/// One connection, for as long as it lasts; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// One write, or one relayed request, until it is heard of again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// The text of one message; many queues may hold it.
pub type Text = Arc<str>;

/// What the token of a connection permits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pass {
    /// The token's name; `None` on a node that asks for none.
    pub name: Option<String>,
    /// The only runtime it may be used for.
    pub runtime: Option<Address>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A connection stands, its token was good.
    Connected {
        /// Its number from now on.
        link: LinkId,
        /// What it may.
        pass: Pass,
    },
    /// A text frame came.
    Received {
        /// From whom.
        link: LinkId,
        /// What.
        text: Text,
    },
    /// A connection has ended.
    Disconnected {
        /// Which.
        link: LinkId,
        /// What was never given to its socket, oldest first.
        unsent: Vec<Text>,
    },
    /// The store has the rows of this write, or refused them.
    Persisted {
        /// Which write.
        ticket: Ticket,
        /// Why not.
        result: Result<(), String>,
    },
    /// Another node of the domain wrote these rows.
    Learned(Vec<Row>),
    /// Another node passes on a message.
    Relayed(Text),
    /// No node follows the address of a relayed request.
    Unheard(Ticket),
    /// A token was taken back: its connections and sessions end.
    Revoked(String),
    /// Time has passed.
    Tick,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Send a text frame.
    Send {
        /// To whom.
        link: LinkId,
        /// What.
        text: Text,
    },
    /// Send what is queued, say why, and close.
    Close {
        /// Which connection.
        link: LinkId,
        /// Why.
        end: End,
    },
    /// Ask a connection for a sign of life now.
    Probe(LinkId),
    /// Keep rows; `Persisted` tells of it.
    Persist {
        /// Comes back.
        ticket: Ticket,
        /// All or none.
        rows: Vec<Row>,
    },
    /// Tell the other nodes that messages for this address, or below it, end here.
    Follow(Address),
    /// The opposite.
    Unfollow(Address),
    /// Pass a message on to the nodes that follow this address.
    Relay {
        /// Comes back with `Unheard` when there is none; absent when nobody asks.
        ticket: Option<Ticket>,
        /// The address, or the one above it.
        base: Address,
        /// The message.
        text: Text,
    },
}

/// Why a connection is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The peer said `close`.
    Asked,
    /// The node stops.
    Stopping,
    /// It did not speak the protocol.
    Garbage(String),
    /// It spoke for addresses of others, again and again.
    Forged,
    /// It never said `open`.
    NoSession,
    /// Its runtime has a newer connection.
    Replaced,
    /// Its token was taken back.
    Revoked,
    /// Nothing was heard of it.
    Silent,
    /// It did not read what was sent to it.
    SlowReader,
}

impl End {
    /// The number of the WebSocket close frame (RFC 6455 §7.4).
    pub const fn code(&self) -> u16 {
        match self {
            Self::Asked => 1000,
            Self::Stopping => 1001,
            Self::Garbage(_) => 1007,
            Self::Forged | Self::NoSession | Self::Revoked => 1008,
            Self::Replaced | Self::Silent | Self::SlowReader => 1013,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("closed as asked"),
            Self::Stopping => f.write_str("this node stops: connect again"),
            Self::Garbage(why) => f.write_str(why),
            Self::Forged => f.write_str("messages from addresses of others"),
            Self::NoSession => f.write_str("no `open` came in time"),
            Self::Replaced => f.write_str("the runtime has connected anew"),
            Self::Revoked => f.write_str("the token was taken back"),
            Self::Silent => f.write_str("no sign of life"),
            Self::SlowReader => f.write_str("slow reader: too much waits to be read"),
        }
    }
}
