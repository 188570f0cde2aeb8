//! Objects are made, read and ended.

use super::*;

// services §8.3 case 2
// services §8.3 case 14
// messaging A.1 case 14
#[test]
fn a_new_object_has_an_address_of_its_schema_and_belongs_to_its_reporter() {
    let mut story = stage();
    let body = json!({
        "resume": false,
        "schema": HELLO,
        "value": { "name": "h", "schema": HELLO, "domain_routing": false, "data": { "x": 1 } },
    });

    let answer = asks(&mut story, ALICE, "create", &body);

    let object = answer.body["resource"].as_str().unwrap();
    assert!(object.starts_with("hello://a.example/"), "{object}");
    assert_eq!(answer.body["childrenResources"], json!([]));
    let value = reads(&mut story, object);
    assert_eq!(value["data"], json!({ "x": 1 }));
    assert_eq!(value["url"], object);
    assert_eq!(value["reporter"], story.address(ALICE));
    assert_eq!(
        (value["version"].as_u64(), value["isReporter"].as_bool()),
        (Some(0), Some(true))
    );
}

// services §8.3 case 1
#[test]
fn a_communication_object_has_children() {
    let mut story = stage();
    let body = json!({
        "schema": CHAT,
        "value": { "name": "c", "schema": CHAT, "reporter": story.address(ALICE), "resources": ["chat"],
                   "authorise": [story.address(BOB)], "data": { "x": 1 } },
    });

    let answer = asks(&mut story, ALICE, "create", &body);

    assert_eq!(answer.body["childrenResources"], json!(["resources"]));
    let object = answer.body["resource"].as_str().unwrap().to_owned();
    assert!(object.starts_with("comm://a.example/"), "{object}");
    let value = reads(&mut story, &object);
    assert_eq!(value["childrens"], json!(["resources"]));
    assert_eq!(value.get("authorise"), None);
}

// services §8.3 case 4
#[test]
fn an_address_may_be_used_again_by_who_has_it() {
    let mut story = stage();
    let body = |data: Value| json!({ "schema": HELLO, "value": { "resource": "hello://a.example/known", "schema": HELLO, "data": data } });

    let first = asks(&mut story, ALICE, "create", &body(json!({ "a": 1 })));
    let again = asks(&mut story, ALICE, "create", &body(json!({ "a": 2 })));
    let others = asks(&mut story, BOB, "create", &body(json!({})));

    assert_eq!(first.body["resource"], "hello://a.example/known");
    assert_eq!(again.body["resource"], "hello://a.example/known");
    let value = reads(&mut story, "hello://a.example/known");
    assert_eq!(
        (&value["data"], value["version"].as_u64()),
        (&json!({ "a": 2 }), Some(1))
    );
    assert_eq!(others.code, 403);
}

#[test]
fn an_address_of_another_kind_is_not_given_to_an_object() {
    let mut story = stage();
    for wanted in [
        "hyperty://a.example/1".to_owned(),
        format!("{}/sub", story.address(ALICE)),
        "hello://c.example/1".to_owned(),
        format!("{RUNTIME}/sm"),
    ] {
        let body = json!({ "schema": HELLO, "value": { "resource": wanted, "data": {} } });

        let answer = asks(&mut story, ALICE, "create", &body);

        assert!(
            [400, 403].contains(&answer.code),
            "{wanted}: {:?}",
            answer.body
        );
    }
}

// services §8.3 case 7
// services §8.3 case 8
#[test]
fn an_invitation_reaches_the_hyperty_and_its_answer_comes_back() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({ "x": 1 }));
    let body = json!({ "resume": false, "resource": object, "schema": CHAT, "authorise": [story.address(BOB)] });

    let id = story.send(ALICE, "create", &sm(), &body.to_string(), WITHIN);
    let invitation = only(&mut story, BOB);
    let early = told(&mut story, ALICE);
    answers(&mut story, BOB, &invitation, &json!({ "code": 200 }));
    let answer = only(&mut story, ALICE);

    assert!(early.is_empty(), "{early:?}");
    assert_eq!(invitation.kind, "create");
    assert_eq!(invitation.from, format!("{object}/subscription"));
    assert_eq!(invitation.body["p2p"], false);
    assert_eq!(invitation.body["source"], story.address(ALICE));
    assert_eq!(invitation.body["schema"], CHAT);
    assert_eq!(invitation.body["value"]["url"], object);
    assert_eq!(invitation.body["value"].get("data"), None);
    assert!(invitation.body["identity"]["userProfile"]["userURL"].is_string());
    assert_eq!((answer.id, answer.code, answer.from), (id, 200, sm()));
}

#[test]
fn a_tap_shows_an_invitation_and_one_that_policy_refuses() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({}));
    let (bob, carol) = (story.address(BOB), story.address(CAROL));
    let (operator, _) = story.operator();
    story.ask_operator("subscribe", "bus", "{}");

    for guest in [&bob, &carol] {
        let body = json!({ "resource": object, "authorise": [guest] });
        story.send(ALICE, "create", &sm(), &body.to_string(), WITHIN);
    }
    story.wait(Duration::from_millis(60));

    let batch = story.messages_on(operator).pop().unwrap().3;
    let shown = |member: &str, text: &str| batch.contains(&format!(r#""{member}":"{text}""#));
    assert!(shown("to", &bob), "{batch}");
    assert!(!shown("to", &carol), "{batch}");
    assert!(shown("verdict", "deny"), "{batch}");
}

// services §8.3 case 9
#[test]
fn an_invitation_that_nobody_answers_ends_after_fifteen_seconds() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({}));
    let body = json!({ "resource": object, "authorise": [story.address(BOB)] });

    story.send(ALICE, "create", &sm(), &body.to_string(), Reply::Untimed);
    let invitation = only(&mut story, BOB);
    passes(&mut story, Duration::from_millis(15_200));
    let answer = only(&mut story, ALICE);
    answers(&mut story, BOB, &invitation, &json!({ "code": 200 }));

    assert_eq!(
        (answer.code, &answer.body["desc"]),
        (408, &json!("Response timeout!"))
    );
    assert!(told(&mut story, ALICE).is_empty());
}

#[test]
fn an_invitation_of_somebody_who_is_down_is_refused_at_once() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({}));
    story.ask_operator(
        "execute",
        "ua",
        &format!(r#"{{"method":"stop","resource":"{}"}}"#, story.address(BOB)),
    );
    let invite = |who: &str| json!({ "resource": object, "authorise": [who] });

    let (bob, carol) = (story.address(BOB), story.address(CAROL));
    let down = asks(&mut story, ALICE, "create", &invite(&bob));
    let absent = asks(
        &mut story,
        ALICE,
        "create",
        &invite("hyperty://b.example/nobody"),
    );
    let forbidden = asks(&mut story, ALICE, "create", &invite(&carol));

    assert_eq!((down.code, forbidden.code), (503, 403));
    assert_eq!(absent.code, 403, "a rule is asked before the registry is");
    assert!(
        forbidden.body["decision"].is_string(),
        "{:?}",
        forbidden.body
    );
}

// services §8.3 case 10
#[test]
fn nobody_invites_in_the_name_of_another() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({}));
    let body = json!({ "resource": object, "authorise": [story.address(BOB)] }).to_string();
    let (link, alice) = (story.link(BOB), story.address(ALICE));

    story.send_as(link, &alice, "create", &sm(), &body, WITHIN);
    let forged = only(&mut story, BOB);
    let bob = story.address(BOB);
    let stranger = asks(
        &mut story,
        BOB,
        "create",
        &json!({ "resource": object, "authorise": [bob] }),
    );

    assert_eq!((forged.code, stranger.code), (403, 403));
    assert!(told(&mut story, ALICE).is_empty());
}

// services §8.3 case 47
// services §8.3 case 48
#[test]
fn what_is_not_there_or_not_named_is_said_so() {
    let mut story = stage();

    let unknown = asks(
        &mut story,
        ALICE,
        "read",
        &json!({ "resource": "comm://x.example/none" }),
    );
    let unnamed = asks(&mut story, ALICE, "read", &json!({}));
    let method = asks(&mut story, ALICE, "execute", &json!({}));

    assert_eq!((unknown.code, unnamed.code, method.code), (404, 400, 400));
    assert!(unknown.body["desc"].is_string() && unknown.body["description"].is_string());
}

// services §8.3 case 55
// services §8.3 case 56
#[test]
fn an_object_is_deleted_by_its_reporter_alone_and_its_observers_are_told() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({}));
    observes(&mut story, BOB, &object);
    let select = json!({ "resource": object });

    let others = asks(&mut story, BOB, "delete", &select);
    let own = asks(&mut story, ALICE, "delete", &select);
    let notice = only(&mut story, BOB);
    let again = asks(&mut story, ALICE, "delete", &select);
    let late = asks(&mut story, BOB, "unsubscribe", &select);

    assert_eq!(
        (others.code, own.code, again.code, late.code),
        (403, 200, 404, 404)
    );
    assert_eq!(notice.kind, "delete");
    assert_eq!(notice.from, format!("{object}/subscription"));
    assert_eq!(notice.to, story.address(BOB));
    assert_eq!(notice.body["resource"], object);
    let mut rows = story.kept.keys().map(|(_, key)| key);
    assert!(!rows.any(|key| key.starts_with(&object)));
}

#[test]
fn an_object_that_is_too_large_too_deep_or_no_object_is_refused() {
    let mut story = stage();
    let create = |data: Value| json!({ "schema": HELLO, "value": { "data": data } });
    let mut deep = json!(1);
    for _ in 0..70 {
        deep = json!({ "d": deep });
    }

    let long = asks(
        &mut story,
        ALICE,
        "create",
        &create(json!({ "x": "y".repeat(1_000_000) })),
    );
    let deep = asks(&mut story, ALICE, "create", &create(deep));
    let text = asks(&mut story, ALICE, "create", &create(json!("text")));
    let proto = asks(
        &mut story,
        ALICE,
        "create",
        &create(json!({ "a": { "__proto__": 1 } })),
    );
    let unnamed = asks(
        &mut story,
        ALICE,
        "create",
        &json!({ "value": { "data": {} } }),
    );
    let fits = asks(
        &mut story,
        ALICE,
        "create",
        &create(json!({ "x": "y".repeat(900_000) })),
    );

    assert_eq!((long.code, deep.code), (413, 413));
    assert_eq!((text.code, proto.code, unnamed.code), (400, 400, 400));
    assert_eq!(fits.code, 200);
}

#[test]
fn the_objects_of_one_reporter_are_bounded() {
    let mut story = stage();
    for _ in 0..1024 {
        makes(&mut story, HELLO, &json!({}));
    }

    let body = json!({ "schema": HELLO, "value": { "data": {} } });
    let beyond = asks(&mut story, ALICE, "create", &body);
    let others = asks(&mut story, BOB, "create", &body);

    assert_eq!((beyond.code, others.code), (429, 200));
}
