//! What can be wrong with the bytes of a frame, read or to be written.

use crate::limits::{BODY_BYTES_MAX, HEADER_BYTES_MAX, KIND_BYTES_MAX};
use crate::nursery::DATAGRAM_BYTES_MAX;

/// What makes bytes not a frame. Each is a fault of the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// The first byte is not the magic.
    #[error("byte `{0:#04x}` where a frame begins: the component wrote something else to its link")]
    Magic(u8),
    /// The tag has no meaning in either direction.
    #[error("unknown frame tag `{0:#04x}`")]
    Tag(u8),
    /// The tag belongs to the other direction.
    #[error("frame tag `{0:#04x}` belongs to the other direction")]
    Direction(u8),
    /// The header is longer than a header may be.
    #[error("header of {0} bytes is longer than {HEADER_BYTES_MAX}")]
    HeaderLength(usize),
    /// The body is longer than a body may be.
    #[error("body of {0} bytes is longer than {BODY_BYTES_MAX}")]
    BodyLength(usize),
    /// The header does not decode, or not all of it is used.
    #[error("header does not decode")]
    Header,
    /// A message type that is too long, empty, not a word, or another spelling of a known one.
    #[error("message type is not a word of its own of at most {KIND_BYTES_MAX} letters")]
    Kind,
    /// A body where none belongs.
    #[error("frame tag `{0:#04x}` has no body, yet one came")]
    Body(u8),
}

/// A frame could not be written: it is larger than a frame may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// The header.
    #[error("header is longer than {HEADER_BYTES_MAX} bytes")]
    Header,
    /// The body.
    #[error("body of {0} bytes is longer than {BODY_BYTES_MAX}")]
    Body(usize),
    /// A datagram of the nursery.
    #[error("datagram is longer than {DATAGRAM_BYTES_MAX} bytes")]
    Datagram,
}
