//! Objects whose schema a catalogue has.

use super::*;

const POINT: &str = "https://catalogue.a.example/.well-known/dataschema/Point";

fn with_schema(validation: &str) -> Story {
    let mut story = stage();
    let schema = json!({
        "x-validation": validation,
        "type": "object",
        "properties": { "x": { "type": "number" }, "tags": { "type": "array", "items": { "type": "string" } } },
        "required": ["x"],
    });
    story
        .schemas
        .insert("Point".to_owned(), schema.to_string().into_bytes());
    story
}

fn create(data: &Value) -> Value {
    json!({ "schema": POINT, "value": { "data": data } })
}

#[test]
fn data_that_does_not_fit_its_schema_is_refused_when_it_is_made_and_when_it_changes() {
    let mut story = with_schema("reject");

    let wrong = asks(&mut story, ALICE, "create", &create(&json!({ "x": "one" })));
    let right = asks(
        &mut story,
        ALICE,
        "create",
        &create(&json!({ "x": 1, "tags": [] })),
    );
    let object = right.body["resource"].as_str().unwrap().to_owned();
    observes(&mut story, BOB, &object);
    assigns(&mut story, &object, 1, "x", &json!("two"));
    let changed = only(&mut story, ALICE);
    changes(
        &mut story,
        &object,
        &json!({ "version": 1, "attribute": "x" }),
    );
    let deleted = only(&mut story, ALICE);
    changes(
        &mut story,
        &object,
        &json!({ "version": 1, "path": ["tags", 0], "operation": "add", "value": [1] }),
    );
    let added = only(&mut story, ALICE);
    let replace = json!({ "resource": object, "version": 5, "value": { "tags": [] } });
    let replaced = asks(&mut story, ALICE, "update", &replace);
    assigns(&mut story, &object, 1, "x", &json!(2));

    assert_eq!((wrong.code, right.code), (422, 200));
    assert!(
        wrong.body["desc"]
            .as_str()
            .unwrap()
            .contains("`x`: must be of type number"),
        "{:?}",
        wrong.body
    );
    assert_eq!(
        (changed.code, deleted.code, added.code, replaced.code),
        (422, 422, 422, 422)
    );
    assert_eq!(only(&mut story, BOB).body["value"], 2);
    assert_eq!(
        reads(&mut story, &object)["data"],
        json!({ "x": 2, "tags": [] })
    );
}

#[test]
fn a_schema_may_ask_for_a_warning_only_or_for_nothing() {
    for validation in ["warn", "off"] {
        let mut story = with_schema(validation);

        let made = asks(&mut story, ALICE, "create", &create(&json!({ "x": "one" })));
        let object = made.body["resource"].as_str().unwrap().to_owned();
        assigns(&mut story, &object, 1, "x", &json!("two"));
        let (_, log) = story.ask_operator(
            "subscribe",
            "sandboxes",
            r#"{"component":"","last":100,"follow":false}"#,
        );
        let (link, _) = story.operator();
        let lines = format!("{log}{:?}", story.heard_on(link));

        assert_eq!(made.code, 200);
        assert_eq!(reads(&mut story, &object)["data"], json!({ "x": "two" }));
        assert_eq!(
            lines.matches("must be of type number").count(),
            if validation == "warn" { 2 } else { 0 },
            "{lines}"
        );
    }
}

#[test]
fn a_schema_that_cannot_be_used_makes_no_object() {
    let mut story = stage();
    story.schemas.insert(
        "Point".to_owned(),
        br#"{ "$ref": "https://evil.example/x" }"#.to_vec(),
    );

    let answer = asks(&mut story, ALICE, "create", &create(&json!({})));

    assert_eq!(answer.code, 422);
    assert!(
        answer.body["desc"]
            .as_str()
            .unwrap()
            .contains("leads out of it"),
        "{:?}",
        answer.body
    );
}

#[test]
fn a_resumed_object_is_held_against_its_schema_again() {
    let mut story = with_schema("reject");
    let made = asks(&mut story, ALICE, "create", &create(&json!({ "x": 1 })));
    let object = made.body["resource"].as_str().unwrap().to_owned();

    let mut next = story.restarted();
    next.schemas.clone_from(&story.schemas);
    next.starts();
    next.deploy(ALICE);
    next.heard(ALICE);
    let resumed = asks(
        &mut next,
        ALICE,
        "create",
        &json!({ "resume": true, "value": {} }),
    );
    let version = resumed.body["value"][0]["version"].as_u64().unwrap();
    assigns(&mut next, &object, version + 1, "x", &json!("two"));

    assert_eq!(only(&mut next, ALICE).code, 422);
}
