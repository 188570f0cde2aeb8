//! A conversation with a stand-in for the core, from the side of its reporter or an observer.

use serde_json::{Value, json};

use super::services::{DO, REPORTER, object, run, serve, using};
use super::world::{ME, Said, Sent, World};

pub(crate) const BOB: &str = "hyperty://there.example/bob";
pub(crate) const CAROL: &str = "hyperty://there.example/carol";

pub(crate) const MANAGER: &str =
    "globalThis.say = say; globalThis.tell = tell; globalThis.me = url;
    globalThis.manager = factory.createChatManager(url, bus, config);
    manager._syncher.onNotification((event) => manager.processNotification(event));";

/// A component with a `manager`.
pub(crate) fn managing() -> World {
    using(MANAGER).0
}

/// A `chat` that was created with these users.
pub(crate) fn reporting(
    users: &str,
    special: impl Fn(&Sent) -> Option<Value>,
) -> (World, Vec<Said>) {
    let world = managing();
    let said = run(
        &world,
        &format!(
            "manager.create('talk', {users}).then((chat) => {{ globalThis.chat = chat;
               chat.onInvitationResponse((result) => say(['invited', result.invited, result.code])); }},
               (e) => say(['failed', String(e)]))"
        ),
    );
    let said = serve(&world, said, special);
    (world, said)
}

/// A `chat` that was joined, with Ann and Bob in it.
pub(crate) fn observing() -> World {
    let world = managing();
    let said = run(
        &world,
        &format!("manager.join('{DO}').then((chat) => globalThis.chat = chat)"),
    );
    let people = json!({"participants": {
        "user-guid://bob": {"hypertyURL": REPORTER, "identity": {"userProfile": {"guid": "user-guid://bob"}}},
        "user-guid://ann": {"hypertyURL": ME, "identity": {"userProfile": {"guid": "user-guid://ann"}}},
    }});
    serve(&world, said, |request| {
        (request.kind == "subscribe").then(|| {
            json!({"code": 200, "schema": "s", "resource": DO, "value": object(&json!(DO), people.clone())})
        })
    });
    world
}

pub(crate) fn found(records: Value) -> impl Fn(&Sent) -> Option<Value> {
    move |request| {
        let is_lookup = request.to.ends_with("/discovery/");
        is_lookup.then(|| json!({"code": 200, "value": records}))
    }
}

/// Somebody asks to subscribe.
pub(crate) fn subscribe(world: &World, url: &str, identity: &Value) -> Vec<Said> {
    asked(world, "subscribe", url, identity)
}

pub(crate) fn asked(world: &World, kind: &str, url: &str, identity: &Value) -> Vec<Said> {
    world.deliver(json!({
        "id": 50, "type": "forward", "from": DO, "to": ME,
        "body": {"type": kind, "from": url, "to": DO, "identity": identity},
    }))
}

pub(crate) fn executed(world: &World, from: &str, method: &str, params: &Value) -> Vec<Said> {
    let body = json!({"method": method, "params": params});
    world.deliver(json!({"id": 60, "type": "execute", "from": from, "to": DO, "body": body}))
}

pub(crate) fn bob() -> Value {
    json!({"userProfile": {"guid": "user-guid://bob", "userURL": "user://idp.example/bob"}})
}

pub(crate) fn requests<'a>(said: &'a [Sent], kind: &str, to: &str) -> Vec<&'a Sent> {
    said.iter()
        .filter(|m| m.kind == kind && m.to == to)
        .collect()
}

pub(crate) fn participants(world: &World) -> Value {
    world.value("Object.keys(chat.dataObject.data.participants)")
}
