//! Who and what can be found, by whom.

use protocol::Code;
use serde_json::{Value, json};

use crate::WITHIN;
use crate::story::{RUNTIME, Story, rules};

const ANN: &str = "user://idp.example/ann";
const BOB: &str = "user://idp.example/bob";

/// Ann and Bob have a chat each, of one provider; Carl has a clock of another.
fn three() -> Story {
    let mut story = Story::new();
    story.deploy_for("ann", "chat@a.example", ANN);
    story.deploy_for("bob", "chat@a.example", BOB);
    story.deploy_for("carl", "clock@b.example", "carl@idp.example");
    for name in ["ann", "bob", "carl"] {
        story.heard(name);
    }
    story
}

/// What a component is answered when it asks this address.
fn asks(story: &mut Story, name: &str, to: &str, body: &Value) -> (u16, Value) {
    story.send(name, "read", to, &body.to_string(), WITHIN);
    let (_, _, code, body) = story.messages(name).pop().unwrap();
    (code, serde_json::from_str(&body).unwrap())
}

fn finds(story: &mut Story, name: &str, body: &Value) -> (u16, Value) {
    asks(story, name, &format!("{RUNTIME}/discovery/"), body)
}

// services §8.3 case 59
#[test]
fn a_hyperty_finds_those_of_a_user_with_what_they_must_have() {
    let mut story = three();
    let bob = story.address("bob");
    let criteria = json!({"resources": ["chat"], "dataSchemes": ["comm"], "domain": "a.example"});
    let body = json!({"resource": format!("/hyperty/user/{BOB}"), "criteria": criteria});

    let (code, answer) = finds(&mut story, "ann", &body);

    assert_eq!(code, 200);
    assert_eq!(answer["value"].as_array().unwrap().len(), 1);
    let record = &answer["value"][0];
    assert_eq!(record["hypertyID"], bob);
    assert_eq!(record["userID"], BOB);
    assert_eq!(record["status"], "live");
    assert_eq!(record["resources"], json!(["chat", "audio"]));
    assert_eq!(record["dataSchemes"], json!(["comm"]));
    assert_eq!(record["runtime"], "runtime://home.example/rt");
    assert_eq!(record["startingTime"], "2023-11-14T22:13:21Z");
}

// services §8.3 case 59
#[test]
fn what_is_not_found_is_told_in_the_published_words() {
    let mut story = three();
    let body = json!({"resource": "/hyperty/user/nobody@idp.example", "criteria": {}});

    let (code, answer) = finds(&mut story, "ann", &body);

    let description = "Not Found";
    let expected =
        json!({"code": 404, "desc": description, "description": description, "value": []});
    assert_eq!((code, answer), (404, expected));
}

// services §8.3 case 60
// messaging A.4 case 46
#[test]
fn a_guid_that_nobody_here_has_may_be_known_elsewhere() {
    let mut story = three();
    let body = json!({"resource": "/hyperty/guid/user-guid://x"});

    let (code, answer) = finds(&mut story, "ann", &body);

    assert_eq!(code, 500);
    assert_eq!(answer["code"], 500);
    let description = "This search is not available at the moment. Try later.";
    assert_eq!(answer["description"], description);
    assert_eq!(answer["value"], json!([]));
}

#[test]
fn a_lookup_without_criteria_is_answered_as_well() {
    let mut story = three();
    let bob = story.address("bob");

    let (code, answer) = finds(
        &mut story,
        "ann",
        &json!({"resource": format!("/hyperty/url/{bob}")}),
    );

    assert_eq!((code, &answer["value"]["hypertyID"]), (200, &json!(bob)));
}

#[test]
fn a_component_of_another_provider_is_found_under_the_libraries_default_domain() {
    let mut story = three();
    let carl = story.address("carl");
    let mut within = |domain: &str| {
        let criteria = json!({"domain": domain});
        let body = json!({"resource": "/hyperty/user/carl@idp.example", "criteria": criteria});
        finds(&mut story, "ann", &body)
    };

    assert_eq!(within("a.example").1["value"][0]["hypertyID"], carl);
    assert_eq!(within("home.example").1["value"][0]["hypertyID"], carl);
    assert_eq!(within("b.example").1["value"][0]["hypertyID"], carl);
    assert_eq!(within("elsewhere.example").0, 404);
}

#[test]
fn a_component_that_stopped_is_found_disconnected_and_one_that_was_removed_is_not() {
    let mut story = three();
    let bob = story.address("bob");
    let lookup = json!({"resource": format!("/hyperty/url/{bob}")});
    let stop = json!({"method": "stop", "resource": bob}).to_string();
    let remove = json!({"resource": bob}).to_string();

    assert_eq!(story.ask_operator("execute", "ua", &stop).0, Code::OK);
    let stopped = finds(&mut story, "ann", &lookup).1;
    assert_eq!(story.ask_operator("delete", "ua", &remove).0, Code::OK);
    let removed = finds(&mut story, "ann", &lookup);

    assert_eq!(stopped["value"]["status"], "disconnected");
    assert_eq!(removed.0, 404);
}

#[test]
fn the_registry_of_a_domain_that_is_here_is_answered_by_the_runtime() {
    let mut story = three();
    let bob = story.address("bob");
    let body = json!({"resource": BOB});

    let (code, answer) = asks(&mut story, "ann", "domain://registry.a.example", &body);
    let own = asks(&mut story, "ann", "domain://registry.home.example", &body);
    let none = asks(
        &mut story,
        "ann",
        "domain://registry.a.example",
        &json!({"resource": "x"}),
    );
    let foreign = asks(&mut story, "ann", "domain://registry.c.example", &body);

    assert_eq!((code, own.0), (200, 200));
    assert_eq!(answer["value"][&bob]["hypertyID"], bob);
    assert_eq!(none.0, 404);
    assert_eq!(none.1.get("value"), None);
    assert_ne!(foreign.0, 200);
}

#[test]
fn a_stub_speaks_for_its_domains_registry() {
    let mut story = three();
    story.core_rules(rules(
        r#"@id("asks") @why("components ask domains")
        permit (principal is Hyperty, action == Action::"read", resource is Remote);"#,
    ));
    story.deploy("stub/loop@a.example");
    story.heard("stub/loop@a.example");

    story.send(
        "ann",
        "read",
        "domain://registry.a.example",
        r#"{"resource":"x"}"#,
        WITHIN,
    );

    assert_eq!(story.messages("stub/loop@a.example").len(), 1);
}

#[test]
fn a_question_that_makes_no_sense_is_a_bad_request() {
    let mut story = three();

    assert_eq!(finds(&mut story, "ann", &json!({})).0, 400);
    assert_eq!(finds(&mut story, "ann", &json!({"resource": 7})).0, 400);
    assert_eq!(
        finds(
            &mut story,
            "ann",
            &json!({"resource": "/hyperty/colour/red"})
        )
        .0,
        400
    );
    assert_eq!(
        finds(
            &mut story,
            "ann",
            &json!({"resource": "/hyperty", "criteria": {}})
        )
        .0,
        400
    );
    let to = format!("{RUNTIME}/discovery");
    story.send("ann", "create", &to, "{}", WITHIN);
    assert_eq!(story.messages("ann").pop().unwrap().2, 403);
}
