//! How often a cell may be started again.
//!
//! Exponential pauses with jitter and a cap; cleared once it was healthy for a
//! while; after too many failures in a row the circuit opens, rests, and lets a
//! single try through.

use std::time::Duration;

use crate::limits::{CIRCUIT_REST, FAILURES_MAX, HEALTHY_AFTER, RESTART_FIRST, RESTART_LONGEST};

/// What is to be done about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Start it again then.
    RetryAt(Duration),
    /// The circuit is open: one more try then, and none before.
    RestUntil(Duration),
}

/// The record of one cell.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Budget {
    failures: u32,
    running_since: Option<Duration>,
}

impl Budget {
    /// Notes that it runs.
    pub(crate) fn started(&mut self, now: Duration) {
        self.running_since = Some(now);
    }

    /// Notes that it crashed; `jitter` is any number.
    pub(crate) fn failed(&mut self, now: Duration, jitter: u64) -> Failure {
        let was_healthy = self
            .running_since
            .take()
            .is_some_and(|since| now.saturating_sub(since) >= HEALTHY_AFTER);
        self.failures = if was_healthy {
            1
        } else {
            self.failures.saturating_add(1)
        };
        if self.failures > FAILURES_MAX {
            return Failure::RestUntil(now + CIRCUIT_REST);
        }
        let pause = RESTART_FIRST * 2_u32.saturating_pow(self.failures - 1);
        Failure::RetryAt(now + spread(pause.min(RESTART_LONGEST), jitter))
    }

    /// Clears the record: the operator said so.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

// Up to a quarter longer, so that cells that fell together do not rise together.
fn spread(pause: Duration, jitter: u64) -> Duration {
    let quarter = u64::try_from(pause.as_millis() / 4)
        .unwrap_or(u64::MAX)
        .max(1);
    pause + Duration::from_millis(jitter % quarter)
}
