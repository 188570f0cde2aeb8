//! Every bound of policy files and decisions, each with its reason.

/// Files of one set. More are a directory given by mistake.
pub const FILES_MAX: usize = 256;

/// One file. Ten thousand ordinary rules have about two megabytes.
pub const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// All files together.
pub const SET_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Rules of one set. Compiling this many takes seconds, outside the core.
pub const RULES_MAX: usize = 20_000;

/// One rule, in bytes of its text.
pub const RULE_BYTES_MAX: usize = 16 * 1024;

/// Operators of one rule.
///
/// A chain such as `a && b && …` is nested to the left without a bracket to
/// show it, and Cedar walks it by recursion: an unoptimised build needs 40 KiB
/// of stack for each link. Longer alternatives are written as a list.
pub const RULE_LINKS_MAX: usize = 32;

/// Dots after each other; the longest that means something has two.
pub const RULE_DOTS_MAX: usize = 8;

/// Brackets within brackets of one rule.
pub const RULE_DEPTH_MAX: usize = 12;

/// Problems reported at once; the rest follow when these are corrected.
pub const PROBLEMS_MAX: usize = 50;

/// Refusals that are remembered for `hyperty why`.
///
/// Peers can make refusals at will, so old ones give way; a refusal that is
/// asked for at once is always there.
pub const REFUSALS_KEPT_MAX: usize = 4096;

/// Permits that are remembered. They have their own room, so that a flood of
/// refusals does not push them out, nor the other way round.
pub const PERMITS_KEPT_MAX: usize = 1024;

/// Sets of rules whose decisions can still be explained, the one in force included.
pub const VERSIONS_KEPT_MAX: u64 = 4;

/// One rule is filed under at most so many pairs of sender and receiver.
pub const PLACES_PER_RULE_MAX: usize = 32;

/// How far the clock may go back unremarked, in seconds: what adjusting it does.
pub const CLOCK_STEP_S: u64 = 2;
