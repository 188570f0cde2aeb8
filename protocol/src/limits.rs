//! Every bound of the wire, each with its reason.
//!
//! A bound that only the core enforces stands in `core-supervisor/src/limits.rs`.

/// Bytes in front of every frame: magic, tag, header length, body length.
pub const PREFIX_BYTES: usize = 8;

/// Encoded header of one frame.
///
/// Two addresses of the longest kind, a configuration and the top-level members
/// that some components add by hand fit; it is also the amplification bound of
/// the header codec, which allocates at most this much for one frame.
pub const HEADER_BYTES_MAX: usize = 16 * 1024;

/// Body of one frame.
///
/// The largest published component (215 kB) and a full-sized picture fit. More
/// belongs in several messages: one frame this long already holds a link for
/// about a millisecond.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;

/// A slot, in bytes: any body fits.
pub const SLOT_BYTES: usize = BODY_BYTES_MAX;

/// Bodies longer than this may go by a slot.
///
/// Below it a slot's own frames cost as much as the copies that it saves.
pub const SLOT_FROM_BYTES: usize = 64 * 1024;

/// Slots that a client is ready to write, and as many again to read.
///
/// Both together take half of the 64 descriptors that a sandbox may have.
pub const SLOTS_TAKEN: u16 = 16;

/// One whole frame on the stream.
pub const FRAME_BYTES_MAX: usize = PREFIX_BYTES + HEADER_BYTES_MAX + BODY_BYTES_MAX;

/// One address, in bytes of its text.
///
/// The longest published form (`scheme://domain/…/children/…`) has 140; a DNS
/// name may have 253. More is an attempt to fill tables.
pub const ADDRESS_BYTES_MAX: usize = 1024;

/// A message type that is not one of the field's own, in bytes.
pub const KIND_BYTES_MAX: usize = 32;

/// One log line of a component; longer ones are cut and say so.
pub const LOG_BYTES_MAX: usize = 8 * 1024;

/// Bytes taken from a socket in one read.
///
/// Many small frames arrive in one system call; larger reads were not faster.
pub const READ_BYTES: usize = 256 * 1024;

/// How long the asker of a request waits when it does not say, in milliseconds.
///
/// The value of the published runtimes (spec messaging §3.3).
pub const REPLY_WAIT_MS: u32 = 15_000;

/// The longest wait that may be asked for, in milliseconds.
///
/// A pending request occupies a slot of its sender's allowance until it ends.
pub const REPLY_WAIT_MS_MAX: u32 = 600_000;

/// The name of a host, in bytes: what the DNS can carry.
pub const HOST_BYTES_MAX: usize = 253;

/// How long a dial may take when its asker does not say, in milliseconds.
///
/// A lost SYN is repeated after 1, 3 and 7 s; two addresses of a slow name fit.
pub const DIAL_WAIT_MS: u32 = 15_000;

/// The longest time that a dial may be given, in milliseconds.
pub const DIAL_WAIT_MS_MAX: u32 = 60_000;

/// The certificates of the authorities, in bytes.
///
/// The list of the browsers has 230 kB; a company adds a few.
pub const ROOTS_BYTES_MAX: usize = 4 * 1024 * 1024;
