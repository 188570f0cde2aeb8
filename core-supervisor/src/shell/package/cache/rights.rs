//! What a descriptor asks for, and what a newer one asks for beyond it.
//!
//! An update that asks for more waits until somebody has seen what: what was
//! agreed to is the older one. Signed packages will bring a fuller account.

use std::collections::BTreeSet;

use serde_json::Value;

/// What the newer descriptor asks for and the older one does not, as people read it.
pub(super) fn grown(older: &[u8], newer: &[u8]) -> Vec<String> {
    let had = asked(older);
    asked(newer).difference(&had).cloned().collect()
}

fn asked(descriptor: &[u8]) -> BTreeSet<String> {
    let descriptor: Value = serde_json::from_slice(descriptor).unwrap_or_default();
    let mut rights = BTreeSet::new();
    for place in list(&descriptor, "network") {
        let member = |name: &str| place.get(name).map(plain).unwrap_or_default();
        let private = match place.get("private") {
            Some(Value::Bool(true)) => ", also at addresses that are not public",
            _ => "",
        };
        let (host, port, protocol) = (member("host"), member("port"), member("protocol"));
        rights.insert(format!(
            "the network: {host} port {port} {protocol}{private}"
        ));
    }
    let constraints = unpacked(descriptor.get("constraints"));
    for (name, value) in constraints.as_object().into_iter().flatten() {
        if *value == Value::Bool(true) {
            rights.insert(format!("a runtime with `{}`", name.escape_default()));
        }
    }
    rights
}

fn list(descriptor: &Value, member: &str) -> Vec<Value> {
    match unpacked(descriptor.get(member)) {
        Value::Array(members) => members,
        _ => Vec::new(),
    }
}

// Older catalogues give members as JSON text.
fn unpacked(value: Option<&Value>) -> Value {
    match value {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(other) => other.clone(),
        None => Value::Null,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.escape_default().to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_has_grown() {
        let older = br#"{"network":[{"host":"a.example","port":443}],"constraints":{"mic":false}}"#;
        let newer = br#"{"network":[{"host":"a.example","port":443},
            {"host":"*","port":25,"private":true}],"constraints":"{\"mic\":true}"}"#;

        assert_eq!(
            grown(older, newer),
            [
                "a runtime with `mic`",
                "the network: * port 25 , also at addresses that are not public"
            ]
        );
        assert_eq!(grown(newer, older), [""; 0]);
    }
}
