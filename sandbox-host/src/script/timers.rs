//! When timers are due. The callbacks stay in the engine, see `framework/timers.js`.

use std::collections::BTreeSet;
use std::time::Duration;

/// The due times of all timers of a sandbox.
///
/// A stopped timer is removed at once: answered requests and re-armed timers
/// would otherwise gather until their time comes.
#[derive(Debug, Default)]
pub(super) struct Timers {
    due: BTreeSet<(u64, u32)>,
}

impl Timers {
    /// Arms a timer; the returned value disarms it.
    pub(super) fn arm(&mut self, id: u32, at: Duration) -> u64 {
        let at = micros(at);
        self.due.insert((at, id));
        at
    }

    pub(super) fn disarm(&mut self, id: u32, at: u64) {
        self.due.remove(&(at, id));
    }

    /// Takes the first timer that is due.
    pub(super) fn take_due(&mut self, now: Duration) -> Option<u32> {
        let first = *self.due.first().filter(|(at, _)| *at <= micros(now))?;
        self.due.remove(&first);
        Some(first.1)
    }

    /// How long until the next one is due.
    pub(super) fn wait(&self, now: Duration) -> Option<Duration> {
        let (at, _) = self.due.first()?;
        Some(Duration::from_micros(at.saturating_sub(micros(now))))
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn timers_are_due_in_the_order_of_their_times_then_of_their_making() {
        let mut timers = Timers::default();
        timers.arm(1, 9 * MS);
        timers.arm(2, 5 * MS);
        timers.arm(3, 5 * MS);

        let order = [(); 4].map(|()| timers.take_due(10 * MS));

        assert_eq!(order, [Some(2), Some(3), Some(1), None]);
    }

    #[test]
    fn a_timer_is_not_due_before_its_time_nor_after_it_was_disarmed() {
        let mut timers = Timers::default();
        timers.arm(1, 5 * MS);
        let second = timers.arm(2, 6 * MS);
        timers.disarm(2, second);

        assert_eq!(timers.take_due(4 * MS), None);
        assert_eq!(timers.wait(4 * MS), Some(MS));
        assert_eq!(timers.take_due(6 * MS), Some(1));
        assert_eq!(timers.wait(6 * MS), None);
    }
}
