//! Every bound of the node, each with its reason.

use protocol::limits::{BODY_BYTES_MAX, HEADER_BYTES_MAX};

/// One message, in bytes of its JSON text.
///
/// Whatever the bus of a runtime can carry fits. A WebSocket frame that announces
/// more is refused before any of it is kept.
pub const MESSAGE_BYTES_MAX: usize = BODY_BYTES_MAX + 2 * HEADER_BYTES_MAX;

/// Connections at one time, whether they have a session or not.
///
/// Each costs about 20 KiB here and a descriptor; `--connections-max` changes it.
pub const CONNECTIONS_MAX: usize = 10_000;

/// Sessions that are kept, connected or away.
///
/// Twice the connections: as many may be between two of them.
pub const SESSIONS_MAX: usize = 2 * CONNECTIONS_MAX;

/// How long a connection may take for its TLS and HTTP handshakes, in milliseconds.
pub const HANDSHAKE_MS: u64 = 10_000;

/// How long a connection may do without a session, in milliseconds.
///
/// Published stubs say `open` as soon as the socket is there.
pub const OPEN_MS: u64 = 10_000;

/// How long a session outlives its connection, in milliseconds.
///
/// A laptop that was closed for a meeting resumes; what crashed is gone soon enough
/// that its registrations do not lie for long.
pub const AWAY_MS: u64 = 10 * 60_000;

/// How often a silent connection is asked for a sign of life, in milliseconds.
///
/// Below the minute after which home routers forget a connection.
pub const PING_MS: u64 = 20_000;

/// How long a connection may be silent, in milliseconds: two pings went unanswered.
pub const SILENT_MS: u64 = 2 * PING_MS + 10_000;

/// Bytes that may wait for one connection to read them.
///
/// Eight messages of the longest kind, or a second of a fast sender. Who reads
/// slower is dropped, and may resume.
pub const QUEUE_BYTES_MAX: usize = 8 * MESSAGE_BYTES_MAX;

/// How long one write may stand still, in milliseconds, before the reader is dropped.
pub const WRITE_MS: u64 = 30_000;

/// Messages that wait for one session that is away.
///
/// A burst during a reconnection; not a mailbox: data objects and their stores are
/// the place for what must not be lost.
pub const PARKED_MAX: usize = 256;

/// Bytes that wait for one session that is away.
pub const PARKED_BYTES_MAX: usize = 2 * MESSAGE_BYTES_MAX;

/// How long a message waits for a session that is away, in milliseconds.
///
/// The time after which published requesters give up (spec messaging §3.3).
pub const PARKED_MS: u64 = 15_000;

/// Addresses that one session may be told of.
pub const ROUTES_PER_SESSION_MAX: usize = 10_000;

/// Addresses that one session may speak for without having registered them.
pub const CLAIMS_PER_SESSION_MAX: usize = 1_000;

/// Registrations of one runtime.
pub const RECORDS_PER_RUNTIME_MAX: usize = 1_000;

/// Registrations of the domain; their memory is bounded by this and by [`RECORD_BYTES_MAX`].
pub const RECORDS_MAX: usize = 200_000;

/// One registration, in bytes of its JSON text.
pub const RECORD_BYTES_MAX: usize = 16 * 1024;

/// Records in one answer; the criteria of a query make it smaller.
pub const RESULTS_MAX: usize = 200;

/// Addresses in one allocation.
pub const BLOCK_MAX: u64 = 100;

/// Blocks of addresses that one runtime may keep under keys of its own.
pub const BLOCKS_PER_RUNTIME_MAX: usize = 1_000;

/// The key of a block, in bytes.
pub const KEY_BYTES_MAX: usize = 256;

/// How long a registration may ask to stand, in seconds.
pub const EXPIRES_S_MAX: u64 = 24 * 3600;

/// How long a registration stands that does not say, in seconds: what runtimes ask for.
pub const EXPIRES_S: u64 = 3600;

/// Writes that wait for the store; beyond them requests are refused as busy.
pub const WRITES_MAX: usize = 10_000;

/// Forged senders after which a connection is closed.
///
/// One may be a race between two connections of one runtime; this many are not.
pub const FORGERIES_MAX: u32 = 8;

/// A message's number, in bytes: any integer that JavaScript can hold.
pub const ID_BYTES_MAX: usize = 24;

/// What is kept of a cause, in bytes, for logs and close frames.
pub const REASON_BYTES_MAX: usize = 120;
