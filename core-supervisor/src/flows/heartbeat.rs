//! What has come to its time: heartbeats, readiness, loading, pauses before a restart.

use std::time::Duration;

use protocol::CoreFrame;

use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::{debug, respond, supervise};
use crate::ids::{DeploymentId, LinkId, SandboxId};
use crate::limits::{PING_AFTER_DELIVERY, PING_EVERY, PONG_MAX, READY_MAX};
use crate::rooms::sandboxes::{Cause, Phase, Sandbox};
use crate::rooms::user_agent::Stage;

/// A sandbox says that it lives.
pub(crate) fn pong(core: &mut Core, link: LinkId, token: u64, now: Now) {
    if let Some(gate) = core.gates.get_mut(&link)
        && let Some(id) = gate.kind.sandbox()
        && let Some(sandbox) = core.rooms.sandboxes.get_mut(id)
        && sandbox.pinged.is_some_and(|(asked, _)| asked == token)
    {
        sandbox.pinged = None;
        sandbox.ping_due = now.mono + PING_EVERY;
        gate.ping_by = None;
    }
}

/// Something was delivered to this link: soon it is asked whether it lives.
pub(crate) fn heartbeat_soon(core: &mut Core, link: LinkId, now: Now) {
    if let Some(gate) = core.gates.get_mut(&link)
        && gate.has_heartbeat
        && gate.ping_by.is_none()
    {
        let by = now.mono + PING_AFTER_DELIVERY;
        gate.ping_by = Some(by);
        core.check_by(by);
    }
}

/// Asks a sandbox whether it lives.
pub(crate) fn ping(core: &mut Core, id: SandboxId, now: Now, out: &mut Actions) {
    let token = core.rooms.allocation.number();
    let Some(sandbox) = core.rooms.sandboxes.get_mut(id) else {
        return;
    };
    let Some(link) = sandbox.link else { return };
    sandbox.pinged = Some((token, now.mono));
    core.check_by(now.mono + PONG_MAX);
    respond::send(core, link, &CoreFrame::Ping { token }, out);
}

/// What has come to its time.
pub(crate) fn deadlines(core: &mut Core, now: Now, out: &mut Actions) {
    let mut due = Vec::new();
    for (id, sandbox) in core.rooms.sandboxes.iter() {
        if let Some(what) = due_of(core, sandbox, now.mono) {
            due.push((id, sandbox.link, what));
        }
    }
    for (id, link, what) in due {
        match what {
            Due::Ping => ping(core, id, now, out),
            Due::End(cause) => {
                supervise::end(core, id, cause, now, out);
                if let Some(link) = link {
                    supervise::cut(core, link, now, out);
                }
            }
        }
    }
    let late: Vec<SandboxId> = core
        .rooms
        .user_agent
        .iter()
        .filter(|(_, d)| d.is_late(now.mono))
        .filter_map(|(_, d)| d.sandbox)
        .collect();
    for id in late {
        let link = core
            .rooms
            .sandboxes
            .get(id)
            .and_then(|sandbox| sandbox.link);
        supervise::end(core, id, Cause::NotLoaded, now, out);
        if let Some(link) = link {
            supervise::cut(core, link, now, out);
        }
    }
    let again: Vec<DeploymentId> = core
        .rooms
        .user_agent
        .iter()
        .filter(|(_, d)| d.next_try.is_some_and(|at| at <= now.mono))
        .map(|(id, _)| id)
        .collect();
    for id in again {
        supervise::restart(core, id, now, out);
    }
}

/// When `deadlines` may have something to do.
pub(crate) fn next_deadline(core: &Core) -> Option<Duration> {
    let sandboxes = core
        .rooms
        .sandboxes
        .iter()
        .filter_map(|(_, sandbox)| deadline_of(core, sandbox));
    let deployments = core
        .rooms
        .user_agent
        .iter()
        .filter_map(|(_, d)| match d.stage {
            Stage::Loading => d.loads_until(),
            Stage::Waiting | Stage::Failed => d.next_try,
            Stage::Reading | Stage::Launching | Stage::Running | Stage::Stopped => None,
        });
    sandboxes.chain(deployments).min()
}

enum Due {
    Ping,
    End(Cause),
}

fn deadline_of(core: &Core, sandbox: &Sandbox) -> Option<Duration> {
    match sandbox.phase {
        Phase::Starting | Phase::Inspecting => Some(sandbox.since + READY_MAX),
        Phase::Ready if debug::is_in(core, sandbox) => None,
        Phase::Ready => {
            let gate = core.gates.get(&sandbox.link?)?;
            let ping = sandbox.ping_due.min(gate.ping_by.unwrap_or(Duration::MAX));
            let due = sandbox.pinged.map_or(ping, |(_, since)| since + PONG_MAX);
            gate.has_heartbeat.then_some(due)
        }
        Phase::Queued | Phase::Ending => None,
    }
}

fn due_of(core: &Core, sandbox: &Sandbox, now: Duration) -> Option<Due> {
    deadline_of(core, sandbox).filter(|at| *at <= now)?;
    Some(match (sandbox.phase, sandbox.pinged) {
        (Phase::Ready, None) => Due::Ping,
        (Phase::Ready, Some(_)) => Due::End(Cause::Hung),
        _ => Due::End(Cause::NotReady),
    })
}
