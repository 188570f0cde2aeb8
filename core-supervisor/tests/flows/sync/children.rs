//! Children: what participants share.

use super::*;

fn shares(story: &mut Story, name: &str, object: &str, kind: &str, body: &Value) -> u64 {
    let to = format!("{object}/children/");
    story.send(name, kind, &to, &body.to_string(), Reply::Untimed)
}

fn chat() -> (Story, String) {
    let mut story = stage();
    story.deploy("dora@b.example");
    story.deploy("eve@a.example");
    let object = makes(&mut story, CHAT, &json!({}));
    observes(&mut story, BOB, &object);
    for name in [ALICE, BOB, "dora@b.example", "eve@a.example"] {
        story.heard(name);
    }
    (story, object)
}

fn hi() -> Value {
    json!({ "resource": "1-b#2", "value": { "url": "1-b#2", "data": { "content": "hi" } }, "identity": { "u": 1 } })
}

// services §8.3 case 39
// services §8.3 case 44
#[test]
fn a_child_reaches_the_reporter_and_is_acknowledged_by_it() {
    let (mut story, object) = chat();

    let id = shares(&mut story, BOB, &object, "create", &hi());
    let shared = only(&mut story, ALICE);
    answers(&mut story, ALICE, &shared, &json!({ "code": 100 }));
    let answer = only(&mut story, BOB);
    answers(&mut story, ALICE, &shared, &json!({ "code": 200 }));

    assert_eq!(
        (shared.kind.as_str(), shared.from.as_str()),
        ("create", story.address(BOB).as_str())
    );
    assert_eq!(
        (shared.to, &shared.body),
        (format!("{object}/children/"), &hi())
    );
    assert_eq!((answer.id, answer.code), (id, 100));
    assert!(
        told(&mut story, BOB).is_empty(),
        "its first answer ended it"
    );
    let children = &reads(&mut story, &object)["childrenObjects"];
    assert_eq!(
        children["1-b#2"]["value"]["data"],
        json!({ "content": "hi" })
    );
    assert_eq!(children["1-b#2"]["identity"], json!({ "u": 1 }));
}

// services §8.3 case 41
#[test]
fn a_child_of_the_reporter_reaches_the_observers_and_not_itself() {
    let (mut story, object) = chat();

    shares(&mut story, ALICE, &object, "create", &hi());

    assert_eq!(only(&mut story, BOB).body, hi());
    assert!(told(&mut story, ALICE).is_empty());
}

// services §8.3 case 42
#[test]
fn a_child_is_changed_and_deleted_by_its_creator_alone() {
    let (mut story, object) = chat();
    shares(&mut story, BOB, &object, "create", &hi());
    told(&mut story, ALICE);
    let change = |version: u64, value: &str| json!({ "resource": "1-b#2", "version": version, "attribute": "content", "value": value });

    shares(&mut story, ALICE, &object, "update", &change(1, "mine"));
    let refused = only(&mut story, ALICE);
    shares(&mut story, BOB, &object, "update", &change(1, "x"));
    let update = only(&mut story, ALICE);
    shares(&mut story, BOB, &object, "update", &change(1, "again"));
    let stale = only(&mut story, BOB);
    let value = reads(&mut story, &object);
    shares(
        &mut story,
        ALICE,
        &object,
        "delete",
        &json!({ "resource": "1-b#2" }),
    );
    let kept = only(&mut story, ALICE);
    shares(
        &mut story,
        BOB,
        &object,
        "delete",
        &json!({ "resource": "1-b#2" }),
    );

    assert_eq!((refused.code, stale.code, kept.code), (403, 409, 403));
    assert_eq!(update.body["value"], "x");
    assert_eq!(
        value["childrenObjects"]["1-b#2"]["value"]["data"]["content"],
        "x"
    );
    assert_eq!(value["version"], 0, "a child does not move its object on");
    assert_eq!(only(&mut story, ALICE).kind, "delete");
    assert_eq!(reads(&mut story, &object).get("childrenObjects"), None);
}

// services §8.3 case 43
#[test]
fn an_event_reaches_everybody_else() {
    let (mut story, object) = chat();

    shares(
        &mut story,
        BOB,
        &object,
        "event",
        &json!({ "value": "typing" }),
    );
    let heard = only(&mut story, ALICE);

    assert_eq!(
        (heard.kind.as_str(), &heard.body),
        ("event", &json!({ "value": "typing" }))
    );
}

#[test]
fn who_does_not_take_part_shares_nothing() {
    let (mut story, object) = chat();

    shares(&mut story, CAROL, &object, "create", &hi());
    shares(&mut story, "eve@a.example", &object, "create", &hi());

    assert_eq!(only(&mut story, CAROL).code, 403);
    // Of the reporter's own provider, and no participant for that.
    let eve = told(&mut story, "eve@a.example");
    assert_eq!(eve.iter().map(|t| t.code).collect::<Vec<_>>(), [403]);
    assert!(told(&mut story, BOB).is_empty());
}

#[test]
fn somebody_elses_child_is_not_taken_over() {
    let (mut story, object) = chat();
    shares(&mut story, BOB, &object, "create", &hi());
    told(&mut story, ALICE);

    shares(&mut story, ALICE, &object, "create", &hi());

    assert_eq!(only(&mut story, ALICE).code, 403);
}

#[test]
fn a_child_that_no_reporter_could_acknowledge_is_refused_at_once() {
    let (mut story, object) = chat();
    let stop = format!(
        r#"{{"method":"stop","resource":"{}"}}"#,
        story.address(ALICE)
    );
    story.ask_operator("execute", "ua", &stop);

    shares(&mut story, BOB, &object, "create", &hi());

    assert_eq!(only(&mut story, BOB).code, 503);
}

// services §8.3 case 6
#[test]
fn children_that_a_library_stores_are_read_again() {
    let (mut story, object) = chat();
    let body = json!({ "resource": object, "attribute": "childrenObjects",
        "value": { "c1": { "value": { "data": { "a": 1 } }, "identity": { "u": 2 } } } });

    let id = story.send(ALICE, "create", &sm(), &body.to_string(), Reply::Untimed);
    let answers = told(&mut story, ALICE);
    let value = reads(&mut story, &object);
    story.send(CAROL, "create", &sm(), &body.to_string(), Reply::Untimed);

    assert!(answers.is_empty(), "{id}: {answers:?}");
    assert_eq!(
        value["childrenObjects"]["c1"]["identity"],
        json!({ "u": 2 })
    );
    assert_eq!(only(&mut story, CAROL).code, 403);
}

#[test]
fn children_that_do_not_fit_into_one_answer_come_in_parts() {
    let (mut story, object) = chat();
    let text = "x".repeat(200_000);
    for n in 0..12 {
        let child =
            json!({ "resource": format!("1-a#{n}"), "value": { "data": { "text": text } } });
        shares(&mut story, ALICE, &object, "create", &child);
    }

    let answers = ask(&mut story, ALICE, "read", &json!({ "resource": object }));

    let codes: Vec<u16> = answers.iter().map(|t| t.code).collect();
    assert!(codes.len() > 2 && codes.last() == Some(&200), "{codes:?}");
    assert!(
        codes.iter().rev().skip(1).all(|code| *code == 100),
        "{codes:?}"
    );
    let parts = answers
        .iter()
        .map(|t| t.body["value"]["childrenObjects"].as_object().unwrap());
    let names: std::collections::BTreeSet<_> =
        parts.flat_map(|part| part.keys().cloned()).collect();
    assert_eq!(names.len(), 12);
    assert!(
        answers
            .iter()
            .all(|t| t.body["value"]["responses"] == codes.len())
    );
}
