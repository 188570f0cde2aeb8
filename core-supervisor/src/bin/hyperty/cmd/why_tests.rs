//! Fixed decisions, and how they are explained.

use serde_json::json;

use super::*;

/// A denial, for the tests of every command.
pub(crate) fn denial() -> Explanation {
    Explanation {
        decision: "d-3-17".to_owned(),
        verdict: Verdict::Forbidden,
        from: "hyperty://chat.example/42".to_owned(),
        to: "hyperty://acme.example/7".to_owned(),
        kind: "create".to_owned(),
        rules: vec![Rule {
            id: "no-acme".to_owned(),
            place: "~/.config/hyperty/policy.d/30-user.cedar:14".to_owned(),
            effect: "forbid".to_owned(),
            why: "nothing of mine goes to acme".to_owned(),
        }],
        attributes: json!({
            "principal": {"provider": "chat.example", "level": 3, "name": "chat"},
            "resource": {"provider": "acme.example", "name": "locate", "digest": ""},
            "context": {"type": "create", "body": {}},
        }),
        errors: Vec::new(),
        remedy: String::new(),
        version: 3,
        cached: true,
    }
}

/// Another, that no rule permits.
pub(crate) fn not_permitted() -> Explanation {
    Explanation {
        decision: "d-3-18".to_owned(),
        verdict: Verdict::NotPermitted,
        rules: Vec::new(),
        remedy: "@id(\"chat-to-locate\")\npermit (\n  principal == Hyperty::\"chat\",\n  \
                 action == Action::\"create\",\n  resource == Hyperty::\"locate\"\n);\n"
            .to_owned(),
        cached: false,
        ..denial()
    }
}

#[test]
fn a_forbidden_message_names_the_rule_and_everything_it_looked_at() {
    insta::assert_snapshot!(text(&denial(), Style::PLAIN));
}

#[test]
fn a_message_that_no_rule_permits_shows_the_smallest_rule_that_would() {
    insta::assert_snapshot!(text(&not_permitted(), Style::PLAIN));
}

#[test]
fn a_rule_that_fails_shows_its_error() {
    let explanation = Explanation {
        verdict: Verdict::Error,
        errors: vec!["`context.body.room` does not exist".to_owned()],
        ..denial()
    };

    insta::assert_snapshot!(text(&explanation, Style::PLAIN));
}
