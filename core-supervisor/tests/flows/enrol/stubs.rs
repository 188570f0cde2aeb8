//! What stubs bring in, may claim, and cannot help themselves with.

use std::time::Duration;

use protocol::Reply;
use serde_json::{Value, json};

use super::*;

#[test]
fn news_of_a_registration_elsewhere_reach_those_who_want_them_alone() {
    let mut story = searching();
    let round = r#"@id("round") @why("even where rules permit it")
        permit (principal is Remote, action in Action::"message", resource is Remote);"#;
    story.core_rules(rules(&format!("{}{round}", reach::OPEN)));
    let topic = "hyperty://a.example/bob/registration";
    let to = format!("{RUNTIME}/subscriptions");
    story.send(
        ALICE,
        "subscribe",
        &to,
        &json!({"resources": [topic]}).to_string(),
        WITHIN,
    );
    let route = agrees(&mut story);
    story.heard(ALICE);
    let link = story.link(STUB);

    let news = json!({"value": "live", "attribute": "status"}).to_string();
    let from = "domain://registry.a.example";
    story.send_as(link, from, "update", topic, &news, Reply::Unwanted);
    story.send_as(link, from, "update", "hyperty://a.example/x", &news, WITHIN);
    let heard = story.messages(ALICE);
    story.send(
        ALICE,
        "unsubscribe",
        &to,
        &json!({"resource": topic}).to_string(),
        WITHIN,
    );
    let left = told(&mut story);

    assert_eq!(route[0].body["resources"], json!([topic]));
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].3, news);
    let circle = left.iter().find(|told| told.kind == "response").unwrap();
    assert_eq!(circle.body["code"], 404);
    let unsubscribe = left.iter().find(|told| told.kind == "unsubscribe").unwrap();
    assert_eq!(unsubscribe.body["resources"], json!([topic]));
}

#[test]
fn only_the_stub_of_a_home_carries_what_comes_from_other_domains() {
    let mut settings = settings();
    settings.homes = vec!["a.example".to_owned()];
    let mut at_home = Story::with(settings);
    let mut abroad = stage();
    at_home.core_rules(rules(reach::OPEN));
    at_home.deploy(STUB);

    let mut arrived = Vec::new();
    for story in [&mut at_home, &mut abroad] {
        let (alice, _) = story.deploy(ALICE);
        story.heard(ALICE);
        let link = story.link(STUB);
        for from in ["hyperty://far.example/1", &alice, RUNTIME] {
            story.send_as(link, from, "update", &alice, "{}", Reply::Unwanted);
        }
        arrived.push(story.messages(ALICE).len());
    }

    assert_eq!(arrived, [1, 0]);
}

#[test]
fn a_stub_that_keeps_claiming_foreign_addresses_is_ended() {
    let mut story = stage();
    let (alice, _) = story.deploy(ALICE);
    let link = story.link(STUB);

    for _ in 0..17 {
        let from = "hyperty://far.example/1";
        story.send_as(link, from, "update", &alice, "{}", Reply::Unwanted);
    }

    assert!(story.sides[&link].is_closed);
    assert!(
        story
            .messages(ALICE)
            .iter()
            .all(|message| message.1 != "hyperty://far.example/1")
    );
}

// messaging A.2 case 22
#[test]
fn a_stub_that_opens_its_session_is_handed_what_is_for_its_domain() {
    let mut story = stage();
    story.deploy(ALICE);

    for status in ["created", "in-progress"] {
        says(&mut story, status);
        story.send(ALICE, "read", "hyperty://a.example/bob", "{}", WITHIN);
    }

    assert_eq!(told(&mut story).len(), 2);
}

#[test]
fn a_published_stub_whose_node_refuses_it_is_started_anew() {
    let mut story = searching();
    let stub = story.address(STUB);
    let before = story.link(STUB);

    says(&mut story, "failed");
    story.wait(Duration::from_secs(3));

    let after = story.link_of(&stub).expect("it runs again");
    assert_ne!(after, before);
}

#[test]
fn the_way_to_an_address_is_told_step_by_step() {
    let mut story = searching();
    let alice = story.address(ALICE);
    let way = |story: &mut Story, to: &str| {
        let body = json!({"resource": to, "explain": true}).to_string();
        let (_, reply) = story.ask_operator("read", "registry", &body);
        let mut reply: Value = serde_json::from_str(&reply).unwrap();
        let hops = reply["value"]["hops"].take();
        let steps = hops.as_array().unwrap().iter();
        let steps: Vec<_> = steps
            .map(|hop| hop["step"].as_str().unwrap().to_owned())
            .collect();
        (
            reply["value"]["reachable"].as_bool().unwrap(),
            steps.join(" "),
        )
    };

    assert_eq!(way(&mut story, &alice), (true, "here".to_owned()));
    assert_eq!(
        way(&mut story, &format!("{RUNTIME}/nothing")),
        (false, "here runtime".to_owned())
    );
    assert_eq!(
        way(&mut story, "hyperty://a.example/bob"),
        (true, "here peer record stub".to_owned())
    );
    assert_eq!(
        way(&mut story, "hyperty://far.example/1"),
        (true, "here peer record stub catalogue".to_owned())
    );
    story.send(ALICE, "read", "hyperty://far.example/1", "{}", WITHIN);
    assert_eq!(
        way(&mut story, "hyperty://far.example/1"),
        (false, "here peer record stub catalogue".to_owned())
    );
}
