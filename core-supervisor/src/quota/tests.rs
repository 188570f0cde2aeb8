use protocol::nursery::Engine;
use serde_json::{Value, json};

use super::*;

fn asked_for(limits: &Value) -> Asked {
    asked(limits.as_object().unwrap()).unwrap()
}

fn ceiling(over: OverCeiling) -> Ceiling {
    let mut ceiling = Ceiling::default();
    ceiling.over = over;
    ceiling.set(Quota::Pending, 100, "hyperty.toml:3".to_owned());
    ceiling.set(Quota::Memory, 128 << 20, "hyperty.toml:4".to_owned());
    ceiling
}

#[test]
fn a_component_that_asks_for_nothing_has_what_is_usual_or_the_ceiling_where_that_is_lower() {
    let limits = settle(&Asked::new(), Engine::Script, &ceiling(OverCeiling::Refuse)).unwrap();

    assert_eq!(limits.quotas.of(Quota::Listeners), 256);
    assert_eq!(limits.origin(Quota::Listeners), "default");
    assert_eq!(limits.quotas.of(Quota::Pending), 100);
    assert_eq!(limits.origin(Quota::Pending), "hyperty.toml:3");
    assert_eq!(limits.quotas.of(Quota::Memory), 64 << 20);
    assert_eq!(limits.origin(Quota::Memory), "default");
}

#[test]
fn a_descriptor_gets_what_it_asks_for_up_to_the_ceiling_and_not_one_more() {
    let ceiling = ceiling(OverCeiling::Refuse);

    let just = settle(
        &asked_for(&json!({"pending": 100})),
        Engine::Script,
        &ceiling,
    )
    .unwrap();
    let over = settle(
        &asked_for(&json!({"pending": 101})),
        Engine::Script,
        &ceiling,
    );

    assert_eq!(just.quotas.of(Quota::Pending), 100);
    assert_eq!(just.origin(Quota::Pending), "descriptor");
    let told = over.unwrap_err().to_string();
    for part in [
        "`limits.pending` 101",
        "ceiling is 100",
        "hyperty.toml:3",
        "`limits.pending` in",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn who_asks_for_too_much_is_clipped_where_the_operator_says_so_and_it_is_told() {
    let asked = asked_for(&json!({"pending": 5000, "memory": 1 << 30}));

    let limits = settle(&asked, Engine::Script, &ceiling(OverCeiling::Clip)).unwrap();

    assert_eq!(limits.quotas.of(Quota::Pending), 100);
    assert_eq!(limits.quotas.of(Quota::Memory), 128 << 20);
    assert_eq!(
        limits.origin(Quota::Pending),
        "hyperty.toml:3, clipped: its descriptor asks for 5000"
    );
}

#[test]
fn more_than_is_usual_needs_the_word_of_an_operator() {
    let asked = asked_for(&json!({"memory": (64 << 20) + 1}));

    let refused = settle(&asked, Engine::Script, &Ceiling::default()).unwrap_err();

    assert_eq!(refused.place, "the runtime's default");
    assert_eq!(refused.key, "limits.memory");
}

#[test]
fn what_is_no_limit_or_no_number_is_told_by_its_member() {
    let cases = [
        (
            json!({"memroy": 1}),
            "`limits.memroy` is no limit: there are messages, bytes",
        ),
        (
            json!({"memory": "64 MiB"}),
            "`limits.memory` must be a whole number (bytes)",
        ),
        (json!({"memory": -1}), "`limits.memory` must be"),
        (json!({"memory": 1.5}), "`limits.memory` must be"),
        (json!({"memory": (8 << 20) - 1}), "at least 8388608"),
        (json!({"pending": null}), "`limits.pending` must be"),
        (json!({"a\nb": 1}), "`limits.a\\nb` is no limit"),
    ];

    for (limits, expected) in cases {
        let (_, told) = asked(limits.as_object().unwrap()).unwrap_err();
        assert!(told.contains(expected), "{limits}: {told}");
    }
}

#[test]
fn every_number_of_the_table_lies_between_its_bounds() {
    for quota in Quota::ALL {
        let row = quota.row();
        for engine in [Engine::Script, Engine::Native] {
            let usual = quota.usual(engine);
            let is_bounded = usual == UNBOUNDED || (row.least..=row.most).contains(&usual);
            assert!(is_bounded, "{}: {usual}", row.member);
        }
        assert_eq!(Quota::by_member(row.member), Some(quota));
        assert_eq!(
            Quota::by_key(row.key.strip_prefix("limits.").unwrap()),
            Some(quota)
        );
    }
}

// The core links nothing that knows the profiles: the numbers stand in both.
#[test]
fn what_is_usual_for_a_process_is_what_its_profile_says() {
    let profiles = [
        (
            Engine::Script,
            include_str!("../../../policies/sandbox/script.toml"),
        ),
        (
            Engine::Native,
            include_str!("../../../policies/sandbox/native.toml"),
        ),
    ];
    for (engine, text) in profiles {
        let profile: toml::Table = text.parse().unwrap();
        let limits = profile["limit"].as_array().unwrap();
        let nofile = limits
            .iter()
            .find(|it| it["resource"].as_str() == Some("nofile"))
            .unwrap();

        let number = |value: &toml::Value| value.as_integer().unwrap().cast_unsigned();
        assert_eq!(
            number(&profile["memory"]["bytes"]),
            Quota::Memory.usual(engine),
            "{engine:?}"
        );
        assert_eq!(
            number(&nofile["value"]),
            Quota::Descriptors.usual(engine),
            "{engine:?}"
        );
    }
}
