//! Asserts who somebody is, and checks such assertions, for {{provider}}. An
//! assertion is plain JSON text here; a real proxy has it signed by its provider.

use protocol::Code;
use protocol::client::blocking::Component;
use protocol::client::{Error, Incoming};
use protocol::message::MessageKind;
use serde_json::{Value, json};

fn main() -> Result<(), Error> {
    let mut link = Component::attach()?;
    loop {
        let (incoming, out) = link.recv()?;
        match incoming {
            Incoming::Message(message) if message.header.kind == MessageKind::Execute => {
                let asked: Value = serde_json::from_slice(message.body).unwrap_or_default();
                let (code, mut body) = answer(&asked);
                body["code"] = json!(code);
                out.reply(&message, Code(code), body.to_string().as_bytes())?;
            }
            Incoming::Stop { .. } | Incoming::Closed => return Ok(()),
            _ => {}
        }
    }
}

fn answer(asked: &Value) -> (u16, Value) {
    let params = &asked["params"];
    match asked["method"].as_str() {
        Some("generateAssertion") => generate(params),
        Some("validateAssertion") => validate(params),
        _ => (400, json!({ "desc": "say generateAssertion or validateAssertion" })),
    }
}

fn generate(params: &Value) -> (u16, Value) {
    let Some(user) = params["usernameHint"].as_str() else {
        return (401, json!({ "desc": "somebody must sign in first" }));
    };
    let identity = format!("{user}@{{provider}}");
    let assertion = json!({ "identity": identity, "contents": params["contents"] }).to_string();
    let idp = json!({ "domain": "{{provider}}", "protocol": "{{name}}" });
    (200, json!({ "value": { "assertion": assertion, "idp": idp } }))
}

fn validate(params: &Value) -> (u16, Value) {
    let assertion = params["assertion"].as_str().unwrap_or_default();
    match serde_json::from_str::<Value>(assertion) {
        Ok(value) => (200, json!({ "value": value })),
        Err(_) => (401, json!({ "desc": "the assertion is not one of ours" })),
    }
}
