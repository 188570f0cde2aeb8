//! Another runtime asks for an object that is reported here: messages to
//! `<object>/subscription`, which come in through a stub.
//!
//! The stub is the asker; whom it asks for is checked as any sender of its is.

use protocol::api::sync::SUBSCRIPTION;
use protocol::{Address, Code, MessageKind};
use serde_json::{Map, Value, json};

use super::ask::{self, Words};
use super::subscribe::{self, Wanted};
use super::{body, keep, leave, parse, selected};
use crate::core::Core;
use crate::event::Actions;
use crate::flows::judge;
use crate::flows::persist;
use crate::flows::respond::Refusal;
use crate::flows::serve::{Answer, Asked, Served, not_understood};
use crate::ids::ObjectId;

/// A message to `<object>/subscription`.
pub(super) fn asked(core: &mut Core, asked: &Asked<'_>, to: &Address, out: &mut Actions) -> Served {
    let object = to.as_str().strip_suffix("/subscription");
    let object = selected(core, object.unwrap_or_default())?;
    let body = body::members(asked.admitted.message.body)
        .map_err(|bad| Refusal::bad_request(format!("body: {bad}")))?;
    persist::has_room(core, asked.admitted.link)?;
    match asked.header().kind {
        MessageKind::Subscribe => subscribed(core, asked, object, &body, out),
        MessageKind::Unsubscribe => unsubscribed(core, asked, object, &body, out),
        // An offline manager hands on what came in while the reporter was away.
        MessageKind::Forward => match body.get("body").and_then(Value::as_object) {
            Some(inner) => subscribed(core, asked, object, inner, out),
            None => Err(Refusal::bad_request("`body` is not a message to hand on")),
        },
        _ => Err(not_understood(SUBSCRIPTION, asked.header())),
    }
}

fn subscribed(
    core: &mut Core,
    asked: &Asked<'_>,
    object: ObjectId,
    body: &Map<String, Value>,
    out: &mut Actions,
) -> Served {
    let observer = named(core, asked, body, ["subscriber", "source"])?;
    let wanted = Wanted {
        object,
        observer,
        asker: asked.asker(),
        is_far: true,
    };
    let identity = body.get("identity").cloned();
    let mutual = body.get("mutual").and_then(Value::as_bool);
    subscribe::want(core, wanted, (mutual, identity), asked.now, out)?;
    Ok(Answer::Later)
}

fn unsubscribed(
    core: &mut Core,
    asked: &Asked<'_>,
    id: ObjectId,
    body: &Map<String, Value>,
    out: &mut Actions,
) -> Served {
    let observer = named(core, asked, body, ["source", "subscriber"])?;
    let Some(object) = core.rooms.sync.get(id) else {
        return Err(Refusal::not_found("the object is gone"));
    };
    let (address, reporter) = (object.address.clone(), object.reporter.clone());
    let changes = leave::forget(core, id, observer.as_str());
    let told = json!({
        "type": "unsubscribe",
        "from": observer.as_str(),
        "to": address.as_str(),
        "identity": body.get("identity"),
    });
    let words = Words {
        kind: MessageKind::Forward,
        from: address.as_str(),
        to: &reporter,
        body: &told,
    };
    ask::tell(core, words, asked.now, out);
    keep::and_answer(core, changes, asked, br#"{"code":200}"#.to_vec(), out)
}

fn named(
    core: &Core,
    asked: &Asked<'_>,
    body: &Map<String, Value>,
    members: [&str; 2],
) -> Result<Address, Refusal> {
    let mut said = members.iter().filter_map(|member| body.get(*member));
    let [first, _] = members;
    let observer = said.find_map(Value::as_str).unwrap_or_default();
    let observer = parse(first, observer)?;
    if judge::sender_of(core, asked.admitted.link, &observer) == Some(asked.owner) {
        return Ok(observer);
    }
    let reason = format!("`{observer}` is not a party that you speak for");
    Err(Refusal::new(Code::FORBIDDEN, "not-yours", reason))
}
