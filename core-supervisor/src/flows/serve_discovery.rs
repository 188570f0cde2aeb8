//! Messages to `/discovery`, and to the registries of the domains that are here.

use protocol::api::discovery;
use protocol::{Address, Code, MessageKind};
use serde_json::{Value, json};

use crate::core::Core;
use crate::event::Actions;
use crate::flows::respond::{self, Refusal};
use crate::flows::search::{self, Question};
use crate::flows::serve::{Answer, Asked, Served, not_understood, value};
use crate::flows::{enrol, reach};
use crate::rooms::discovery::Found;

/// What published libraries are told, word by word (spec messaging §8.1).
pub(crate) const NOT_FOUND: &str = "Not Found";
const NOT_HERE: &str = "This search is not available at the moment. Try later.";

/// Answers a search.
pub(crate) fn discovery(core: &mut Core, asked: &Asked<'_>, out: &mut Actions) -> Served {
    if asked.header().kind != MessageKind::Read {
        return Err(not_understood(discovery::PATH, asked.header()));
    }
    let query: discovery::Query = asked.body()?;
    let to = asked.header().to.parse::<Address>();
    if to.is_ok_and(|to| to.scheme() == "domain") {
        return match core.rooms.discovery.handle_as_registry(query) {
            Found::Value(found) => value(&found),
            Found::NotAsked(bad) => Err(Refusal::bad_request(bad)),
            // Without a value: published code takes any for a find.
            Found::Nothing | Found::NotHere => Err(Refusal::not_found(NOT_FOUND)),
        };
    }
    let standing = core.rooms.registry.standing(asked.owner);
    let own = standing.map_or("", |standing| standing.provider.as_str());
    let everywhere = [own, core.settings.runtime.domain()];
    let question = Question::of(&query);
    let domain = query.criteria.as_ref().and_then(|c| c.domain.clone());
    let found = core.rooms.discovery.handle(query, everywhere);
    if let Some(question) = question.filter(|_| !matches!(found, Found::NotAsked(_)))
        && let Some(answer) = abroad(core, asked, domain, (&question, &found), out)
    {
        return Ok(answer);
    }
    match found {
        Found::Value(found) => value(&found),
        Found::Nothing => Ok(nothing(Code::NOT_FOUND, NOT_FOUND)),
        Found::NotHere => Ok(nothing(Code::FAILED, NOT_HERE)),
        Found::NotAsked(bad) => Err(Refusal::bad_request(bad)),
    }
}

// Nothing when what was found here is all that can be.
fn abroad(
    core: &mut Core,
    asked: &Asked<'_>,
    domain: Option<String>,
    (question, found): (&Question, &Found),
    out: &mut Actions,
) -> Option<Answer> {
    let own = core.settings.runtime.domain().to_owned();
    let domain = domain.filter(|domain| !domain.is_empty()).unwrap_or(own);
    let here = match found {
        Found::Value(record) if question.is_single && !record.is_null() => return None,
        Found::Value(Value::Array(records)) => records.clone(),
        _ => Vec::new(),
    };
    if question.is_single
        && let Some(record) = core
            .rooms
            .discovery
            .far
            .get(&question.resource, asked.now.mono)
    {
        return Some(Answer::Body(respond::valued(record)));
    }
    let registry = enrol::registry_of(&domain)?;
    if core.rooms.registry.roll.is_live(&domain) {
        let asker = asked.asker();
        let searched = search::abroad(core, asker, &domain, (question, here), asked.now, out);
        return searched.is_ok().then_some(Answer::Later);
    }
    // Its stub is on its way, or may be had for somebody who may talk to it.
    let is_foreign = here.is_empty() && !core.rooms.registry.is_provider(&domain);
    let stub = core.rooms.registry.stub_for(&domain);
    if (is_foreign || core.rooms.registry.is_home(&domain))
        && stub.is_none_or(|stub| reach::is_coming(core, stub))
        && reach::may_search(core, asked, &registry)
    {
        let (admitted, now) = (asked.admitted, asked.now);
        let waits = reach::wait(core, admitted, asked.owner, &registry, now, out);
        return waits.is_ok().then_some(Answer::Later);
    }
    None
}

// With an empty value: published code goes through it, whatever the number says.
fn nothing(code: Code, description: &str) -> Answer {
    Answer::Coded(code, nothing_body(code, description))
}

/// The same as a body.
pub(crate) fn nothing_body(code: Code, description: &str) -> Vec<u8> {
    let body = json!({
        "code": code.0,
        "desc": description,
        "description": description,
        "value": [],
    });
    body.to_string().into_bytes()
}
