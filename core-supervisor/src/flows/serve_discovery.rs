//! Messages to `/discovery`, and to the registries of the domains that are here.

use protocol::api::discovery;
use protocol::{Address, Code, MessageKind};
use serde_json::json;

use crate::core::Core;
use crate::flows::respond::Refusal;
use crate::flows::serve::{Answer, Asked, Served, not_understood, value};
use crate::rooms::discovery::Found;

/// What published libraries are told, word by word (spec messaging §8.1).
const NOT_FOUND: &str = "Not Found";
const NOT_HERE: &str = "This search is not available at the moment. Try later.";

/// Answers a search.
pub(crate) fn discovery(core: &mut Core, asked: &Asked<'_>) -> Served {
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
    match core.rooms.discovery.handle(query, everywhere) {
        Found::Value(found) => value(&found),
        Found::Nothing => Ok(nothing(Code::NOT_FOUND, NOT_FOUND)),
        Found::NotHere => Ok(nothing(Code::FAILED, NOT_HERE)),
        Found::NotAsked(bad) => Err(Refusal::bad_request(bad)),
    }
}

// With an empty value: published code goes through it, whatever the number says.
fn nothing(code: Code, description: &str) -> Answer {
    let body = json!({
        "code": code.0,
        "desc": description,
        "description": description,
        "value": [],
    });
    Answer::Coded(code, body.to_string().into_bytes())
}
