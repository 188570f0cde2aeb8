//! Every bound of catalogues, each with its reason.

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
