//! Sessions: open, resume, close, and who may.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, missing_docs)]

mod story;

use hyperty_node::{End, Pass};
use serde_json::json;
use story::{SM, Story};

const ALICE: &str = "runtime://example.org/alice";
const BOB: &str = "runtime://example.org/bob";

fn pass(name: &str, runtime: Option<&str>) -> Pass {
    Pass {
        name: Some(name.into()),
        runtime: runtime.map(|url| url.parse().unwrap()),
    }
}

#[test]
fn a_session_is_resumed_with_its_token_and_without_a_new_one() {
    let mut story = Story::new();
    let (link, token) = story.runtime(ALICE);
    story.lose(link);
    let again = story.connect();

    let resumed = story.ask(
        again,
        "re-open",
        &format!("{ALICE}/{token}"),
        "mn:/session",
        json!(null),
    );

    assert_eq!(resumed, json!({"code": 200}));
}

#[test]
fn a_wrong_token_does_not_resume_a_session() {
    let mut story = Story::new();
    let (link, _) = story.runtime(ALICE);
    story.lose(link);
    let thief = story.connect();

    let refused = story.ask(
        thief,
        "re-open",
        &format!("{ALICE}/guess"),
        "mn:/session",
        json!(null),
    );

    assert_eq!(refused["code"], 500);
    assert_eq!(
        refused["desc"],
        "Reconnection fail. Incorrect runtime token!"
    );
}

#[test]
fn a_connected_runtime_is_taken_over_with_its_token_only() {
    let mut story = Story::new();
    let (old, token) = story.runtime(ALICE);
    let thief = story.connect();
    let owner = story.connect();

    let refused = story.ask(thief, "open", ALICE, "mn:/session", json!(null));
    let probed = story.probed.clone();
    let resumed = story.ask(
        owner,
        "re-open",
        &format!("{ALICE}/{token}"),
        "mn:/session",
        json!(null),
    );

    assert_eq!((&refused["code"], probed), (&json!(409), vec![old]));
    assert_eq!(
        (&resumed["code"], &story.ends[&old]),
        (&json!(200), &End::Replaced)
    );
}

#[test]
fn sessions_and_routes_survive_the_node() {
    let mut story = Story::new();
    let (link, token) = story.runtime(ALICE);
    let routed = story.ask(
        link,
        "subscribe",
        &format!("{ALICE}/sm"),
        SM,
        json!({"resources": ["comm://example.org/o", "comm://example.org/o/subscription"]}),
    );

    let mut story = story.restart();
    let link = story.connect();
    let resumed = story.ask(
        link,
        "re-open",
        &format!("{ALICE}/{token}"),
        "mn:/session",
        json!(null),
    );
    let (bob, _) = story.runtime(BOB);
    story.say(
        bob,
        "subscribe",
        "hyperty://example.org/b",
        "comm://example.org/o/subscription",
        json!({}),
    );

    assert_eq!(
        [&routed["code"], &resumed["code"]],
        [&json!(200), &json!(200)]
    );
    assert_eq!(resumed.get("runtimeToken"), None);
    assert_eq!(story.take(link).len(), 1);
}

#[test]
fn after_the_node_messages_wait_for_a_runtime_that_is_not_back_yet() {
    let mut story = Story::new();
    let (_, alice) = story.runtime(ALICE);
    let (_, bob) = story.runtime(BOB);

    let mut story = story.restart();
    let again = story.connect();
    let session = format!("{ALICE}/{alice}");
    story.ask(again, "re-open", &session, "mn:/session", json!(null));
    let to = format!("{BOB}/sm");
    story.say(
        again,
        "create",
        "hyperty://example.org/a",
        &to,
        json!({"n": 1}),
    );
    let back = story.connect();
    let session = format!("{BOB}/{bob}");
    story.say(back, "re-open", &session, "mn:/session", json!(null));

    let heard = story.take(back);
    assert_eq!((heard.len(), &heard[1]["body"]), (2, &json!({"n": 1})));
}

#[test]
fn re_open_at_a_node_that_knows_nothing_opens_a_session() {
    let mut story = Story::new();
    let link = story.connect();

    let opened = story.ask(
        link,
        "re-open",
        &format!("{ALICE}/0123"),
        "mn:/session",
        json!(null),
    );

    assert_eq!(opened["code"], 200);
    assert!(
        opened["runtimeToken"].is_string(),
        "published stubs take a new token: {opened}"
    );
}

#[test]
fn an_access_token_opens_its_runtime_and_nobody_elses() {
    let mut story = Story::new();
    let bound = story.connect_with(pass("alice", Some(ALICE)));
    let other = story.connect_with(pass("mallory", None));

    let wrong = story.ask(bound, "open", BOB, "mn:/session", json!(null));
    let right = story.ask(bound, "open", ALICE, "mn:/session", json!(null));
    story.lose(bound);
    let stolen = story.ask(other, "open", ALICE, "mn:/session", json!(null));

    assert_eq!(
        [&wrong["code"], &right["code"], &stolen["code"]],
        [&json!(403), &json!(200), &json!(403)]
    );
    assert!(
        wrong["desc"]
            .as_str()
            .unwrap()
            .contains("this access token is for"),
        "{wrong}"
    );
}

#[test]
fn a_token_that_is_taken_back_ends_its_connections() {
    let mut story = Story::new();
    let link = story.connect_with(pass("alice", None));
    story.ask(link, "open", ALICE, "mn:/session", json!(null));

    story.happen(hyperty_node::Event::Revoked("alice".into()));

    assert_eq!(story.ends[&link], End::Revoked);
    assert_eq!(story.node.numbers().sessions, 0);
}

#[test]
fn who_does_not_open_is_closed_after_a_while() {
    let mut story = Story::new();
    let link = story.connect();

    story.pass(9_999);
    let before = story.ends.contains_key(&link);
    story.pass(1);

    assert!(!before);
    assert_eq!(story.ends[&link], End::NoSession);
}

#[test]
fn before_open_nothing_is_carried() {
    let mut story = Story::new();
    let (bob, _) = story.runtime(BOB);
    let link = story.connect();

    let refused = story.ask(
        link,
        "create",
        "hyperty://example.org/a",
        &format!("{BOB}/sm"),
        json!({}),
    );

    assert_eq!(refused["code"], 500);
    assert!(story.take(bob).is_empty());
}

#[test]
fn messages_wait_for_a_runtime_that_is_away_and_come_once() {
    let mut story = Story::new();
    let (alice, _) = story.runtime(ALICE);
    let (bob, token) = story.runtime(BOB);
    story.lose(bob);

    story.say(
        alice,
        "create",
        "hyperty://example.org/a",
        &format!("{BOB}/sm"),
        json!({"n": 1}),
    );
    let bob = story.connect();
    story.say(
        bob,
        "re-open",
        &format!("{BOB}/{token}"),
        "mn:/session",
        json!(null),
    );
    let first = story.take(bob);
    story.lose(bob);
    let bob = story.connect();
    story.say(
        bob,
        "re-open",
        &format!("{BOB}/{token}"),
        "mn:/session",
        json!(null),
    );
    let second = story.take(bob);

    assert_eq!((first.len(), &first[1]["body"]), (2, &json!({"n": 1})));
    assert_eq!(second.len(), 1, "only the answer to `re-open`: {second:?}");
}

#[test]
fn a_request_to_a_runtime_that_stays_away_is_answered() {
    let mut story = Story::new();
    let (alice, _) = story.runtime(ALICE);
    let (bob, _) = story.runtime(BOB);
    story.lose(bob);

    story.say(
        alice,
        "create",
        "hyperty://example.org/a",
        &format!("{BOB}/sm"),
        json!({}),
    );
    story.pass(14_999);
    let early = story.take(alice);
    story.pass(1);
    let late = story.take(alice);

    assert!(early.is_empty(), "{early:?}");
    assert_eq!(late[0]["body"]["code"], 408);
    assert_eq!(
        (&late[0]["id"], &late[0]["to"]),
        (&json!(9), &json!("hyperty://example.org/a"))
    );
}

#[test]
fn what_waits_is_bounded_and_the_rest_is_refused_at_once() {
    let mut story = Story::new();
    let (alice, _) = story.runtime(ALICE);
    let (bob, _) = story.runtime(BOB);
    story.lose(bob);

    for _ in 0..256 {
        story.say(
            alice,
            "create",
            "hyperty://example.org/a",
            &format!("{BOB}/sm"),
            json!({}),
        );
    }
    let within = story.take(alice);
    story.say(
        alice,
        "create",
        "hyperty://example.org/a",
        &format!("{BOB}/sm"),
        json!({}),
    );
    let beyond = story.take(alice);

    assert!(within.is_empty());
    assert_eq!(beyond[0]["body"]["code"], 503);
}

#[test]
fn what_was_never_written_to_a_lost_connection_waits_for_the_next() {
    let mut story = Story::new();
    let (bob, token) = story.runtime(BOB);
    let unsent = vec![r#"{"id":1,"type":"event","from":"a","to":"b"}"#.into()];

    let link = hyperty_node::LinkId(bob);
    story.happen(hyperty_node::Event::Disconnected { link, unsent });
    let bob = story.connect();
    story.say(
        bob,
        "re-open",
        &format!("{BOB}/{token}"),
        "mn:/session",
        json!(null),
    );

    assert_eq!(story.take(bob).len(), 2);
}

#[test]
fn an_answer_waits_for_the_store() {
    let mut story = Story::new();
    story.is_store_slow = true;
    let link = story.connect();

    story.say(link, "open", ALICE, "mn:/session", json!(null));
    let before = story.take(link);
    story.write();
    let after = story.take(link);

    assert_eq!((before.len(), after.len()), (0, 1));
}
