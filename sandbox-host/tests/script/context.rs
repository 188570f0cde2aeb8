//! What the tests of contexts share.

use serde_json::{Value, json};

use super::services::{DO, RT, object, using};
use super::world::{Said, Sent, World, sent};

pub(crate) const SCHEMA: &str =
    "hyperty-catalogue://catalogue.here.example/.well-known/dataschema/Context";

/// A component with a ContextReporter, `context`.
pub(crate) fn reporter() -> World {
    using(
        "globalThis.say = say; globalThis.tell = tell;
        globalThis.context = factory.createContextReporter(url, bus, config);",
    )
    .0
}

/// A component with a ContextObserver, `context`.
pub(crate) fn observer() -> World {
    using("globalThis.say = say; globalThis.tell = tell;
        globalThis.context = factory.createContextObserver(url, bus, config, ['availability_context']);").0
}

pub(crate) fn requests(said: &[Said], kind: &str, to: &str) -> Vec<Sent> {
    sent(said)
        .into_iter()
        .filter(|m| m.kind == kind && m.to == format!("{RT}{to}"))
        .collect()
}

pub(crate) fn presence(status: &str) -> Value {
    json!({"values": [{"name": "availability", "value": status, "unit": "pres"}]})
}

/// The answer to a resume: this one object.
pub(crate) fn resumed(kind: &'static str) -> impl Fn(&Sent) -> Option<Value> {
    move |request| {
        let is_resume = request.kind == kind && request.to.ends_with("/sm");
        let mut kept = object(&json!(DO), presence("available"));
        kept["name"] = json!("myAvailability");
        match request.kind.as_str() {
            "read" if request.to.ends_with("/sm") => Some(json!({"code": 200, "value": kept})),
            _ => is_resume.then(|| json!({"code": 200, "value": [kept]})),
        }
    }
}
