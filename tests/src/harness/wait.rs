//! Waiting for a named condition, with a bound.

use std::thread;
use std::time::{Duration, Instant};

/// How long a condition may take to come true.
///
/// Ten times what the slowest takes on two busy cores: a bound to end a test
/// that hangs, not a measure of anything.
pub const WAIT_MAX: Duration = Duration::from_mins(1);

const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// Waits until `is_so`.
///
/// # Panics
///
/// When it is not so within [`WAIT_MAX`].
#[track_caller]
pub fn eventually(what: &str, is_so: impl Fn() -> bool) {
    some_time(what, || is_so().then_some(()));
}

/// Waits until `is_so`; false when it is not within [`WAIT_MAX`].
pub(super) fn within_bound(is_so: impl Fn() -> bool) -> bool {
    let end = Instant::now() + WAIT_MAX;
    while !is_so() {
        if Instant::now() >= end {
            return false;
        }
        thread::park_timeout(BETWEEN_LOOKS);
    }
    true
}

/// Waits until there is something, and returns it.
///
/// # Panics
///
/// When there is nothing within [`WAIT_MAX`].
#[track_caller]
pub fn some_time<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + WAIT_MAX;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "it did not come true that {what}");
        thread::park_timeout(BETWEEN_LOOKS);
    }
}

/// Looks a few hundred times that `is_so` stays false.
///
/// # Panics
///
/// When it is so once.
#[track_caller]
pub fn never_again(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..100 {
        assert!(!is_so(), "it came true that {what}");
        thread::park_timeout(BETWEEN_LOOKS);
    }
}
