//! The end of a deployment: nothing of it stays.

use protocol::{Code, CoreFrame};

use crate::core::Core;
use crate::event::{Action, Actions, Now};
use crate::flows::respond::{self, Refusal};
use crate::flows::{audit, dial, fetch, orphan, reach, registration, supervise, sync};
use crate::ids::{DeploymentId, OwnerId};
use crate::rooms::user_agent::{Loadable, Package, Stage};

/// Ends a deployment that did not succeed: nothing of it stays, and its asker is told.
pub(crate) fn fail(
    core: &mut Core,
    id: DeploymentId,
    refusal: &Refusal,
    now: Now,
    out: &mut Actions,
) {
    audit::not_deployed(core, id, refusal, out);
    let Some(deployment) = core.rooms.user_agent.get_mut(id) else {
        return;
    };
    if let Some(asker) = deployment.asker.take() {
        let what = deployment
            .package
            .as_ref()
            .map_or(&deployment.wanted.component, |package| &package.name);
        let mut told = refusal.clone();
        told.reason = format!("cannot deploy `{what}`: {}", refusal.reason);
        respond::later(core, &asker, Err(told), out);
    }
    remove_for(core, id, refusal, now, out);
}

/// Takes a component out of its sandbox and out of every book.
pub(crate) fn remove(core: &mut Core, id: DeploymentId, now: Now, out: &mut Actions) {
    let refusal = Refusal::new(Code::UNAVAILABLE, "removed", "its stub was removed");
    remove_for(core, id, &refusal, now, out);
}

fn remove_for(core: &mut Core, id: DeploymentId, refusal: &Refusal, now: Now, out: &mut Actions) {
    audit::removed(core, id, out);
    leave_sandbox(core, id, now, out);
    registration::component_gone(core, id, now, out);
    let owner = OwnerId::Component(id);
    core.rooms.bus.listeners.remove_all(owner);
    sync::left(core, owner, now, out);
    core.rooms.registry.unregister(owner);
    core.epoch += 1;
    let Some(deployment) = core.rooms.user_agent.remove(id) else {
        return;
    };
    fetch::stub_gone(core, id, refusal, now, out);
    // What waits for it is looked at again; a domain of this runtime's gets a new stub.
    core.check_by(now.mono);
    if let Some(domain) = deployment.way.filter(|_| !deployment.has_run) {
        reach::failed(core, &domain, refusal, now, out);
    }
    let previous = deployment.previous.map(|previous| previous.package);
    for package in [deployment.package, previous].into_iter().flatten() {
        if let Package {
            code: Loadable::Program(program),
            ..
        } = package
        {
            out.list.push(Action::Forget { program });
        }
    }
}

/// Takes a component out of its sandbox; an empty sandbox is dismissed.
pub(crate) fn leave_sandbox(core: &mut Core, id: DeploymentId, now: Now, out: &mut Actions) {
    let Some(deployment) = core.rooms.user_agent.get_mut(id) else {
        return;
    };
    deployment.is_debugged = false;
    let Some(sandbox_id) = deployment.sandbox.take() else {
        return;
    };
    let address = deployment
        .package
        .as_ref()
        .map(|package| package.address.published());
    let was_sent = matches!(deployment.stage, Stage::Loading | Stage::Running);
    registration::component_cut(core, id, now, out);
    core.rooms.bus.listeners.remove_all(OwnerId::Component(id));
    sync::taken_down(core, OwnerId::Component(id));
    reach::sender_left(core, OwnerId::Component(id), now, out);
    core.check_by(now.mono);
    dial::forget(core, |_, component| component == id, out);
    core.epoch += 1;
    let Some(sandbox) = core.rooms.sandboxes.get_mut(sandbox_id) else {
        return;
    };
    sandbox.components.retain(|component| *component != id);
    let link = sandbox.link;
    if sandbox.components.is_empty() {
        supervise::dismiss(core, sandbox_id, now, out);
    } else if let (Some(link), Some(component), true) = (link, address, was_sent) {
        respond::send(
            core,
            link,
            &CoreFrame::Unload {
                component: &component,
            },
            out,
        );
    }
    if let (Some(link), Some(address)) = (
        link,
        core.rooms
            .user_agent
            .get(id)
            .and_then(|d| d.package.as_ref().map(|p| p.address.clone())),
    ) {
        orphan::end_requests_to(core, link, &address, now, out);
    }
}
