//! What the registry answers about addresses and about users.

use core_supervisor::event::Event;
use protocol::{Code, Reply};
use serde_json::{Value, json};

use crate::WITHIN;
use crate::story::{Heard, RUNTIME, Story};

const ANN: &str = "user://idp.example/ann";

fn ann() -> Story {
    let mut story = Story::new();
    story.deploy_for("ann's", "chat@a.example", ANN);
    story.heard("ann's");
    story
}

/// What the chat is answered when it asks for `resource` of `criteria`.
fn asks(story: &mut Story, resource: &str, criteria: &str) -> (u16, Value) {
    let body = json!({"resource": resource, "criteria": criteria}).to_string();
    // With the slash that published libraries write.
    story.send(
        "ann's",
        "read",
        &format!("{RUNTIME}/registry/"),
        &body,
        WITHIN,
    );
    let (_, from, code, body) = story.messages("ann's").pop().unwrap();
    assert_eq!(from, format!("{RUNTIME}/registry/"));
    (code, serde_json::from_str(&body).unwrap())
}

// services §8.3 case 61
#[test]
fn a_hyperty_is_told_the_profile_of_its_user() {
    let mut story = ann();
    let address = story.address("ann's");

    let (code, answer) = asks(&mut story, ".", &address);

    assert_eq!(code, 200);
    assert_eq!(answer["code"], 200);
    let profile = &answer["resource"];
    assert_eq!(profile["userURL"], ANN);
    assert_eq!(profile["preferred_username"], "ann");
    assert_eq!(profile["name"], "ann");
    assert_eq!(profile["email"], "ann@idp.example");
    assert!(
        profile["guid"]
            .as_str()
            .unwrap()
            .starts_with("user-guid://")
    );
}

// messaging A.4 case 45
#[test]
fn one_member_of_a_profile_can_be_asked_for() {
    let mut story = ann();
    let address = story.address("ann's");

    let known = asks(&mut story, "userURL", &address);
    let unknown = asks(&mut story, "avatar", &address);

    assert_eq!(known, (200, json!({"resource": ANN, "code": 200})));
    assert_eq!(unknown, (404, json!({"resource": "", "code": 404})));
}

// services §8.3 case 61
#[test]
fn an_unknown_hyperty_has_no_profile() {
    let mut story = ann();
    let none = (404, json!({"resource": "", "code": 404}));

    assert_eq!(asks(&mut story, ".", "hyperty://a.example/nobody"), none);
    assert_eq!(asks(&mut story, ".", "not an address"), none);
    assert_eq!(asks(&mut story, ".", &format!("{RUNTIME}/sm")), none);
}

#[test]
fn what_is_asked_without_criteria_is_about_addresses() {
    let mut story = ann();
    let address = story.address("ann's");

    let body = json!({"resource": address}).to_string();
    let (code, answer) = story.ask_operator("read", "registry", &body);

    assert_eq!(code, Code::OK);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["value"]["address"], address);
    assert_eq!(answer["value"]["kind"], "hyperty");
}

#[test]
fn a_question_that_is_no_object_is_a_bad_request() {
    let mut story = ann();

    let registry = format!("{RUNTIME}/registry");
    story.send("ann's", "read", &registry, "[1]", Reply::Within(1_000));

    assert_eq!(story.messages("ann's").pop().unwrap().2, 400);
}

// messaging A.4 case 44
#[test]
fn each_hyperty_is_told_that_the_runtime_ends_before_it_does() {
    let mut story = ann();
    let link = story.link("ann's");

    story.happens(Event::StopAsked { why: "SIGTERM" });

    let heard = story.heard_on(link);
    let Heard::Message {
        kind, from, body, ..
    } = &heard[0]
    else {
        panic!("{heard:?}");
    };
    assert_eq!(kind, "execute");
    assert_eq!(from, "runtime://home.example/rt/registry");
    assert_eq!(body, r#"{"method":"close"}"#);
    assert!(heard.contains(&Heard::Stop));
}
