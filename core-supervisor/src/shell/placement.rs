//! Who shares the loop's processor.
//!
//! A message from one processor to another waits for that one to wake up, which
//! takes longer than everything else on its way. So sandboxes that talk one
//! message at a time, and wait for the answer, are moved to the loop's processor,
//! where the next runs as soon as the one before it sleeps. Those that send many
//! at once gain more from running beside the loop, and stay where the kernel
//! puts them.
//!
//! It is looked at every 20 ms, only while something is said. A sandbox that was
//! moved and does anything else is released at the next look, so the most that a
//! hostile one gains is a fair share of the loop's processor for that long.

use std::time::Duration;

use rustix::thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity};

use super::Brain;
use super::run_loop::RunLoop;
use crate::ids::{LinkId, SandboxId};

/// From one look to the next.
///
/// Long enough for a rate to be told from a burst; short enough that a sandbox
/// that begins to compute is away before anybody notices.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Reads per look of a sandbox that waits for its answers: 2 000 in a second.
const READS_MIN: u32 = 40;

/// Sandboxes that share the loop's processor; two pairs. With more, something
/// always waits for it while another processor has nothing to do.
const SHARING_MAX: usize = 4;

/// What a link did since the last look.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pulse {
    /// Reads that brought something.
    pub(super) reads: u32,
    /// Messages that these led to.
    pub(super) messages: u32,
}

impl Pulse {
    /// Whether it says one thing at a time, and often.
    fn waits_for_answers(self) -> bool {
        self.reads >= READS_MIN && self.messages <= self.reads + self.reads / 4
    }
}

/// The state of it.
pub(super) struct Placement {
    // Where everything may run; `None` where there is nothing to choose.
    everywhere: Option<CpuSet>,
    // Both in order, so that they can be compared.
    sharing: Vec<SandboxId>,
    wanted: Vec<SandboxId>,
    active: Vec<LinkId>,
    look_at: Duration,
}

impl Placement {
    pub(super) fn new(is_wanted: bool) -> Self {
        let allowed = sched_getaffinity(None).ok();
        Self {
            everywhere: allowed.filter(|all| is_wanted && all.count() > 1),
            sharing: Vec::new(),
            wanted: Vec::new(),
            active: Vec::new(),
            look_at: Duration::ZERO,
        }
    }

    /// Notes that a link has begun to say something since the last look.
    pub(super) fn note(&mut self, link: LinkId) {
        if self.everywhere.is_some() {
            self.active.push(link);
        }
    }

    /// When to look although nothing is said: those that share may compute now.
    pub(super) fn deadline(&self) -> Option<Duration> {
        (!self.sharing.is_empty()).then_some(self.look_at)
    }
}

impl<B: Brain> RunLoop<B> {
    /// Looks, when it is time.
    pub(super) fn place(&mut self) {
        let now = self.now.mono;
        let placement = &mut self.placement;
        if now < placement.look_at {
            return;
        }
        placement.look_at = now + LOOK_EVERY;
        placement.wanted.clear();
        for id in placement.active.drain(..) {
            let Some(link) = self.links.get(id) else {
                continue;
            };
            let pulse = std::mem::take(&mut link.pulse);
            if let Some(sandbox) = link.sandbox.filter(|_| pulse.waits_for_answers()) {
                placement.wanted.push(sandbox);
            }
        }
        placement.wanted.sort_unstable();
        if placement.wanted.len() > SHARING_MAX {
            placement.wanted.clear();
        }
        if placement.wanted != placement.sharing {
            self.rearrange();
        }
    }

    /// Ends all sharing: what the loop starts now inherits where it may run.
    pub(super) fn spread(&mut self) {
        self.placement.wanted.clear();
        if !self.placement.sharing.is_empty() {
            self.rearrange();
        }
    }

    fn rearrange(&mut self) {
        let Some(everywhere) = self.placement.everywhere else {
            return;
        };
        let wanted = std::mem::take(&mut self.placement.wanted);
        let sharing = std::mem::take(&mut self.placement.sharing);
        for sandbox in &sharing {
            if wanted.binary_search(sandbox).is_err() {
                self.launcher.move_to(*sandbox, &everywhere);
            }
        }
        let mut here = everywhere;
        if !wanted.is_empty() {
            here = CpuSet::new();
            here.set(sched_getcpu());
        }
        // Refused where a container does not let us; then nothing is moved.
        if sched_setaffinity(None, &here).is_ok() {
            for sandbox in &wanted {
                self.launcher.move_to(*sandbox, &here);
            }
        }
        self.placement.sharing = wanted;
        self.placement.wanted = sharing;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reads: u32, messages: u32) -> bool {
        Pulse { reads, messages }.waits_for_answers()
    }

    #[test]
    fn one_that_waits_for_each_answer_is_told_from_one_that_does_not() {
        assert!(check(READS_MIN, READS_MIN));
        assert!(!check(READS_MIN - 1, READS_MIN - 1));
        assert!(check(100, 125));
        assert!(!check(100, 126));
        assert!(!check(100, 6_400));
    }
}
