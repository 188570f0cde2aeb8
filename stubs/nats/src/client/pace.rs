//! How long to wait before the next attempt.

use std::time::Duration;

use tokio::time::Instant;

use super::Lost;
use super::limits::{GOOD_AFTER, PAUSE_MAX, PAUSE_MIN};

/// Counts the attempts that failed since the last good connection.
#[derive(Debug, Default)]
pub(super) struct Pace {
    failed: u32,
    up_since: Option<Instant>,
}

impl Pace {
    /// A connection stands.
    pub(super) fn up(&mut self) {
        self.up_since = Some(Instant::now());
    }

    /// It was lost, or there was none; how long to wait.
    ///
    /// Anything between nothing and the doubled pause: a hundred runtimes that lose
    /// the same server come back one by one.
    pub(super) fn pause(&mut self, lost: &Lost) -> Duration {
        let lasted = self.up_since.take().map(|since| since.elapsed());
        if lasted.is_some_and(|lasted| lasted >= GOOD_AFTER) {
            self.failed = 0;
        }
        let doubled = PAUSE_MIN.saturating_mul(1 << self.failed.min(16));
        self.failed = self.failed.saturating_add(1);
        // Who was refused is refused again until somebody acts.
        if lost.is_refusal() {
            return PAUSE_MAX.mul_f64(0.5 + 0.5 * chance());
        }
        doubled.min(PAUSE_MAX).mul_f64(chance())
    }
}

/// A number from 0 to 1.
pub(super) fn chance() -> f64 {
    let number = getrandom::u32().unwrap_or(u32::MAX / 2);
    f64::from(number) / f64::from(u32::MAX)
}
