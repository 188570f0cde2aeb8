//! Messages to `/registry`: who owns which address, and whom a hyperty acts for.

use protocol::api::registry::{self, Entry, Listing, Query, Resolve};
use protocol::{Address, Code, MessageKind};
use serde_json::{Value, json};

use crate::core::Core;
use crate::event::Now;
use crate::flows::respond::Refusal;
use crate::flows::serve::{Answer, Asked, Served, not_understood, value};
use crate::flows::{explain, profile};
use crate::ids::OwnerId;
use crate::party::PartyKind;
use crate::rooms::registry::Route;

/// What is asked with `criteria` is about a profile, all else about addresses.
pub(crate) fn registry(core: &mut Core, asked: &Asked<'_>) -> Served {
    if asked.header().kind != MessageKind::Read {
        return Err(not_understood(registry::PATH, asked.header()));
    }
    match asked.body()? {
        Query::Profile(wanted) => Ok(profile_read(core, &wanted)),
        Query::Resolve(resolve) if resolve.remote => value(&explain::remote(core, asked.now)),
        Query::Resolve(resolve) => resolved(core, &resolve, asked.now),
    }
}

// The shape that the published identity library reads (spec messaging §6.7).
fn profile_read(core: &Core, wanted: &registry::Profile) -> Answer {
    let of: Option<Address> = wanted.criteria.parse().ok();
    let profile = of.and_then(|address| profile::of_address(core, &address));
    let found = match wanted.resource.as_str() {
        "." => profile,
        member => profile.and_then(|profile| profile.get(member).cloned()),
    };
    let code = if found.is_some() {
        Code::OK
    } else {
        Code::NOT_FOUND
    };
    let found = found.unwrap_or(Value::from(""));
    let body = json!({"resource": found, "code": code.0});
    Answer::Coded(code, body.to_string().into_bytes())
}

fn resolved(core: &Core, resolve: &Resolve, now: Now) -> Served {
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
    if resolve.explain {
        return value(&explain::way(core, &address, now));
    }
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
        PartyKind::Host => "host",
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
