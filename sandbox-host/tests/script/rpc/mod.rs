//! The API of a component: what a caller says to `<address>/api`, and hears.

mod calling;
mod live;
mod references;
mod remotes;
mod values;

use serde_json::{Value, json};

use super::world::{ME, Said, Sent, World, sent};

/// A caller, where it hears of what it asked.
pub(crate) const CALLER: &str = "app://here.example/app/1";

/// Where a component is called.
pub(crate) fn api(address: &str) -> String {
    format!("{address}/api")
}

/// A component whose class has these members besides `_start`.
pub(crate) fn class(members: &str) -> String {
    format!(
        "System.register([], function (e) {{ return {{ execute: function () {{\n\
         e({{ default: class Sample {{\n_start() {{}}\n{members}\n}} }}) }} }} }});"
    )
}

/// An engine in which such a component runs as [`ME`].
pub(crate) fn serving(members: &str) -> World {
    let world = World::new();
    let said = world.load(ME, &class(members));
    assert!(said.contains(&Said::Loaded(ME.to_owned())), "{said:?}");
    world
}

/// One call of [`CALLER`] and the body of the only answer to it.
pub(crate) fn ask(world: &World, body: Value) -> Value {
    let answers = answers(&tell(world, "execute", body));
    assert_eq!(answers.len(), 1, "{answers:?}");
    answers[0].clone()
}

/// The same for a call that succeeds: its value.
pub(crate) fn value(world: &World, body: Value) -> Value {
    let answer = ask(world, body);
    assert_eq!(answer["code"], 200, "{answer}");
    answer["value"].clone()
}

/// The same for a call that fails: its code and reason.
pub(crate) fn failure(world: &World, body: Value) -> (u64, String) {
    let answer = ask(world, body);
    let reason = answer["desc"].as_str().unwrap_or_default().to_owned();
    (answer["code"].as_u64().unwrap_or_default(), reason)
}

/// A message of [`CALLER`] to the API, and everything that came of it.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it reads better at the calls"
)]
pub(crate) fn tell(world: &World, kind: &str, body: Value) -> Vec<Said> {
    let to = api(ME);
    world.deliver(json!({"id": 41, "type": kind, "from": api(CALLER), "to": to, "body": body}))
}

/// The bodies of the answers among what was said.
pub(crate) fn answers(said: &[Said]) -> Vec<Value> {
    let answers = sent(said)
        .into_iter()
        .filter(|sent| sent.kind == "response");
    answers.map(|sent| sent.body).collect()
}

/// What was asked of the caller: its functions called, its end watched for.
pub(crate) fn asked(said: &[Said]) -> Vec<Sent> {
    let asked = sent(said).into_iter().filter(|sent| sent.kind == "execute");
    asked.collect()
}

/// An argument that stands for a function of the caller.
pub(crate) fn function(name: &str) -> Value {
    json!({"$": "ref", "ref": name, "kind": "function"})
}
