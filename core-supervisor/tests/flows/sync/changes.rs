//! Changes: applied, refused, and told to those who observe.

use super::*;

// services §8.3 case 25
// messaging A.1 case 16
#[test]
fn a_change_reaches_the_observers_as_it_was_sent() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({ "o": {}, "arr": [1, 2] }));
    observes(&mut story, BOB, &object);
    let first =
        json!({ "version": 1, "source": story.address(ALICE), "attribute": "o.a", "value": 5 });
    let second = json!({ "version": 2, "attribute": "arr.2", "attributeType": "array", "operation": "add", "value": 3 });

    changes(&mut story, &object, &first);
    changes(&mut story, &object, &second);
    let heard = told(&mut story, BOB);

    assert_eq!(heard.len(), 2, "{heard:#?}");
    assert_eq!(
        (heard[0].kind.as_str(), heard[0].from.as_str()),
        ("update", object.as_str())
    );
    assert_eq!(heard[0].to, format!("{object}/changes"));
    assert_eq!((&heard[0].body, &heard[1].body), (&first, &second));
    assert!(told(&mut story, ALICE).is_empty());
    let value = reads(&mut story, &object);
    assert_eq!(value["data"], json!({ "o": { "a": 5 }, "arr": [1, 2, 3] }));
    assert_eq!(value["version"], 2);
}

#[track_caller]
fn check(before: &Value, delta: &Value, after: &Value) {
    let mut story = stage();
    let object = makes(&mut story, HELLO, before);
    let mut delta = delta.clone();
    delta["version"] = json!(1);

    changes(&mut story, &object, &delta);

    let refused = told(&mut story, ALICE);
    assert!(refused.is_empty(), "{refused:#?}");
    assert_eq!(&reads(&mut story, &object)["data"], after);
}

// services §8.3 case 26
// services §8.3 case 27
// services §8.3 case 28
// services §8.3 case 29
// services §8.3 case 30
// services §8.3 case 31
// services §8.3 case 36
#[test]
fn every_kind_of_change_does_to_the_copy_what_it_does_to_the_data() {
    let list = json!({ "l": [1, 2, 3] });
    check(
        &json!({}),
        &json!({ "attribute": "p", "value": { "q": 1 } }),
        &json!({ "p": { "q": 1 } }),
    );
    check(
        &json!({ "x": 1, "y": 2 }),
        &json!({ "attribute": "x" }),
        &json!({ "y": 2 }),
    );
    check(
        &json!({ "x": 1 }),
        &json!({ "attribute": "x", "value": null }),
        &json!({ "x": null }),
    );
    check(
        &json!({ "t": {} }),
        &json!({ "attribute": "t.lengthKm", "value": 3 }),
        &json!({ "t": { "lengthKm": 3 } }),
    );
    check(
        &list,
        &json!({ "attribute": "l.0", "attributeType": "array", "value": 9 }),
        &json!({ "l": [9, 2, 3] }),
    );
    check(
        &list,
        &json!({ "path": ["l", 3], "operation": "add", "value": [3] }),
        &json!({ "l": [1, 2, 3, 3] }),
    );
    check(
        &list,
        &json!({ "path": ["l", 1], "operation": "add", "value": [[9], 8] }),
        &json!({ "l": [1, [9], 8, 2, 3] }),
    );
    check(
        &list,
        &json!({ "path": ["l", "2"], "operation": "remove", "value": 1 }),
        &json!({ "l": [1, 2] }),
    );
    check(
        &list,
        &json!({ "attribute": "l.2", "operation": "remove" }),
        &json!({ "l": [1, 2] }),
    );
    check(
        &list,
        &json!({ "path": ["l", 0], "operation": "remove", "value": 9 }),
        &json!({ "l": [] }),
    );
    check(
        &list,
        &json!({ "path": ["l", 4], "value": 5 }),
        &json!({ "l": [1, 2, 3, null, 5] }),
    );
    check(
        &list,
        &json!({ "path": ["l", 1] }),
        &json!({ "l": [1, null, 3] }),
    );
    check(
        &json!({ "a.b": {} }),
        &json!({ "path": ["a.b", "c.d"], "attribute": "a", "value": 0 }),
        &json!({ "a.b": { "c.d": 0 } }),
    );
    check(
        &json!({}),
        &json!({ "path": [""], "value": false }),
        &json!({ "": false }),
    );
}

#[track_caller]
fn check_refused(delta: &Value, code: u16) {
    let mut story = stage();
    let before = json!({ "a": { "b": 1 }, "l": [1] });
    let object = makes(&mut story, HELLO, &before);
    observes(&mut story, BOB, &object);
    let mut delta = delta.clone();
    if delta.get("version").is_none() {
        delta["version"] = json!(1);
    }

    let id = changes(&mut story, &object, &delta);

    let refused = only(&mut story, ALICE);
    assert_eq!(
        (refused.kind.as_str(), refused.id, refused.code),
        ("response", id, code),
        "{delta}: {refused:?}"
    );
    assert_eq!(
        (refused.from, refused.to.as_str()),
        (format!("{object}/changes"), object.as_str())
    );
    assert_eq!(refused.body["version"], 0);
    assert!(refused.body["desc"].is_string());
    assert!(told(&mut story, BOB).is_empty());
    let value = reads(&mut story, &object);
    assert_eq!((&value["data"], &value["version"]), (&before, &json!(0)));
}

#[test]
fn a_change_that_does_not_fit_is_refused_and_changes_nothing() {
    check_refused(&json!({ "version": 0, "attribute": "a", "value": 1 }), 409);
    check_refused(&json!({ "version": 2, "attribute": "a", "value": 1 }), 409);
    check_refused(&json!({ "attribute": "nothing.here", "value": 1 }), 409);
    check_refused(&json!({ "attribute": "a.b.c", "value": 1 }), 409);
    check_refused(&json!({ "path": ["l", "x"], "value": 1 }), 409);
    check_refused(&json!({ "path": ["l", "length"], "value": 0 }), 409);
    check_refused(
        &json!({ "path": ["l", 3], "operation": "add", "value": 1 }),
        409,
    );
    check_refused(
        &json!({ "path": ["a", "b"], "operation": "add", "value": 1 }),
        409,
    );
    check_refused(&json!({ "path": ["l", 0], "operation": "add" }), 400);
    check_refused(
        &json!({ "path": ["l", 0], "operation": "swap", "value": 1 }),
        400,
    );
    check_refused(
        &json!({ "path": ["l", 0], "operation": "remove", "value": -1 }),
        400,
    );
    check_refused(&json!({ "path": ["__proto__", "x"], "value": 1 }), 400);
    check_refused(
        &json!({ "attribute": "a.constructor.prototype.x", "value": 1 }),
        400,
    );
    check_refused(
        &json!({ "path": ["a", "x"], "value": { "__proto__": {} } }),
        400,
    );
    check_refused(&json!({ "path": [], "value": 1 }), 400);
    check_refused(&json!({ "path": "a", "value": 1 }), 400);
    check_refused(
        &json!({ "path": ["l", 4_000_000_000_u64], "value": 1 }),
        413,
    );
    check_refused(
        &json!({ "path": ["a", "x"], "value": "y".repeat(1_000_000) }),
        413,
    );
}

#[test]
fn nobody_but_the_reporter_changes_an_object() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({ "a": 1 }));
    observes(&mut story, BOB, &object);
    let to = format!("{object}/changes");
    let delta = r#"{"version":1,"attribute":"a","value":2}"#;
    let (link, bob) = (story.link(BOB), story.address(BOB));

    story.send_as(link, &bob, "update", &to, delta, WITHIN);
    story.send_as(link, &object, "update", &to, delta, WITHIN);
    let heard = told(&mut story, BOB);

    assert_eq!(heard.iter().map(|t| t.code).collect::<Vec<_>>(), [403, 403]);
    assert_eq!(reads(&mut story, &object)["data"], json!({ "a": 1 }));
}

#[test]
fn a_reporter_that_lost_count_puts_its_whole_data_in_place() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({ "a": 1 }));
    observes(&mut story, BOB, &object);
    let replace =
        |version: u64| json!({ "resource": object, "version": version, "value": { "b": 2 } });

    let early = asks(&mut story, ALICE, "update", &replace(0));
    let done = asks(&mut story, ALICE, "update", &replace(7));
    let notice = only(&mut story, BOB);
    let others = asks(&mut story, BOB, "update", &replace(8));
    assigns(&mut story, &object, 8, "b", &json!(3));

    assert_eq!((early.code, done.code, others.code), (409, 200, 403));
    assert_eq!(
        (notice.kind.as_str(), notice.to),
        ("update", format!("{object}/changes"))
    );
    assert_eq!(
        (&notice.body["behind"], &notice.body["version"]),
        (&json!(true), &json!(7))
    );
    assert_eq!(only(&mut story, BOB).body["version"], 8);
    assert_eq!(reads(&mut story, &object)["data"], json!({ "b": 3 }));
}

#[test]
fn a_native_reporter_that_asks_is_told_that_its_change_was_applied() {
    let mut story = stage();
    let object = makes(&mut story, HELLO, &json!({}));
    let link = story.link(ALICE);
    let to = format!("{object}/changes");

    story.send_as(
        link,
        &object,
        "update",
        &to,
        r#"{"version":1,"attribute":"a","value":1}"#,
        WITHIN,
    );

    assert_eq!(only(&mut story, ALICE).code, 200);
}

#[test]
fn who_does_not_read_hears_once_that_it_is_behind_when_it_reads_again() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({}));
    observes(&mut story, BOB, &object);
    let bob = story.link(BOB);
    let big = json!("x".repeat(600_000));

    story.deaf = Some(bob);
    for version in 1..=20 {
        assigns(&mut story, &object, version, "a", &big);
    }
    let queued = told(&mut story, BOB);
    story.deaf = None;
    story.drains(bob);
    let notice = only(&mut story, BOB);
    assigns(&mut story, &object, 21, "a", &json!(1));
    let next = only(&mut story, BOB);

    assert!(queued.len() < 10, "{}", queued.len());
    assert_eq!(
        (&notice.body["behind"], &notice.body["version"]),
        (&json!(true), &json!(20))
    );
    assert_eq!(next.body["version"], 21);
    assert!(told(&mut story, ALICE).is_empty());
}
