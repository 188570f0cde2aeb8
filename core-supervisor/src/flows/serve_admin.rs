//! The rooms that answer about the runtime itself: policy, catalogue, sandboxes.

use protocol::api::policy::InForce;
use protocol::api::{catalogue, sandboxes};
use protocol::frame::LogLevel;
use protocol::{Address, Code, MessageKind};
use serde::Serialize;

use crate::core::{Core, Waiting};
use crate::event::{Action, Actions, Job, Now};
use crate::flows::respond::{self, Refusal};
use crate::flows::serve::{Answer, Asked, Served, not_understood, value};
use crate::flows::{dial, fetch, judge, trust};
use crate::ids::Ticket;
use crate::place::Place;
use crate::rooms::catalogue::CatalogueListing;
use crate::rooms::policy::{Act, PepRequest, PolicySet, Problems};

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
    out.list.push(Action::Work(Job::CompilePolicy { ticket }));
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
        (MessageKind::Execute, "keys" | "trust" | "distrust") => {
            return trust::serve(core, asked, &query, out);
        }
        (MessageKind::Execute, _) => return fetch::serve(core, asked, query, out),
        _ => return Err(not_understood(catalogue::PATH, asked.header())),
    };
    let ticket = core.next_ticket();
    core.waiting
        .push((ticket, Waiting::Catalogue(asked.asker())));
    out.list.push(Action::Work(Job::ReadCatalogue {
        ticket,
        catalogue: query.catalogue,
        check,
    }));
    Ok(Answer::Later)
}

/// Catalogues have been listed.
pub(crate) fn catalogue_read(
    core: &mut Core,
    ticket: Ticket,
    mut listing: CatalogueListing,
    now: Now,
    out: &mut Actions,
) {
    match take(core, ticket) {
        Some(Waiting::Catalogue(asker)) => {
            listing.underway = core.fetches.view();
            respond::later(core, &asker, Ok(respond::valued(&listing)), out);
        }
        Some(Waiting::Update(asker, mode, only)) => {
            fetch::listed(core, (asker, mode, only), listing, now, out);
        }
        _ => {}
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
    let from = parse("from", from)?;
    let sender = core.rooms.registry.owner_of(&from);
    let sender = sender.or_else(|| core.rooms.registry.stub_for(from.domain()));
    // Nobody has the sender's address: nothing could come from there.
    let sender =
        sender.ok_or_else(|| Refusal::not_found(format!("nobody has the address `{from}`")))?;
    if let Some(place) = Place::of_url(to) {
        let place = place.map_err(Refusal::bad_request)?;
        let decision = dial::would_decide(core, sender, &place, now)?;
        return value(&core.rooms.policy.explain(decision));
    }
    let to = parse("to", to)?;
    let act = match kind {
        "listen" => Act::Listen,
        "deploy" => Act::Deploy,
        "reach" => Act::Reach,
        kind => Act::Message(kind),
    };
    let (_, _, decision) = judge::decide(core, act, sender, (&from, &to), &[], now);
    value(&core.rooms.policy.explain(decision))
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
