//! Every bound of catalogues, each with its reason.

use std::time::Duration;

use protocol::limits::BODY_BYTES_MAX;

/// One descriptor; the largest script fits into it as base64.
pub const DESCRIPTOR_BYTES_MAX: usize = 2 * 1024 * 1024;

/// One script: it travels to its sandbox as the body of one frame.
pub const SCRIPT_BYTES_MAX: usize = BODY_BYTES_MAX;

/// One program. A static Rust program has one to ten megabytes.
pub const PROGRAM_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A configuration, as JSON text: it travels in a frame's header, beside an address.
pub const CONFIGURATION_BYTES_MAX: usize = 12 * 1024;

/// Members of `hypertyType` and of `dataObjects`.
pub const WORDS_MAX: usize = 64;

/// One of these members.
pub const WORD_BYTES_MAX: usize = 512;

/// A name of a file or a component.
pub const NAME_BYTES_MAX: usize = 64;

/// Descriptors that one listing shows.
pub const ENTRIES_MAX: usize = 10_000;

/// Providers in one catalogue.
pub const PROVIDERS_MAX: usize = 1_000;

/// Things that are fetched at once: what the stub has transfers for.
pub const FETCHES_MAX: usize = protocol::api::catalogue::remote::TRANSFERS_MAX;

/// Who waits for one of them.
pub const WAITERS_MAX: usize = 256;

/// Bytes of all that is being fetched: they are in the core's memory until they are kept.
pub const FETCHED_BYTES_MAX: usize = 2 * PROGRAM_BYTES_MAX;

/// One fetch, from its beginning to its end. The largest program takes it at 2 Mbit/s.
pub const FETCH_WITHIN: Duration = Duration::from_mins(5);

/// What could not be had is not asked for again so long, unless somebody insists.
pub const SHUT_FOR: Duration = Duration::from_mins(1);

/// What was fetched, or compared, this long ago is used without asking.
pub const FRESH_FOR: Duration = Duration::from_mins(5);

/// All that was fetched and is kept.
pub const CACHE_BYTES_MAX: u64 = 512 * 1024 * 1024;

/// Things that were fetched and are kept.
pub const CACHE_ITEMS_MAX: usize = 2048;
