//! What a method returned, for people.

use protocol::api::rpc::{Lent, Tag};
use serde_json::{Value, json};

use crate::output::escape;

/// Pretty JSON, with readable words where JSON has none; nothing for undefined.
pub(super) fn value(value: &Value) -> String {
    if Tag::read(value) == Some(Tag::Undefined) {
        return String::new();
    }
    let text = serde_json::to_string_pretty(&readable(value)).unwrap_or_default();
    format!("{}\n", escape::clean_lines(&text))
}

/// The same on one line.
pub(super) fn line(values: &[Value]) -> String {
    let values: Vec<_> = values.iter().map(readable).collect();
    escape::clean(&Value::Array(values).to_string()).into_owned()
}

// A parsed value is no deeper than the parser permits.
fn readable(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(readable).collect(),
        Value::Object(members) => match Tag::read(value) {
            Some(tag) => word(tag),
            None => members
                .iter()
                .map(|(name, member)| (name.clone(), readable(member)))
                .collect(),
        },
        plain => plain.clone(),
    }
}

fn word(tag: Tag) -> Value {
    match tag {
        Tag::Undefined => json!("undefined"),
        Tag::Number { value } => json!(value),
        Tag::BigInt { value } => json!(format!("{value}n")),
        Tag::Date { value } => json!(value.as_deref().unwrap_or("Invalid Date")),
        Tag::Bytes { kind, value } => json!(format!("{kind} {value}")),
        Tag::Map { value } => value
            .iter()
            .map(|(key, item)| json!([readable(key), readable(item)]))
            .collect(),
        Tag::Set { value } => value.iter().map(readable).collect(),
        Tag::Error { value } => json!(format!("{}: {}", value.name, value.message)),
        Tag::Object { value } => value
            .iter()
            .map(|(name, member)| (name.clone(), readable(member)))
            .collect(),
        Tag::Ref(lent) => match &lent.data {
            Some(data) => json!({ reference(&lent): data }),
            None => json!(reference(&lent)),
        },
        Tag::Back { reference } => json!(format!("<yours: {reference}>")),
    }
}

fn reference(lent: &Lent) -> String {
    let name = if lent.name.is_empty() {
        "anonymous"
    } else {
        &lent.name
    };
    if lent.methods.is_empty() {
        return format!("<{} {name}>", lent.kind);
    }
    format!("<{} {name}: {}>", lent.kind, lent.methods.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_with_words_for_what_json_lacks() {
        let returned = json!({
            "at": {"$": "date", "value": "2026-11-24T09:00:00.000Z"},
            "big": {"$": "bigint", "value": "12"},
            "tags": {"$": "set", "value": [1, {"$": "undefined"}]},
            "room": {"$": "ref", "ref": "x-1", "kind": "object", "name": "Room", "methods": ["say", "leave"]},
            "done": {"$": "ref", "ref": "x-2", "kind": "function"},
            "chat": {"$": "ref", "ref": "x-3", "kind": "data-object", "name": "Reporter", "data": {"n": 1}, "change": 0},
            "odd": {"$": "nonsense"},
            "evil": "\u{1b}[2J",
        });

        insta::assert_snapshot!(value(&returned));
        assert_eq!(value(&json!({"$": "undefined"})), "");
        assert_eq!(
            line(&[json!(1), json!({"$": "number", "value": "NaN"})]),
            r#"[1,"NaN"]"#
        );
    }
}
