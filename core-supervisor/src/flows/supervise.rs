//! Sandboxes, from their launch to their end, and what follows from it.
//!
//! start_next → launched → (connect: greeted → confined) … → exited → restart
//!
//! Whatever ends a sandbox, `exited` is where its components are told apart from
//! their process: requests to them are answered 503 at once, and they are started
//! again after a pause, or given up.

use protocol::Code;
use protocol::frame::LogLevel;

use crate::core::Core;
use crate::event::{Action, Actions, Exit, Now};
use crate::flows::dial::connector;
use crate::flows::respond::Refusal;
use crate::flows::{audit, connect, deploy, observe, reason, registration, reload, sync, undeploy};
use crate::ids::{DeploymentId, LinkId, OwnerId, SandboxId};
use crate::ingress::Fault;
use crate::limits::READY_MAX;
use crate::rooms::sandboxes::{Cause, Failure, Phase};
use crate::rooms::user_agent::Stage;

/// Starts queued sandboxes, as many at once as make sense.
pub(crate) fn start_next(core: &mut Core, now: Now, out: &mut Actions) {
    while let Some(id) = core.rooms.sandboxes.next_start(core.settings.starts_max) {
        let Some(sandbox) = core.rooms.sandboxes.get_mut(id) else {
            continue;
        };
        sandbox.phase = Phase::Starting;
        sandbox.since = now.mono;
        out.list.push(Action::Launch {
            sandbox: id,
            spec: sandbox.spec.clone(),
        });
        core.check_by(now.mono + READY_MAX);
    }
}

/// Its process exists.
pub(crate) fn launched(core: &mut Core, id: SandboxId, pid: u32, out: &mut Actions) {
    let Some(sandbox) = core.rooms.sandboxes.get_mut(id) else {
        return;
    };
    sandbox.pid = Some(pid);
    match sandbox.phase {
        // It may have said that it is locked before the news of its process came.
        Phase::Inspecting => out.list.push(Action::Inspect { sandbox: id, pid }),
        Phase::Ending => out.list.push(Action::Kill { sandbox: id }),
        Phase::Queued | Phase::Starting | Phase::Ready => {}
    }
}

/// No process came to be.
pub(crate) fn not_launched(
    core: &mut Core,
    id: SandboxId,
    reason: &str,
    now: Now,
    out: &mut Actions,
) {
    ended(
        core,
        id,
        &format!("could not be started: {reason}"),
        now,
        out,
    );
}

/// Its process has ended.
pub(crate) fn exited(core: &mut Core, id: SandboxId, exit: &Exit, now: Now, out: &mut Actions) {
    let Some(sandbox) = core.rooms.sandboxes.get(id) else {
        return;
    };
    let reason = reason::of(sandbox, exit);
    ended(core, id, &reason, now, out);
}

/// A link broke the protocol: it is cut, and the sandbox behind it ends.
pub(crate) fn fault(core: &mut Core, link: LinkId, fault: &Fault, now: Now, out: &mut Actions) {
    let Some(gate) = core.gates.get(&link) else {
        return;
    };
    core.rooms.bus.numbers.faults += 1;
    audit::fault(core, link, fault, out);
    let text = format!(
        "link={link} peer=\"{}\" fault=\"{fault}\"",
        gate.kind.name()
    );
    out.list.push(Action::Record {
        level: LogLevel::Warn,
        text,
    });
    let kind = gate.kind;
    if let Some(id) = kind.sandbox() {
        end(core, id, Cause::Fault(fault.to_string()), now, out);
    }
    cut(core, link, now, out);
}

/// The link of a sandbox is gone: so is what it was for.
pub(crate) fn link_lost(core: &mut Core, id: SandboxId, link: LinkId, now: Now, out: &mut Actions) {
    if let Some(sandbox) = core.rooms.sandboxes.get_mut(id) {
        sandbox.link = None;
    }
    // It exited, or closed its descriptor and goes on: the exit tells which.
    end(core, id, Cause::Unlinked, now, out);
    detach(core, id, now, out);
    connect::forget(core, link, now, out);
}

/// Ends a sandbox in which nothing runs any more.
pub(crate) fn dismiss(core: &mut Core, id: SandboxId, now: Now, out: &mut Actions) {
    let Some(sandbox) = core.rooms.sandboxes.get(id) else {
        return;
    };
    let (phase, cell, link) = (sandbox.phase, sandbox.cell.clone(), sandbox.link);
    if let Some(cell) = cell {
        core.rooms.sandboxes.forget_budget(&cell);
    }
    if phase == Phase::Queued {
        core.rooms.sandboxes.remove(id);
        return;
    }
    end(core, id, Cause::Dismissed, now, out);
    if let Some(link) = link {
        cut(core, link, now, out);
    }
}

/// Starts a component again whose pause is over.
pub(crate) fn restart(core: &mut Core, id: DeploymentId, now: Now, out: &mut Actions) {
    if let Some(deployment) = core.rooms.user_agent.get_mut(id) {
        deployment.next_try = None;
        deployment.restarts += 1;
        // Messages to a stub wait for it from now on.
        core.epoch += 1;
        deploy::place(core, id, now, out);
    }
}

/// Forgets how often a component's cell has failed: the operator said so.
pub(crate) fn clear_budget(core: &mut Core, id: DeploymentId) {
    if let Some((cell, _)) = deploy::cell_of(core, id) {
        core.rooms.sandboxes.budget(&cell).clear();
    }
}

/// Ends a sandbox for a cause of the core's own. `exited` follows.
pub(crate) fn end(core: &mut Core, id: SandboxId, cause: Cause, now: Now, out: &mut Actions) {
    let Some(sandbox) = core.rooms.sandboxes.get_mut(id) else {
        return;
    };
    sandbox.cause.get_or_insert(cause);
    sandbox.phase = Phase::Ending;
    sandbox.since = now.mono;
    out.list.push(Action::Kill { sandbox: id });
}

/// Closes a link from this side.
pub(crate) fn cut(core: &mut Core, link: LinkId, now: Now, out: &mut Actions) {
    out.list.push(Action::Close { link, drain: false });
    if let Some(id) = core.gates.get(&link).and_then(|gate| gate.kind.sandbox()) {
        if let Some(sandbox) = core.rooms.sandboxes.get_mut(id) {
            sandbox.link = None;
        }
        detach(core, id, now, out);
    }
    connect::forget(core, link, now, out);
}

// From now on its components have no link; their addresses stay theirs.
fn detach(core: &mut Core, id: SandboxId, now: Now, out: &mut Actions) {
    let components = core
        .rooms
        .sandboxes
        .get(id)
        .map(|s| s.components.clone())
        .unwrap_or_default();
    for component in components {
        registration::component_cut(core, component, now, out);
        let owner = OwnerId::Component(component);
        core.rooms.bus.listeners.remove_all(owner);
        sync::taken_down(core, owner);
    }
    core.epoch += 1;
}

fn ended(core: &mut Core, id: SandboxId, reason: &str, now: Now, out: &mut Actions) {
    let Some(sandbox) = core.rooms.sandboxes.remove(id) else {
        return;
    };
    if let Some(link) = sandbox.link {
        for component in &sandbox.components {
            registration::component_cut(core, *component, now, out);
            core.rooms
                .bus
                .listeners
                .remove_all(OwnerId::Component(*component));
            sync::taken_down(core, OwnerId::Component(*component));
        }
        out.list.push(Action::Close { link, drain: false });
        connect::forget(core, link, now, out);
    }
    connector::gone(core, id, reason, now, out);
    let failure = sandbox
        .cell
        .as_ref()
        .filter(|_| !sandbox.components.is_empty())
        .map(|cell| {
            let jitter = core.rooms.allocation.number();
            core.rooms.sandboxes.budget(cell).failed(now.mono, jitter)
        });
    for component in &sandbox.components {
        component_ended(core, *component, reason, failure, now, out);
    }
    // Messages that wait for a stub may have to wait no more.
    core.check_by(now.mono);
    start_next(core, now, out);
    core.keep_spares(now, out);
}

fn component_ended(
    core: &mut Core,
    id: DeploymentId,
    reason: &str,
    failure: Option<Failure>,
    now: Now,
    out: &mut Actions,
) {
    audit::ended(core, id, reason, out);
    let Some(deployment) = core.rooms.user_agent.get_mut(id) else {
        return;
    };
    deployment.sandbox = None;
    deployment.is_debugged = false;
    deployment.since = now.mono;
    reason.clone_into(&mut deployment.reason);
    let about = deployment
        .package
        .as_ref()
        .map(|package| (package.address.clone(), package.name.clone()));
    let refusal = Refusal::new(Code::FAILED, "launch", format!("its sandbox {reason}"));
    if core.stopping.is_none() && reload::revert(core, id, &refusal, now, out) {
        return;
    }
    let Some(deployment) = core.rooms.user_agent.get_mut(id) else {
        return;
    };
    if !deployment.has_run {
        // It never ran, so its asker still waits: it is told, and nothing stays.
        return undeploy::fail(core, id, &refusal, now, out);
    }
    if core.stopping.is_some() {
        // Everything ends; nothing is started again, and nobody needs to be told.
        deployment.stage = Stage::Stopped;
        return;
    }
    let next = match failure {
        Some(Failure::RetryAt(at)) => {
            deployment.stage = Stage::Waiting;
            deployment.next_try = Some(at);
            core.check_by(at);
            format!(
                "started again in {} ms",
                at.saturating_sub(now.mono).as_millis()
            )
        }
        Some(Failure::RestUntil(at)) => {
            deployment.stage = Stage::Failed;
            deployment.next_try = Some(at);
            core.check_by(at);
            format!(
                "failed too often; one more try in {} s",
                at.saturating_sub(now.mono).as_secs()
            )
        }
        None => String::new(),
    };
    if let Some((address, name)) = about {
        let text = format!("its sandbox {reason}; {next}");
        observe::note(core, &address, &name, LogLevel::Error, &text, now, out);
    }
}
