//! What a descriptor asks of the runtime, and whether the runtime has it.
//!
//! Published descriptors ask for cameras that their code may never turn on, so
//! what is refused when it is used is not refused here (spec messaging §4.3). What
//! nobody would notice until something is missing is.

use serde_json::{Map, Value};

/// What this runtime is and has (spec services §7.6).
pub const HAS: [&str; 4] = ["browser", "node", "native", "windowSandbox"];

/// What scripts find as objects that refuse, and say why, when they are used.
pub const REFUSES_IN_USE: [&str; 9] = [
    "mic",
    "camera",
    "sensor",
    "webrtc",
    "datachannel",
    "http",
    "https",
    "ws",
    "wss",
];

/// What says something about the component and asks for nothing.
pub const TELLS: [&str; 2] = ["onlyAccessToken", "onlyIdAssertionValidation"];

/// The first constraint that this runtime does not meet, and what it has instead.
pub fn unmet(constraints: &Map<String, Value>) -> Option<String> {
    let known = |name: &str| [&HAS[..], &REFUSES_IN_USE, &TELLS].concat().contains(&name);
    let (name, value) = constraints.iter().find(|(name, value)| match value {
        // Not to need something is met by everybody.
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) => !known(name),
        Value::String(text) if text == "false" => false,
        Value::String(text) if text == "true" => !known(name),
        _ => true,
    })?;
    let shown: String = name
        .chars()
        .take(40)
        .flat_map(char::escape_default)
        .collect();
    if known(name) {
        let value: String = value
            .to_string()
            .chars()
            .take(40)
            .flat_map(char::escape_default)
            .collect();
        return Some(format!(
            "its constraint `{shown}` is `{value}`: say true or false"
        ));
    }
    Some(format!(
        "it asks for `{shown}`, which this runtime does not have; it has {}, and answers {} with objects that refuse. \
         Take the constraint out of its descriptor if it can do without",
        HAS.join(", "),
        REFUSES_IN_USE.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::unmet;

    fn reason(constraints: &serde_json::Value) -> Option<String> {
        unmet(constraints.as_object().unwrap())
    }

    // messaging A.6 case 57
    #[test]
    fn what_published_descriptors_ask_for_is_met() {
        let published = [
            json!({}),
            json!({"browser": true}),
            json!({"node": true}),
            json!({"browser": true, "windowSandbox": true, "mic": true, "camera": true}),
            json!({"browser": true, "onlyAccessToken": true}),
            json!({"browser": true, "onlyIdAssertionValidation": true}),
            json!({"browser": "true", "gpu": false, "fax": null}),
        ];

        for constraints in published {
            assert_eq!(reason(&constraints), None, "{constraints}");
        }
    }

    #[test]
    fn what_the_runtime_does_not_have_is_named() {
        let cases = [
            (json!({"browser": true, "gpu": true}), "asks for `gpu`"),
            (json!({"coap": "true"}), "asks for `coap`"),
            (json!({"memory": 5}), "asks for `memory`"),
            (
                json!({"mic": ["loud"]}),
                "its constraint `mic` is `[\\\"loud\\\"]`",
            ),
            (json!({"a\u{202e}b": true}), "asks for `a\\u{202e}b`"),
        ];

        for (constraints, expected) in cases {
            let reason = reason(&constraints).unwrap();
            assert!(reason.contains(expected), "{reason}");
        }
    }
}
