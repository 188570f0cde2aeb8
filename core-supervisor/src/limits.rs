//! Every bound that only the core enforces, each with its reason.
//! The bounds of the wire stand in `protocol::limits`.

use std::time::Duration;

/// Requests of one link that may wait for their answers at once.
///
/// A pipelining client keeps 64 in flight; a page of hyperties some hundreds. An
/// entry costs about 200 bytes, so a link that fills its share holds under 1 MB.
pub const PENDING_PER_LINK_MAX: u32 = 4096;

/// Requests that may wait for their answers in all.
///
/// Reached only by sixteen links at their own bound; keeps the table under 13 MB.
pub const PENDING_MAX: usize = 65_536;

/// How long an untimed request may wait before the core forgets it.
///
/// The sender keeps its own time (15 s in every published bus); the core only
/// has to know that an answer is one. Ten minutes covers a person signing in.
pub const UNTIMED_WAIT: Duration = Duration::from_mins(10);

/// Messages of one link that may wait for a stub to be brought up.
///
/// A burst while a stub starts: 30 messages a second for two seconds.
pub const PARKED_PER_LINK_MAX: usize = 64;

/// Their bytes: two of the largest messages.
pub const PARKED_BYTES_PER_LINK_MAX: usize = 2 * protocol::limits::FRAME_BYTES_MAX;

/// Messages that may wait for stubs in all.
///
/// Sixty-four links at their own bound: all components of a busy runtime at once.
pub const PARKED_MAX: usize = 4096;

/// Their bytes, in all.
pub const PARKED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How long a message waits for a stub when its sender does not say.
///
/// As long as every published bus waits for an answer.
pub const PARKED_FOR: Duration = Duration::from_secs(15);

/// Domains whose stubs may be on their way at once.
///
/// Each is a process to be started; more only wait for each other.
pub const WAYS_OPENING_MAX: usize = 16;

/// Domains that are known not to be reachable, or are being reached; the one that
/// may be tried again soonest gives way. About 300 bytes each.
pub const WAYS_MAX: usize = 1024;

/// New domains that one link may ask for within a second.
///
/// A person meets some in a minute; a component that sprays addresses hears 429
/// and costs one look at a table.
pub const WAYS_PER_SECOND_MAX: u32 = 16;

/// Stubs that messages may have brought up and that run at once; the operator may
/// deploy more.
pub const STUBS_ON_DEMAND_MAX: usize = 64;

/// How long a domain rests whose stub could not be brought up (spec messaging §5.7).
pub const WAY_REST_FIRST: Duration = Duration::from_secs(1);

/// The same after many failures in a row.
pub const WAY_REST_LONGEST: Duration = Duration::from_mins(1);

/// Identity providers of which it is remembered whether they are of another network.
pub const LEGACY_MAX: usize = 256;

/// Entries of which the node and registry of one domain are told at once.
///
/// A thousand entries after a new session take thirty rounds; the stub's queue has
/// room for other things meanwhile.
pub const ENROL_AT_ONCE: usize = 32;

/// How often a question is repeated that a registry cannot answer (spec messaging §6.2).
pub const ENROL_TRIES: u8 = 6;

/// How long an entry rests that a registry does not take.
pub const ENROL_RESTS: Duration = Duration::from_mins(1);

/// Records of other registries that are kept.
pub const FAR_RECORDS_MAX: usize = 1024;

/// Bytes of each of them: a record has a dozen short members.
pub const FAR_RECORD_BYTES_MAX: usize = 4096;

/// How long they are believed, whatever they say themselves.
pub const FAR_RECORD_HOLDS: Duration = Duration::from_mins(5);

/// Bytes that may wait for one link's socket.
///
/// Four of the largest messages. A receiver that does not read for longer than
/// that takes makes its senders hear 429, and nobody else.
pub const QUEUE_BYTES_MAX: usize = 4 * 1024 * 1024 + 128 * 1024;

/// Bytes that may wait for all links together before each is held to its share.
///
/// Eight receivers that do not read at all. One message to a thousand listeners
/// that never read would otherwise be charged to nobody (BU-11).
pub const QUEUED_BYTES_MAX: usize = 8 * QUEUE_BYTES_MAX;

/// That share: who reads goes on unhindered while others do not.
pub const QUEUE_BYTES_SHARE: usize = 256 * 1024;

/// How long who was told 429 should wait, in milliseconds.
///
/// The windows of all rates are a second long, and a queue that is read at all is
/// empty by then.
pub const RETRY_AFTER_MS: u32 = 1000;

/// Bytes that may wait for a link that goes on talking.
///
/// Beyond [`QUEUE_BYTES_MAX`] its questions are refused, in a few hundred bytes
/// each; who does not read these either is cut off.
pub const UNREAD_BYTES_MAX: usize = 2 * QUEUE_BYTES_MAX;

/// Denials of one link that the audit log tells one by one within a second.
///
/// A component that meets a rule by mistake does so a few times; who is denied
/// thousands of times is counted.
pub const DENIALS_AUDITED_PER_SECOND_MAX: u32 = 20;

/// How long a link may hold bytes waiting without taking any.
///
/// A script is interrupted after 250 ms and a healthy peer drains at once; who
/// reads nothing for this long has stopped reading.
pub const STALL_MAX: Duration = Duration::from_secs(30);

/// How long the rest of a begun frame may take.
///
/// A frame is written in one call; on a busy machine it is there within
/// milliseconds. This ends peers that send one byte and wait (BU-13).
pub const PARTIAL_FRAME_MAX: Duration = Duration::from_secs(10);

/// How long a new local link may take to say `Hello`.
pub const GREETING_MAX: Duration = Duration::from_secs(5);

/// How long a sandbox may take from its launch until it is confirmed.
///
/// It takes 1 to 3 ms; on a machine that swaps, seconds.
pub const READY_MAX: Duration = Duration::from_secs(10);

/// How long a component may take to load once its sandbox is ready.
///
/// The script engine interrupts a turn after 250 ms; the largest published
/// component needs 20 ms.
pub const LOAD_MAX: Duration = Duration::from_secs(10);

/// How long a sandbox may take to answer a `Ping`.
///
/// Eight of the engine's longest turns. The engine's own interrupt is not
/// complete (`Array.prototype.join` of a huge length never polls it), so this
/// is what ends such a loop.
pub const PONG_MAX: Duration = Duration::from_secs(4);

/// How often a sandbox is asked whether it lives.
pub const PING_EVERY: Duration = Duration::from_secs(20);

/// How soon a sandbox is asked after something was delivered to it.
pub const PING_AFTER_DELIVERY: Duration = Duration::from_secs(2);

/// Messages of one link that may be refused within a second before it is cut.
///
/// A refused message costs the core about as much as a delivered one. A
/// component with an honest mistake repeats it some hundred times a second.
pub const REFUSED_PER_SECOND_MAX: u32 = 5_000;

/// Forged senders of one link within a minute before it is cut.
///
/// Some published components let the application choose `from`, so a single
/// one is refused and told, not punished (spec services §2.16).
pub const FORGED_PER_MINUTE_MAX: u32 = 16;

/// Addresses one component may listen to besides its own.
pub const LISTENERS_PER_COMPONENT_MAX: usize = 256;

/// Addresses one component may have been given by the allocation room.
pub const OBJECTS_PER_COMPONENT_MAX: usize = 1024;

/// Keys under which addresses of one provider's components are kept for reuse.
///
/// One for each component and user, and one for each block that a component
/// asked for by key. An entry costs about 300 bytes, in memory and on disk.
pub const REUSED_PER_PROVIDER_MAX: usize = 4096;

/// Bytes of the key by which a component asks for the same block of addresses again.
///
/// A name, an address, or a digest.
pub const ALLOCATION_KEY_BYTES_MAX: usize = 512;

/// Writes that may be on their way to the disk at once.
///
/// All that gather behind one commit share the next; a disk that takes 10 ms for
/// each still ends this many within a second or two.
pub const PERSISTS_MAX: usize = 4096;

/// Writes of one asker that may be on their way to the disk at once.
///
/// A sixteenth of all, so that one that writes without end only slows itself down.
pub const PERSISTS_PER_LINK_MAX: usize = 256;

/// Bytes that may be on their way to the disk, or wait there because it failed.
///
/// Sixteen of the largest messages: about a second of a slow disk.
pub const PERSIST_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes of what a protocol stub says about its status, to be told to others.
pub const STATUS_BYTES_MAX: usize = 4096;

/// Bytes of the records in one answer of discovery.
///
/// A thousand records; more than that is no answer for a person or a program.
pub const FOUND_BYTES_MAX: usize = 512 * 1024;

/// Bytes of each text of a data object's record; the rest is cut off.
pub const RECORD_TEXT_BYTES_MAX: usize = 256;

/// Words in each list of a data object's record.
pub const RECORD_WORDS_MAX: usize = 16;

/// Registrations that one subscriber may hear of.
///
/// A conversation of a thousand people watches each of them.
pub const SUBSCRIPTIONS_PER_SUBSCRIBER_MAX: usize = 1024;

/// Subscriptions to registrations in all; about 200 bytes each.
pub const SUBSCRIPTIONS_MAX: usize = 65_536;

/// Components that may be deployed at once, in all states.
pub const COMPONENTS_MAX: usize = 4096;

/// Deployments in flight for one asker.
pub const DEPLOYMENTS_PER_LINK_MAX: usize = 2048;

/// Sandboxes that may be starting at once when the settings do not say.
///
/// More only compete for the same processors, and each delays all.
pub const STARTS_MAX: usize = 8;

/// First pause before a crashed sandbox is started again.
pub const RESTART_FIRST: Duration = Duration::from_millis(100);

/// Longest pause between two starts.
pub const RESTART_LONGEST: Duration = Duration::from_mins(5);

/// After running so long a sandbox counts as healthy and its record is cleared.
pub const HEALTHY_AFTER: Duration = Duration::from_secs(30);

/// Failures in a row after which the circuit opens.
pub const FAILURES_MAX: u32 = 6;

/// How long an open circuit rests before one more try is made.
pub const CIRCUIT_REST: Duration = Duration::from_mins(5);

/// Log lines kept in memory for `hyperty logs`.
pub const LOG_LINES_MAX: usize = 4096;

/// Log lines one link may write within a second; the rest is counted.
pub const LOG_LINES_PER_SECOND_MAX: u32 = 500;

/// Entries of one tap batch.
pub const TAP_BATCH_MAX: usize = 256;

/// How long a tap batch is gathered.
pub const TAP_EVERY: Duration = Duration::from_millis(50);

/// Taps and log followers that may be open at once.
pub const WATCHERS_MAX: usize = 32;

/// Remembered judgements per link, a power of two.
///
/// A judgement answers "is `from` its own, who has `to`, and may it" without
/// parsing or hashing addresses again. Kept per link so that one that sprays
/// addresses only forgets its own.
pub const JUDGEMENTS_PER_LINK: usize = 64;

/// Slots that one link may write.
///
/// A megabyte each, charged to the sender; what a client pipelines beyond them
/// goes by stream.
pub const SLOTS_PER_SENDER_MAX: usize = 8;

/// Slots that one link may read.
///
/// With those it may write, 24 of the 64 descriptors that a sandbox may have.
pub const SLOTS_PER_RECEIVER_MAX: usize = 16;

/// Slots in all when the settings do not say: 64 MB, if all of them are filled.
///
/// A supervisor has a descriptor for each. Who gets none uses the stream.
pub const SLOTS_MAX: usize = 64;

/// How long a slot may rest before it is taken back.
///
/// Making one costs less than a millisecond; its memory is kept meanwhile. A
/// receiver that keeps one for longer loses it too.
pub const SLOT_REST: Duration = Duration::from_secs(10);

/// Sockets of the network that one link may have open or be dialling.
///
/// With the slots that it may hold, 56 of the 64 descriptors of a sandbox.
pub const SOCKETS_PER_LINK_MAX: usize = 32;

/// Dials of one link that may be under way.
///
/// A page opens six connections to each host; more at once is a scan.
pub const DIALS_PER_LINK_MAX: usize = 16;

/// Dials of one link within a second.
///
/// Each costs the connector a question and up to eight handshakes. What a browser
/// does when a page loads fits; trying all ports of a host takes half an hour.
pub const DIALS_PER_SECOND_MAX: u32 = 32;

/// Dials that may be under way in all: what the connector's descriptors are made for.
pub const DIALS_MAX: usize = 256;

/// Sockets in all when the settings do not say; the shell keeps a descriptor of each.
pub const SOCKETS_MAX: usize = 1024;

/// Places that the operator may grant to one component, or take away from it.
pub const GRANTS_PER_COMPONENT_MAX: usize = 256;

/// Places that the operator may grant in all; about 200 bytes each.
pub const GRANTS_MAX: usize = 16_384;

/// Places that a descriptor may ask for.
///
/// Who needs more asks for `*.example.org`.
pub const NETWORK_PER_DESCRIPTOR_MAX: usize = 64;

/// First rest of a connector that has ended.
pub const CONNECTOR_REST_FIRST: Duration = Duration::from_millis(100);

/// Its longest rest: a person who dials again after repairing something waits no longer.
pub const CONNECTOR_REST_LONGEST: Duration = Duration::from_secs(30);

/// How old what is known of the machine's name servers may be when somebody dials.
pub const NAMES_EVERY: Duration = Duration::from_secs(5);

/// How old the certificates may be that are handed out; they change with updates.
pub const ROOTS_EVERY: Duration = Duration::from_mins(10);

/// Requests for certificates that one link may have waiting.
pub const ROOTS_WAITING_MAX: usize = 4;

/// How long after a spare sandbox was taken the next one is made.
///
/// A warm start is over within a millisecond; until then the processors are its.
pub const REFILL_AFTER: Duration = Duration::from_millis(5);

/// How long an orderly stop waits for sandboxes to end by themselves.
pub const STOP_GRACE: Duration = Duration::from_secs(1);
