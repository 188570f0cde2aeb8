//! The message header as a second codec reads and writes it.
//!
//! `wincode` with variable-length integers writes the bytes of bincode's
//! standard configuration. Shared with `the fuzz target `header``.

use protocol::message::Header;
use protocol::{Code, MessageKind, Reply};
use wincode::config::Configuration;
use wincode::{SchemaRead, SchemaWrite};

/// Mirrors `protocol::message::Header`, field by field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub(crate) struct Mirror<'a> {
    id: u64,
    kind: MirrorKind<'a>,
    from: &'a str,
    to: &'a str,
    code: u16,
    reply: MirrorReply,
    members: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, SchemaRead, SchemaWrite)]
enum MirrorKind<'a> {
    Create,
    Read,
    Update,
    Delete,
    Subscribe,
    Unsubscribe,
    Response,
    Forward,
    Execute,
    Event,
    Other(&'a str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, SchemaRead, SchemaWrite)]
enum MirrorReply {
    Unwanted,
    Untimed,
    Within(u32),
}

impl<'a> Mirror<'a> {
    /// Reads a header; every byte of it must be used.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let config = Configuration::default().with_varint_encoding();
        wincode::config::deserialize_exact(bytes, config).ok()
    }

    /// The header that the mirror shows.
    pub(crate) const fn header(&self) -> Header<'a> {
        Header {
            id: self.id,
            kind: self.kind.kind(),
            from: self.from,
            to: self.to,
            code: Code(self.code),
            reply: self.reply.reply(),
            members: self.members,
        }
    }
}

impl Mirror<'_> {
    /// The bytes of the header.
    pub(crate) fn write(&self) -> Vec<u8> {
        let config = Configuration::default().with_varint_encoding();
        wincode::config::serialize(self, config).unwrap_or_default()
    }
}

impl<'a> MirrorKind<'a> {
    const fn kind(self) -> MessageKind<'a> {
        match self {
            Self::Create => MessageKind::Create,
            Self::Read => MessageKind::Read,
            Self::Update => MessageKind::Update,
            Self::Delete => MessageKind::Delete,
            Self::Subscribe => MessageKind::Subscribe,
            Self::Unsubscribe => MessageKind::Unsubscribe,
            Self::Response => MessageKind::Response,
            Self::Forward => MessageKind::Forward,
            Self::Execute => MessageKind::Execute,
            Self::Event => MessageKind::Event,
            Self::Other(word) => MessageKind::Other(word),
        }
    }
}

impl MirrorReply {
    const fn reply(self) -> Reply {
        match self {
            Self::Unwanted => Reply::Unwanted,
            Self::Untimed => Reply::Untimed,
            Self::Within(ms) => Reply::Within(ms),
        }
    }
}
