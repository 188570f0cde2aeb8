//! What the tests of the service framework share: a component that uses a service, and peers
//! that answer it.

use protocol::frame::ComponentKind;
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
