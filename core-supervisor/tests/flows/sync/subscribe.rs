//! Observers come and go.

use core_supervisor::event::Exit;

use super::super::story::rules;
use super::*;

const NOBODY_TALKS: &str = r#"
@id("nobody")
@why("a story in which only what is written here passes")
permit (principal is Operator, action, resource);
"#;

/// Bob may subscribe to Alice's objects, and nothing else passes between them.
const ONLY_SUBSCRIBE: &str = r#"
@id("only-subscribe")
@why("bob may ask to observe what alice reports")
permit (
  principal is Hyperty in Provider::"b.example",
  action == Action::"subscribe",
  resource is Hyperty in Provider::"a.example"
);
"#;

// services §8.3 case 12
// services §8.3 case 17
// services §8.3 case 18
// messaging A.1 case 15
#[test]
fn an_accepted_observer_hears_100_and_then_200_with_the_data() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({ "a": 1 }));
    assigns(&mut story, &object, 1, "a", &json!(2));
    let body = json!({ "resource": object, "schema": CHAT });

    let id = story.send(BOB, "subscribe", &sm(), &body.to_string(), WITHIN);
    let asked = only(&mut story, ALICE);
    let offered = only(&mut story, BOB);
    answers(
        &mut story,
        ALICE,
        &asked,
        &json!({ "code": 200, "value": { "extra": true, "data": { "forged": 1 } } }),
    );
    let answer = only(&mut story, BOB);

    assert_eq!(
        (asked.kind.as_str(), asked.from.as_str()),
        ("forward", object.as_str())
    );
    assert_eq!(asked.to, story.address(ALICE));
    assert_eq!(asked.body["type"], "subscribe");
    assert_eq!(asked.body["from"], story.address(BOB));
    assert_eq!(asked.body["to"], object);
    assert!(asked.body["identity"]["userProfile"]["userURL"].is_string());
    assert_eq!((offered.id, offered.code), (id, 100));
    assert_eq!(offered.body["childrenResources"], json!(["resources"]));
    assert_eq!(
        (&offered.body["resource"], &offered.body["schema"]),
        (&json!(object), &json!(CHAT))
    );
    assert_eq!((answer.id, answer.code), (id, 200));
    assert_eq!(answer.body["owner"], story.address(ALICE));
    assert_eq!(answer.body["value"]["data"], json!({ "a": 2 }));
    assert_eq!(answer.body["value"]["version"], 1);
    assert_eq!(answer.body["value"]["extra"], true);
}

// services §8.3 case 16
// services §8.3 case 19
#[test]
fn a_reporter_that_refuses_is_quoted_and_nothing_reaches_the_refused() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({}));
    let body = json!({ "resource": object });

    story.send(BOB, "subscribe", &sm(), &body.to_string(), WITHIN);
    let asked = only(&mut story, ALICE);
    assigns(&mut story, &object, 1, "a", &json!(1));
    answers(
        &mut story,
        ALICE,
        &asked,
        &json!({ "code": 403, "desc": "busy" }),
    );
    assigns(&mut story, &object, 2, "a", &json!(2));
    let heard = told(&mut story, BOB);

    assert_eq!(heard.len(), 2, "{heard:#?}");
    assert_eq!(
        (heard[1].code, &heard[1].body["desc"]),
        (403, &json!("busy"))
    );
    assert_eq!(heard[1].body["owner"], story.address(ALICE));
    let resumed = asks(
        &mut story,
        ALICE,
        "create",
        &json!({ "resume": true, "value": {} }),
    );
    assert_eq!(resumed.body["value"][0]["subscriptions"], json!([]));
}

// services §8.3 case 20
#[test]
fn who_subscribes_twice_hears_each_change_once() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({}));

    observes(&mut story, BOB, &object);
    observes(&mut story, BOB, &object);
    assigns(&mut story, &object, 1, "a", &json!(1));

    assert_eq!(told(&mut story, BOB).len(), 1);
}

// services §8.3 case 22
#[test]
fn what_the_reporter_says_of_mutual_authentication_is_passed_on() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({}));
    let body = json!({ "resource": object, "mutual": false });

    story.send(BOB, "subscribe", &sm(), &body.to_string(), WITHIN);
    let asked = only(&mut story, ALICE);
    answers(
        &mut story,
        ALICE,
        &asked,
        &json!({ "code": 200, "mutual": false }),
    );
    let heard = told(&mut story, BOB);

    assert_eq!(asked.body["mutual"], false);
    assert_eq!(heard[1].body["mutual"], false);
}

#[test]
fn a_reporter_that_does_not_answer_or_dies_is_told_from_one_that_refuses() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({}));
    let body = json!({ "resource": object }).to_string();

    story.send(BOB, "subscribe", &sm(), &body, Reply::Untimed);
    let late = only(&mut story, ALICE);
    passes(&mut story, Duration::from_millis(15_200));
    let silence = told(&mut story, BOB);
    answers(&mut story, ALICE, &late, &json!({ "code": 200 }));
    story.send(BOB, "subscribe", &sm(), &body, Reply::Untimed);
    told(&mut story, BOB);
    story.crash(ALICE, Exit::Signal(9));
    let died = told(&mut story, BOB);
    let down = ask(&mut story, BOB, "subscribe", &json!({ "resource": object }));

    assert_eq!(
        silence.iter().map(|t| t.code).collect::<Vec<_>>(),
        [100, 408]
    );
    assert_eq!(died.iter().map(|t| t.code).collect::<Vec<_>>(), [503]);
    assert_eq!(down.iter().map(|t| t.code).collect::<Vec<_>>(), [503]);
}

#[test]
fn policy_decides_who_may_ask_the_reporter_at_all() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({}));

    let answer = asks(
        &mut story,
        CAROL,
        "subscribe",
        &json!({ "resource": object }),
    );

    assert_eq!(answer.code, 403);
    assert!(answer.body["decision"].is_string(), "{:?}", answer.body);
    assert!(told(&mut story, ALICE).is_empty());
}

#[test]
fn an_observer_may_do_what_follows_from_its_subscription_and_nothing_else() {
    let mut story = stage();
    story.core_rules(rules(ONLY_SUBSCRIBE));
    let object = makes(&mut story, CHAT, &json!({ "a": 1 }));
    let alice = story.address(ALICE);

    story.send(BOB, "read", &object, "{}", WITHIN);
    let before = only(&mut story, BOB);
    observes(&mut story, BOB, &object);
    let read = story.send(BOB, "read", &object, "{}", WITHIN);
    let call = story.send(BOB, "execute", &object, r#"{"method":"m"}"#, WITHIN);
    let own = asks(&mut story, BOB, "read", &json!({ "resource": object }));
    let elsewhere = story.send(BOB, "read", &alice, "{}", WITHIN);
    let (asked, heard) = (told(&mut story, ALICE), told(&mut story, BOB));
    asks(
        &mut story,
        BOB,
        "unsubscribe",
        &json!({ "resource": object }),
    );
    story.send(BOB, "read", &object, "{}", WITHIN);
    let after = only(&mut story, BOB);

    assert_eq!(before.code, 403);
    assert_eq!(asked.iter().map(|t| t.id).collect::<Vec<_>>(), [read, call]);
    assert_eq!(own.body["value"]["data"], json!({ "a": 1 }));
    assert_eq!(
        heard.iter().map(|t| (t.id, t.code)).collect::<Vec<_>>(),
        [(elsewhere, 403)]
    );
    assert_eq!(after.code, 403);
}

#[test]
fn a_subscription_that_policy_revokes_ends_at_the_next_change() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({}));
    observes(&mut story, BOB, &object);

    story.core_rules(rules(NOBODY_TALKS));
    assigns(&mut story, &object, 1, "a", &json!(1));
    let notice = only(&mut story, BOB);
    assigns(&mut story, &object, 2, "a", &json!(2));

    assert_eq!(
        (notice.kind.as_str(), notice.from),
        ("delete", format!("{object}/subscription"))
    );
    assert_eq!(
        (&notice.body["resource"], &notice.body["code"]),
        (&json!(object), &json!(403))
    );
    assert!(told(&mut story, BOB).is_empty());
}

#[test]
fn a_subscription_that_policy_revokes_while_its_reporter_thinks_is_refused() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({}));

    story.send(
        BOB,
        "subscribe",
        &sm(),
        &json!({ "resource": object }).to_string(),
        WITHIN,
    );
    story.core_rules(rules(NOBODY_TALKS));
    accepts(&mut story);
    assigns(&mut story, &object, 1, "a", &json!(1));

    let heard = told(&mut story, BOB);
    assert_eq!(heard.iter().map(|t| t.code).collect::<Vec<_>>(), [100, 403]);
}

#[test]
fn an_object_that_is_deleted_while_its_reporter_thinks_answers_404() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({}));
    let select = json!({ "resource": object });

    story.send(BOB, "subscribe", &sm(), &select.to_string(), WITHIN);
    let asked = only(&mut story, ALICE);
    asks(&mut story, ALICE, "delete", &select);
    answers(&mut story, ALICE, &asked, &json!({ "code": 200 }));

    let heard = told(&mut story, BOB);
    assert_eq!(heard.iter().map(|t| t.code).collect::<Vec<_>>(), [100, 404]);
}

#[test]
fn an_observer_that_ends_while_the_reporter_thinks_observes_nothing() {
    let mut story = stage();
    let object = makes(&mut story, CHAT, &json!({}));

    story.send(
        BOB,
        "subscribe",
        &sm(),
        &json!({ "resource": object }).to_string(),
        WITHIN,
    );
    story.crash(BOB, Exit::Signal(9));
    accepts(&mut story);

    let resumed = asks(
        &mut story,
        ALICE,
        "create",
        &json!({ "resume": true, "value": {} }),
    );
    assert_eq!(resumed.body["value"][0]["subscriptions"], json!([]));
}

// services §8.3 case 53
// services §8.3 case 54
#[test]
fn an_observer_leaves_its_reporter_is_told_and_the_others_stay() {
    let mut story = stage();
    story.deploy("dora@b.example");
    let object = makes(&mut story, CHAT, &json!({}));
    observes(&mut story, BOB, &object);
    observes(&mut story, "dora@b.example", &object);

    let answer = asks(
        &mut story,
        BOB,
        "unsubscribe",
        &json!({ "resource": object }),
    );
    let notice = only(&mut story, ALICE);
    story.heard("dora@b.example");
    assigns(&mut story, &object, 1, "a", &json!(1));

    assert_eq!(answer.code, 200);
    assert_eq!(
        (notice.kind.as_str(), notice.from.as_str()),
        ("forward", object.as_str())
    );
    assert_eq!(notice.body["type"], "unsubscribe");
    assert_eq!(notice.body["from"], story.address(BOB));
    assert_eq!(told(&mut story, "dora@b.example").len(), 1);
}

// services §8.3 case 21
#[test]
fn two_hyperties_of_one_sandbox_are_handed_one_copy_between_them() {
    let mut story = stage();
    story.deploy("dora@b.example");
    let object = makes(&mut story, CHAT, &json!({}));
    observes(&mut story, BOB, &object);
    observes(&mut story, "dora@b.example", &object);

    assigns(&mut story, &object, 1, "a", &json!(1));

    // The mini-bus of their sandbox hands it to both.
    assert_eq!(story.link(BOB), story.link("dora@b.example"));
    assert_eq!(told(&mut story, BOB).len(), 1);
}
