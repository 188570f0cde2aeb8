//! Every bound of this server, each with its reason.

use std::time::Duration;

/// One file: the largest program that a runtime takes.
pub(crate) const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A file that the older interface takes apart: what a runtime reads as a descriptor or a script.
pub(crate) const PARSED_BYTES_MAX: usize = 2 * 1024 * 1024;

/// All files that are on their way to somebody. Four of the largest.
pub(crate) const IN_FLIGHT_BYTES_MAX: usize = 4 * FILE_BYTES_MAX;

/// How long a request waits for its share of these before it hears 503.
pub(crate) const ROOM_WITHIN: Duration = Duration::from_secs(10);

/// Connections at once. An author has a few runtimes, not a crowd.
pub(crate) const CONNECTIONS_MAX: usize = 128;

/// A handshake, and the head of a request: slow ones hold one of the places above.
pub(crate) const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// A connection, whatever it does. A slow reader of the largest file has ten minutes.
pub(crate) const CONNECTION_LASTS: Duration = Duration::from_mins(10);

/// How long open answers may take once the server is asked to end.
pub(crate) const END_WITHIN: Duration = Duration::from_secs(3);

/// The body of a question: constraints, a handful of words.
pub(crate) const QUESTION_BYTES_MAX: usize = 64 * 1024;

/// Names in a folder.
pub(crate) const NAMES_MAX: usize = 10_000;

/// A name, as runtimes take it, with what stands behind it in a file's name.
pub(crate) const NAME_BYTES_MAX: usize = 64 + 16;

/// How much of a path that somebody sent is shown in a line.
pub(crate) const SHOWN_BYTES_MAX: usize = 256;
