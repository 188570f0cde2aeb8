//! The rooms that answer about the runtime itself: registry, policy, catalogue.

use protocol::api::policy::InForce;
use protocol::api::registry::{Entry, Listing, Resolve};
use protocol::api::{catalogue, registry, sandboxes};
use protocol::frame::LogLevel;
use protocol::{Address, Code, MessageKind};
use serde::Serialize;

use crate::core::{Core, Waiting};
use crate::event::{Action, Actions, Now};
use crate::flows::judge;
use crate::flows::respond::{self, Refusal};
use crate::flows::serve::{Answer, Asked, Served, not_understood, value};
use crate::ids::{OwnerId, Ticket};
use crate::party::PartyKind;
use crate::rooms::catalogue::CatalogueListing;
use crate::rooms::policy::{Act, PepRequest, PolicySet, Problems};
use crate::rooms::registry::Route;

/// Messages to `/registry`.
pub(crate) fn registry(core: &mut Core, asked: &Asked<'_>) -> Served {
    if asked.header().kind != MessageKind::Read {
        return Err(not_understood(registry::PATH, asked.header()));
    }
    let resolve: Resolve = asked.body()?;
    if resolve.resource.is_empty() {
        let entries = core.rooms.registry.entries();
        let entries = entries
            .into_iter()
            .filter_map(|(address, owner)| entry(core, address, owner))
            .collect();
        return value(&Listing { entries });
    }
    let address: Address =
        resolve
            .resource
            .parse()
            .map_err(|bad: protocol::address::BadAddress| {
                Refusal::bad_request(format!("`{}`: {bad}", resolve.resource))
            })?;
    match core
        .rooms
        .registry
        .resolve(&address, &core.settings.runtime)
    {
        Route::Owner(owner) | Route::Stub(owner) => value(&entry(core, address.as_str(), owner)),
        Route::Absent | Route::Foreign => Err(Refusal::not_found(format!(
            "nobody has the address `{address}`"
        ))),
    }
}

/// Messages to `/pep`.
pub(crate) fn policy(core: &mut Core, asked: &Asked<'_>, out: &mut Actions) -> Served {
    let message = &asked.admitted.message;
    let request = PepRequest::parse(message.header.kind, message.body);
    match request.map_err(|refused| Refusal::new(refused.code, "not-understood", refused.reason))? {
        PepRequest::Show => value(&core.rooms.policy.in_force()),
        PepRequest::Why(decision) => {
            let reason =
                format!("decision `{decision}` is not remembered: ask by from, to and type");
            value(
                &core
                    .rooms
                    .policy
                    .explain(decision)
                    .ok_or_else(|| Refusal::not_found(reason))?,
            )
        }
        PepRequest::WouldDecide { from, to, kind } => {
            judged_now(core, &from, &to, &kind, asked.now)
        }
        PepRequest::Reload => {
            reload_asked(core, Some(asked), out);
            Ok(Answer::Later)
        }
    }
}

/// The policy files are to be read again.
pub(crate) fn reload_asked(core: &mut Core, asked: Option<&Asked<'_>>, out: &mut Actions) {
    let ticket = core.next_ticket();
    core.waiting
        .push((ticket, Waiting::Policy(asked.map(Asked::asker))));
    out.list.push(Action::CompilePolicy { ticket });
}

/// The policy files have been compiled: they replace the old set, or leave it be.
pub(crate) fn policy_compiled(
    core: &mut Core,
    ticket: Ticket,
    result: Result<PolicySet, Problems>,
    _: Now,
    out: &mut Actions,
) {
    let Some(Waiting::Policy(asker)) = take(core, ticket) else {
        return;
    };
    let answer = match result {
        Ok(set) => {
            core.rooms.policy.install(set);
            core.epoch += 1;
            let text = format!("policy in force version={}", core.rooms.policy.version());
            out.list.push(Action::Record {
                level: LogLevel::Info,
                text,
            });
            Ok(respond::valued::<InForce>(&core.rooms.policy.in_force()))
        }
        Err(problems) => {
            let first = problems
                .problems
                .first()
                .map(|p| format!("{}: {}", p.place, p.message))
                .unwrap_or_default();
            let text = format!(
                "policy not loaded, version {} stays in force: {first}",
                core.rooms.policy.version()
            );
            out.list.push(Action::Record {
                level: LogLevel::Error,
                text: text.clone(),
            });
            Err((text, problems))
        }
    };
    let Some(asker) = asker else { return };
    match answer {
        Ok(body) => respond::later(core, &asker, Ok(body), out),
        Err((text, problems)) => problems_to(core, &asker, &text, &problems, out),
    }
}

/// Messages to `/catalogue`.
pub(crate) fn catalogue(core: &mut Core, asked: &Asked<'_>, out: &mut Actions) -> Served {
    let query: catalogue::Query = asked.body()?;
    let check = match (asked.header().kind, query.method.as_str()) {
        (MessageKind::Read, _) => false,
        (MessageKind::Execute, "check") => true,
        (MessageKind::Execute, other) => {
            return Err(Refusal::bad_request(format!(
                "`{other}` is not a method: say check"
            )));
        }
        _ => return Err(not_understood(catalogue::PATH, asked.header())),
    };
    let ticket = core.next_ticket();
    core.waiting
        .push((ticket, Waiting::Catalogue(asked.asker())));
    out.list.push(Action::ReadCatalogue {
        ticket,
        catalogue: query.catalogue,
        check,
    });
    Ok(Answer::Later)
}

/// Catalogues have been listed.
pub(crate) fn catalogue_read(
    core: &mut Core,
    ticket: Ticket,
    listing: &CatalogueListing,
    out: &mut Actions,
) {
    if let Some(Waiting::Catalogue(asker)) = take(core, ticket) {
        respond::later(core, &asker, Ok(respond::valued(listing)), out);
    }
}

/// Every sandbox, as the outside sees it.
pub(crate) fn sandboxes(core: &Core) -> sandboxes::Listing {
    let view = |(id, sandbox): (crate::ids::SandboxId, &crate::rooms::sandboxes::Sandbox)| {
        sandboxes::Sandbox {
            id: id.0,
            provider: sandbox
                .cell
                .as_ref()
                .map(|cell| cell.provider.clone())
                .unwrap_or_default(),
            engine: sandbox.spec.engine,
            profile: sandbox.spec.profile.clone(),
            phase: sandbox.phase.name(sandbox.cell.is_none()).to_owned(),
            level: sandbox.level,
            pid: sandbox.pid,
            components: sandbox
                .components
                .iter()
                .filter_map(|component| core.rooms.user_agent.get(*component)?.package.as_ref())
                .map(|package| package.address.as_str().to_owned())
                .collect(),
            private_bytes: None,
            proofs: sandbox.proofs.clone(),
        }
    };
    sandboxes::Listing {
        sandboxes: core.rooms.sandboxes.iter().map(view).collect(),
    }
}

// What would be decided now: the same evaluation, with the parties as they are.
fn judged_now(core: &mut Core, from: &str, to: &str, kind: &str, now: Now) -> Served {
    let parse = |name: &str, text: &str| {
        text.parse::<Address>()
            .map_err(|bad| Refusal::bad_request(format!("`{name}` `{text}`: {bad}")))
    };
    let (from, to) = (parse("from", from)?, parse("to", to)?);
    let sender = core.rooms.registry.owner_of(&from);
    let sender = sender.or_else(|| core.rooms.registry.stub_for(from.domain()));
    let act = match kind {
        "listen" => Act::Listen,
        "deploy" => Act::Deploy,
        kind => Act::Message(kind),
    };
    // Nobody has the sender's address: nothing could come from there.
    let sender =
        sender.ok_or_else(|| Refusal::not_found(format!("nobody has the address `{from}`")))?;
    let (_, _, decision) = judge::decide(core, act, sender, (&from, &to), &[], now);
    value(&core.rooms.policy.explain(decision))
}

fn entry(core: &Core, address: &str, owner: OwnerId) -> Option<Entry> {
    let standing = core.rooms.registry.standing(owner)?;
    let is_room = matches!(owner, OwnerId::Room(_));
    let is_home = standing.home.as_str() == address;
    let kind = match standing.kind {
        _ if !is_home && !is_room => "object",
        PartyKind::Hyperty => "hyperty",
        PartyKind::ProtoStub => "proto-stub",
        PartyKind::IdpProxy => "idp-proxy",
        PartyKind::Application => "application",
        PartyKind::Operator => "operator",
        PartyKind::Room => "room",
        PartyKind::Remote => "remote",
    };
    let status = if is_room || standing.link.is_some() {
        "live"
    } else {
        "reserved"
    };
    Some(Entry {
        address: address.to_owned(),
        kind: kind.to_owned(),
        provider: standing.provider.clone(),
        name: standing.name.clone(),
        owner: standing.home.as_str().to_owned(),
        status: status.to_owned(),
        route: route(core, address, owner, standing.home.as_str()),
    })
}

fn route(core: &Core, address: &str, owner: OwnerId, home: &str) -> Vec<String> {
    let mut hops = vec!["core".to_owned()];
    if let OwnerId::Component(id) = owner
        && let Some(sandbox) = core
            .rooms
            .user_agent
            .get(id)
            .and_then(|deployment| deployment.sandbox)
    {
        let pid = core.rooms.sandboxes.get(sandbox).and_then(|s| s.pid);
        hops.push(format!(
            "sandbox {}{}",
            sandbox.0,
            pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default()
        ));
    }
    if home != address {
        hops.push(home.to_owned());
    }
    hops.push(address.to_owned());
    hops
}

fn problems_to(
    core: &mut Core,
    asker: &crate::rooms::user_agent::Asker,
    text: &str,
    problems: &Problems,
    out: &mut Actions,
) {
    #[derive(Serialize)]
    struct Body<'b> {
        code: u16,
        desc: &'b str,
        description: &'b str,
        value: &'b Problems,
    }
    let body = Body {
        code: Code::BAD_REQUEST.0,
        desc: text,
        description: text,
        value: problems,
    };
    let body = serde_json::to_vec(&body).unwrap_or_default();
    let mut asked = protocol::Message::new(MessageKind::Execute, &asker.from, &asker.to, &[]);
    asked.header.id = asker.id;
    respond::answer(
        core,
        asker.link,
        &asked.header,
        Code::BAD_REQUEST,
        &body,
        out,
    );
}

fn take(core: &mut Core, ticket: Ticket) -> Option<Waiting> {
    let at = core
        .waiting
        .iter()
        .position(|(waiting, _)| *waiting == ticket)?;
    Some(core.waiting.swap_remove(at).1)
}
