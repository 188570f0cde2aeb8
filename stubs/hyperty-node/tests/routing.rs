//! Routing: who gets what, who may say what, and what happens to the rest.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, missing_docs)]

mod story;

use hyperty_node::End;
use serde_json::{Value, json};
use story::{SM, Story};

const ALICE: &str = "runtime://example.org/alice";
const BOB: &str = "runtime://example.org/bob";
const CAROL: &str = "runtime://elsewhere.net/carol";

#[test]
fn a_hyperty_is_reachable_once_it_has_spoken() {
    let mut story = Story::new();
    let (alice, _) = story.runtime(ALICE);
    let (bob, _) = story.runtime(BOB);

    story.say(
        alice,
        "create",
        "hyperty://example.org/a",
        &format!("{BOB}/sm"),
        json!({"x": 1}),
    );
    let asked = story.take(bob);
    story.say(
        bob,
        "response",
        &format!("{BOB}/sm"),
        "hyperty://example.org/a",
        json!({"code": 200}),
    );
    let answered = story.take(alice);

    assert_eq!(asked[0]["body"], json!({"x": 1}));
    assert_eq!(answered[0]["body"]["code"], 200);
}

#[test]
fn runtimes_of_other_domains_are_guests_as_others_are() {
    let mut story = Story::new();
    let (carol, _) = story.runtime(CAROL);
    let (bob, _) = story.runtime(BOB);

    story.say(
        bob,
        "create",
        "hyperty://example.org/b",
        "hyperty://elsewhere.net/c",
        json!({}),
    );
    let unknown = story.take(bob);
    story.say(
        carol,
        "create",
        "hyperty://elsewhere.net/c",
        &format!("{BOB}/sm"),
        json!({}),
    );
    story.say(
        bob,
        "create",
        "hyperty://example.org/b",
        "hyperty://elsewhere.net/c",
        json!({}),
    );

    assert_eq!(unknown[0]["body"]["code"], 404);
    assert_eq!(story.take(carol).len(), 1);
}

#[test]
fn a_change_reaches_all_that_listen_once_and_not_its_author() {
    let mut story = Story::new();
    let (alice, _) = story.runtime(ALICE);
    let (bob, _) = story.runtime(BOB);
    let (carol, _) = story.runtime(CAROL);
    let channels =
        json!({"resources": ["comm://example.org/o/changes", "comm://example.org/o/children/"]});
    story.ask(
        alice,
        "subscribe",
        &format!("{ALICE}/sm"),
        SM,
        json!({"resources": ["comm://example.org/o"]}),
    );
    for (link, runtime) in [(alice, ALICE), (bob, BOB), (carol, CAROL)] {
        story.ask(
            link,
            "subscribe",
            &format!("{runtime}/sm"),
            SM,
            channels.clone(),
        );
    }

    story.say(
        alice,
        "update",
        "comm://example.org/o",
        "comm://example.org/o/changes",
        json!({"version": 2}),
    );
    let changes = [bob, carol, alice].map(|link| story.take(link).len());
    story.say(
        bob,
        "create",
        "hyperty://example.org/b",
        "comm://example.org/o/children/",
        json!({}),
    );
    let children = [alice, carol, bob].map(|link| story.take(link).len());

    assert_eq!((changes, children), ([1, 1, 0], [1, 1, 0]));
}

#[test]
fn both_dialects_subscribe_and_unsubscribe() {
    let mut story = Story::new();
    let (alice, _) = story.runtime(ALICE);
    let mut ask = |kind: &str, body: Value| {
        let answer = story.ask(alice, kind, &format!("{ALICE}/sm"), SM, body);
        (answer["code"].clone(), story.node.numbers().routes)
    };

    assert_eq!(
        ask(
            "subscribe",
            json!({"resources": ["comm://example.org/o/changes"]})
        ),
        (json!(200), 1)
    );
    assert_eq!(
        ask(
            "subscribe",
            json!({"subscribe": [format!("{ALICE}/p2phandler/1")], "source": ALICE})
        ),
        (json!(200), 2)
    );
    assert_eq!(
        ask(
            "unsubscribe",
            json!({"resources": ["comm://example.org/o/changes"]})
        ),
        (json!(200), 1)
    );
    assert_eq!(
        ask(
            "unsubscribe",
            json!({"unsubscribe": [format!("{ALICE}/p2phandler/1")]})
        ),
        (json!(200), 0)
    );
    assert_eq!(
        ask(
            "subscribe",
            json!({"resources": ["a.org"], "subscribe": ["b.org"]})
        )
        .0,
        json!(500)
    );
    assert_eq!(ask("subscribe", json!({})).0, json!(500));
}

#[test]
fn nobody_speaks_for_another_runtime_or_what_belongs_to_it() {
    let mut story = Story::new();
    let (_alice, _) = story.runtime(ALICE);
    let (bob, _) = story.runtime(BOB);
    let (carol, _) = story.runtime(CAROL);
    story.say(
        bob,
        "event",
        "hyperty://example.org/b",
        "hyperty://example.org/x",
        json!({}),
    );
    let mut forge = |from: &str| {
        story.ask(carol, "create", from, &format!("{BOB}/sm"), json!({}))["code"].clone()
    };

    assert_eq!(forge(ALICE), 403);
    assert_eq!(forge(&format!("{ALICE}/registry/")), 403);
    assert_eq!(forge("hyperty://example.org/b"), 403);
    assert_eq!(forge("runtime://example.org/nobody-yet"), 403);
    assert_eq!(forge("domain://registry.example.org"), 403);
    assert_eq!(forge("mn:/session"), 403);
    assert!(story.take(bob).is_empty());
}

#[test]
fn who_forges_again_and_again_is_closed() {
    let mut story = Story::new();
    let (_alice, _) = story.runtime(ALICE);
    let (bob, _) = story.runtime(BOB);

    for _ in 0..7 {
        story.say(bob, "create", ALICE, &format!("{BOB}/sm"), json!({}));
    }
    let before = story.ends.contains_key(&bob);
    story.say(bob, "create", ALICE, &format!("{BOB}/sm"), json!({}));

    assert!(!before);
    assert_eq!(story.ends[&bob], End::Forged);
}

#[test]
fn nobody_listens_to_what_is_sent_to_another() {
    let mut story = Story::new();
    let (alice, _) = story.runtime(ALICE);
    let (mallory, _) = story.runtime(CAROL);
    story.say(
        alice,
        "event",
        "hyperty://example.org/a",
        "hyperty://example.org/x",
        json!({}),
    );

    let tap = |story: &mut Story, address: &str| {
        story.ask(
            mallory,
            "subscribe",
            CAROL,
            SM,
            json!({"resources": [address]}),
        )["code"]
            .clone()
    };

    assert_eq!(tap(&mut story, "hyperty://example.org/a"), 403);
    assert_eq!(tap(&mut story, &format!("{ALICE}/sm")), 403);
    assert_eq!(tap(&mut story, "hyperty://example.org/a/registration"), 200);
}

#[test]
fn a_request_to_nobody_is_answered_and_an_event_is_not() {
    let mut story = Story::new();
    let (alice, _) = story.runtime(ALICE);

    story.say(
        alice,
        "create",
        "hyperty://example.org/a",
        "hyperty://example.org/gone",
        json!({}),
    );
    let asked = story.take(alice);
    story.say(
        alice,
        "event",
        "hyperty://example.org/a",
        "hyperty://example.org/gone",
        json!({}),
    );
    story.say(
        alice,
        "update",
        "comm://example.org/o",
        "comm://example.org/o/changes",
        json!({}),
    );
    story.say(
        alice,
        "response",
        "hyperty://example.org/a",
        "hyperty://example.org/gone",
        json!({}),
    );
    let told = story.take(alice);

    assert_eq!(
        (&asked[0]["body"]["code"], &asked[0]["from"]),
        (&json!(404), &json!("hyperty://example.org/gone"))
    );
    assert!(told.is_empty(), "{told:?}");
}

#[test]
fn garbage_ends_the_connection_and_half_a_message_is_answered() {
    let mut story = Story::new();
    let (alice, _) = story.runtime(ALICE);
    let (bob, _) = story.runtime(BOB);

    story.send(
        alice,
        r#"{"id":1,"type":"read","from":"hyperty://example.org/a"}"#,
    );
    let answered = story.take(alice);
    story.send(bob, "\u{0}\u{1}not json");

    assert_eq!(answered[0]["from"], "mn:/validator");
    assert_eq!(answered[0]["body"]["desc"], "No mandatory field 'to'");
    assert!(matches!(story.ends[&bob], End::Garbage(_)));
}

#[test]
fn keys_of_allocations_do_not_collide() {
    let mut story = Story::new();
    let (alice, _) = story.runtime(ALICE);
    let (bob, _) = story.runtime(BOB);
    let hyperties = "domain://msg-node.example.org/hyperty-address-allocation";
    let any = "domain://msg-node.example.org/address-allocation";
    let mut take = |link: u64, from: &str, to: &str, body: Value| {
        let answer = story.ask(link, "create", from, to, body);
        assert_eq!(answer["code"], 200, "{answer}");
        answer["value"]["allocated"].as_array().unwrap().clone()
    };
    let wish = |key: &str| json!({"value": {"number": 2, "allocationKey": key}});

    let first = take(alice, ALICE, hyperties, wish("chat"));
    let again = take(alice, ALICE, hyperties, wish("chat"));
    let bobs = take(bob, BOB, hyperties, wish("chat"));
    let objects = take(
        alice,
        ALICE,
        any,
        json!({"scheme": "comm", "value": {"number": 2, "allocationKey": "chat"}}),
    );
    let group = take(
        alice,
        ALICE,
        any,
        json!({"scheme": "group", "value": {"number": 1}}),
    );

    assert_eq!(first, again);
    assert_ne!(first, bobs);
    assert!(
        objects[0]
            .as_str()
            .unwrap()
            .starts_with("comm://example.org/")
    );
    assert!(
        group[0]
            .as_str()
            .unwrap()
            .starts_with("group://example.org/")
    );
    assert!(
        first[0]
            .as_str()
            .unwrap()
            .starts_with("hyperty://example.org/")
    );
}

#[test]
fn an_allocated_address_is_its_askers_and_survives_the_node() {
    let mut story = Story::new();
    let (alice, _) = story.runtime(ALICE);
    let wish = json!({"value": {"number": 1, "allocationKey": "chat"}});
    let to = "domain://msg-node.example.org/hyperty-address-allocation";
    let first = story.ask(alice, "create", ALICE, to, wish.clone());

    let mut story = story.restart();
    let (bob, _) = story.runtime(BOB);
    let address = first["value"]["allocated"][0].as_str().unwrap().to_owned();
    let stolen = story.ask(bob, "create", &address, ALICE, json!({}));
    let (alice, _) = story.runtime(ALICE);
    let again = story.ask(alice, "create", ALICE, to, wish);

    assert_eq!(stolen["code"], 403);
    assert_eq!(first, again);
}
