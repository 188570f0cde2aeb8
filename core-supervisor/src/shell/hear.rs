//! What comes in on the links: handed to the core, whole frames at a time.

use super::Brain;
use super::link::Input;
use super::poller::Hit;
use super::run_loop::{RunLoop, mark};
use crate::event::Event;
use crate::ids::{LinkId, SandboxId};

/// Reads that take the last words of a sandbox.
///
/// What a socket holds fits in one; a second finds its end. The bound keeps the
/// loop its own, should anybody still write to the other end.
const LAST_READS_MAX: usize = 4;

/// What was done about a link that is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Served {
    /// All that it was ready for.
    Now,
    /// It says much, and is heard when none has waited for longer.
    InItsTurn {
        /// The turn in which it was last heard.
        heard_in: u64,
    },
}

impl<B: Brain> RunLoop<B> {
    /// Does what a link is ready for, except hearing one that says much.
    pub(super) fn serve(&mut self, id: LinkId, hit: Hit) -> Served {
        let Some(link) = self.links.get(id) else {
            return Served::Now; // closed earlier in this turn
        };
        if hit.output && link.is_blocked {
            link.is_blocked = false;
            mark(&mut self.dirty, id, link);
        }
        if hit.input && link.is_heavy() {
            let heard_in = link.heard_in;
            return Served::InItsTurn { heard_in };
        }
        if hit.input {
            self.hear(id);
        }
        Served::Now
    }

    /// Reads a link once; false when there was nothing to read.
    pub(super) fn hear(&mut self, id: LinkId) -> bool {
        let Some(link) = self.links.get(id).filter(|link| !link.is_draining) else {
            return false;
        };
        link.heard_in = self.turns;
        match link.receive(&mut self.intake) {
            Input::None => return false,
            Input::Some => {}
            Input::End => {
                self.lose(id);
                return false;
            }
        }
        let received = Event::Received {
            link: id,
            bytes: self.intake.bytes(),
        };
        self.brain.handle(received, self.now, &mut self.actions);
        if link.pulse.reads == 0 {
            self.placement.note(id);
        }
        link.pulse.reads = link.pulse.reads.saturating_add(1);
        let frames = self.actions.frames;
        link.pulse.frames = link.pulse.frames.saturating_add(frames);
        let consumed = self.actions.consumed;
        if !link.keep(&mut self.intake, consumed, &mut self.buffers) {
            tracing::error!(link = %id, "more than a frame was left over; the link is cut");
            self.lose(id);
        }
        self.apply();
        true
    }

    // What a sandbox said last is in its socket when it has ended, and is heard
    // first: the reason of a crash is often in the line before it.
    pub(super) fn hear_out(&mut self, sandbox: SandboxId) {
        if let Some(link) = self.links.take_link_of(sandbox) {
            let mut reads = 0..LAST_READS_MAX;
            while reads.next().is_some() && self.hear(link) {}
        }
    }

    /// Forgets a link whose peer has gone, and tells the core.
    pub(super) fn lose(&mut self, id: LinkId) {
        if let Some(link) = self.links.remove(id)
            && !link.is_draining
        {
            self.happened.push_back(Event::Closed { link: id });
        }
    }
}
