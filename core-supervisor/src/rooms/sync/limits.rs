//! How much of data objects there may be, each bound with its reason.

use std::time::Duration;

use protocol::limits::BODY_BYTES_MAX;

/// Bytes of one object as JSON text: metadata and data.
///
/// An observer is handed it in one frame (1 MiB), together with up to 64 KiB
/// of what else an answer says.
pub const OBJECT_BYTES_MAX: usize = BODY_BYTES_MAX - 64 * 1024;

/// How deep an object's data may nest.
///
/// Far more than people write by hand, and well inside what the JSON readers
/// on both sides take (128 here, the engine's stack there).
pub const DEPTH_MAX: usize = 64;

/// Bytes of a schema's URL, of a child's id, of an identity's user URL.
///
/// They are keys of tables and stand in every answer.
pub const NAME_BYTES_MAX: usize = 1024;

/// Objects of one reporter.
///
/// As many as one component may be given addresses (`limits`), so that neither
/// way of making objects is the larger.
pub const OBJECTS_PER_REPORTER_MAX: usize = crate::limits::OBJECTS_PER_COMPONENT_MAX;

/// Objects in all: 64 reporters at their own bound.
///
/// An empty object costs about 1 KB; all of them are read back at a start.
pub const OBJECTS_MAX: usize = 65_536;

/// Bytes of all objects and children of one provider.
///
/// Sixty-four of the largest; a hundred thousand chat messages.
pub const BYTES_PER_PROVIDER_MAX: usize = 64 * 1024 * 1024;

/// Children of one object: a long chat. Older ones are its creator's to delete.
pub const CHILDREN_PER_OBJECT_MAX: usize = 16_384;

/// Bytes of one child: it travels in one message, and as a row of the store.
pub const CHILD_BYTES_MAX: usize = 256 * 1024;

/// Observers of one object, remembered ones included.
///
/// A change of the object costs one queued frame for each sandbox of theirs;
/// more than this belongs to a domain's message node.
pub const OBSERVERS_PER_OBJECT_MAX: usize = 4096;

/// Objects one hyperty may observe.
pub const SUBSCRIPTIONS_PER_OBSERVER_MAX: usize = 4096;

/// How long changes are gathered before they are written.
///
/// Changes are not acknowledged, so what this loses in a power cut was promised
/// to nobody; a burst of a thousand costs one write instead of a thousand.
pub const GATHERED_FOR: Duration = Duration::from_millis(50);

/// Bytes of gathered changes that are written without further waiting.
pub const GATHERED_BYTES_MAX: usize = 256 * 1024;

/// Bytes of logged changes below which an object is not written whole again.
///
/// Beyond it the object is, once its log has outgrown it: writing stays
/// proportional to what changed, reading back to what is there.
pub const LOG_BYTES_MIN: usize = 16 * 1024;

/// How far every version moves on at a start of the supervisor.
///
/// The last changes before a power cut may have been seen and not been kept: a
/// version must not be used again for something else. More changes than this
/// cannot happen within [`GATHERED_FOR`].
pub const VERSIONS_PER_START: u64 = 1_000_000;

/// The highest version: the largest whole number that scripts can count to.
pub const VERSION_MAX: u64 = (1 << 53) - 1;
