//! What is due when: the core's deadline, and the shell's own.

use std::time::Duration;

use super::Brain;
use super::run_loop::{Ending, LEASH, RunLoop};
use crate::event::Event;

/// How long a link that is to be closed may take to accept its last bytes.
pub(super) const DRAIN: Duration = Duration::from_millis(500);

/// How long an orderly end may take before everything is killed.
const STOP: Duration = Duration::from_secs(5);

/// The same when the leash has ended: nothing may be left after two seconds.
const STOP_ON_LEASH: Duration = Duration::from_millis(1200);

impl<B: Brain> RunLoop<B> {
    /// How long nothing can be due.
    pub(super) fn patience(&self) -> Option<Duration> {
        let own = [
            self.stop_by,
            self.launcher.deadline(),
            self.draining.front().map(|(until, _)| *until),
            self.placement.deadline(),
        ];
        let next = own
            .into_iter()
            .flatten()
            .chain(self.brain.next_deadline())
            .min();
        next.map(|deadline| deadline.saturating_sub(self.now.mono))
    }

    /// Does what is due.
    pub(super) fn tick(&mut self) {
        let now = self.now.mono;
        if self
            .brain
            .next_deadline()
            .is_some_and(|deadline| deadline <= now)
        {
            self.tell(Event::Ticked);
        }
        while let Some((_, link)) = self.draining.pop_front_if(|(until, _)| *until <= now) {
            self.links.remove(link);
        }
        if self.stop_by.is_some_and(|deadline| deadline <= now) {
            self.ending.get_or_insert(Ending::Late);
        }
        if self.launcher.deadline().is_some_and(|at| at <= now) {
            self.spread();
        }
        if self.launcher.restart_if_due(now) {
            self.watch_nursery();
        }
    }

    /// Asks the core to end everything; asked again, does it itself.
    pub(super) fn stop(&mut self, why: &'static str) {
        if self.stop_by.is_some() && why != LEASH {
            self.ending.get_or_insert(Ending::AskedTwice);
            return;
        }
        let patience = if why == LEASH { STOP_ON_LEASH } else { STOP };
        let deadline = self.now.mono + patience;
        let is_first = self.stop_by.is_none();
        self.stop_by = Some(self.stop_by.map_or(deadline, |set| set.min(deadline)));
        if is_first {
            self.tell(Event::StopAsked { why });
        }
    }
}
