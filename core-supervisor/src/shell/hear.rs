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

impl<B: Brain> RunLoop<B> {
    /// Does what a link is ready for.
    pub(super) fn serve(&mut self, id: LinkId, hit: Hit) {
        let Some(link) = self.links.get(id) else {
            return; // closed earlier in this turn
        };
        if hit.output && link.is_blocked {
            link.is_blocked = false;
            mark(&mut self.dirty, id, link);
        }
        if hit.input {
            self.hear(id);
        }
    }

    // Reads a link once; false when there was nothing to read.
    fn hear(&mut self, id: LinkId) -> bool {
        let Some(link) = self.links.get(id).filter(|link| !link.is_draining) else {
            return false;
        };
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
        let messages = u32::try_from(self.actions.list.len()).unwrap_or(u32::MAX);
        link.pulse.messages = link.pulse.messages.saturating_add(messages);
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
