//! The JSON of the rooms' bodies: clients in other languages read it by name.

#![allow(clippy::unwrap_used)] // in helpers of the tests

use protocol::api::{Outcome, Valued, allocation, bus, policy, sandboxes, user_agent};
use protocol::frame::{ComponentKind, Level, LogLevel};
use protocol::nursery::Engine;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Checks that a value is written as this JSON, and read back from it.
#[track_caller]
fn is_written_as<T>(value: &T, expected: Value)
where
    T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug,
{
    assert_eq!(serde_json::to_value(value).unwrap(), expected);
    assert_eq!(&serde_json::from_value::<T>(expected).unwrap(), value);
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn an_outcome_leaves_out_what_is_empty() {
    let done = Outcome {
        code: 200,
        desc: String::new(),
        description: String::new(),
        decision: String::new(),
        retry_after: None,
    };
    is_written_as(&done, json!({"code": 200}));

    let refused = Outcome {
        code: 403,
        desc: "no".to_owned(),
        description: "no".to_owned(),
        decision: "d-1-7".to_owned(),
        retry_after: None,
    };
    let expected = json!({"code": 403, "desc": "no", "description": "no", "decision": "d-1-7"});
    is_written_as(&refused, expected);

    let busy = Outcome {
        code: 429,
        retry_after: Some(1000),
        ..done
    };
    is_written_as(&busy, json!({"code": 429, "retryAfter": 1000}));
}

#[test]
fn a_value_stands_beside_its_code() {
    let (code, value) = (200, allocation::Allocated { allocated: vec![] });
    is_written_as(
        &Valued { code, value },
        json!({"code": 200, "value": {"allocated": []}}),
    );
}

#[test]
fn a_deployment_needs_no_more_than_its_component() {
    let deploy: user_agent::Deploy = read(r#"{"component":"hyperty/Echo"}"#).unwrap();

    assert_eq!(deploy.component, "hyperty/Echo");
    assert_eq!((deploy.catalogue.as_str(), deploy.min_level), ("", None));
}

#[test]
fn a_member_that_a_deployment_does_not_have_is_told() {
    let error = read::<user_agent::Deploy>(r#"{"component":"x","minlevel":"L3"}"#).unwrap_err();

    assert!(error.contains("minlevel"), "{error}");
}

#[test]
fn one_address_is_allocated_when_no_number_is_given() {
    let allocate: allocation::Allocate = read(r#"{"scheme":"comm"}"#).unwrap();

    assert_eq!((allocate.number, allocate.key.as_str()), (1, ""));
}

#[test]
fn a_block_of_addresses_is_asked_for_in_two_forms() {
    let ours = r#"{"scheme":"comm","number":3,"allocationKey":"k"}"#;
    let published = r#"{"scheme":"comm","value":{"number":3,"allocationKey":"k","info":{}}}"#;

    let allocate: allocation::Allocate = read(ours).unwrap();

    assert_eq!((allocate.number, allocate.key.as_str()), (3, "k"));
    assert_eq!(read(published), Ok(allocate.clone()));
    is_written_as(&allocate, serde_json::from_str(ours).unwrap());
}

#[test]
fn addresses_are_given_back_in_three_forms() {
    let release: allocation::Release = read(r#"{"resource":"k"}"#).unwrap();
    assert_eq!(release.resource.as_deref(), Some("k"));

    let release: allocation::Release = read(r#"{"childrenResources":["comm://d/1"]}"#).unwrap();
    assert_eq!(
        release.children_resources,
        Some(vec!["comm://d/1".to_owned()])
    );

    let resources = vec!["comm://d/1".to_owned()];
    let ours = allocation::Release {
        resources,
        ..Default::default()
    };
    is_written_as(&ours, json!({"resources": ["comm://d/1"]}));
}

#[test]
fn a_tap_filter_calls_the_kind_type() {
    let filter = bus::TapFilter {
        kind: "read".to_owned(),
        ..Default::default()
    };

    let written = serde_json::to_value(&filter).unwrap();

    assert_eq!(written.get("type"), Some(&json!("read")));
    assert_eq!(read::<bus::TapFilter>("{}"), Ok(bus::TapFilter::default()));
}

#[test]
fn the_words_for_choices_stay_the_same() {
    let words = json!([
        ComponentKind::Hyperty,
        ComponentKind::ProtoStub,
        ComponentKind::IdpProxy,
        Engine::Script,
        Engine::Native,
        Level::L2,
        LogLevel::Warn,
        policy::Verdict::NotPermitted,
    ]);

    let expected = json!([
        "hyperty",
        "proto-stub",
        "idp-proxy",
        "script",
        "native",
        "L2",
        "warn",
        "not-permitted"
    ]);
    assert_eq!(words, expected);
}

#[test]
fn a_log_line_may_come_without_a_place() {
    let line = r#"{"at_us":1,"component":"c","level":"info","text":"t"}"#;

    let line: sandboxes::LogLine = read(line).unwrap();

    assert_eq!(line.place, "");
}
