//! Every bound of the stub, each with its reason.

/// Messages that wait while the node is away.
///
/// A burst during a reconnection; each is refused when it has waited for [`WAIT_MS`].
pub const WAITING_MAX: usize = 512;

/// Bytes that wait, for the node or for its socket.
pub const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;

/// How long the core's messages are left unread while a node that is there takes none,
/// in milliseconds: a burst waits where it is, and is not refused.
///
/// Below the 4 s in which the core wants a sign of life.
pub const UNREAD_MS: u64 = 1_000;

/// How long a message waits for the node, in milliseconds.
///
/// Below the 15 s after which requesters give up (spec messaging §3.3), so that they
/// hear why.
pub const WAIT_MS: u64 = 10_000;

/// Requests whose answers are awaited.
pub const PENDING_MAX: usize = 4_096;

/// How long an answer is awaited whose requester keeps its own time, in milliseconds.
pub const PENDING_MS: u64 = 20_000;

/// Addresses that are subscribed again after a session was lost.
pub const ROUTES_MAX: usize = 10_000;

/// Addresses in one subscription that is made again.
pub const ROUTES_PER_MESSAGE: usize = 256;

/// How long the node may take to answer `open`, in milliseconds (spec messaging §10.1).
pub const OPEN_MS: u64 = 3_000;

/// After how long without that answer the connection is given up, in milliseconds.
pub const OPEN_LOST_MS: u64 = 10_000;

/// The first pause between two connections, in milliseconds; it doubles each time.
pub const PAUSE_MS: u64 = 500;

/// The longest pause, in milliseconds.
pub const PAUSE_MS_MAX: u64 = 30_000;

/// How long a session must last for the pauses to begin anew, in milliseconds.
///
/// A node that flaps once a second is not met once a second.
pub const STEADY_MS: u64 = 10_000;

/// The node's number of an address as a text, in bytes; longer ones are not ours.
pub const TOKEN_BYTES_MAX: usize = 256;

/// What is kept of a foreign reason, in bytes.
pub const REASON_BYTES_MAX: usize = 200;
