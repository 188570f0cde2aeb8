//! The orderly end.
//!
//! begin: everybody is told → proceed: until all are gone, or the time is up → Exit

use std::time::Duration;

use protocol::CoreFrame;
use protocol::frame::LogLevel;

use crate::core::Core;
use crate::event::{Action, Actions, Now};
use crate::flows::{registration, respond, sync};
use crate::limits::STOP_GRACE;
use crate::rooms::sandboxes::{Cause, Phase};

/// A stop that is under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopping {
    /// After this nobody is waited for.
    until: Duration,
    is_killed: bool,
    is_over: bool,
}

impl Stopping {
    /// When it must be looked at again; never, once all is over.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        (!self.is_over).then_some(self.until)
    }
}

/// Tells every sandbox and every local link that the end has come.
pub(crate) fn begin(core: &mut Core, why: &str, now: Now, out: &mut Actions) {
    if core.stopping.is_some() {
        return;
    }
    out.list.push(Action::Record {
        level: LogLevel::Info,
        text: format!("stopping why={why}"),
    });
    core.stopping = Some(Stopping {
        until: now.mono + STOP_GRACE,
        is_killed: false,
        is_over: false,
    });
    sync::keep::write_all(core, out);
    registration::close_all(core, now, out);
    let grace_ms = u32::try_from(STOP_GRACE.as_millis()).unwrap_or(u32::MAX);
    let mut links: Vec<_> = core.gates.keys().copied().collect();
    links.sort_unstable();
    for link in links {
        respond::send(core, link, &CoreFrame::Stop { grace_ms }, out);
    }
    for (_, sandbox) in core.rooms.sandboxes.iter_mut() {
        sandbox.cause.get_or_insert(Cause::Dismissed);
        // Nothing is on its way that could still be told.
        if sandbox.phase != Phase::Queued && sandbox.link.is_none() {
            sandbox.phase = Phase::Ending;
        }
    }
}

/// Looks whether all are gone, and ends what is not when the time is up.
pub(crate) fn proceed(core: &mut Core, now: Now, out: &mut Actions) {
    let Some(stopping) = core.stopping else {
        return;
    };
    let left: Vec<_> = core
        .rooms
        .sandboxes
        .iter()
        .filter(|(_, sandbox)| sandbox.phase != Phase::Queued)
        .map(|(id, _)| id)
        .collect();
    let is_late = now.mono >= stopping.until;
    if left.is_empty() || (is_late && stopping.is_killed) {
        return exit(core, out);
    }
    if is_late {
        for sandbox in left {
            out.list.push(Action::Kill { sandbox });
        }
        core.stopping = Some(Stopping {
            until: now.mono + STOP_GRACE,
            is_killed: true,
            is_over: false,
        });
    }
}

fn exit(core: &mut Core, out: &mut Actions) {
    let Some(stopping) = core.stopping.as_mut() else {
        return;
    };
    if std::mem::replace(&mut stopping.is_over, true) {
        return;
    }
    let mut links: Vec<_> = core
        .gates
        .iter()
        .filter(|(_, gate)| gate.kind.sandbox().is_none())
        .map(|(link, _)| *link)
        .collect();
    links.sort_unstable();
    for link in links {
        out.list.push(Action::Close { link, drain: true });
    }
    sync::keep::write_all(core, out);
    out.list.push(Action::Exit);
}
