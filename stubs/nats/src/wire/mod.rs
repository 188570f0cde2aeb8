//! The NATS client protocol without a socket: what arrives is cut into [`Op`]s,
//! what is said is appended to a buffer.
//!
//! The server is not trusted: every length is checked against a named limit
//! before anything is kept, and what is no operation ends the connection.

mod headers;
mod limits;
mod read;
mod write;

pub use headers::{Headers, Status};
pub use limits::{HEADERS_BYTES_MAX, INFO_BYTES_MAX, LINE_BYTES_MAX, MESSAGE_BYTES_MAX};
pub use read::{Delivery, Malformed, Op, Place, Reader};
pub use write::{NotWritten, connect, ping, pong, publish, subscribe, unsubscribe};
