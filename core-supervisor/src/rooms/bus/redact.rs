//! Bodies as a tap may show them: secrets taken out, length bounded.

use serde_json::Value;

/// Bytes of a body that a tap shows.
const SHOWN_BYTES_MAX: usize = 2048;
/// Bodies longer than this are not parsed for a tap.
const PARSED_BYTES_MAX: usize = 64 * 1024;
/// A member whose name contains one of these holds a secret.
const SECRET_NAMES: [&str; 9] = [
    "token",
    "password",
    "secret",
    "assertion",
    "authorization",
    "credential",
    "cookie",
    "apikey",
    "privatekey",
];

/// The body's JSON text with the values of secret members replaced.
pub(crate) fn redact(body: &[u8]) -> String {
    if body.len() > PARSED_BYTES_MAX {
        return format!("({} bytes)", body.len());
    }
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else {
        return format!("({} bytes that are not JSON)", body.len());
    };
    hide(&mut value);
    let mut text = value.to_string();
    if text.len() > SHOWN_BYTES_MAX {
        let cut = (0..=SHOWN_BYTES_MAX)
            .rev()
            .find(|&at| text.is_char_boundary(at))
            .unwrap_or(0);
        text.truncate(cut);
        text.push('…');
    }
    text
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if is_secret(name) {
                    *member = Value::String("(redacted)".to_owned());
                } else {
                    hide(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_secret(name: &str) -> bool {
    let name: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    SECRET_NAMES.iter().any(|secret| name.contains(secret))
}
