//! The time, read in one place.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::event::Now;

/// Counts from the supervisor's start.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// Begins to count.
    pub fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// Since the start; never goes back.
    pub(super) fn mono(&self) -> Duration {
        self.start.elapsed()
    }

    /// Both clocks. One that stands before 1970 counts as 1970.
    pub fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH);
        let wall_us = wall.unwrap_or_default().as_micros();
        Now {
            mono: self.mono(),
            wall_us: u64::try_from(wall_us).unwrap_or(u64::MAX),
        }
    }
}
