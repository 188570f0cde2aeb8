//! The offline manager of an object: whom its reporter named to accept observers
//! while it is away (spec services §1.18).

use protocol::api::sync::PATH;
use protocol::{Address, MessageKind};
use serde_json::{Value, json};

use super::ask::{self, Words};
use crate::core::Core;
use crate::event::{Actions, Now};
use crate::ids::ObjectId;
use crate::rooms::user_agent::Asker;

/// A new object is announced to it, with its metadata.
pub(super) fn register(core: &mut Core, id: ObjectId, asked: &Asker, now: Now, out: &mut Actions) {
    let Some(object) = core.rooms.sync.get(id) else {
        return;
    };
    let mut value = object.record();
    value.remove("data");
    let body = json!({
        "type": "create",
        "from": asked.from,
        "to": asked.to,
        "id": asked.id,
        "body": { "resource": object.address.as_str(), "schema": object.schema, "value": value },
    });
    say(core, id, MessageKind::Forward, &body, now, out);
}

/// The reporter is back.
pub(super) fn back(core: &mut Core, id: ObjectId, now: Now, out: &mut Actions) {
    say(core, id, MessageKind::Update, &json!({}), now, out);
}

/// The object is about to be deleted.
pub(super) fn unregister(
    core: &mut Core,
    id: ObjectId,
    asked: &Asker,
    now: Now,
    out: &mut Actions,
) {
    let Some(object) = core.rooms.sync.get(id) else {
        return;
    };
    let body = json!({
        "type": "delete",
        "from": asked.from,
        "to": asked.to,
        "id": asked.id,
        "body": { "resource": object.address.as_str() },
    });
    say(core, id, MessageKind::Forward, &body, now, out);
}

fn say(
    core: &mut Core,
    id: ObjectId,
    kind: MessageKind<'_>,
    body: &Value,
    now: Now,
    out: &mut Actions,
) {
    let named = core
        .rooms
        .sync
        .get(id)
        .and_then(|object| object.meta("offline"));
    let to = named
        .and_then(Value::as_str)
        .map(|named| format!("{named}/register"));
    let Some(to) = to.and_then(|to| to.parse::<Address>().ok()) else {
        return;
    };
    let from = core.published_room(PATH);
    let words = Words {
        kind,
        from: &from,
        to: &to,
        body,
    };
    ask::tell(core, words, now, out);
}
