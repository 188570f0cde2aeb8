//! Where a message for an address would go now, told step by step; and how this
//! runtime stands to the domains around it.
//!
//! here → this runtime → peer → record → stub → (shut | catalogues)
//!
//! The steps are those that a message takes (rooms/registry, flows/reach.rs); nothing
//! is sent, started or asked.

use protocol::Address;
use protocol::api::registry::{Domain, FarEntry, Hop, Remote, Way};
use serde_json::Value;

use crate::core::Core;
use crate::event::Now;
use crate::flows::reach;
use crate::ids::OwnerId;
use crate::rooms::registry::{Row, Stands, What, legacy_name};
use crate::rooms::user_agent::Deployment;

/// The way to an address.
pub(crate) fn way(core: &Core, to: &Address, now: Now) -> Way {
    let mut hops = Vec::new();
    let reachable = walk(core, to, now, &mut hops);
    Way {
        address: to.as_str().to_owned(),
        reachable,
        hops,
    }
}

fn walk(core: &Core, to: &Address, now: Now, hops: &mut Vec<Hop>) -> bool {
    let registry = &core.rooms.registry;
    if let Some(owner) = registry.owner_of(to) {
        return here(core, owner, hops);
    }
    hops.push(hop("here", false, "nobody in this runtime has it"));
    if to.is_within(&core.settings.runtime) {
        let text = "it is below this runtime's own address, so nobody elsewhere has it either";
        hops.push(hop("runtime", false, text));
        return false;
    }
    hops.push(hop(
        "peer",
        false,
        "no peer-to-peer link to its runtime is open",
    ));
    record(core, to, now, hops);
    foreign_network(core, to, hops);
    let domain = reach::domain_of(core, to);
    let stub = registry.stub_of(&domain);
    match stub.and_then(|stub| Some((stub, deployment(core, stub)?))) {
        Some((stub, deployment)) => through(core, &domain, stub, deployment, hops),
        None => without_stub(core, &domain, now, hops),
    }
}

fn here(core: &Core, owner: OwnerId, hops: &mut Vec<Hop>) -> bool {
    let Some(standing) = core.rooms.registry.standing(owner) else {
        return false;
    };
    let kind = standing.kind.as_str();
    if let OwnerId::Room(_) = owner {
        hops.push(hop(
            "here",
            true,
            format!("the runtime itself answers, as `{}`", standing.name),
        ));
        return true;
    }
    let name = format!("{}@{}", standing.name, standing.provider);
    let text = match standing.link {
        Some(_) => format!("{kind} {name} has it, at {}, and runs", standing.home),
        None => format!("it is kept for {kind} {name}, which does not run now"),
    };
    hops.push(hop("here", standing.link.is_some(), text));
    standing.link.is_some()
}

fn record(core: &Core, to: &Address, now: Now, hops: &mut Vec<Hop>) {
    let far = core.rooms.discovery.far.get(to.as_str(), now.mono);
    let member = |name: &str| {
        far.and_then(|record| record.get(name))
            .and_then(Value::as_str)
    };
    let text = match member("runtime") {
        Some(runtime) => format!(
            "its registry said that it is in {runtime}, {}",
            member("status").unwrap_or("without a status")
        ),
        None => "no registry was asked for it lately".to_owned(),
    };
    hops.push(hop("record", far.is_some(), text));
}

fn foreign_network(core: &Core, to: &Address, hops: &mut Vec<Hop>) {
    let Some(name) = legacy_name(to) else {
        return;
    };
    let provider = to.domain();
    let (found, text) = match core.rooms.registry.ways.is_legacy(provider) {
        Some(true) => (
            true,
            format!("users of {provider} are of another network: stub `{name}`"),
        ),
        Some(false) => (
            false,
            format!("users of {provider} are of no other network"),
        ),
        None => {
            let text =
                format!("the first message asks the descriptor of {provider} for its network");
            (false, text)
        }
    };
    hops.push(hop("interworking", found, text));
}

fn through(
    core: &Core,
    domain: &str,
    stub: OwnerId,
    deployment: &Deployment,
    hops: &mut Vec<Hop>,
) -> bool {
    let standing = core.rooms.registry.standing(stub);
    let name = standing.map_or("", |standing| standing.name.as_str());
    let link = standing.and_then(|standing| standing.link);
    let state = deployment.stage.name();
    let session = match deployment.session.word.as_str() {
        "" => String::new(),
        word => format!(", {word}"),
    };
    let is_coming = reach::is_coming(core, stub);
    let then = match (link, is_coming) {
        (_, true) => "; messages wait for it",
        (Some(_), false) => "",
        (None, false) => "; messages are refused",
    };
    let text = format!("stub {name} speaks for {domain}: {state}{session}{then}");
    let is_way = is_coming || link.is_some();
    hops.push(hop("stub", is_way, text));
    is_way
}

fn without_stub(core: &Core, domain: &str, now: Now, hops: &mut Vec<Hop>) -> bool {
    let ways = &core.rooms.registry.ways;
    if ways.is_opening(domain) {
        let text = format!("a stub for {domain} is on its way; messages wait for it");
        hops.push(hop("stub", true, text));
        return true;
    }
    hops.push(hop(
        "stub",
        false,
        format!("no stub here speaks for {domain}"),
    ));
    if let Some(shut) = ways.shut(domain, now.mono) {
        let wait = shut.until.saturating_sub(now.mono).as_secs() + 1;
        let text = format!("{}; it may be tried again in {wait} s", shut.reason);
        hops.push(hop("catalogue", false, text));
        return false;
    }
    let own = core.settings.runtime.domain();
    let text = format!(
        "a message would have `protocolstub/default` of {domain} deployed, else \
         `protocolstub/{domain}` of {own}, if a catalogue has one and the rules let its sender"
    );
    hops.push(hop("catalogue", true, text));
    true
}

fn hop(step: &str, found: bool, text: impl Into<String>) -> Hop {
    Hop {
        step: step.to_owned(),
        found,
        text: text.into(),
    }
}

/// The domains around this runtime, and what it has told them and heard of them.
pub(crate) fn remote(core: &Core, now: Now) -> Remote {
    let registry = &core.rooms.registry;
    let mut names: Vec<String> = registry
        .domains()
        .map(|(name, _)| name.to_owned())
        .collect();
    names.extend(core.settings.homes.iter().cloned());
    names.extend(registry.ways.opening().map(str::to_owned));
    names.extend(registry.ways.all_shut().map(|(name, _)| name.to_owned()));
    names.sort();
    names.dedup();
    let domains = names.iter().map(|name| domain(core, name, now)).collect();
    let told = registry.roll.iter().map(|(url, row)| entry(url, row, now));
    let heard = core
        .rooms
        .discovery
        .far
        .iter(now.mono)
        .map(|(url, record, holds)| FarEntry {
            address: url.to_owned(),
            kind: "record".to_owned(),
            domain: url
                .parse::<Address>()
                .map_or_else(|_| String::new(), |a| a.domain().to_owned()),
            status: record
                .get("status")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            fault: String::new(),
            next_ms: u64::try_from(holds.as_millis()).ok(),
        });
    Remote {
        domains,
        entries: told.chain(heard).collect(),
    }
}

fn domain(core: &Core, name: &str, now: Now) -> Domain {
    let registry = &core.rooms.registry;
    let stub = registry.stub_of(name);
    let deployment = stub.and_then(|stub| deployment(core, stub));
    let standing = stub.and_then(|stub| registry.standing(stub));
    let shut = registry.ways.shut(name, now.mono);
    let session = deployment.map(|deployment| &deployment.session);
    let millis = |span: std::time::Duration| u64::try_from(span.as_millis()).ok();
    Domain {
        name: name.to_owned(),
        is_home: core.settings.homes.iter().any(|home| home == name),
        stub: standing.map_or_else(String::new, |standing| standing.home.as_str().to_owned()),
        session: session.map_or_else(String::new, |session| session.word.clone()),
        session_ms: session
            .filter(|session| !session.word.is_empty())
            .and_then(|session| millis(session.since)),
        waiting: core.rooms.bus.parked.waiting_for(name),
        fault: match (shut, session) {
            (Some(shut), _) => shut.reason.clone(),
            (None, Some(session)) => session.desc.clone(),
            (None, None) => String::new(),
        },
        next_try_ms: shut.and_then(|shut| millis(shut.until.saturating_sub(now.mono))),
    }
}

fn entry(url: &str, row: &Row, now: Now) -> FarEntry {
    let kind = match row.what {
        What::Hyperty => "hyperty",
        What::Object => "object",
        What::Followed => "followed",
        What::Topic => "topic",
    };
    let status = match (row.told, row.wanted) {
        (_, None) => "leaving",
        (Some(Stands::Live), _) => "live",
        (Some(Stands::Down), _) => "disconnected",
        (None, _) if matches!(row.what, What::Followed | What::Topic) => "routed",
        (None, _) => "untold",
    };
    let next = row.keep_at.map(|at| at.saturating_sub(now.mono));
    FarEntry {
        address: url.to_owned(),
        kind: kind.to_owned(),
        domain: row.domain.clone(),
        status: status.to_owned(),
        fault: row.fault.clone(),
        next_ms: next.and_then(|next| u64::try_from(next.as_millis()).ok()),
    }
}

fn deployment(core: &Core, owner: OwnerId) -> Option<&Deployment> {
    match owner {
        OwnerId::Component(id) => core.rooms.user_agent.get(id),
        OwnerId::Room(_) | OwnerId::Local(_) => None,
    }
}
