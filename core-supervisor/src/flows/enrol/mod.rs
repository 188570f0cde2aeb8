//! The nodes and registries of this runtime's domains know what is here.
//!
//! session → (rows of everything that is theirs) → proceed → asked … → answered → proceed
//!
//! Only a domain whose stub says that it is `live` is told anything; when a stub is
//! live again, everything is told again, because its node may have forgotten all of
//! it (spec messaging §10.5). Nobody here waits for that: a node that does not
//! answer keeps nothing from running (case 31).

mod words;

use protocol::api::{allocation, subscriptions};
use protocol::{Address, Code, MessageKind};
use serde_json::{Value, json};

use crate::core::Core;
use crate::event::{Action, Actions, Now};
use crate::flows::respond::Refusal;
use crate::flows::sync::again;
use crate::flows::sync::ask::{self, Answer, Purpose, Words};
use crate::ids::OwnerId;
use crate::rooms::discovery::Status;
use crate::rooms::registry::{Row, Said, Stands, Step, What};
use crate::rooms::sync::Role;

/// A stub says how its session with its domain stands.
pub(crate) fn session(core: &mut Core, stub: OwnerId, is_live: bool, now: Now, out: &mut Actions) {
    let standing = core.rooms.registry.standing(stub);
    let domain = standing.map(|standing| standing.speaks_for.clone());
    let Some(domain) = domain.filter(|domain| !domain.is_empty()) else {
        return;
    };
    core.rooms.registry.roll.down(stub);
    if !is_live || core.rooms.registry.stub_of(&domain) != Some(stub) {
        return;
    }
    core.rooms.registry.roll.live(&domain, stub);
    enter_all(core, &domain);
    proceed(core, now, out);
}

/// A stub is down.
pub(crate) fn cut(core: &mut Core, stub: OwnerId) {
    core.rooms.registry.roll.down(stub);
}

/// A hyperty is here, and stands so.
pub(crate) fn hyperty(core: &mut Core, url: &Address, now: Now, out: &mut Actions) {
    if enter_hyperty(core, url).is_some() {
        proceed(core, now, out);
    }
}

/// A data object is reported here, and stands so. Its routes were opened when it was made.
pub(crate) fn object(core: &mut Core, url: &Address, now: Now, out: &mut Actions) {
    if enter_object(core, url, true).is_some() {
        proceed(core, now, out);
    }
}

/// Somebody here wants to hear of a registration that is kept elsewhere.
pub(crate) fn topic(core: &mut Core, topic: &Address, now: Now, out: &mut Actions) {
    // Whoever asks how it stands now asks its registry: what changed before the node has
    // heard of the subscription is told by nobody.
    if let Some(url) = topic.parent() {
        core.rooms.discovery.far.drop(url.as_str());
    }
    if enter_topic(core, topic).is_some() {
        proceed(core, now, out);
    }
}

/// Nobody here wants to hear of it any more.
pub(crate) fn topic_left(core: &mut Core, topic: &Address, now: Now, out: &mut Actions) {
    if core.rooms.registry.roll.get(topic.as_str()).is_some() {
        core.rooms.registry.roll.drop(topic.as_str());
        unsubscribe(core, topic, subscriptions::PATH, now, out);
    }
}

/// Something stands otherwise than before, or (`None`) is gone.
pub(crate) fn stands(
    core: &mut Core,
    url: &Address,
    status: Option<Status>,
    now: Now,
    out: &mut Actions,
) {
    let is_hyperty = core.rooms.registry.roll.get(url.as_str());
    let is_hyperty = is_hyperty.is_some_and(|row| row.what == What::Hyperty);
    if is_hyperty && status.is_none() {
        unsubscribe(core, url, allocation::PATH, now, out);
    }
    core.rooms
        .registry
        .roll
        .want(url.as_str(), status.map(words::stands_as));
    proceed(core, now, out);
}

/// The runtime ends: the registries are told that what is here is not there any more.
pub(crate) fn leave_all(core: &mut Core, now: Now, out: &mut Actions) {
    let roll = &core.rooms.registry.roll;
    let rows = roll
        .iter()
        .filter(|(_, row)| row.told == Some(Stands::Live));
    let rows: Vec<_> = rows
        .map(|(url, row)| (url.to_owned(), row.domain.clone()))
        .collect();
    for (url, domain) in rows {
        let from = words::registry_room(core);
        let body = json!({"resource": url, "value": {"status": Status::Disconnected.word()}});
        if let Some(to) = registry_of(&domain) {
            let words = Words {
                kind: MessageKind::Update,
                from: &from,
                to: &to,
                body: &body,
            };
            ask::tell(core, words, now, out);
        }
    }
}

/// Says what is due, as much at once as the domains may be asked.
pub(crate) fn proceed(core: &mut Core, now: Now, out: &mut Actions) {
    if core.stopping.is_some() {
        return;
    }
    while let Some((url, step)) = core.rooms.registry.roll.next(now.mono) {
        if let Err(refusal) = say(core, &url, step, now, out) {
            // The stub's queue is full, or it is gone: its own news will follow.
            let said = Said::No(refusal.reason);
            core.rooms
                .registry
                .roll
                .answered(&url, step, said, now.mono);
        }
    }
    if let Some(at) = core.rooms.registry.roll.next_deadline() {
        core.check_by(at);
    }
}

/// A registry or a node has answered, or nobody will.
pub(crate) fn answered(
    core: &mut Core,
    url: &str,
    step: Step,
    answer: &Answer,
    now: Now,
    out: &mut Actions,
) {
    let why = format!("{} {}", answer.code, answer.reason());
    let said = match answer.code {
        Code::OK => Said::Yes,
        Code::NOT_FOUND => Said::Unknown,
        Code::TIMEOUT | Code::FAILED => Said::Later(why),
        _ => Said::No(why),
    };
    let had = core
        .rooms
        .registry
        .roll
        .get(url)
        .map(|row| row.fault.clone());
    let is_routed = step == Step::Subscribe && said == Said::Yes;
    core.rooms.registry.roll.answered(url, step, said, now.mono);
    if is_routed {
        again::routed(core, url, now, out);
    }
    let row = core.rooms.registry.roll.get(url);
    if let Some(row) = row.filter(|row| !row.fault.is_empty() && had.as_ref() != Some(&row.fault)) {
        out.list.push(Action::Record {
            level: protocol::frame::LogLevel::Warn,
            text: format!(
                "domain={} entry=\"{url}\" fault=\"{}\"",
                row.domain, row.fault
            ),
        });
    }
    proceed(core, now, out);
}

/// The registry of a domain.
pub(crate) fn registry_of(domain: &str) -> Option<Address> {
    format!("domain://registry.{domain}").parse().ok()
}

/// The domain that is told of an address: its own, else the runtime's.
pub(crate) fn domain_for(core: &Core, url: &Address) -> Option<String> {
    let registry = &core.rooms.registry;
    let own = core.settings.runtime.domain();
    let nearest = registry.domain_above(url.domain());
    let domains = [nearest, Some(own)];
    let mut live = domains
        .into_iter()
        .flatten()
        .filter(|d| registry.roll.is_live(d));
    live.next().map(str::to_owned)
}

fn enter_all(core: &mut Core, domain: &str) {
    let hyperties: Vec<_> = core.rooms.discovery.hyperties().cloned().collect();
    for url in hyperties {
        enter_hyperty(core, &url);
    }
    let objects: Vec<_> = core.rooms.discovery.objects().cloned().collect();
    for url in objects {
        enter_object(core, &url, false);
    }
    let followed = core.rooms.sync.iter();
    let followed = followed.filter(|(_, object)| object.role == Role::Followed);
    let followed: Vec<_> = followed.map(|(_, object)| object.address.clone()).collect();
    for url in followed {
        if core.rooms.registry.domain_above(url.domain()) == Some(domain) {
            let row = Row::new(What::Followed, domain, (false, true));
            core.rooms.registry.roll.put(url.as_str(), row);
        }
    }
    for topic in core.rooms.subscriptions.topics() {
        enter_topic(core, &topic);
    }
}

fn enter_hyperty(core: &mut Core, url: &Address) -> Option<()> {
    let domain = domain_for(core, url)?;
    let record = core.rooms.discovery.hyperty(url)?;
    let mut row = Row::new(What::Hyperty, &domain, record.enters);
    row.wanted = Some(words::stands_as(record.status));
    core.rooms.registry.roll.put(url.as_str(), row);
    Some(())
}

fn enter_object(core: &mut Core, url: &Address, is_subscribed: bool) -> Option<()> {
    let domain = domain_for(core, url)?;
    let record = core.rooms.discovery.object(url)?;
    let (status, expires_s) = (record.status, record.expires_s);
    let id = core.rooms.sync.find(url.as_str());
    let object = id.and_then(|id| core.rooms.sync.get(id));
    let enters =
        object.is_none_or(|object| object.meta("domain_registration") != Some(&Value::Bool(false)));
    let mut row = Row::new(What::Object, &domain, (enters, true));
    if is_subscribed {
        row = row.subscribed();
    }
    row.wanted = Some(words::stands_as(status));
    row.expires_s = expires_s;
    core.rooms.registry.roll.put(url.as_str(), row);
    Some(())
}

fn enter_topic(core: &mut Core, topic: &Address) -> Option<()> {
    // How things here stand is known here.
    let registry = &core.rooms.registry;
    let domain = registry.domain_above(topic.domain())?;
    if registry.owner_of(topic).is_some() || !registry.roll.is_live(domain) {
        return None;
    }
    let row = Row::new(What::Topic, domain, (false, true));
    core.rooms.registry.roll.put(topic.as_str(), row);
    Some(())
}

fn say(core: &mut Core, url: &str, step: Step, now: Now, out: &mut Actions) -> Result<(), Refusal> {
    let gone = || Refusal::not_found("it is gone");
    let row = core
        .rooms
        .registry
        .roll
        .get(url)
        .cloned()
        .ok_or_else(gone)?;
    let (kind, from, to, body) = match step {
        Step::Subscribe => words::subscription(core, url, &row),
        _ => words::entry(core, url, &row, step),
    }
    .ok_or_else(gone)?;
    let words = Words {
        kind,
        from: &from,
        to: &to,
        body: &body,
    };
    let stub = core
        .rooms
        .registry
        .roll
        .stub(&row.domain)
        .ok_or_else(gone)?;
    let standing = core.rooms.registry.standing(stub);
    let charged = standing
        .and_then(|standing| standing.link)
        .ok_or_else(gone)?;
    let purpose = Purpose::Enrol(url.to_owned(), step);
    let number = ask::ask_as(core, words, row.number(), (charged, purpose), now, out)?;
    core.rooms.registry.roll.asked(url, step, number);
    Ok(())
}

fn unsubscribe(core: &mut Core, url: &Address, room: &str, now: Now, out: &mut Actions) {
    let Some(domain) = domain_for(core, url) else {
        return;
    };
    let Ok(to) = format!("domain://msg-node.{domain}/sm").parse() else {
        return;
    };
    let from = core.published_room(subscriptions::PATH);
    let body = json!({"resources": [url.as_str()], "source": core.published_room(room)});
    let words = Words {
        kind: MessageKind::Unsubscribe,
        from: &from,
        to: &to,
        body: &body,
    };
    ask::tell(core, words, now, out);
}
