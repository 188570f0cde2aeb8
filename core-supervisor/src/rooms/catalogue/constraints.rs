//! What a descriptor asks of the runtime, and whether the runtime has it.
//!
//! | value | means |
//! |---|---|
//! | `true` | it needs this: where it is absent, the component is not deployed |
//! | `"optional"` | it can do without, and is told when it tries |
//! | `false`, `null` | nothing |
//!
//! In a component for a window (`windowSandbox`), what is absent is optional:
//! published descriptors list there what a window's page may ask its user for, and
//! their code starts without (spec messaging §4.3, case A.6 57).

use std::collections::BTreeMap;

use protocol::api::capabilities::{ABSENT, GRANTED, HERE, Met};
use serde_json::{Map, Value};

/// What says something about the component and asks for nothing.
const TELLS: [&str; 2] = ["onlyAccessToken", "onlyIdAssertionValidation"];

/// What makes the absent optional.
const WINDOW: &str = "windowSandbox";

/// How each constraint is met, by name, or the first that is not.
pub fn met(constraints: &Map<String, Value>) -> Result<BTreeMap<String, Met>, String> {
    let is_window = matches!(constraints.get(WINDOW).map(wish), Some(Wish::Needed));
    let mut all = BTreeMap::new();
    for (name, value) in constraints {
        if let Some(met) = one(name, &wish(value), is_window)? {
            all.insert(name.clone(), met);
        }
    }
    Ok(all)
}

enum Wish {
    Nothing,
    Optional,
    Needed,
    Unclear(String),
}

fn wish(value: &Value) -> Wish {
    match value {
        Value::Null | Value::Bool(false) => Wish::Nothing,
        Value::Bool(true) => Wish::Needed,
        Value::String(text) => match text.as_str() {
            "false" => Wish::Nothing,
            "true" => Wish::Needed,
            "optional" => Wish::Optional,
            _ => Wish::Unclear(shown(&value.to_string())),
        },
        _ => Wish::Unclear(shown(&value.to_string())),
    }
}

// How one is met, where anything is asked.
fn one(name: &str, wish: &Wish, is_window: bool) -> Result<Option<Met>, String> {
    let is_needed = match wish {
        Wish::Nothing => return Ok(None),
        Wish::Unclear(value) => return Err(unclear(name, value)),
        Wish::Optional => false,
        Wish::Needed => true,
    };
    match name {
        _ if TELLS.contains(&name) => Ok(None),
        _ if HERE.contains(&name) => Ok(Some(Met::Here)),
        _ if GRANTED.contains(&name) => Ok(Some(Met::Granted)),
        _ if is_needed && !(is_window && ABSENT.contains(&name)) => Err(absent(name)),
        _ => Ok(Some(Met::RefusedInUse)),
    }
}

fn unclear(name: &str, value: &str) -> String {
    let name = shown(name);
    format!("its constraint `{name}` is `{value}`: say true, false or \"optional\"")
}

fn absent(name: &str) -> String {
    let name = shown(name);
    format!(
        "it needs `{name}`, which this runtime does not have; it has {}, and {} where policy grants them. \
         If it can do without, say `\"{name}\": \"optional\"` in the `constraints` of its descriptor",
        HERE.join(", "),
        GRANTED.join(", ")
    )
}

fn shown(text: &str) -> String {
    text.chars()
        .take(40)
        .flat_map(char::escape_default)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn all(constraints: &Value) -> Result<BTreeMap<String, Met>, String> {
        met(constraints.as_object().unwrap())
    }

    // messaging A.6 case 57
    #[test]
    fn what_published_descriptors_ask_for_is_met() {
        let published = [
            json!({}),
            json!({"browser": true}),
            json!({"node": true}),
            json!({"browser": true, "windowSandbox": true, "mic": true, "camera": true}),
            json!({"windowSandbox": true}),
            json!({"browser": true, "onlyAccessToken": true}),
            json!({"browser": true, "onlyIdAssertionValidation": true}),
            json!({"browser": "true", "gpu": false, "fax": null}),
        ];

        for constraints in published {
            assert_eq!(all(&constraints).err(), None, "{constraints}");
        }
    }

    #[test]
    fn each_is_met_in_its_way() {
        let asked = json!({
            "browser": true, "wss": true, "mic": "optional", "gpu": "optional",
            "camera": false, "onlyAccessToken": true,
        });
        let expected = [
            ("browser", Met::Here),
            ("wss", Met::Granted),
            ("mic", Met::RefusedInUse),
            ("gpu", Met::RefusedInUse),
        ];

        let expected = expected.map(|(name, met)| (name.to_owned(), met));
        assert_eq!(all(&asked), Ok(BTreeMap::from(expected)));
    }

    #[test]
    fn what_the_runtime_does_not_have_is_named() {
        let cases = [
            (json!({"browser": true, "mic": true}), "needs `mic`"),
            (
                json!({"windowSandbox": false, "camera": true}),
                "needs `camera`",
            ),
            (
                json!({"windowSandbox": "optional", "camera": true}),
                "needs `camera`",
            ),
            (json!({"webrtc": "true"}), "needs `webrtc`"),
            (json!({"windowSandbox": true, "gpu": true}), "needs `gpu`"),
            (json!({"memory": 5}), "its constraint `memory` is `5`"),
            (
                json!({"mic": ["loud"]}),
                "its constraint `mic` is `[\\\"loud\\\"]`",
            ),
            (json!({"a\u{202e}b": true}), "needs `a\\u{202e}b`"),
        ];

        for (constraints, expected) in cases {
            let reason = all(&constraints).unwrap_err();
            assert!(reason.contains(expected), "{reason}");
        }
    }
}
