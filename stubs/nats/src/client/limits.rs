//! Every bound of the client, each with its reason.

use std::time::Duration;

/// Bytes that wait for the socket.
///
/// Eight of the largest messages. A server that takes none of them for
/// `PING_EVERY` twice is given up, so they do not wait for long.
pub const OUT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Questions to the cluster that wait for their answers.
///
/// Each holds a name and a place in a table, 200 bytes; a stored message is one.
pub const REQUESTS_MAX: usize = 4096;

/// From the first byte to the socket until it is connected.
pub(super) const DIAL_WITHIN: Duration = Duration::from_secs(10);

/// From the connection until the server has let us in.
///
/// Two round trips and a TLS handshake; slower is a server that does not live.
pub(super) const GREETING_WITHIN: Duration = Duration::from_secs(5);

/// How often a silent server is asked whether it is there.
pub(super) const PING_EVERY: Duration = Duration::from_secs(10);

/// Questions that a server may leave without an answer before it is given up.
pub(super) const PINGS_MAX: u32 = 2;

/// Servers that a cluster may tell of, beside those of the configuration.
pub(super) const SERVERS_LEARNED_MAX: usize = 64;

/// The first pause between two attempts; it doubles with each.
pub(super) const PAUSE_MIN: Duration = Duration::from_millis(100);

/// The longest pause between two attempts.
pub(super) const PAUSE_MAX: Duration = Duration::from_secs(30);

/// A connection that lasted so long was a good one: the pauses start anew.
pub(super) const GOOD_AFTER: Duration = Duration::from_secs(10);
