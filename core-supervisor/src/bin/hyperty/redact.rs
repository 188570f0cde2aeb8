//! Takes secrets out of bodies before anybody sees them.
//!
//! The core has done so already for what a tap shows; doing it again here costs
//! nothing and holds when an older core is at the other end.

use serde_json::Value;

/// What is shown in place of a secret.
pub(crate) const REDACTED: &str = "[redacted]";

/// Members whose name contains one of these hold a secret.
const SECRET_PARTS: [&str; 12] = [
    "token",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "assertion",
    "authorization",
    "credential",
    "cookie",
    "jwt",
    "signature",
    "nonce",
];

/// A JSON body with its secrets taken out, or as text when it is not JSON.
pub(crate) fn body(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(mut value) => {
            redact(&mut value);
            value
        }
        // Cut short or not JSON: without structure no member can be told from another.
        Err(_) => Value::String(format!("{} bytes that are not JSON", text.len())),
    }
}

/// Takes the secrets out of a JSON value, however deep.
pub(crate) fn redact(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                if is_secret(name) && !member.is_null() {
                    *member = Value::String(REDACTED.to_owned());
                } else {
                    redact(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::String(text) if text.starts_with("Bearer ") || text.starts_with("Basic ") => {
            *value = Value::String(REDACTED.to_owned());
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Takes the value out of every `name=value` in a line of text that names a secret.
pub(crate) fn text(line: &str) -> String {
    let words: Vec<_> = line
        .split(' ')
        .map(|word| match word.split_once('=') {
            Some((name, value)) if is_secret(name) && !value.is_empty() => {
                format!("{name}={REDACTED}")
            }
            _ => word.to_owned(),
        })
        .collect();
    words.join(" ")
}

fn is_secret(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    plain.ends_with("key")
        || plain.ends_with("keys")
        || SECRET_PARTS.iter().any(|part| plain.contains(part))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_taken_out_however_they_are_spelled_and_however_deep() {
        let text = json!({
            "value": [{"accessToken": "a", "api-key": "b", "user": {"Pass_Word": "c"}}],
            "identity": {"assertion": "d", "userProfile": {"username": "eve"}},
            "headers": ["Bearer abc", "text"],
            "privateKey": {"d": "e"},
        });

        assert_eq!(
            body(&text.to_string()),
            json!({
                "value": [{
                    "accessToken": REDACTED, "api-key": REDACTED, "user": {"Pass_Word": REDACTED}
                }],
                "identity": {"assertion": REDACTED, "userProfile": {"username": "eve"}},
                "headers": [REDACTED, "text"],
                "privateKey": REDACTED,
            })
        );
    }

    #[test]
    fn an_absent_secret_and_an_innocent_name_are_left_alone() {
        let value = json!({"token": null, "keyboard": "qwertz", "monkeys": 3, "name": "k"});

        assert_eq!(
            body(&value.to_string()),
            json!({"token": null, "keyboard": "qwertz", "monkeys": REDACTED, "name": "k"})
        );
    }

    #[test]
    fn what_is_not_json_is_not_shown() {
        assert_eq!(
            body("{\"token\":\"abc"),
            json!("13 bytes that are not JSON")
        );
    }
}
