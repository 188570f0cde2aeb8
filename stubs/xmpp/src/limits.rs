//! Every bound of the stub, each with its reason.

use std::time::Duration;

/// One stanza. Chat messages have some kilobytes, and servers commonly take this much.
pub const STANZA_BYTES_MAX: usize = 256 * 1024;

/// Elements in one stanza: many more than any that is read here has.
///
/// An element of four bytes costs a hundred and fifty in memory.
pub const ELEMENTS_MAX: usize = 2_048;

/// Elements within elements: twice what the extensions of XMPP use.
pub const DEPTH_MAX: usize = 32;

/// One attribute or name in a stanza, or one piece of a text.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// A text, either way, as servers commonly take it.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;

/// The words that somebody has chosen for a presence.
pub const STATUS_CHARS_MAX: usize = 256;

/// What is kept of a foreign reason, in bytes.
pub const REASON_BYTES_MAX: usize = 200;

/// Requests that wait for the server, or for a connection to it.
pub const PENDING_MAX: usize = 1_024;

/// The bytes of these.
pub const PENDING_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Users with whom somebody here has talked; the one not written to for longest goes.
pub const TALKS_MAX: usize = 4_096;

/// Hyperties that hear how users stand, counted once for each user.
pub const WATCHES_MAX: usize = 4_096;

/// Devices of one user that are told apart; the one heard of least recently goes.
pub const DEVICES_MAX: usize = 16;

/// Stanzas that wait for the socket besides those of requests: answers to questions
/// of others. A server that lets more than that wait reads nothing.
pub const UNSENT_MAX: usize = 2 * PENDING_MAX + 256;

/// Stanzas of the server that wait for the bridge: a fast server waits.
pub const TOLD_MAX: usize = 32;

/// Rounds of the password's hash that a server may ask for: half a second of work.
///
/// RFC 7677 wants 4096 at least: with fewer, whoever hears the proof may guess.
pub const ROUNDS: std::ops::RangeInclusive<u32> = 4_096..=500_000;

/// How long it may take to reach the server, prove who is who, and be let in.
pub const OPEN_WAIT: Duration = Duration::from_secs(20);

/// How long a request waits for a connection, in milliseconds.
///
/// Below the 15 s after which requesters give up (spec messaging §3.3), so that they
/// hear why.
pub const WAIT_MS: u64 = 10_000;

/// How long the server may take to answer a ping, in milliseconds.
pub const SILENT_MS: u64 = 12_000;

/// After how long without a word the server is asked whether it is there, in
/// milliseconds: less than what common routers keep a silent connection for.
pub const IDLE_MS: u64 = 60_000;

/// The first pause between two connections, in milliseconds; it doubles each time.
pub const PAUSE_MS: u64 = 500;

/// The longest pause, in milliseconds.
pub const PAUSE_MS_MAX: u64 = 60_000;

/// The pause after the server has refused the account, in milliseconds: somebody has to
/// change something, and servers shut out whoever guesses passwords.
pub const PAUSE_MS_REFUSED: u64 = 300_000;

/// How long a session must last for the pauses to begin anew, in milliseconds.
pub const STEADY_MS: u64 = 10_000;
