//! Connections (`/connections`): who may reach the network, and who does.
//!
//! `read` [`Select`] → `value`: [`Listing`]; `create` [`Grant`] → 200;
//! `delete` [`Grant`] → 200, or 404 when there is no such grant;
//! `execute` [`Revoke`] → `value`: [`Revoked`]. For the operator only.
//!
//! What a component's descriptor asks for is a grant as well; the operator's come
//! on top of it, those for the message nodes named at the start included, and what
//! the operator revoked is refused whoever asked for it. A
//! grant opens nothing by itself: the rules decide (`connect`, `bind`).

use serde::{Deserialize, Serialize};

use crate::dial::Transport;

/// Where the room lives under the runtime's address.
pub const PATH: &str = "connections";

/// A place that a component may reach, as descriptors and the operator write it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// A name, an address, `*.example.org` for everything below it, or `*`.
    pub host: String,
    /// The port; 0 for any.
    #[serde(default)]
    pub port: u16,
    /// What kind of socket.
    #[serde(default = "tcp")]
    pub protocol: Transport,
    /// Whether addresses that are not public may be reached.
    #[serde(default)]
    pub private: bool,
    /// How many sockets of it may be open; 0 for as many as a component may have.
    #[serde(default)]
    pub count: u32,
}

const fn tcp() -> Transport {
    Transport::Tcp
}

/// Whose grant it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The component's descriptor asks for it.
    Descriptor,
    /// The operator gave it.
    Operator,
    /// The operator named it as the message node of a domain when the runtime was started.
    Node,
    /// The operator took it away.
    Revoked,
}

impl Source {
    /// The word that rules and the command line use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Descriptor => "descriptor",
            Self::Operator => "operator",
            Self::Node => "node",
            Self::Revoked => "revoked",
        }
    }
}

/// One grant to one component.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// `provider/name`; in requests also a name or an address of one that is deployed.
    pub component: String,
    /// What may be reached.
    #[serde(flatten)]
    pub pattern: Pattern,
}

/// Which component to show; empty for all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Select {
    /// Its name, `provider/name`, or address.
    pub component: String,
}

/// What is to be taken away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoke {
    /// `revoke`.
    pub method: String,
    /// Whose.
    pub component: String,
    /// The host, as the grant has it or as it was dialled; empty for everything.
    #[serde(default)]
    pub host: String,
    /// The port; 0 for any.
    #[serde(default)]
    pub port: u16,
}

/// What came of taking it away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// Sockets that were shut.
    pub closed: usize,
}

/// Grants and sockets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// In order of component and host.
    pub grants: Vec<Shown>,
    /// In order of number.
    pub sockets: Vec<Socket>,
    /// Dials that are under way.
    pub pending: usize,
    /// How the connector stands: `idle`, `starting`, `running`, `failed`.
    pub connector: String,
}

/// One grant, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The grant.
    #[serde(flatten)]
    pub grant: Grant,
    /// Who gave it.
    pub source: Source,
    /// Sockets that are open by it.
    pub open: usize,
}

/// One open socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Socket {
    /// Its number.
    pub id: u64,
    /// The component's address.
    pub component: String,
    /// The host that was dialled, or listened at.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What kind of socket.
    pub protocol: Transport,
    /// The address at its other end; for a listener, its own.
    pub peer: String,
    /// The listener that it came by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listener: Option<u64>,
    /// For how long it has been open, in milliseconds.
    pub age_ms: u64,
    /// The decision that let it be.
    pub decision: String,
}

/// What the connector is told about names: the texts of the machine's files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// Of `/etc/resolv.conf`.
    pub resolv_conf: String,
    /// Of `/etc/hosts`.
    pub hosts: String,
    /// `address:port` of the one name server that the operator said, or empty.
    pub resolver: String,
}
