//! What one connection may cost its owner, and how long the far end may take.
//!
//! Everything here bounds memory or time that a foreign server could use up.

use std::time::Duration;

/// PEM roots, in bytes. The usual bundle of a system has 220 kB.
pub const ROOTS_BYTES_MAX: usize = 4 << 20;

/// How long the TLS handshake may take, after the connection stands.
pub const TLS_WAIT: Duration = Duration::from_secs(10);

/// How long a request may take until the head of its answer is there: the dial,
/// TLS and a slow server together. A request may ask for another time.
pub const HEAD_WAIT: Duration = Duration::from_secs(30);

/// How long the body of an answer may pause. A request may ask for another time.
pub const BODY_PAUSE: Duration = Duration::from_mins(1);

/// Bytes of an HTTP head, status line and all headers. Servers send 8 KiB at
/// most by default, so this leaves room for the generous.
pub const HEAD_BYTES_MAX: usize = 64 * 1024;

/// Headers of one answer.
pub const HEADERS_MAX: usize = 128;

/// Bytes that wait between an HTTP connection and who reads it, each way.
pub const HTTP_BUFFER_BYTES: usize = 64 * 1024;

/// Bytes of one HTTP/2 stream that may be on their way unread.
pub const STREAM_WINDOW_BYTES: u32 = 256 * 1024;

/// Bytes of one HTTP/2 connection that may be on their way unread.
pub const CONNECTION_WINDOW_BYTES: u32 = 1 << 20;

/// A body that is collected instead of streamed, unless the caller says otherwise.
///
/// Every message and every published component is smaller by far.
pub const COLLECTED_BYTES_MAX: usize = 16 << 20;

/// Bytes of a compressed body that are undone at once.
///
/// They become a thousand times as many at worst: a megabyte, which whoever reads
/// takes, or refuses, before there is more.
pub const INFLATED_AT_ONCE_BYTES: usize = 1024;

/// Redirects that are followed for one request, as in browsers' standard.
pub const REDIRECTS_MAX: usize = 20;

/// How long a connection is kept that nobody uses, for the next request.
///
/// Each one occupies a place in the grant that it was dialled under.
pub const IDLE_KEPT: Duration = Duration::from_secs(15);

/// Connections that are kept for the next request.
pub const IDLE_MAX: usize = 4;

/// One message of a WebSocket, unless the caller says otherwise.
///
/// Four times the longest body that the bus carries.
pub const MESSAGE_BYTES_MAX: usize = 4 << 20;

/// Bytes of a WebSocket that gather before they are written. Answers to pings
/// count: a peer that pings without reading is not read any more.
pub const UNSENT_BYTES_MAX: usize = 16 * 1024;

/// After so long in silence a WebSocket's peer is pinged, and after as long
/// again it is taken for gone. Middle boxes forget connections after a minute.
pub const PING_AFTER: Duration = Duration::from_secs(25);

/// How long the peer of a WebSocket may take to make room for one message.
pub const SEND_WAIT: Duration = Duration::from_secs(30);

/// How long the peer of a WebSocket may take to answer a close.
pub const CLOSE_WAIT: Duration = Duration::from_secs(5);

/// Bytes of the reason in a close (RFC 6455 §5.5: a control frame has 125).
pub const CLOSE_REASON_BYTES_MAX: usize = 123;

/// Bytes of foreign text that an error repeats.
pub const QUOTED_BYTES_MAX: usize = 200;

/// How long our answer to a close may take to be written.
pub const GOODBYE_WAIT: Duration = Duration::from_secs(1);
