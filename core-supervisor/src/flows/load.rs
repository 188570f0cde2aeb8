//! Code goes to a sandbox that is confirmed, and runs there or does not.
//!
//! ready → load → (loaded | load_failed)

use protocol::frame::{Exec, Load, LoadFailed, LogLevel, Start};
use protocol::{Address, Code, CoreFrame};

use crate::core::Core;
use crate::event::{Action, Actions, Now};
use crate::flows::dial::connector;
use crate::flows::respond::{self, Refusal};
use crate::flows::{
    audit, debug, fetch, observe, quotas, reach, registration, reload, serve_storage, sync,
    undeploy,
};
use crate::ids::{DeploymentId, LinkId, OwnerId, SandboxId};
use crate::ingress::{Fault, LinkKind};
use crate::limits::LOAD_MAX;
use crate::rooms::user_agent::{Loadable, Package, Stage};

/// A sandbox is confirmed: what waits for it is loaded.
pub(crate) fn ready(core: &mut Core, sandbox: SandboxId, now: Now, out: &mut Actions) {
    let components = core
        .rooms
        .sandboxes
        .get(sandbox)
        .map(|s| s.components.clone())
        .unwrap_or_default();
    for id in components {
        load(core, id, sandbox, now, out);
    }
}

/// A component runs.
pub(crate) fn loaded(
    core: &mut Core,
    link: LinkId,
    component: &str,
    now: Now,
    out: &mut Actions,
) -> Result<(), Fault> {
    if is_connector(core, link) {
        connector::up(core, link, now, out);
        return Ok(());
    }
    let Some(id) = loading_on(core, link, component)? else {
        return Ok(());
    };
    let Some(deployment) = core.rooms.user_agent.get_mut(id) else {
        return Ok(());
    };
    deployment.stage = Stage::Running;
    deployment.since = now.mono;
    deployment.has_run = true;
    deployment.reason.clear();
    reload::kept(deployment, out);
    let asker = deployment.asker.take();
    let sandbox = deployment
        .sandbox
        .and_then(|sandbox| core.rooms.sandboxes.get(sandbox));
    if let Some(cell) = sandbox.and_then(|sandbox| sandbox.cell.clone()) {
        core.rooms.sandboxes.budget(&cell).started(now.mono);
    }
    registration::component_live(core, id, now, out);
    audit::deployed(core, id, out);
    sync::stub_up(core, OwnerId::Component(id));
    if let (Some(asker), Some(view)) = (asker, core.component(id, now)) {
        respond::later(core, &asker, Ok(respond::valued(&view)), out);
    }
    reach::up(core, id, now, out);
    fetch::stub_up(core, id, now, out);
    Ok(())
}

/// A component could not be started; its sandbox lives on.
pub(crate) fn load_failed(
    core: &mut Core,
    link: LinkId,
    failed: &LoadFailed<'_>,
    now: Now,
    out: &mut Actions,
) -> Result<(), Fault> {
    if is_connector(core, link) {
        connector::load_failed(core, failed.reason, now, out);
        return Ok(());
    }
    let Some(id) = loading_on(core, link, failed.component)? else {
        return Ok(());
    };
    let stage = match failed.stage {
        protocol::frame::LoadStage::Parse => "its code does not parse",
        protocol::frame::LoadStage::Construct => "it could not be constructed",
        protocol::frame::LoadStage::Start => "its start threw",
        protocol::frame::LoadStage::Exec => "it could not be executed",
    };
    let place = if failed.place.is_empty() {
        String::new()
    } else {
        format!(" at {}", failed.place)
    };
    let refusal = Refusal::new(
        Code::FAILED,
        "load",
        format!("{stage}: {}{place}", failed.reason),
    );
    if let Some(package) = core
        .rooms
        .user_agent
        .get(id)
        .and_then(|d| d.package.as_ref())
    {
        let (about, name) = (package.address.clone(), package.name.clone());
        let text = format!("{}\n{}", refusal.reason, failed.stack);
        observe::note(
            core,
            &about,
            &name,
            LogLevel::Error,
            text.trim_end(),
            now,
            out,
        );
    }
    if !reload::revert(core, id, &refusal, now, out) {
        undeploy::fail(core, id, &refusal, now, out);
    }
    Ok(())
}

pub(crate) fn load(
    core: &mut Core,
    id: DeploymentId,
    sandbox: SandboxId,
    now: Now,
    out: &mut Actions,
) {
    let place = core.rooms.sandboxes.get(sandbox);
    let Some((link, level)) = place.and_then(|s| Some((s.link?, s.level?))) else {
        return;
    };
    let Some(deployment) = core.rooms.user_agent.get_mut(id) else {
        return;
    };
    let Some(package) = deployment.package.clone() else {
        return;
    };
    deployment.stage = Stage::Loading;
    deployment.since = now.mono;
    if let Some(standing) = core.rooms.registry.standing_mut(OwnerId::Component(id)) {
        standing.link = Some(link);
        standing.level = Some(level);
    }
    core.epoch += 1;
    quotas::enter(core, link, &package);
    core.check_by(now.mono + LOAD_MAX);
    debug::hold(core, id, sandbox, now, out);
    match &package.code {
        Loadable::Script(file, text) => load_script(core, link, &package, (file, text), out),
        Loadable::Program(program) => load_program(core, link, &package, *program, out),
    }
}

fn load_script(
    core: &mut Core,
    link: LinkId,
    package: &Package,
    (file, text): (&str, &[u8]),
    out: &mut Actions,
) {
    serve_storage::seed(core, link, &package.address, out);
    let component = package.address.published();
    let load = Load {
        component: &component,
        name: &package.name,
        kind: package.kind,
        config: &package.config,
        file,
    };
    respond::send(core, link, &CoreFrame::Load(load, text), out);
}

fn load_program(
    core: &mut Core,
    link: LinkId,
    package: &Package,
    program: crate::ids::ProgramId,
    out: &mut Actions,
) {
    let component = package.address.as_str();
    let exec = Exec {
        component,
        name: &package.name,
    };
    let Some(bytes) = respond::encoded(core, link, &CoreFrame::Exec(exec), out) else {
        return;
    };
    out.list.push(Action::SendProgram {
        link,
        bytes,
        program,
    });
    let runtime = core.settings.runtime.clone();
    let begin = Start {
        address: component,
        runtime: runtime.as_str(),
        config: &package.config,
    };
    respond::send(core, link, &CoreFrame::Start(begin), out);
}

fn is_connector(core: &Core, link: LinkId) -> bool {
    let gate = core.gates.get(&link);
    gate.is_some_and(|gate| matches!(gate.kind, LinkKind::Connector(_)))
}

// The component that this link was told to load, and has not answered for yet.
// One that was removed meanwhile may still be answered for.
fn loading_on(core: &Core, link: LinkId, component: &str) -> Result<Option<DeploymentId>, Fault> {
    let address: Address = component
        .parse()
        .map_err(|_| Fault::Component(component.to_owned()))?;
    let Some(LinkKind::Sandbox(sandbox)) = core.gates.get(&link).map(|gate| gate.kind) else {
        return Ok(None);
    };
    let components = core
        .rooms
        .sandboxes
        .get(sandbox)
        .map(|s| s.components.as_slice());
    Ok(components.unwrap_or_default().iter().copied().find(|id| {
        core.rooms.user_agent.get(*id).is_some_and(|deployment| {
            deployment.stage == Stage::Loading
                && deployment
                    .package
                    .as_ref()
                    .is_some_and(|package| package.address == address)
        })
    }))
}
