//! How long the code that runs now may go on.
//!
//! Counted is the time that the thread computed. What passes while others have
//! the processor is not the script's doing: on a busy machine that would cut
//! off whoever is healthy. Whoever does not answer in the end, for whatever
//! reason, is the core's business, which waits for a `Pong` by the wall.

use std::cell::Cell;
use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// The time of one turn.
pub(super) struct Turn {
    budget: Cell<Duration>,
    /// When it is over, on the thread's own clock; unknown before the first look.
    end: Cell<Option<Duration>>,
}

impl Turn {
    pub(super) fn of(budget: Duration) -> Self {
        Self {
            budget: Cell::new(budget),
            end: Cell::new(None),
        }
    }

    /// Begins anew, with so much time.
    ///
    /// Every microtask begins a turn, and the thread's clock costs a system call.
    /// So the time runs from the first look at it, which most turns do not live
    /// to see.
    pub(super) fn begin(&self, budget: Duration) {
        self.budget.set(budget);
        self.end.set(None);
    }

    /// Whether it has used its time up. The engine looks after every 10 000 jumps
    /// and calls, so that the system call is less than a thousandth of them.
    pub(super) fn is_over(&self) -> bool {
        let now = computed();
        let end = self.end.get().unwrap_or(now + self.budget.get());
        self.end.set(Some(end));
        now >= end
    }
}

// What this thread computed so far.
fn computed() -> Duration {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = Duration::from_secs(tv_sec.try_into().unwrap_or_default());
    seconds + Duration::from_nanos(tv_nsec.try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_without_time_is_over_at_once() {
        let turn = Turn::of(Duration::ZERO);

        assert!(turn.is_over());
        turn.begin(Duration::from_mins(1));
        assert!(!turn.is_over());
    }

    #[test]
    fn what_passes_while_the_thread_rests_does_not_count() {
        let turn = Turn::of(Duration::from_millis(20));
        assert!(!turn.is_over());

        std::thread::sleep(Duration::from_millis(40));

        assert!(!turn.is_over());
    }

    #[test]
    fn what_the_thread_computes_counts() {
        let turn = Turn::of(Duration::from_millis(20));

        while !turn.is_over() {
            std::hint::spin_loop();
        }

        assert!(turn.is_over());
    }
}
