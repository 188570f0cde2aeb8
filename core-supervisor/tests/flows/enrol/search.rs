//! What is not here is looked for at a registry.

use serde_json::{Value, json};

use super::*;

fn finds(story: &mut Story, query: &Value) -> u64 {
    let to = format!("{RUNTIME}/discovery");
    story.send(ALICE, "read", &to, &query.to_string(), WITHIN)
}

fn answer(story: &mut Story) -> (u16, Value) {
    let message = story.messages(ALICE).pop().expect("an answer");
    (message.2, serde_json::from_str(&message.3).unwrap())
}

fn record(url: &str) -> Value {
    json!({"hypertyID": url, "userID": "user://gmail.com/bob", "status": "live",
        "runtime": "runtime://a.example/r2", "resources": ["chat"], "expires": 3600})
}

// messaging A.4 case 39
#[test]
fn somebody_elsewhere_is_looked_for_at_the_registry() {
    let mut story = searching();
    let criteria = json!({"resources": ["chat"], "dataSchemes": ["comm"], "domain": "a.example"});

    finds(
        &mut story,
        &json!({"resource": "/hyperty/user/bob@gmail.com", "criteria": criteria}),
    );
    let asked = told(&mut story).remove(0);
    let bob = record("hyperty://a.example/bob");
    answers(
        &mut story,
        &asked,
        &json!({"code": 200, "value": {"hyperty://a.example/bob": bob}}),
    );
    let found = answer(&mut story);
    let domain = json!({"domain": "a.example"});
    let query = json!({"resource": "/hyperty/user/user://gmail.com/bob", "criteria": domain});
    finds(&mut story, &query);
    let by_url = told(&mut story).remove(0);
    answers(
        &mut story,
        &by_url,
        &json!({"code": 404, "description": "Not Found"}),
    );
    let none = answer(&mut story);

    assert_eq!(asked.to, "domain://registry.a.example");
    assert_eq!(
        asked.body,
        json!({"resource": "/hyperty/idp-identifier/bob@gmail.com",
            "criteria": {"resources": ["chat"], "dataSchemes": ["comm"]}})
    );
    assert_eq!(found, (200, json!({"code": 200, "value": [bob]})));
    assert_eq!(by_url.body, json!({"resource": "user://gmail.com/bob"}));
    assert_eq!((none.0, &none.1["value"]), (404, &json!([])));
}

// messaging A.2 case 28
#[test]
fn what_is_disconnected_is_found_although_its_node_makes_a_failure_of_it() {
    let mut story = searching();
    let domain = json!({"domain": "a.example"});

    let query = json!({"resource": "/hyperty/user/bob@gmail.com", "criteria": domain});
    finds(&mut story, &query);
    let asked = told(&mut story).remove(0);
    let bob = record("hyperty://a.example/bob");
    answers(
        &mut story,
        &asked,
        &json!({"code": 500, "value": {"x": bob}}),
    );

    assert_eq!(
        answer(&mut story),
        (200, json!({"code": 200, "value": [bob]}))
    );
}

#[test]
fn a_registry_that_answers_nonsense_is_said_to() {
    for value in [
        json!("yes"),
        json!({"x": {"hypertyID": 7}}),
        json!([1]),
        json!(null),
    ] {
        let mut story = searching();
        let domain = json!({"domain": "a.example"});
        let query = json!({"resource": "/hyperty/user/bob@gmail.com", "criteria": domain});
        finds(&mut story, &query);
        let asked = told(&mut story).remove(0);

        answers(&mut story, &asked, &json!({"code": 200, "value": value}));

        let (code, body) = answer(&mut story);
        assert_eq!((code, &body["value"]), (500, &json!([])));
        let desc = body["desc"].as_str().unwrap();
        assert!(
            desc.contains("the registry of `a.example` answers"),
            "{desc}"
        );
    }
}

#[test]
fn a_record_is_kept_until_its_hyperty_is_not_there_and_then_asked_for_once() {
    let mut story = searching();
    let bob = "hyperty://a.example/bob";
    let query =
        json!({"resource": format!("/hyperty/url/{bob}"), "criteria": {"domain": "a.example"}});
    finds(&mut story, &query);
    let asked = told(&mut story).remove(0);
    answers(
        &mut story,
        &asked,
        &json!({"code": 200, "value": record(bob)}),
    );
    let first = answer(&mut story);

    finds(&mut story, &query);
    let cached = (answer(&mut story), told(&mut story).len());
    let mut asked_again = Vec::new();
    for _ in 0..2 {
        story.send(ALICE, "read", bob, "{}", WITHIN);
        let message = told(&mut story).remove(0);
        answers(&mut story, &message, &json!({"code": 404}));
        let again = told(&mut story);
        asked_again.push(again.len());
        for question in again {
            answers(
                &mut story,
                &question,
                &json!({"code": 200, "value": record(bob)}),
            );
        }
    }

    assert_eq!(first.0, 200);
    assert_eq!(cached, (first, 0));
    assert_eq!(asked_again, [1, 0]);
}

#[test]
fn a_search_in_a_domain_that_is_not_reached_yet_waits_for_its_stub() {
    let mut story = stage();
    story.deploy(ALICE);
    story.heard(ALICE);
    story
        .on_demand
        .insert("protocolstub/default@far.example".to_owned());
    let query = json!({"resource": "/hyperty/user/bob@gmail.com",
        "criteria": {"domain": "far.example"}});

    finds(&mut story, &query);

    assert_eq!(story.sought, ["protocolstub/default@far.example"]);
}
