//! A link, from its first byte to its last.
//!
//! connected → hello → (confined → inspected) → running → closed
//!
//! A sandbox proves its lock before any code is sent to it: it claims a level,
//! and the core looks at its process from outside. A local process says whether
//! it is the operator or an application.

use protocol::frame::{Confined, Hello, Level, Role, Start};
use protocol::nursery::Engine;
use protocol::{Address, CoreFrame, version};

use crate::core::Core;
use crate::event::{Action, Actions, Confinement, Now, Peer};
use crate::flows::dial::{self, connector, roots};
use crate::flows::{lend, load, orphan, respond, supervise, sync};
use crate::ids::{LinkId, OwnerId, SandboxId};
use crate::ingress::{Fault, Gate, LinkKind, Phase};
use crate::limits::{GREETING_MAX, PING_EVERY};
use crate::party::PartyKind;
use crate::rooms::registry::Standing;
use crate::rooms::sandboxes;

/// A link exists: it is told the version and its nonce.
pub(crate) fn connected(core: &mut Core, link: LinkId, peer: Peer, now: Now, out: &mut Actions) {
    let kind = match peer {
        Peer::Sandbox(sandbox) if is_connector(core, sandbox) => LinkKind::Connector(sandbox),
        Peer::Sandbox(sandbox) => LinkKind::Sandbox(sandbox),
        Peer::Local { .. } => LinkKind::Stranger,
    };
    let nonce = core.rooms.allocation.nonce();
    let mut gate = Gate::new(kind, nonce, now.mono);
    if let Peer::Sandbox(sandbox) = peer
        && let Some(sandbox) = core.rooms.sandboxes.get_mut(sandbox)
    {
        sandbox.link = Some(link);
        gate.has_heartbeat =
            sandbox.spec.engine == Engine::Script || sandbox.spec.profile == connector::PROFILE;
    }
    core.gates.insert(link, gate);
    core.rooms.bus.numbers.links += 1;
    core.check_by(now.mono + GREETING_MAX);
    respond::send(
        core,
        link,
        &CoreFrame::Welcome {
            version: version::PROTOCOL,
            nonce,
        },
        out,
    );
}

/// The peer greets.
pub(crate) fn hello(
    core: &mut Core,
    link: LinkId,
    hello: &Hello<'_>,
    now: Now,
    out: &mut Actions,
) -> Result<(), Fault> {
    let Some(gate) = core.gates.get_mut(&link) else {
        return Ok(());
    };
    if !version::is_spoken(hello.version) {
        return Err(Fault::Version(hello.version));
    }
    if hello.nonce != gate.nonce {
        return Err(Fault::Nonce);
    }
    match (gate.kind, hello.role) {
        (LinkKind::Sandbox(_) | LinkKind::Connector(_), Role::Sandbox) => {
            gate.phase = Phase::Confining;
            Ok(())
        }
        (LinkKind::Stranger, Role::Operator) => {
            gate.kind = LinkKind::Operator;
            welcome(core, link, PartyKind::Operator, "", "operator", now, out)
        }
        (
            LinkKind::Stranger,
            Role::Application {
                provider,
                name,
                token,
            },
        ) => {
            if !core
                .settings
                .token
                .as_deref()
                .is_none_or(|expected| is_same(expected, token))
            {
                return Err(Fault::Token);
            }
            gate.kind = LinkKind::Application;
            welcome(core, link, PartyKind::Application, provider, name, now, out)
        }
        _ => Err(Fault::Role),
    }
}

/// A sandbox says that it is locked.
pub(crate) fn confined(
    core: &mut Core,
    link: LinkId,
    confined: &Confined<'_>,
    _: Now,
    out: &mut Actions,
) -> Result<(), Fault> {
    let Some(id) = core.gates.get(&link).and_then(|gate| gate.kind.sandbox()) else {
        return Ok(());
    };
    let Some(sandbox) = core.rooms.sandboxes.get_mut(id) else {
        return Ok(());
    };
    if confined.level < sandbox.spec.min_level {
        let claim = format!(
            "reached {}, the floor is {}",
            confined.level, sandbox.spec.min_level
        );
        return Err(Fault::Confinement(claim));
    }
    if confined.profile != sandbox.spec.profile {
        return Err(Fault::Confinement(format!(
            "applied profile `{}`",
            confined.profile
        )));
    }
    sandbox.level = Some(confined.level);
    sandbox.proofs = confined
        .proofs
        .split(',')
        .take(64)
        .map(str::to_owned)
        .collect();
    sandbox.phase = sandboxes::Phase::Inspecting;
    if let Some(pid) = sandbox.pid {
        out.list.push(Action::Inspect { sandbox: id, pid });
    }
    Ok(())
}

/// The core has looked at a sandbox from outside.
pub(crate) fn inspected(
    core: &mut Core,
    id: SandboxId,
    seen: Result<Confinement, String>,
    now: Now,
    out: &mut Actions,
) {
    let Some(sandbox) = core.rooms.sandboxes.get_mut(id) else {
        return;
    };
    if sandbox.phase != sandboxes::Phase::Inspecting {
        return;
    }
    let (Some(link), Some(level)) = (sandbox.link, sandbox.level) else {
        return;
    };
    let problem = match seen {
        Ok(seen) => unconfirmed(level, seen),
        Err(reason) => Some(reason),
    };
    if let Some(problem) = problem.filter(|_| level > Level::L0) {
        supervise::fault(core, link, &Fault::Confinement(problem), now, out);
        return;
    }
    sandbox.phase = sandboxes::Phase::Ready;
    sandbox.since = now.mono;
    sandbox.ping_due = now.mono + PING_EVERY;
    if let Some(gate) = core.gates.get_mut(&link) {
        gate.phase = Phase::Running;
    }
    core.check_by(now.mono + PING_EVERY);
    load::ready(core, id, now, out);
    connector::ready(core, id, link, out);
    supervise::start_next(core, now, out);
}

/// A link is gone.
pub(crate) fn closed(core: &mut Core, link: LinkId, now: Now, out: &mut Actions) {
    let Some(gate) = core.gates.get(&link) else {
        return;
    };
    match gate.kind {
        LinkKind::Sandbox(sandbox) | LinkKind::Connector(sandbox) => {
            supervise::link_lost(core, sandbox, link, now, out);
        }
        LinkKind::Operator | LinkKind::Application | LinkKind::Stranger => {
            forget(core, link, now, out);
        }
    }
}

/// Takes a link out of every book; who waited for it is told.
pub(crate) fn forget(core: &mut Core, link: LinkId, now: Now, out: &mut Actions) {
    let Some(gate) = core.gates.remove(&link) else {
        return;
    };
    core.queued = core.queued.saturating_sub(gate.queued);
    core.rooms.bus.numbers.links = core.rooms.bus.numbers.links.saturating_sub(1);
    core.rooms.bus.taps.close_link(link);
    core.rooms.sandboxes.journal.close_link(link);
    core.rooms.user_agent.forget_asker(link);
    core.rooms.bus.parked.forget_link(link);
    if let Some(owner) = gate.owner {
        core.rooms.bus.listeners.remove_all(owner);
        sync::left(core, owner, now, out);
        if let Some(standing) = core.rooms.registry.standing(owner) {
            core.rooms.subscriptions.forget(&standing.home);
        }
        core.rooms.registry.unregister(owner);
    }
    core.epoch += 1;
    lend::forget_link(core, link, out);
    dial::forget(core, |of, _| of == link, out);
    roots::forget(core, link);
    orphan::end_requests(core, link, now, out);
}

fn welcome(
    core: &mut Core,
    link: LinkId,
    kind: PartyKind,
    provider: &str,
    name: &str,
    _: Now,
    out: &mut Actions,
) -> Result<(), Fault> {
    let home = local_address(core, link, kind, provider, name).ok_or(Fault::Role)?;
    let owner = OwnerId::Local(link);
    let standing = Standing {
        kind,
        provider: provider.to_owned(),
        speaks_for: String::new(),
        name: name.to_owned(),
        // Whoever sits at this machine, whatever users its components have.
        user: Some(core.settings.user.clone()),
        home: home.clone(),
        link: Some(link),
        level: None,
        digest: String::new(),
    };
    core.rooms.registry.register(owner, standing);
    core.epoch += 1;
    if let Some(gate) = core.gates.get_mut(&link) {
        gate.owner = Some(owner);
        gate.phase = Phase::Running;
    }
    let runtime = core.settings.runtime.clone();
    let start = Start {
        address: home.as_str(),
        runtime: runtime.as_str(),
        config: "{}",
    };
    respond::send(core, link, &CoreFrame::Start(start), out);
    Ok(())
}

fn is_connector(core: &Core, sandbox: SandboxId) -> bool {
    let sandbox = core.rooms.sandboxes.get(sandbox);
    sandbox.is_some_and(|sandbox| sandbox.spec.profile == connector::PROFILE)
}

// `app://<provider>/<name>/<n>`: an address of its provider's domain. The operator's
// is below the runtime, because the operator belongs to it.
fn local_address(
    core: &Core,
    link: LinkId,
    kind: PartyKind,
    provider: &str,
    name: &str,
) -> Option<Address> {
    let text = match kind {
        PartyKind::Operator => format!("{}/operator/{}", core.settings.runtime, link.0),
        _ => format!("app://{provider}/{name}/{}", link.0),
    };
    let is_word = name
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    text.parse().ok().filter(|_| is_word && !name.is_empty())
}

fn unconfirmed(level: Level, seen: Confinement) -> Option<String> {
    let mut missing = Vec::new();
    if !seen.no_new_privs {
        missing.push("no_new_privs is not set");
    }
    if seen.threads != 1 {
        missing.push("it has several threads");
    }
    if level >= Level::L2 && !seen.seccomp_filtered {
        missing.push("no seccomp filter is in force");
    }
    if level >= Level::L2 && !seen.no_capabilities {
        missing.push("it holds capabilities");
    }
    if level >= Level::L3 && !seen.own_namespaces {
        missing.push("it shares a namespace with the core");
    }
    (!missing.is_empty()).then(|| missing.join(", "))
}

// In time that does not depend on where they differ.
fn is_same(expected: &str, given: &str) -> bool {
    let differences = expected
        .bytes()
        .zip(given.bytes())
        .fold(0, |sum, (a, b)| sum | (a ^ b));
    expected.len() == given.len() && differences == 0
}
