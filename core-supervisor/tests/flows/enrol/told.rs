//! What is told, when, and again.

use std::time::Duration;

use core_supervisor::event::Exit;
use serde_json::{Value, json};

use super::*;

// messaging A.4 case 43
#[test]
fn a_hyperty_is_routed_registered_and_kept_alive() {
    let mut story = stage();
    let (alice, _) = story.deploy(ALICE);
    let before = told(&mut story);

    says(&mut story, "live");
    let at_once = agrees(&mut story);
    passes(&mut story, Duration::from_secs(1_600));
    let early = agrees(&mut story);
    passes(&mut story, Duration::from_secs(40));
    let kept = agrees(&mut story);

    assert!(
        before.is_empty() && early.is_empty(),
        "{before:?} {early:?}"
    );
    let [route, create] = &at_once[..] else {
        panic!("{at_once:#?}")
    };
    assert_eq!(
        (route.kind.as_str(), route.to.as_str()),
        ("subscribe", "domain://msg-node.a.example/sm")
    );
    assert_eq!(route.body["resources"], json!([alice]));
    assert_eq!(
        route.body["source"],
        format!("{}/address-allocation", RUNTIME.replace("hyperty-", ""))
    );
    assert_eq!(
        (create.kind.as_str(), create.to.as_str()),
        ("create", "domain://registry.a.example")
    );
    assert_eq!(
        create.from,
        format!("{}/registry/", RUNTIME.replace("hyperty-", ""))
    );
    assert_eq!(create.body["policy"], "policy");
    let value = &create.body["value"];
    assert_eq!(value["url"], alice);
    assert_eq!(
        (&value["expires"], &value["status"]),
        (&json!(3600), &json!("live"))
    );
    assert_eq!(kept.len(), 1);
    assert_eq!(
        kept[0].body,
        json!({"resource": alice, "value": {"status": "live"}, "method": "refresh"})
    );
}

// messaging A.6 case 59
#[test]
fn the_registry_hears_of_schemes_where_the_descriptor_names_schemas() {
    let mut story = stage();
    story.deploy("chat@a.example");

    says(&mut story, "live");
    let told = agrees(&mut story);

    let create = told.iter().find(|told| told.kind == "create").unwrap();
    assert_eq!(create.body["value"]["dataSchemes"], json!(["comm"]));
}

// messaging A.4 case 43
#[test]
fn after_it_is_removed_nothing_keeps_it_alive() {
    let mut story = stage();
    let (alice, _) = story.deploy(ALICE);
    says(&mut story, "live");
    agrees(&mut story);

    story.ask_operator("delete", "ua", &format!(r#"{{"resource":"{alice}"}}"#));
    let left = agrees(&mut story);
    passes(&mut story, Duration::from_secs(4_000));

    let status = left
        .iter()
        .rfind(|told| told.to.contains("registry"))
        .unwrap();
    assert_eq!(
        status.body,
        json!({"resource": alice, "value": {"status": "disconnected"}})
    );
    assert_eq!(agrees(&mut story).len(), 0);
    assert_eq!(remote(&mut story)["entries"], json!([]));
}

// messaging A.1 case 11
#[test]
fn a_registry_that_cannot_answer_is_asked_again_under_the_same_number() {
    let mut story = stage();
    story.deploy(ALICE);
    says(&mut story, "live");
    let route = told(&mut story).remove(0);
    answers(&mut story, &route, &json!({"code": 200}));

    let mut numbers = Vec::new();
    for code in [408, 500, 200] {
        let create = told(&mut story).remove(0);
        answers(&mut story, &create, &json!({ "code": code }));
        numbers.push(create.id);
    }

    assert_eq!(told(&mut story).len(), 0);
    assert_eq!(numbers, [numbers[0]; 3]);
    assert_eq!(remote(&mut story)["entries"][0]["status"], "live");
}

// messaging A.1 case 12
#[test]
fn what_is_not_to_be_known_or_routed_is_neither() {
    let mut story = stage();
    story.edit = |mut read| {
        for member in ["domain_registration", "domain_routing"] {
            let config = &mut read.descriptor.configuration;
            config.insert(member.to_owned(), Value::Bool(false));
        }
        Ok(read)
    };
    story.deploy(ALICE);

    says(&mut story, "live");

    assert_eq!(told(&mut story).len(), 0);
}

#[test]
fn a_new_session_is_told_everything_again() {
    let mut story = stage();
    story.deploy(ALICE);
    says(&mut story, "live");
    agrees(&mut story);

    says(&mut story, "disconnected");
    passes(&mut story, Duration::from_secs(2_000));
    let away = told(&mut story);
    says(&mut story, "live");
    let back = agrees(&mut story);

    assert!(away.is_empty(), "{away:#?}");
    let kinds: Vec<_> = back.iter().map(|told| told.kind.as_str()).collect();
    assert_eq!(kinds, ["subscribe", "update"]);
}

#[test]
fn a_registry_that_has_forgotten_an_entry_is_told_it_anew() {
    let mut story = stage();
    story.deploy(ALICE);
    says(&mut story, "live");
    agrees(&mut story);
    passes(&mut story, Duration::from_secs(1_640));

    let refresh = told(&mut story).remove(0);
    answers(&mut story, &refresh, &json!({"code": 404}));
    let next = told(&mut story);

    assert_eq!(next.len(), 1);
    assert_eq!(next[0].kind, "create");
}

// messaging A.2 case 32
#[test]
fn a_hyperty_whose_process_ends_is_disconnected_and_live_when_it_is_back() {
    let mut story = stage();
    let (alice, _) = story.deploy(ALICE);
    says(&mut story, "live");
    agrees(&mut story);

    story.crash(ALICE, Exit::Signal(11));
    let down = agrees(&mut story);
    story.wait(Duration::from_secs(2));
    let up = agrees(&mut story);

    let of = |told: &[Told]| told.last().map(|told| told.body["value"]["status"].clone());
    assert_eq!(of(&down), Some(json!("disconnected")));
    assert_eq!(of(&up), Some(json!("live")));
    assert!(
        up.iter().all(|told| told.body["resource"] == alice),
        "{up:#?}"
    );
}

#[test]
fn a_registry_that_refuses_is_shown_with_its_reason() {
    let mut story = stage();
    story.deploy(ALICE);
    says(&mut story, "live");
    let route = told(&mut story).remove(0);
    answers(&mut story, &route, &json!({"code": 200}));

    let create = told(&mut story).remove(0);
    answers(
        &mut story,
        &create,
        &json!({"code": 403, "description": "not yours"}),
    );

    assert_eq!(remote(&mut story)["entries"][0]["fault"], "403 not yours");
    assert_eq!(told(&mut story).len(), 0);
    passes(&mut story, Duration::from_secs(61));
    assert_eq!(agrees(&mut story)[0].kind, "create");
}

#[test]
fn a_thousand_hyperties_are_told_a_few_at_a_time() {
    let mut story = stage();
    for n in 0..100 {
        story.deploy(&format!("h{n}@a.example"));
    }

    says(&mut story, "live");
    let first = told(&mut story);
    for told in &first {
        answers(&mut story, told, &json!({"code": 200}));
    }
    let all = first.len() + agrees(&mut story).len();

    assert_eq!(first.len(), 32);
    assert_eq!(all, 200);
}

// messaging A.2 case 31
#[test]
fn a_node_that_answers_nothing_keeps_nobody_from_running() {
    let mut story = stage();
    says(&mut story, "live");

    let (alice, _) = story.deploy(ALICE);

    let body = format!(r#"{{"resource":"{alice}"}}"#);
    let (_, reply) = story.ask_operator("read", "ua", &body);
    assert!(reply.contains(r#""state":"running""#), "{reply}");
}

// messaging A.4 case 44
#[test]
fn at_the_end_the_registry_hears_that_nobody_is_there() {
    let mut story = stage();
    let (alice, _) = story.deploy(ALICE);
    says(&mut story, "live");
    agrees(&mut story);

    story.happens(core_supervisor::event::Event::StopAsked { why: "test" });

    let said = told(&mut story);
    let update = said.iter().find(|told| told.kind == "update").unwrap();
    assert_eq!(
        update.body,
        json!({"resource": alice, "value": {"status": "disconnected"}})
    );
    assert!(
        story
            .messages(ALICE)
            .iter()
            .any(|message| message.0 == "execute")
    );
}
