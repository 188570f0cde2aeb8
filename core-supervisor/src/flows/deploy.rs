//! One deployment, in the order it happens.
//!
//! begin → package_read → (launched → greeted → confined) → ready → loaded
//!
//! Between two steps the core is back in its loop; the stage is kept in
//! rooms::user_agent. Every failure, at any step, ends in `fail`.

use protocol::api::user_agent::Deploy;
use protocol::frame::{ComponentKind, Level};
use protocol::nursery::Engine;
use protocol::{Address, Code};

use crate::core::Core;
use crate::event::{Action, Actions, Job, LaunchSpec, Now};
use crate::flows::respond::Refusal;
use crate::flows::{
    address, fetch, judge, legacy, load, reload, supervise, terms, trust, undeploy,
};
use crate::ids::{DeploymentId, OwnerId, Ticket};
use crate::limits::COMPONENTS_MAX;
use crate::party::PartyKind;
use crate::rooms::catalogue::elsewhere::SHIPPED;
use crate::rooms::catalogue::{self, PackageFailure, PackageRead, Wanted};
use crate::rooms::registry::{Place, Standing};
use crate::rooms::sandboxes::{Cell, Phase, Sandbox};
use crate::rooms::user_agent::{Asker, Deployment, Package, Session, Stage};
use crate::user::{NotUser, User};

/// Somebody asks for a component: its package is read.
pub(crate) fn begin(
    core: &mut Core,
    asker: Asker,
    wanted: Deploy,
    now: Now,
    out: &mut Actions,
) -> Result<(), Refusal> {
    has_room(core)?;
    let min_level = wanted
        .min_level
        .unwrap_or(core.settings.min_level)
        .max(core.settings.min_level);
    if min_level > core.settings.max_level {
        let reason = format!(
            "asks for {min_level}, and this runtime is set to {} at most",
            core.settings.max_level
        );
        return Err(Refusal::bad_request(reason));
    }
    let user = user_of(core, asker.owner, wanted.user.as_deref())?;
    fetch::grant_named(core, &asker, (&wanted.catalogue, &wanted.provider), out)?;
    enter(
        core,
        (Some(asker), None),
        (wanted, user, min_level),
        now,
        out,
    );
    Ok(())
}

/// Messages need the stub of a domain: it is deployed in the name of nobody. Who may
/// have that done was decided before (flows/reach.rs).
pub(crate) fn on_demand(
    core: &mut Core,
    domain: &str,
    place: Place,
    now: Now,
    out: &mut Actions,
) -> Result<(), Refusal> {
    has_room(core)?;
    let wanted = Deploy {
        component: place.component,
        provider: place.provider,
        ..Deploy::default()
    };
    let (user, level) = (core.settings.user.clone(), core.settings.min_level);
    let cause = (None, Some(domain.to_owned()));
    enter(core, cause, (wanted, user, level), now, out);
    Ok(())
}

/// The runtime needs a stub that came with it; nobody has to permit that.
pub(crate) fn shipped(
    core: &mut Core,
    place: Place,
    now: Now,
    out: &mut Actions,
) -> Result<DeploymentId, Refusal> {
    has_room(core)?;
    let cause = (None, Some(place.provider.clone()));
    let wanted = Deploy {
        catalogue: SHIPPED.to_owned(),
        component: place.component,
        provider: place.provider,
        ..Deploy::default()
    };
    let (user, level) = (core.settings.user.clone(), core.settings.min_level);
    Ok(enter(core, cause, (wanted, user, level), now, out))
}

fn has_room(core: &Core) -> Result<(), Refusal> {
    if core.stopping.is_some() {
        return Err(Refusal::new(
            Code::UNAVAILABLE,
            "stopping",
            "the runtime is stopping",
        ));
    }
    if core.rooms.user_agent.len() >= COMPONENTS_MAX {
        return Err(Refusal::busy(format!(
            "{COMPONENTS_MAX} components are deployed already"
        )));
    }
    Ok(())
}

fn enter(
    core: &mut Core,
    (asker, way): (Option<Asker>, Option<String>),
    (wanted, user, min_level): (Deploy, User, Level),
    now: Now,
    out: &mut Actions,
) -> DeploymentId {
    let ticket = core.next_ticket();
    let request = Wanted {
        catalogue: wanted.catalogue.clone(),
        component: wanted.component.clone(),
        provider: wanted.provider.clone(),
        is_exact: way.is_some(),
        is_here: false,
    };
    let deployment = Deployment {
        wanted,
        user,
        asker,
        way,
        stage: Stage::Reading,
        reason: String::new(),
        session: Session::default(),
        package: None,
        previous: None,
        sandbox: None,
        min_level,
        has_run: false,
        is_debugged: false,
        restarts: 0,
        since: now.mono,
        next_try: None,
    };
    let id = core.next_deployment();
    core.rooms.user_agent.begin(id, ticket, deployment);
    out.list.push(Action::Work(Job::ReadPackage {
        ticket,
        wanted: request,
    }));
    id
}

/// The package is here: the asker must be allowed to deploy it, and it gets its address.
pub(crate) fn package_read(
    core: &mut Core,
    ticket: Ticket,
    result: Result<PackageRead, PackageFailure>,
    now: Now,
    out: &mut Actions,
) {
    if let Some(reread) = core.rooms.user_agent.reread_for(ticket) {
        return reload::package_read(core, reread, result, now, out);
    }
    let Some(id) = core.rooms.user_agent.read_for(ticket) else {
        return legacy::read(core, ticket, result, now, out);
    };
    let read = match result {
        // It was removed while its package was being read.
        Ok(read) if core.rooms.user_agent.get(id).is_none() => return forget(&read, out),
        Ok(read) => read,
        Err(failure) => {
            return undeploy::fail(
                core,
                id,
                &Refusal::new(failure.code, "package", failure.reason),
                now,
                out,
            );
        }
    };
    if let Err(refusal) = register(core, id, &read, now, out) {
        forget(&read, out);
        return undeploy::fail(core, id, &refusal, now, out);
    }
    place(core, id, now, out);
}

// An application acts for whoever sits at this machine: nothing proves yet that it
// may speak for somebody else, and others would believe it.
fn user_of(core: &Core, asker: OwnerId, wanted: Option<&str>) -> Result<User, Refusal> {
    let own = &core.settings.user;
    let Some(text) = wanted else {
        return Ok(own.clone());
    };
    let user: User = text
        .parse()
        .map_err(|bad: NotUser| Refusal::bad_request(bad.to_string()))?;
    let standing = core.rooms.registry.standing(asker);
    let is_operator = standing.is_some_and(|standing| standing.kind == PartyKind::Operator);
    if user == *own || is_operator {
        return Ok(user);
    }
    let reason = format!(
        "only the operator deploys for `{user}`: leave `user` out, or `hyperty deploy --user {user}`"
    );
    Err(Refusal::new(Code::FORBIDDEN, "user", reason))
}

// What was read is not needed: the shell need not keep a program of it.
pub(crate) fn forget(read: &PackageRead, out: &mut Actions) {
    if let catalogue::Code::Program(program) = read.code {
        out.list.push(Action::Forget { program });
    }
}

/// Finds or makes the sandbox of a deployment whose package is here.
pub(crate) fn place(core: &mut Core, id: DeploymentId, now: Now, out: &mut Actions) {
    let Some((cell, spec)) = cell_of(core, id) else {
        return;
    };
    let sandbox = core
        .rooms
        .sandboxes
        .of_cell(&cell)
        .or_else(|| core.rooms.sandboxes.spare(&spec, cell.min_level))
        .unwrap_or_else(|| {
            let fresh = core.next_sandbox();
            core.rooms
                .sandboxes
                .queue(fresh, Sandbox::new(Some(cell.clone()), spec, now.mono));
            fresh
        });
    let Some(place) = core.rooms.sandboxes.get_mut(sandbox) else {
        return;
    };
    place.cell = Some(cell);
    place.components.push(id);
    let is_ready = place.phase == Phase::Ready;
    if let Some(deployment) = core.rooms.user_agent.get_mut(id) {
        deployment.stage = Stage::Launching;
        deployment.since = now.mono;
        deployment.sandbox = Some(sandbox);
    }
    if is_ready {
        load::load(core, id, sandbox, now, out);
    }
    supervise::start_next(core, now, out);
    core.refill_soon(now);
}

fn register(
    core: &mut Core,
    id: DeploymentId,
    read: &PackageRead,
    now: Now,
    out: &mut Actions,
) -> Result<(), Refusal> {
    let Some(deployment) = core.rooms.user_agent.get(id) else {
        return Ok(());
    };
    let asker = deployment.asker.as_ref().map(|asker| asker.owner);
    let overrides = deployment.wanted.configuration.clone();
    let user = deployment.user.clone();
    let way = deployment.way.clone();
    let PackageRead {
        descriptor,
        code,
        digest,
        source,
        seal,
    } = read;
    let constraints = terms::meets(descriptor)?;
    let limits = terms::limits(core, descriptor)?;
    let is_stub = descriptor.kind == ComponentKind::ProtoStub;
    let speaks_for = match &way {
        Some(domain) => domain.clone(),
        None if is_stub => descriptor.provider.clone(),
        None => String::new(),
    };
    let address = address::of_component(core, descriptor, &user, &speaks_for)
        .map_err(|bad| Refusal::bad_request(bad.to_string()))?;
    let standing = Standing {
        kind: judge::party_kind(descriptor.kind),
        provider: descriptor.provider.clone(),
        speaks_for,
        name: descriptor.name.clone(),
        user: Some(user.clone()),
        home: address.clone(),
        link: None,
        level: None,
        digest: digest.clone(),
    };
    let owner = OwnerId::Component(id);
    core.rooms.registry.register(owner, standing);
    if descriptor.kind == ComponentKind::IdpProxy
        && let Ok(short) = format!("domain-idp://{}", descriptor.provider).parse::<Address>()
    {
        core.rooms.registry.assign(&short, owner);
    }
    core.epoch += 1;
    if way.is_none() {
        terms::may_deploy(core, asker, &address, now)?;
    }
    let config = terms::configuration(core, descriptor, overrides)?;
    address::keep(core, descriptor, &user, &address, out);
    let package = Package {
        address,
        name: descriptor.name.clone(),
        provider: descriptor.provider.clone(),
        user,
        kind: descriptor.kind,
        engine: descriptor.engine,
        config,
        code: terms::loadable(code),
        digest: digest.clone(),
        source: source.clone(),
        origin: trust::origin(seal),
        resources: descriptor.hyperty_type.clone(),
        data_schemes: terms::data_schemes(descriptor),
        constraints,
        network: descriptor.network.clone(),
        limits,
    };
    if let Some(deployment) = core.rooms.user_agent.get_mut(id) {
        deployment.package = Some(package);
    }
    Ok(())
}

/// Whose code a deployment may share a process with, and what that process is to be.
pub(crate) fn cell_of(core: &Core, id: DeploymentId) -> Option<(Cell, LaunchSpec)> {
    let deployment = core.rooms.user_agent.get(id)?;
    let package = deployment.package.as_ref()?;
    let is_code_of_many =
        package.engine == Engine::Script && package.kind == ComponentKind::Hyperty;
    let shares = is_code_of_many && !deployment.is_debugged;
    let cell = Cell {
        provider: package.provider.clone(),
        user: package.user.clone(),
        kind: package.kind,
        engine: package.engine,
        min_level: deployment.min_level,
        quotas: package.limits.quotas.shared(),
        solo: (!shares).then_some(id),
    };
    let quotas = &package.limits.quotas;
    let spec = core.launch_spec(package.engine, deployment.min_level, quotas);
    Some((cell, spec))
}
