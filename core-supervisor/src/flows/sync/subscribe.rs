//! Somebody wants to observe an object.
//!
//! asked → the reporter is asked → decided → kept → answered
//!
//! It observes from the moment at which the reporter's answer is acted on: the
//! data it is handed and the changes that follow it leave in this order, on the
//! same link. Nothing of the object reaches it before.

use protocol::api::sync::{Offered, Subscribe, Subscribed};
use protocol::{Address, Code, CoreFrame, Message, MessageKind};
use serde_json::{Map, Value, json};

use super::ask::{self, Answer, Purpose, Words};
use super::{body, fan_out, far, from, identity, read, resume, selected};
use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::persist::{self, Then};
use crate::flows::respond::{self, Refusal};
use crate::flows::serve::{self, Asked, Served};
use crate::ids::ObjectId;
use crate::rooms::sync::Observer;
use crate::rooms::user_agent::Asker;

/// A subscription that its reporter is asked about.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(super) object: ObjectId,
    pub(super) observer: Address,
    pub(super) asker: Asker,
    /// Whether another runtime asks: it makes the provisional answer itself.
    pub(super) is_far: bool,
}

/// A `subscribe` to `/sm`.
pub(super) fn asked(core: &mut Core, asked: &Asked<'_>, out: &mut Actions) -> Served {
    let subscribe: Subscribe = body::read(asked)?;
    if subscribe.resume {
        return resume::observers(core, asked, &subscribe, out);
    }
    persist::has_room(core, asked.admitted.link)?;
    if far::is_elsewhere(core, &subscribe.resource) {
        return far::want(core, asked, &subscribe, out);
    }
    if far::is_unreached(core, &subscribe.resource) {
        return far::reach(core, asked, &subscribe.resource, out);
    }
    let object = selected(core, &subscribe.resource)?;
    let observer = from(asked)?;
    let wanted = Wanted {
        object,
        observer,
        asker: asked.asker(),
        is_far: false,
    };
    want(core, wanted, (subscribe.mutual, None), asked.now, out)?;
    Ok(serve::Answer::Later)
}

/// The reporter has said whether somebody may observe, or nobody will.
pub(super) fn decided(
    core: &mut Core,
    wanted: &Wanted,
    answer: &Answer,
    now: Now,
    out: &mut Actions,
) {
    if answer.code != Code::OK {
        return refused(core, wanted, answer, out);
    }
    if let Err(refusal) = accepted(core, wanted, answer, now, out) {
        respond::later(core, &wanted.asker, Err(refusal), out);
    }
}

/// Has the reporter asked, once policy permits it.
pub(super) fn want(
    core: &mut Core,
    wanted: Wanted,
    (mutual, said): (Option<bool>, Option<Value>),
    now: Now,
    out: &mut Actions,
) -> Result<(), Refusal> {
    let Some(object) = core.rooms.sync.get(wanted.object) else {
        return Err(Refusal::not_found("the object is gone"));
    };
    let (address, reporter) = (object.address.clone(), object.reporter.clone());
    let offered = Offered {
        code: Code::TRYING.0,
        children_resources: object.collections.clone(),
        schema: object.schema.clone(),
        resource: address.as_str().to_owned(),
    };
    if wanted.observer == reporter {
        return Err(Refusal::bad_request("its reporter does not observe it"));
    }
    let parties = (&wanted.observer, &address);
    fan_out::permitted(core, wanted.asker.owner, parties, now)?;
    core.rooms.sync.may_observe_more(wanted.observer.as_str())?;
    // Who cannot be asked is not offered anything: 503 comes alone.
    ask::receiver(core, &reporter)?;
    if !wanted.is_far {
        offer(core, &wanted.asker, &offered, out);
    }
    let mut body = json!({
        "type": "subscribe",
        "from": wanted.observer.as_str(),
        "to": address.as_str(),
        "identity": said.unwrap_or_else(|| identity::of(core, &wanted.observer)),
    });
    if let (Some(mutual), Some(body)) = (mutual, body.as_object_mut()) {
        body.insert("mutual".to_owned(), mutual.into());
    }
    let words = Words {
        kind: MessageKind::Forward,
        from: address.as_str(),
        to: &reporter,
        body: &body,
    };
    let charged = wanted.asker.link;
    ask::ask(core, words, (charged, Purpose::Accept(wanted)), now, out)
}

/// The provisional answer: the object is there, and its reporter is asked.
pub(super) fn offer(core: &mut Core, asker: &Asker, offered: &Offered, out: &mut Actions) {
    let text = serde_json::to_vec(offered).unwrap_or_default();
    let asked = Message::new(MessageKind::Subscribe, &asker.from, &asker.to, &[]).with_id(asker.id);
    let answer = asked.answer(Code::TRYING, &text);
    respond::send(core, asker.link, &CoreFrame::Deliver(answer), out);
}

fn refused(core: &mut Core, wanted: &Wanted, answer: &Answer, out: &mut Actions) {
    let mut body = json!({
        "code": answer.code.0,
        "desc": answer.reason(),
        "description": answer.reason(),
    });
    let object = core.rooms.sync.get(wanted.object);
    if let (Some(object), Some(body)) = (object, body.as_object_mut()) {
        body.insert("owner".to_owned(), object.reporter.as_str().into());
    }
    let text = body.to_string();
    respond::later_with(core, &wanted.asker, answer.code, text.as_bytes(), out);
}

fn accepted(
    core: &mut Core,
    wanted: &Wanted,
    answer: &Answer,
    now: Now,
    out: &mut Actions,
) -> Result<(), Refusal> {
    let Some(object) = core.rooms.sync.get(wanted.object) else {
        return Err(Refusal::not_found("the object was deleted"));
    };
    let address = object.address.clone();
    // The observer may have gone, and the policy may have changed, while the
    // reporter thought about it.
    let standing = core.rooms.registry.standing(wanted.asker.owner);
    if standing.and_then(|s| s.link) != Some(wanted.asker.link) {
        return Ok(());
    }
    let parties = (&wanted.observer, &address);
    let permitted_by = fan_out::permitted(core, wanted.asker.owner, parties, now)?;
    let observer = Observer {
        owner: Some(wanted.asker.owner),
        permitted_by,
        user: identity::user_of(core, &wanted.observer),
        is_far: wanted.is_far,
    };
    let name = wanted.observer.as_str();
    if let Some(object) = core.rooms.sync.get_mut(wanted.object) {
        object.observe(name, observer)?;
        core.epoch += 1;
    }
    let body = subscribed(core, wanted, answer);
    let changes = core.rooms.sync.remembered(wanted.object, name);
    let then = Then::Answer(wanted.asker.clone(), body);
    persist::persist(core, changes, then, out);
    Ok(())
}

// The core's copy, and what the reporter added to its metadata.
fn subscribed(core: &Core, wanted: &Wanted, answer: &Answer) -> Vec<u8> {
    let Some(object) = core.rooms.sync.get(wanted.object) else {
        return Vec::new();
    };
    let mut value = read::value(object, &mut Vec::new());
    let said = answer.body.get("value").and_then(Value::as_object);
    merge(&mut value, said);
    let subscribed = Subscribed {
        code: Code::OK.0,
        schema: object.schema.clone(),
        resource: object.address.as_str().to_owned(),
        owner: object.reporter.as_str().to_owned(),
        mutual: answer.body.get("mutual").and_then(Value::as_bool),
        value,
    };
    serde_json::to_vec(&subscribed).unwrap_or_default()
}

fn merge(value: &mut Map<String, Value>, said: Option<&Map<String, Value>>) {
    for (member, said) in said.into_iter().flatten() {
        if !value.contains_key(member) {
            value.insert(member.clone(), said.clone());
        }
    }
}
