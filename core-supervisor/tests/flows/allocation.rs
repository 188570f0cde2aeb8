//! Addresses that are asked for: whose they are, which come again, which never meet.

use protocol::{HostFrame, Reply};
use serde_json::{Value, json};

use crate::story::{RUNTIME, Story};
use crate::{WITHIN, alice_and_bob};

const ALICE: &str = "alice@a.example";
const BOB: &str = "bob@b.example";

/// What a component is answered when it sends this to the allocation room.
fn asks(story: &mut Story, name: &str, kind: &str, body: &Value) -> (u16, Value) {
    let room = format!("{RUNTIME}/address-allocation");
    story.send(name, kind, &room, &body.to_string(), WITHIN);
    let (_, _, code, body) = story.messages(name).pop().unwrap();
    (code, serde_json::from_str(&body).unwrap())
}

/// The addresses that a component gets; each must be of this scheme.
fn gets(story: &mut Story, name: &str, body: &Value) -> Vec<String> {
    let (code, answer) = asks(story, name, "create", body);
    assert_eq!((code, &answer["code"]), (200, &json!(200)), "{answer}");
    serde_json::from_value(answer["value"]["allocated"].clone()).unwrap()
}

fn block(number: u16, key: &str) -> Value {
    json!({"scheme": "comm", "value": {"number": number, "allocationKey": key}})
}

#[test]
fn a_key_gives_the_same_block_again() {
    let mut story = alice_and_bob();

    let first = gets(&mut story, ALICE, &block(3, "mine"));
    let again = gets(&mut story, ALICE, &block(1, "mine"));
    let other = gets(&mut story, ALICE, &block(3, "other"));

    assert_eq!((first.len(), other.len()), (3, 3));
    assert_eq!(first, again);
    assert!(
        first
            .iter()
            .all(|address| address.starts_with("comm://a.example/")),
        "{first:?}"
    );
    assert!(first.iter().all(|address| !other.contains(address)));
}

#[test]
fn a_key_gives_the_same_block_after_a_restart() {
    let mut story = alice_and_bob();
    let first = gets(&mut story, ALICE, &block(3, "mine"));

    let mut story = story.restarted();
    story.deploy(ALICE);
    story.heard(ALICE);

    assert_eq!(gets(&mut story, ALICE, &block(3, "mine")), first);
}

#[test]
fn the_same_key_of_another_component_or_user_is_another_block() {
    let mut story = alice_and_bob();
    story.deploy_for("alice for carl", ALICE, "carl@idp.example");
    story.heard("alice for carl");

    let alice = gets(&mut story, ALICE, &block(1, "k"));
    let bob = gets(&mut story, BOB, &block(1, "k"));
    let carl = gets(&mut story, "alice for carl", &block(1, "k"));

    assert_ne!(alice, bob);
    assert_ne!(alice, carl);
}

#[test]
fn keys_that_look_alike_when_they_are_joined_do_not_meet() {
    let mut story = alice_and_bob();

    let one = gets(&mut story, ALICE, &block(1, "a|b"));
    let two = gets(&mut story, ALICE, &block(1, "a\",\"b"));
    let three = gets(&mut story, ALICE, &block(1, "a"));
    let four = gets(&mut story, ALICE, &block(1, "a\u{0}b"));

    let mut all = [one, two, three, four].concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 4);
}

#[test]
fn a_second_component_of_the_same_name_does_not_take_the_first_ones_block() {
    let mut story = alice_and_bob();
    let first = gets(&mut story, ALICE, &block(1, "k"));
    story.deploy_for("second", ALICE, crate::story::USER);
    story.heard("second");

    let second = gets(&mut story, "second", &block(1, "k"));

    assert_ne!(first, second);
    assert_eq!(gets(&mut story, ALICE, &block(1, "k")), first);
}

#[test]
fn a_block_is_given_back_by_its_key_and_then_another_comes() {
    let mut story = alice_and_bob();
    let first = gets(&mut story, ALICE, &block(2, "k"));

    let (code, _) = asks(&mut story, ALICE, "delete", &json!({"resource": "k"}));
    let (again, _) = asks(&mut story, ALICE, "delete", &json!({"resource": "k"}));

    assert_eq!((code, again), (200, 404));
    assert_ne!(gets(&mut story, ALICE, &block(2, "k")), first);
}

#[test]
fn addresses_are_given_back_in_every_published_form() {
    let mut story = alice_and_bob();
    let given = gets(&mut story, ALICE, &json!({"scheme": "comm", "number": 4}));

    let one = json!({"resource": given[0], "childrenResources": ["resources"]});
    let two = json!({"childrenResources": [given[1]]});
    let three = json!({"resources": [given[2]]});

    assert_eq!(asks(&mut story, ALICE, "delete", &one).0, 200);
    assert_eq!(asks(&mut story, ALICE, "delete", &two).0, 200);
    assert_eq!(asks(&mut story, ALICE, "delete", &three).0, 200);
    assert_eq!(asks(&mut story, ALICE, "delete", &three).0, 404);
}

#[test]
fn nothing_is_given_back_when_one_address_is_somebody_elses() {
    let mut story = alice_and_bob();
    let mine = gets(&mut story, ALICE, &json!({"scheme": "comm"}));
    let his = gets(&mut story, BOB, &json!({"scheme": "comm"}));

    let both = json!({"resources": [mine[0], his[0]]});
    let home = json!({"resources": [story.address(ALICE)]});

    assert_eq!(asks(&mut story, ALICE, "delete", &both).0, 404);
    assert_eq!(asks(&mut story, ALICE, "delete", &home).0, 404);
    assert_eq!(
        asks(&mut story, ALICE, "delete", &json!({"resources": mine})).0,
        200
    );
}

#[test]
fn what_cannot_be_allocated_is_a_bad_request() {
    let mut story = alice_and_bob();
    let mut code = |body: Value| asks(&mut story, ALICE, "create", &body).0;

    assert_eq!(code(json!({"number": 1})), 400);
    assert_eq!(code(json!({"scheme": "comm", "number": 0})), 400);
    assert_eq!(code(json!({"scheme": "comm", "number": 101})), 400);
    assert_eq!(code(json!({"scheme": "comm", "number": 100})), 200);
    assert_eq!(
        code(json!({"scheme": "comm", "number": 1_000_000_000})),
        400
    );
    assert_eq!(code(json!({"scheme": "hyperty"})), 400);
    assert_eq!(code(json!({"scheme": "no scheme"})), 400);
    assert_eq!(code(block(1, &"k".repeat(512))), 200);
    assert_eq!(code(block(1, &"k".repeat(513))), 400);
}

#[test]
fn a_key_whose_block_has_another_scheme_is_a_conflict() {
    let mut story = alice_and_bob();
    gets(&mut story, ALICE, &block(1, "k"));

    let other = json!({"scheme": "hello", "allocationKey": "k"});

    assert_eq!(asks(&mut story, ALICE, "create", &other).0, 409);
}

fn listens(story: &mut Story, name: &str, address: &str) {
    let (component, link) = (story.address(name), story.link(name));
    let listen = HostFrame::Listen {
        component: &component,
        address,
    };
    story.says(link, &listen);
    story.heard(name);
}

#[test]
fn what_is_sent_to_a_groups_address_reaches_everyone_who_listens() {
    let mut story = alice_and_bob();
    story.deploy_for("carl", "carl@b.example", "carl@idp.example");
    let group = gets(&mut story, ALICE, &json!({"scheme": "group"})).remove(0);
    listens(&mut story, BOB, &group);
    listens(&mut story, "carl", &group);

    story.send(ALICE, "event", &group, r#"{"value":1}"#, Reply::Unwanted);

    assert_eq!(story.messages(BOB).len(), 1);
    assert_eq!(story.messages("carl").len(), 1);
}

#[test]
fn two_who_listen_in_one_sandbox_are_sent_one_copy() {
    let mut story = alice_and_bob();
    story.deploy("carl@b.example");
    let group = gets(&mut story, ALICE, &json!({"scheme": "group"})).remove(0);
    listens(&mut story, BOB, &group);
    listens(&mut story, "carl@b.example", &group);
    let bob = story.address(BOB);
    listens(&mut story, "carl@b.example", &bob);

    story.send(ALICE, "event", &group, r#"{"value":1}"#, Reply::Unwanted);
    story.send(ALICE, "event", &bob, r#"{"value":2}"#, Reply::Unwanted);
    story.send(ALICE, "create", &bob, r#"{"value":3}"#, WITHIN);

    assert_eq!(story.link(BOB), story.link("carl@b.example"));
    assert_eq!(story.messages(BOB).len(), 3);
}
