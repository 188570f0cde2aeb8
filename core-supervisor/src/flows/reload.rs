//! A component gets the code that its catalogue holds now, at the address it has.
//!
//! begin → package_read → swapped → (load::loaded → kept | revert)
//!
//! The old code runs until the new one is here and permitted, and again when the
//! new one does not load: whoever asked is told why. What the component is stays
//! as it was: another kind, engine, provider or name is another component.

use protocol::{Code, CoreFrame};

use crate::core::Core;
use crate::event::{Action, Actions, Job, Now};
use crate::flows::respond::{self, Refusal};
use crate::flows::{deploy, dial, load, orphan, reach, registration, sync, terms, trust, undeploy};
use crate::ids::{DeploymentId, OwnerId, SandboxId};
use crate::rooms::catalogue::{self, PackageFailure, PackageRead, Wanted};
use crate::rooms::user_agent::{Asker, Deployment, Loadable, Package, Previous, Reread, Stage};

/// Somebody wants a deployed component's package to be read again.
pub(crate) fn begin(
    core: &mut Core,
    id: DeploymentId,
    asker: Asker,
    out: &mut Actions,
) -> Result<(), Refusal> {
    let Some(deployment) = core.rooms.user_agent.get(id) else {
        return Err(Refusal::not_found("the component is gone"));
    };
    let wanted = Wanted {
        catalogue: deployment.wanted.catalogue.clone(),
        component: deployment.wanted.component.clone(),
        provider: deployment.wanted.provider.clone(),
        is_exact: deployment.way.is_some(),
        is_here: false,
    };
    begin_with(core, id, asker, wanted, out)
}

/// The same with another package than the one that was deployed.
pub(crate) fn begin_with(
    core: &mut Core,
    id: DeploymentId,
    asker: Asker,
    wanted: Wanted,
    out: &mut Actions,
) -> Result<(), Refusal> {
    let stage = may_begin(core, id)?;
    let reread = Reread {
        id,
        asker: Some(asker),
        was_stopped: stage == Stage::Stopped,
    };
    let ticket = core.next_ticket();
    core.rooms.user_agent.reread(ticket, reread);
    out.list
        .push(Action::Work(Job::ReadPackage { ticket, wanted }));
    Ok(())
}

/// Whether a deployment's package may be read again now; how far it has come.
pub(crate) fn may_begin(core: &Core, id: DeploymentId) -> Result<Stage, Refusal> {
    let Some(deployment) = core.rooms.user_agent.get(id) else {
        return Err(Refusal::not_found("the component is gone"));
    };
    if is_on_its_way(deployment.stage) || core.rooms.user_agent.is_reread(id) {
        return Err(on_its_way());
    }
    Ok(deployment.stage)
}

/// The package is here: it takes the place of the old one, or does not.
pub(crate) fn package_read(
    core: &mut Core,
    reread: Reread,
    result: Result<PackageRead, PackageFailure>,
    now: Now,
    out: &mut Actions,
) {
    let read = match result {
        Ok(read) => read,
        Err(failure) => {
            let refusal = Refusal::new(failure.code, "package", failure.reason);
            return refuse(core, reread, &refusal, out);
        }
    };
    match package(core, &reread, &read, now) {
        Ok(package) => swap(core, reread, package, now, out),
        Err(refusal) => {
            deploy::forget(&read, out);
            refuse(core, reread, &refusal, out);
        }
    }
}

/// The new code runs: the old one is not needed any more.
pub(crate) fn kept(deployment: &mut Deployment, out: &mut Actions) {
    if let Some(previous) = deployment.previous.take() {
        forget(&previous.package, out);
    }
}

/// The new code does not run: the old one does again, where it did before.
///
/// `false` when there is no old one.
pub(crate) fn revert(
    core: &mut Core,
    id: DeploymentId,
    refusal: &Refusal,
    now: Now,
    out: &mut Actions,
) -> bool {
    let Some(was) = give_up(core, id, refusal, out) else {
        return false;
    };
    let sandbox = core.rooms.user_agent.get(id).and_then(|d| d.sandbox);
    match (was, sandbox) {
        (Stage::Stopped | Stage::Failed, _) => undeploy::leave_sandbox(core, id, now, out),
        (_, Some(sandbox)) if takes_another(core, id) => {
            detach(core, id, now, out);
            load::load(core, id, sandbox, now, out);
        }
        _ => {
            undeploy::leave_sandbox(core, id, now, out);
            deploy::place(core, id, now, out);
        }
    }
    true
}

/// Puts the old package back in its place and tells whoever asked for the new
/// one. What was the stage of the old one, if there is an old one.
pub(crate) fn give_up(
    core: &mut Core,
    id: DeploymentId,
    refusal: &Refusal,
    out: &mut Actions,
) -> Option<Stage> {
    let deployment = core.rooms.user_agent.get_mut(id)?;
    let Previous { package, stage } = deployment.previous.take()?;
    deployment.stage = stage;
    let digest = package.digest.clone();
    if let Some(refused) = deployment.package.replace(package) {
        forget(&refused, out);
    }
    let asker = deployment.asker.take();
    note_digest(core, id, digest);
    if let Some(asker) = asker {
        let mut told = refusal.clone();
        told.reason = format!("the old code goes on: {}", refusal.reason);
        respond::later(core, &asker, Err(told), out);
    }
    Some(stage)
}

// Everything that can be said against the new package, and the package.
fn package(
    core: &mut Core,
    reread: &Reread,
    read: &PackageRead,
    now: Now,
) -> Result<Package, Refusal> {
    let id = reread.id;
    let deployment = core.rooms.user_agent.get(id);
    let Some(deployment) = deployment.filter(|deployment| deployment.package.is_some()) else {
        return Err(Refusal::not_found("the component was removed meanwhile"));
    };
    if is_on_its_way(deployment.stage) {
        return Err(on_its_way());
    }
    if deployment.stage == Stage::Stopped && !reread.was_stopped {
        let reason = "the component was stopped meanwhile";
        return Err(Refusal::new(Code::CONFLICT, "stopped", reason));
    }
    let overrides = deployment.wanted.configuration.clone();
    let old = deployment.package.clone();
    let old = old.ok_or_else(|| Refusal::not_found("the component was removed meanwhile"))?;
    is_the_same(&old, &read.descriptor)?;
    let constraints = terms::meets(&read.descriptor)?;
    let limits = terms::limits(core, &read.descriptor)?;
    let config = terms::configuration(core, &read.descriptor, overrides)?;
    // Asked with the new digest in place: a rule may look at it.
    note_digest(core, id, read.digest.clone());
    let asker = reread.asker.as_ref().map(|asker| asker.owner);
    if let Err(refusal) = terms::may_deploy(core, asker, &old.address, now) {
        note_digest(core, id, old.digest);
        return Err(refusal);
    }
    Ok(Package {
        config,
        code: terms::loadable(&read.code),
        digest: read.digest.clone(),
        source: read.source.clone(),
        origin: trust::origin(&read.seal),
        resources: read.descriptor.hyperty_type.clone(),
        data_schemes: terms::data_schemes(&read.descriptor),
        constraints,
        network: read.descriptor.network.clone(),
        limits,
        ..old
    })
}

fn is_the_same(old: &Package, new: &catalogue::Descriptor) -> Result<(), Refusal> {
    let changed = if old.kind != new.kind {
        "kind"
    } else if old.engine != new.engine {
        "language"
    } else if old.provider != new.provider {
        "provider"
    } else if old.name != new.name {
        "name"
    } else {
        return Ok(());
    };
    let reason = format!("its {changed} has changed: remove it and deploy it anew");
    Err(Refusal::new(Code::CONFLICT, "another", reason))
}

fn swap(core: &mut Core, reread: Reread, package: Package, now: Now, out: &mut Actions) {
    let Reread { id, asker, .. } = reread;
    let Some(deployment) = core.rooms.user_agent.get_mut(id) else {
        return;
    };
    let stage = deployment.stage;
    let previous = deployment.package.replace(package);
    deployment.previous = previous.map(|package| Previous { package, stage });
    deployment.asker = asker;
    deployment.next_try = None;
    let sandbox = deployment.sandbox;
    let stays = stage == Stage::Running && takes_another(core, id);
    if let Some(sandbox) = sandbox.filter(|_| stays) {
        unload(core, id, sandbox, now, out);
        load::load(core, id, sandbox, now, out);
    } else {
        undeploy::leave_sandbox(core, id, now, out);
        deploy::place(core, id, now, out);
    }
}

// Out of the sandbox, which stays: whatever comes from now on is for the new code.
fn unload(core: &mut Core, id: DeploymentId, sandbox: SandboxId, now: Now, out: &mut Actions) {
    let address = core.rooms.user_agent.get(id).and_then(|deployment| {
        let package = deployment.package.as_ref()?;
        Some(package.address.clone())
    });
    let link = core.rooms.sandboxes.get(sandbox).and_then(|s| s.link);
    let (Some(address), Some(link)) = (address, link) else {
        return;
    };
    detach(core, id, now, out);
    let component = address.published();
    let frame = CoreFrame::Unload {
        component: &component,
    };
    respond::send(core, link, &frame, out);
    orphan::end_requests_to(core, link, &address, now, out);
}

// What the code that goes had listened to and observed is not the next one's.
fn detach(core: &mut Core, id: DeploymentId, now: Now, out: &mut Actions) {
    let owner = OwnerId::Component(id);
    registration::component_cut(core, id, now, out);
    core.rooms.bus.listeners.remove_all(owner);
    sync::taken_down(core, owner);
    reach::sender_left(core, owner, now, out);
    dial::forget(core, |_, component| component == id, out);
    core.epoch += 1;
}

// A script host takes one script after the other, if that may have as much; a program
// is its process.
fn takes_another(core: &Core, id: DeploymentId) -> bool {
    let deployment = core.rooms.user_agent.get(id);
    let package = deployment.and_then(|deployment| deployment.package.as_ref());
    let sandbox = deployment.and_then(|deployment| deployment.sandbox);
    let sandbox = sandbox.and_then(|sandbox| core.rooms.sandboxes.get(sandbox));
    let cell = sandbox.and_then(|sandbox| sandbox.cell.as_ref());
    package.zip(cell).is_some_and(|(package, cell)| {
        matches!(package.code, Loadable::Script(..))
            && package.limits.quotas.shared() == cell.quotas
    })
}

fn is_on_its_way(stage: Stage) -> bool {
    matches!(stage, Stage::Reading | Stage::Launching | Stage::Loading)
}

fn on_its_way() -> Refusal {
    let reason = "the component is being loaded: try again when it runs";
    Refusal::new(Code::CONFLICT, "busy", reason)
}

fn refuse(core: &mut Core, reread: Reread, refusal: &Refusal, out: &mut Actions) {
    if let Some(asker) = reread.asker {
        let mut told = refusal.clone();
        told.reason = format!("cannot reload: {}", refusal.reason);
        respond::later(core, &asker, Err(told), out);
    }
}

fn note_digest(core: &mut Core, id: DeploymentId, digest: String) {
    if let Some(standing) = core.rooms.registry.standing_mut(OwnerId::Component(id)) {
        standing.digest = digest;
        // Judgements may have looked at the old one.
        core.epoch += 1;
    }
}

fn forget(package: &Package, out: &mut Actions) {
    if let Loadable::Program(program) = package.code {
        out.list.push(Action::Forget { program });
    }
}
