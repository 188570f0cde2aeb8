//! A component starts stopped, so that a debugger is there from its first instruction.
//!
//! begin → (its sandbox is made and locked, as any) → hold → go, or the debugger's own SIGCONT
//!
//! It has a process of its own meanwhile, whoever it shares one with otherwise, and as long
//! as it is debugged nothing there has a deadline: neither loading nor answering a ping.
//! Whatever ends it also ends that: it starts again as any other.

use protocol::Code;

use crate::core::Core;
use crate::event::{Action, Actions, Now};
use crate::flows::respond::{self, Refusal};
use crate::flows::serve::Answer;
use crate::flows::serve::{Asked, Served, value};
use crate::flows::{supervise, undeploy};
use crate::ids::{DeploymentId, SandboxId};
use crate::party::PartyKind;
use crate::rooms::sandboxes::Sandbox;

/// Ends a component and starts it again, to be held before its code comes.
pub(crate) fn begin(
    core: &mut Core,
    asked: &Asked<'_>,
    id: DeploymentId,
    out: &mut Actions,
) -> Served {
    only_the_operator(core, asked)?;
    undeploy::leave_sandbox(core, id, asked.now, out);
    if let Some(deployment) = core.rooms.user_agent.get_mut(id) {
        deployment.is_debugged = true;
    }
    supervise::clear_budget(core, id);
    core.waits_for(id, asked.asker());
    supervise::restart(core, id, asked.now, out);
    Ok(Answer::Later)
}

/// Its sandbox is locked and empty: the process stops here, in front of foreign code.
pub(crate) fn hold(
    core: &mut Core,
    id: DeploymentId,
    sandbox: SandboxId,
    now: Now,
    out: &mut Actions,
) {
    let Some(deployment) = core.rooms.user_agent.get_mut(id) else {
        return;
    };
    if !deployment.is_debugged {
        return;
    }
    let asker = deployment.asker.take();
    "stopped for a debugger, in front of its code".clone_into(&mut deployment.reason);
    out.list.push(Action::Pause { sandbox });
    if let (Some(asker), Some(view)) = (asker, core.component(id, now)) {
        respond::later(core, &asker, Ok(respond::valued(&view)), out);
    }
}

/// Lets a held component go on.
pub(crate) fn go(core: &Core, asked: &Asked<'_>, id: DeploymentId, out: &mut Actions) -> Served {
    only_the_operator(core, asked)?;
    let deployment = core.rooms.user_agent.get(id);
    let held = deployment.filter(|deployment| deployment.is_debugged);
    let Some(sandbox) = held.and_then(|deployment| deployment.sandbox) else {
        let reason = "it is not being debugged: `hyperty debug` starts it stopped";
        return Err(Refusal::new(Code::CONFLICT, "not-debugged", reason));
    };
    out.list.push(Action::Resume { sandbox });
    value(&core.component(id, asked.now))
}

/// Whether something in this sandbox is being debugged.
pub(crate) fn is_in(core: &Core, sandbox: &Sandbox) -> bool {
    let deployments = sandbox.components.iter();
    deployments
        .filter_map(|id| core.rooms.user_agent.get(*id))
        .any(|deployment| deployment.is_debugged)
}

// An application may restart what it deployed; it may not stop a process of this machine.
fn only_the_operator(core: &Core, asked: &Asked<'_>) -> Result<(), Refusal> {
    let standing = core.rooms.registry.standing(asked.owner);
    if standing.is_some_and(|standing| standing.kind == PartyKind::Operator) {
        return Ok(());
    }
    let reason = "only the operator debugs: `hyperty debug`";
    Err(Refusal::new(Code::FORBIDDEN, "operator", reason))
}
