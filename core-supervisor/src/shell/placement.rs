//! Who shares the loop's processor, and who does not.
//!
//! A message from one processor to another waits for that one to wake up, which
//! takes longer than everything else on its way. So sandboxes that talk one
//! message at a time, and wait for the answer, are moved to the loop's processor,
//! where the next runs as soon as the one before it sleeps. Those that send many
//! at once gain more from running beside the loop: they stay off its processor.
//! The loop has then always something to do, and would else be made to wait for
//! a whole slice of theirs, and everybody with it.
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

/// Frames per look of a sandbox that sends many at once: 20 000 in a second.
const FRAMES_MIN: u32 = 400;

/// Sandboxes that share the loop's processor; two pairs. With more, something
/// always waits for it while another processor has nothing to do.
const SHARING_MAX: usize = 4;

/// What a link did since the last look.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pulse {
    /// Reads that brought something.
    pub(super) reads: u32,
    /// Frames that these brought.
    pub(super) frames: u32,
}

impl Pulse {
    /// Whether it says one thing at a time, and often.
    fn waits_for_answers(self) -> bool {
        self.reads >= READS_MIN && !self.says_many_at_once()
    }

    fn says_many_at_once(self) -> bool {
        self.frames > self.reads + self.reads / 4
    }

    /// Whether it sends many at once, and goes on doing so.
    fn is_crowding(self) -> bool {
        self.frames >= FRAMES_MIN && self.says_many_at_once()
    }
}

/// Who is moved where. Both in order, so that they can be compared.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seats {
    /// The loop's processor; 0 while nobody is moved.
    processor: usize,
    /// On the loop's processor.
    sharing: Vec<SandboxId>,
    /// On all others.
    away: Vec<SandboxId>,
}

impl Seats {
    fn is_empty(&self) -> bool {
        self.sharing.is_empty() && self.away.is_empty()
    }

    fn clear(&mut self) {
        self.processor = 0;
        self.sharing.clear();
        self.away.clear();
    }

    fn has(&self, sandbox: SandboxId) -> bool {
        let is_in = |list: &[SandboxId]| list.binary_search(&sandbox).is_ok();
        is_in(&self.sharing) || is_in(&self.away)
    }
}

/// The state of it.
pub(super) struct Placement {
    // Where everything may run; `None` where there is nothing to choose.
    everywhere: Option<CpuSet>,
    seats: Seats,
    wanted: Seats,
    active: Vec<LinkId>,
    look_at: Duration,
}

impl Placement {
    pub(super) fn new(is_wanted: bool) -> Self {
        let allowed = sched_getaffinity(None).ok();
        Self {
            everywhere: allowed.filter(|all| is_wanted && all.count() > 1),
            seats: Seats::default(),
            wanted: Seats::default(),
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

    /// When to look although nothing is said: those that were moved may compute now.
    pub(super) fn deadline(&self) -> Option<Duration> {
        (!self.seats.is_empty()).then_some(self.look_at)
    }

    /// Whether sandboxes share the loop's processor now.
    pub(super) fn is_shared(&self) -> bool {
        !self.seats.sharing.is_empty()
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
        let wanted = &mut placement.wanted;
        wanted.clear();
        for id in placement.active.drain(..) {
            let Some(link) = self.links.get(id) else {
                continue;
            };
            let pulse = std::mem::take(&mut link.pulse);
            let Some(sandbox) = link.sandbox else {
                continue;
            };
            if pulse.waits_for_answers() {
                wanted.sharing.push(sandbox);
            } else if pulse.is_crowding() {
                wanted.away.push(sandbox);
            }
        }
        wanted.sharing.sort_unstable();
        wanted.away.sort_unstable();
        if wanted.sharing.len() > SHARING_MAX {
            wanted.sharing.clear();
        }
        if !wanted.is_empty() {
            wanted.processor = sched_getcpu();
        }
        if placement.wanted != placement.seats {
            self.rearrange();
        }
    }

    /// Ends all sharing: what the loop starts now inherits where it may run.
    pub(super) fn spread(&mut self) {
        self.placement.wanted.clear();
        if !self.placement.seats.is_empty() {
            self.rearrange();
        }
    }

    /// Lets those run that share the loop's processor and have just been sent
    /// something, before the loop begins with what takes it longer.
    pub(super) fn let_others_run(&self) {
        if self.placement.is_shared() {
            std::thread::yield_now();
        }
    }

    fn rearrange(&mut self) {
        let placement = &mut self.placement;
        let Some(everywhere) = placement.everywhere else {
            return;
        };
        std::mem::swap(&mut placement.seats, &mut placement.wanted);
        let Placement {
            seats,
            wanted: before,
            ..
        } = placement;
        for sandbox in before.sharing.iter().chain(&before.away) {
            if !seats.has(*sandbox) {
                self.launcher.move_to(*sandbox, &everywhere);
            }
        }
        let (mut here, mut elsewhere) = (everywhere, everywhere);
        elsewhere.unset(seats.processor);
        if !seats.sharing.is_empty() {
            here = CpuSet::new();
            here.set(seats.processor);
        }
        // Refused where a container does not let us; then nothing is moved.
        if sched_setaffinity(None, &here).is_ok() {
            for sandbox in &seats.sharing {
                self.launcher.move_to(*sandbox, &here);
            }
            for sandbox in &seats.away {
                self.launcher.move_to(*sandbox, &elsewhere);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reads: u32, frames: u32) -> bool {
        Pulse { reads, frames }.waits_for_answers()
    }

    fn crowds(reads: u32, frames: u32) -> bool {
        Pulse { reads, frames }.is_crowding()
    }

    #[test]
    fn one_that_waits_for_each_answer_is_told_from_one_that_does_not() {
        assert!(check(READS_MIN, READS_MIN));
        assert!(!check(READS_MIN - 1, READS_MIN - 1));
        assert!(check(100, 125));
        assert!(!check(100, 126));
        assert!(!check(100, 6_400));
    }

    #[test]
    fn one_that_sends_many_at_once_is_told_from_one_that_does_so_now_and_then() {
        assert!(crowds(40, FRAMES_MIN));
        assert!(!crowds(40, FRAMES_MIN - 1));
        assert!(!crowds(400, 500));
        assert!(crowds(400, 501));
    }
}
