//! Certificates of the authorities that this machine trusts.
//!
//! take → read → sent
//!
//! The shell reads them into sealed memory; whoever asks gets the same memory.

use std::time::Duration;

use protocol::CoreFrame;

use crate::core::Core;
use crate::event::{Action, Actions, Job, Now};
use crate::flows::respond;
use crate::ids::{LinkId, ProgramId, Ticket};
use crate::limits::{ROOTS_EVERY, ROOTS_WAITING_MAX};

/// The certificates, and who waits for them.
#[derive(Debug, Default)]
pub(crate) struct Roots {
    memory: Option<(ProgramId, u32)>,
    read_at: Duration,
    reading: Option<Ticket>,
    waiting: Vec<LinkId>,
}

/// A component wants them.
pub(crate) fn take(core: &mut Core, link: LinkId, now: Now, out: &mut Actions) {
    let roots = &core.roots;
    let is_fresh = now.mono < roots.read_at + ROOTS_EVERY;
    if let Some((memory, bytes)) = roots.memory.filter(|_| is_fresh) {
        return send(core, link, memory, bytes, out);
    }
    let mine = roots.waiting.iter().filter(|waiting| **waiting == link);
    if mine.count() >= ROOTS_WAITING_MAX {
        let reason = "the certificates are being read for you already";
        return respond::send(core, link, &CoreFrame::NoRoots { reason }, out);
    }
    core.roots.waiting.push(link);
    if core.roots.reading.is_none() {
        let ticket = core.next_ticket();
        core.roots.reading = Some(ticket);
        out.list.push(Action::Work(Job::ReadRoots { ticket }));
    }
}

/// The shell has read them, or found none.
pub(crate) fn read(
    core: &mut Core,
    ticket: Ticket,
    result: &Result<(ProgramId, u32), String>,
    now: Now,
    out: &mut Actions,
) {
    if core.roots.reading != Some(ticket) {
        return;
    }
    core.roots.reading = None;
    let waiting = std::mem::take(&mut core.roots.waiting);
    let before = core.roots.memory.take();
    if let Some((program, _)) = before {
        out.list.push(Action::Forget { program });
    }
    if let Ok(memory) = result {
        core.roots.memory = Some(*memory);
        core.roots.read_at = now.mono;
    }
    for link in waiting {
        match result {
            Ok((memory, bytes)) => send(core, link, *memory, *bytes, out),
            Err(reason) => respond::send(core, link, &CoreFrame::NoRoots { reason }, out),
        }
    }
}

/// A link is gone.
pub(crate) fn forget(core: &mut Core, link: LinkId) {
    core.roots.waiting.retain(|waiting| *waiting != link);
}

fn send(core: &mut Core, link: LinkId, memory: ProgramId, bytes: u32, out: &mut Actions) {
    if let Some(bytes) = respond::encoded(core, link, &CoreFrame::Roots { bytes }, out) {
        out.list.push(Action::SendProgram {
            link,
            bytes,
            program: memory,
        });
    }
}
