//! What the tests of the service framework share: a component that uses a service, and peers
//! that answer it.

use protocol::frame::{ComponentKind, CoreFrame};
use serde_json::{Value, json};

use super::world::{ME, Said, Sent, World, component, logged, sent};

/// The runtime that the component is told of.
pub(crate) const RT: &str = "runtime://here.example/r1";

/// A component that runs `body`, and what it said until now.
///
/// Besides `url, bus, config, factory` its code has `tell(promise)`, which logs what the promise
/// comes to as JSON: the value, or `{"rejected": reason}`.
pub(crate) fn using(body: &str) -> (World, Vec<Said>) {
    configured(&json!({}), body)
}

/// As [`using`], with further members of the configuration.
pub(crate) fn configured(config: &Value, body: &str) -> (World, Vec<Said>) {
    let world = World::new();
    let mut config = config.clone();
    config["runtimeURL"] = json!(RT);
    let tell = "const say = (value) => console.log(JSON.stringify(value ?? null));
        const tell = (promise) => promise.then(say, (e) => say({rejected: e?.message ?? e}));";
    let source = component(&format!("{tell}\n{body}"));
    let said = world.load_as(ComponentKind::Hyperty, ME, &config.to_string(), &source);
    assert!(said.contains(&Said::Loaded(ME.to_owned())), "{said:?}");
    (world, said)
}

/// The only message among what was said.
pub(crate) fn only(said: &[Said]) -> Sent {
    let messages = sent(said);
    assert_eq!(messages.len(), 1, "{said:?}");
    messages[0].clone()
}

/// Answers a request of the component.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it reads better at the calls"
)]
pub(crate) fn reply(world: &World, request: &Sent, body: Value) -> Vec<Said> {
    world.deliver(json!({
        "id": request.id, "type": "response", "from": request.to, "to": request.from, "body": body,
    }))
}

/// What the component logged, read as JSON.
pub(crate) fn told(said: &[Said]) -> Vec<Value> {
    let lines = logged(said);
    let read = |line: &String| serde_json::from_str(line).unwrap_or_else(|_| json!(line));
    lines.iter().map(read).collect()
}

/// A message as far as most tests look at it.
pub(crate) fn outline(message: &Sent) -> Value {
    json!({"type": message.kind, "from": message.from, "to": message.to, "body": message.body})
}

/// The data object that the core's stand-in creates and hands out.
pub(crate) const DO: &str = "comm://here.example/o1";

/// The hyperty that reports what is observed.
pub(crate) const REPORTER: &str = "hyperty://there.example/reporter";

/// Runs a text that knows the component by what it left on `globalThis`.
pub(crate) fn run(world: &World, text: &str) -> Vec<Said> {
    let probe = "hyperty://here.example/probe";
    let mut said = world.start(probe, text);
    said.extend(world.handle(CoreFrame::Unload { component: probe }));
    said
}

/// Answers requests until nobody asks any more; all that was said.
///
/// `special` answers what is not as usual; `Value::Null` is no answer at all.
pub(crate) fn serve(
    world: &World,
    said: Vec<Said>,
    special: impl Fn(&Sent) -> Option<Value>,
) -> Vec<Said> {
    let mut all = Vec::new();
    let mut waiting = said;
    while !waiting.is_empty() {
        let asked = sent(&waiting);
        all.append(&mut waiting);
        for request in asked {
            let answer = special(&request).unwrap_or_else(|| usual(&request));
            if !answer.is_null() {
                waiting.extend(reply(world, &request, answer));
            }
        }
    }
    all
}

/// What the core answers when all is well: Ann asks, nobody else is registered.
fn usual(request: &Sent) -> Value {
    let Sent { kind, to, body, .. } = request;
    match (kind.as_str(), to.strip_prefix(RT).unwrap_or_default()) {
        ("read", "/registry/") => json!({"code": 200, "resource": {
            "userURL": "user://idp.example/ann", "guid": "user-guid://ann", "preferred_username": "Ann",
        }}),
        ("read", "/discovery/") => json!({"code": 404, "description": "Not Found"}),
        ("create" | "subscribe", "/sm") if body["resume"] == true => {
            json!({"code": 404, "desc": "none"})
        }
        ("create", "/sm") if body["resource"].is_null() => {
            json!({"code": 200, "resource": DO, "childrenResources": ["resources"]})
        }
        ("subscribe", "/sm") => {
            json!({"code": 200, "schema": body["schema"], "resource": body["resource"],
            "owner": REPORTER, "value": object(&body["resource"], json!({}))})
        }
        (_, "/sm" | "/subscriptions") => json!({"code": 200}),
        _ => Value::Null,
    }
}

/// What the Sync Manager hands out about an object.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it reads better at the calls"
)]
pub(crate) fn object(url: &Value, data: Value) -> Value {
    json!({
        "url": url, "schema": "s", "name": "n", "reporter": REPORTER, "runtime": RT,
        "created": "2026-01-01T00:00:00.000Z", "data": data, "version": 3, "childrenObjects": {},
    })
}
