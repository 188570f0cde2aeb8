//! Every bound of the protocol, each with its reason.

/// One control line, its end included.
///
/// What servers accept unless they are told otherwise (`max_control_line`).
pub const LINE_BYTES_MAX: usize = 4096;

/// The line of `INFO`, which lists every server of the cluster.
///
/// A hundred servers with long names take 6 KiB.
pub const INFO_BYTES_MAX: usize = 32 * 1024;

/// The headers in front of one message.
///
/// Ours take 200 bytes; a server adds a dozen more.
pub const HEADERS_BYTES_MAX: usize = 16 * 1024;

/// One message, headers and payload together.
///
/// A message of the runtime (1 MiB and its envelope) fits, and so does what
/// JetStream tells of 10,000 subjects. More is refused before it is read.
pub const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;
