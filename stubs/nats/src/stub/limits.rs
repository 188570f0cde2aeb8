//! Every bound of the stub, each with its reason.

use std::time::Duration;

/// Messages that wait for the cluster, for a claim or for a look into the book.
///
/// A burst of a second; their bytes are bounded by [`PARKED_BYTES_MAX`].
pub(super) const PARKED_MAX: usize = 4096;

/// Bytes of the messages that wait.
pub(super) const PARKED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Messages that were sent to be stored and are not known to be.
///
/// What a runtime may lose when its stub is killed; a second of traffic while the
/// cluster elects a leader.
pub(super) const LETTERS_MAX: usize = 8192;

/// Bytes of the messages that are not known to be stored.
pub(super) const LETTERS_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Messages on their way to be stored at once.
pub(super) const LETTERS_AT_ONCE: usize = 256;

/// The pause before what was not stored is tried again.
pub(super) const LETTERS_AGAIN: Duration = Duration::from_millis(300);

/// Requests of this runtime that others have not answered.
pub(super) const AWAITED_MAX: usize = 8192;

/// The longest message that is kept until it is known whether its receiver is there.
///
/// Lines of a conversation and changes fit; [`AWAITED_MAX`] of them are 32 MiB.
pub(super) const KEPT_BYTES_MAX: usize = 4096;

/// How long a receiver may take to say that it has a message before it is stored.
///
/// Ten times a slow way there and back; whoever is killed is back hardly sooner.
pub(super) const RECEIVED_WITHIN: Duration = Duration::from_secs(2);

/// Requests of others that this runtime has not answered.
pub(super) const ASKED_MAX: usize = 8192;

/// How long an answer is kept a place for when the asker did not say.
///
/// Published components give up after 15 s; the rest is for slow ways.
pub(super) const ANSWER_KEPT: Duration = Duration::from_mins(1);

/// Addresses whose owner, or whose listeners, are remembered.
///
/// With the longest addresses 8 MiB; with usual ones a tenth.
pub(super) const KNOWN_MAX: usize = 4096;

/// How long an owner is remembered.
///
/// An address moves when its owner gives it up, which is rare; who is asked in
/// vain is looked up anew at once.
pub(super) const OWNER_KEPT: Duration = Duration::from_mins(1);

/// How long it is remembered that nobody has an address: 10⁵ messages to unknown
/// addresses are 10⁵ questions at most once, to the same address one a second.
pub(super) const NOBODY_KEPT: Duration = Duration::from_secs(1);

/// How long those who hear a channel are remembered; who joins or leaves is told
/// of at once, this is for what was told while we were away.
pub(super) const CHANNEL_KEPT: Duration = Duration::from_secs(30);

/// Runtimes that hear one channel. Each costs its sender one stored message.
pub(super) const CHANNEL_RUNTIMES_MAX: usize = 1024;

/// Questions of the core that are being worked on: registrations and the like.
pub(super) const JOBS_MAX: usize = 512;

/// Addresses in one subscription or allocation.
pub(super) const RESOURCES_MAX: usize = 100;

/// Identifiers of stored messages that were delivered already.
pub(super) const SEEN_MAX: usize = 8192;

/// How long an address stays its runtime's after it was last claimed.
pub(super) const CLAIM_STAYS: Duration = Duration::from_hours(90 * 24);

/// A claim that is older is made again, so that it does not end while it is used.
pub(super) const CLAIM_AGAIN: Duration = Duration::from_hours(30 * 24);

/// How long a registration stays without a sign of life, at most.
pub(super) const REGISTRATION_STAYS: Duration = Duration::from_hours(1);

/// How long a message waits for a runtime that is away.
pub(super) const MAIL_STAYS: Duration = Duration::from_hours(7 * 24);

/// The pause before the cluster is asked for its tables and the mailbox again.
pub(super) const SETUP_AGAIN: Duration = Duration::from_secs(2);
