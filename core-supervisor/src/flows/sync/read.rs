//! The core's copy of an object, handed out.
//!
//! What does not fit into one frame goes ahead in provisional answers (code 100,
//! `responses` says how many answers there are); the reader puts them together
//! (spec services §1.10).

use protocol::api::sync::{Method, PATH, Select};
use protocol::limits::BODY_BYTES_MAX;
use protocol::{Address, Code, CoreFrame, Message, MessageKind};
use serde_json::{Map, Value, json};

use super::{ask, body, from, keep, selected};
use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::judge;
use crate::flows::respond::{self, Refusal};
use crate::flows::serve::{Answer, Asked, Served, done, not_understood};
use crate::ids::ObjectId;
use crate::rooms::policy::Act;
use crate::rooms::sync::Object;
use crate::rooms::user_agent::Asker;

/// Bytes of one answer that objects and children may fill.
pub(super) const PART_BYTES_MAX: usize = BODY_BYTES_MAX - 64 * 1024;

/// A `read` to `/sm`.
pub(super) fn asked(core: &mut Core, asked: &Asked<'_>, out: &mut Actions) -> Served {
    let select: Select = body::read(asked)?;
    let id = selected(core, &select.resource)?;
    let reader = from(asked)?;
    let Some(address) = core.rooms.sync.get(id).map(|o| o.address.clone()) else {
        return Err(not_understood(PATH, asked.header()));
    };
    let act = Act::Message("read");
    let parties = (&reader, &address);
    let (permit, _, decision) = judge::decide(core, act, asked.owner, parties, &[], asked.now);
    if !permit {
        let reason = judge::reason(core, decision);
        return Err(Refusal::new(Code::FORBIDDEN, "deny", reason).decided(decision));
    }
    if core.rooms.sync.has_missed(id) && read_afar(core, asked, id, &address, out).is_ok() {
        return Ok(Answer::Later);
    }
    let Some(object) = core.rooms.sync.get(id) else {
        return Err(not_understood(PATH, asked.header()));
    };
    let mut parts = Vec::new();
    let mut value = value(object, &mut parts);
    if !parts.is_empty() {
        value.insert("responses".to_owned(), (parts.len() + 1).into());
    }
    let count = parts.len() + 1;
    for children in parts {
        let part = json!({
            "url": address.as_str(),
            "childrenObjects": children,
            "responses": count,
        });
        provisional(core, asked, &part, out);
    }
    Ok(Answer::Body(respond::valued(&value)))
}

/// A reporter elsewhere has handed its object out, or nobody will: then the copy
/// is what there is.
pub(super) fn answered(
    core: &mut Core,
    id: ObjectId,
    asker: &Asker,
    answer: &ask::Answer,
    now: Now,
    out: &mut Actions,
) {
    let value = answer.body.get("value").and_then(Value::as_object);
    if let (Code::OK, Some(value)) = (answer.code, value) {
        core.rooms.sync.catch_up(id, value.clone(), now.mono);
        keep::note_due(core);
    }
    let object = core.rooms.sync.get(id);
    let read = object.map(|object| value_of(object, answer.code != Code::OK));
    let gone = || Refusal::not_found("the object is gone");
    respond::later(core, asker, read.ok_or_else(gone), out);
}

/// A part of it has come; the last one is an answer.
pub(super) fn part(core: &mut Core, id: ObjectId, answer: &ask::Answer, now: Now) {
    if let Some(value) = answer.body.get("value").and_then(Value::as_object) {
        core.rooms.sync.take_part(id, value.clone(), now.mono);
    }
}

fn value_of(object: &Object, is_stale: bool) -> Vec<u8> {
    let mut value = value(object, &mut Vec::new());
    if is_stale {
        value.insert("stale".to_owned(), true.into());
    }
    respond::valued(&value)
}

// In the reader's name: the reporter's library knows it as an observer.
fn read_afar(
    core: &mut Core,
    asked: &Asked<'_>,
    id: ObjectId,
    address: &Address,
    out: &mut Actions,
) -> Result<(), Refusal> {
    let body = json!({});
    let words = ask::Words {
        kind: MessageKind::Read,
        from: asked.header().from,
        to: address,
        body: &body,
    };
    let purpose = (asked.admitted.link, ask::Purpose::Read(id, asked.asker()));
    ask::ask(core, words, purpose, asked.now, out)
}

/// `sync` and `stopSync` steer a remote backup, which objects here do without.
pub(super) fn called(core: &Core, asked: &Asked<'_>) -> Served {
    let method: Method = body::read(asked)?;
    match method.method.as_str() {
        "sync" | "stopSync" => {
            let object = method.params.first().and_then(Value::as_str);
            selected(core, object.unwrap_or_default())?;
            done()
        }
        "" => Err(Refusal::bad_request(
            "`method` is missing: say sync or stopSync",
        )),
        other => Err(Refusal::bad_request(format!(
            "`{other}` is not a method: say sync or stopSync"
        ))),
    }
}

/// An object as readers see it. Children that do not fit beside it go to `parts`.
pub(super) fn value(object: &Object, parts: &mut Vec<Map<String, Value>>) -> Map<String, Value> {
    let mut value = object.record();
    if object.children.len() == 0 {
        return value;
    }
    let beside = PART_BYTES_MAX.saturating_sub(object.bytes());
    let mut children = object.children.parts(PART_BYTES_MAX);
    let fits =
        children.len() == 1 && object.children.bytes() + 64 * object.children.len() <= beside;
    let last = if fits { children.pop() } else { None };
    parts.extend(children);
    value.insert(
        "childrenObjects".to_owned(),
        last.unwrap_or_default().into(),
    );
    value
}

/// Sends a part of an answer ahead.
pub(super) fn provisional(core: &mut Core, asked: &Asked<'_>, value: &Value, out: &mut Actions) {
    let text = json!({ "code": Code::TRYING.0, "value": value }).to_string();
    let header = asked.header();
    let question = Message::new(MessageKind::Read, header.from, header.to, &[]);
    let question = question.with_id(header.id);
    let answer = question.answer(Code::TRYING, text.as_bytes());
    let link = asked.admitted.link;
    respond::send(core, link, &CoreFrame::Deliver(answer), out);
}
