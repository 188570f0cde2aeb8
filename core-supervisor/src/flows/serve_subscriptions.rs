//! Messages to `/subscriptions`: who wants to hear of whose registration.
//!
//! subscribe → noted → kept → answered; unsubscribe likewise

use protocol::api::subscriptions::{self, Select, Subscribe, Unsubscribe};
use protocol::{Address, Code, MessageKind};
use serde_json::{Map, Value};

use crate::core::Core;
use crate::event::Actions;
use crate::flows::enrol;
use crate::flows::persist::{self, Then};
use crate::flows::respond::Refusal;
use crate::flows::serve::{Answer, Asked, Served, not_understood, value};
use crate::ids::OwnerId;
use crate::rooms::subscriptions::{NotSubscribed, Topic};

/// A subscription is made, ended, or looked at.
pub(crate) fn subscriptions(core: &mut Core, asked: &Asked<'_>, out: &mut Actions) -> Served {
    match asked.header().kind {
        MessageKind::Subscribe => subscribe(core, asked, out),
        MessageKind::Unsubscribe => unsubscribe(core, asked, out),
        MessageKind::Read => read(core, asked),
        _ => Err(not_understood(subscriptions::PATH, asked.header())),
    }
}

fn subscribe(core: &mut Core, asked: &Asked<'_>, out: &mut Actions) -> Served {
    let wanted: Subscribe = asked.body()?;
    if wanted.resources.is_empty() {
        return Err(Refusal::bad_request("`resources` names nothing"));
    }
    let topics: Result<Vec<_>, _> = wanted
        .resources
        .iter()
        .map(|text| Topic::parse(text))
        .collect();
    let topics = topics.map_err(|bad| refused(&bad))?;
    let subscriber = subscriber(core, asked)?;
    persist::has_room(core, asked.admitted.link)?;
    let is_new = core.rooms.subscriptions.subscribe(&subscriber, &topics);
    let is_new = is_new.map_err(|bad| refused(&bad))?;
    for topic in &topics {
        enrol::topic(core, topic.address(), asked.now, out);
    }
    // The published answer: the request itself, with a code.
    let mut answer: Map<String, Value> = asked.body()?;
    answer.insert("code".to_owned(), Code::OK.0.into());
    let answer = Value::Object(answer).to_string().into_bytes();
    keep(core, asked, &subscriber, is_new, answer, out);
    Ok(Answer::Later)
}

fn unsubscribe(core: &mut Core, asked: &Asked<'_>, out: &mut Actions) -> Served {
    let named: Unsubscribe = asked.body()?;
    let subscriber = subscriber(core, asked)?;
    persist::has_room(core, asked.admitted.link)?;
    let mut is_new = false;
    for text in named.resources.iter().chain([&named.resource]) {
        // 200 in any case: who is not subscribed has what it asked for.
        if let Ok(topic) = Topic::parse(text) {
            is_new |= core.rooms.subscriptions.unsubscribe(&subscriber, &topic);
            if !core.rooms.subscriptions.is_wanted(topic.address()) {
                enrol::topic_left(core, topic.address(), asked.now, out);
            }
        }
    }
    let answer = br#"{"code":200}"#.to_vec();
    keep(core, asked, &subscriber, is_new, answer, out);
    Ok(Answer::Later)
}

// A component's outlive it; an application's end with its link.
fn keep(
    core: &mut Core,
    asked: &Asked<'_>,
    subscriber: &Address,
    is_new: bool,
    answer: Vec<u8>,
    out: &mut Actions,
) {
    let is_kept = is_new && matches!(asked.owner, OwnerId::Component(_));
    let change = is_kept.then(|| core.rooms.subscriptions.change(subscriber));
    let then = Then::Answer(asked.asker(), answer);
    persist::persist(core, change.into_iter().collect(), then, out);
}

// What somebody else hears of is nobody's business but the operator's.
fn read(core: &mut Core, asked: &Asked<'_>) -> Served {
    let select: Select = asked.body()?;
    let own = subscriber(core, asked)?;
    let wanted: Option<Address> = select.resource.parse().ok();
    let is_operator = matches!(asked.owner, OwnerId::Local(_)) && own.is_runtime();
    let wanted = wanted.filter(|wanted| *wanted == own || is_operator);
    let topics = wanted.map(|wanted| core.rooms.subscriptions.of(&wanted));
    match topics.filter(|topics| !topics.is_empty()) {
        Some(topics) => value(&topics),
        // The published words for it.
        None => Err(Refusal::not_found("Not Found")),
    }
}

fn subscriber(core: &Core, asked: &Asked<'_>) -> Result<Address, Refusal> {
    let standing = core.rooms.registry.standing(asked.owner);
    let home = standing.map(|standing| standing.home.clone());
    home.ok_or_else(|| Refusal::not_found("the subscriber is gone"))
}

fn refused(bad: &NotSubscribed) -> Refusal {
    match bad {
        NotSubscribed::NotTopic(_) => Refusal::bad_request(bad.to_string()),
        NotSubscribed::Share | NotSubscribed::Full => Refusal::busy(bad.to_string()),
    }
}
