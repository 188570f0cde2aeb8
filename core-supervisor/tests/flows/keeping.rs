//! What is kept: nobody is told before it is on the disk, and a disk that fails or
//! is slow costs answers, never the bus.

use serde_json::json;

use crate::story::{Disk, RUNTIME, Story};
use crate::{WITHIN, alice_and_bob};

const ALICE: &str = "alice@a.example";
const BOB: &str = "bob@b.example";

fn wants(story: &mut Story, name: &str, key: &str) {
    let room = format!("{RUNTIME}/address-allocation");
    let body = json!({"scheme": "comm", "value": {"allocationKey": key}}).to_string();
    story.send(name, "create", &room, &body, WITHIN);
}

/// The numbers of the answers since the last look.
fn answers(story: &mut Story, name: &str) -> Vec<u16> {
    let messages = story.messages(name);
    messages.into_iter().map(|(_, _, code, _)| code).collect()
}

#[test]
fn nobody_is_told_that_something_is_kept_before_it_is() {
    let mut story = alice_and_bob();
    story.disk(Disk::Slow);

    wants(&mut story, ALICE, "k");

    assert!(answers(&mut story, ALICE).is_empty());
    story.disk(Disk::Sound);
    assert_eq!(answers(&mut story, ALICE), [200]);
}

#[test]
fn what_is_asked_for_again_is_acknowledged_only_when_the_first_is_kept() {
    let mut story = alice_and_bob();
    story.disk(Disk::Slow);

    wants(&mut story, ALICE, "k");
    wants(&mut story, ALICE, "k");

    assert!(answers(&mut story, ALICE).is_empty());
    story.disk(Disk::Sound);
    assert_eq!(answers(&mut story, ALICE), [200, 200]);
}

#[test]
fn a_full_disk_is_told_and_the_bus_goes_on() {
    let mut story = alice_and_bob();
    story.disk(Disk::Full);

    wants(&mut story, ALICE, "k");
    let to = story.address(BOB);
    story.send(ALICE, "read", &to, "{}", WITHIN);

    let told = story.messages(ALICE);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].2, 500);
    assert!(told[0].3.contains("no space left"), "{}", told[0].3);
    assert_eq!(story.messages(BOB).len(), 1);
}

#[test]
fn what_a_full_disk_refused_is_written_with_what_comes_next() {
    let mut story = alice_and_bob();
    story.disk(Disk::Full);
    wants(&mut story, ALICE, "first");
    wants(&mut story, ALICE, "first");
    assert_eq!(answers(&mut story, ALICE), [500, 500]);

    story.disk(Disk::Sound);
    wants(&mut story, BOB, "second");

    assert_eq!(answers(&mut story, BOB), [200]);
    let kept: Vec<_> = story.kept.keys().map(|(_, key)| key.as_str()).collect();
    assert!(kept.iter().any(|key| key.contains("first")), "{kept:?}");
}

#[test]
fn one_that_floods_the_disk_is_told_to_wait_and_others_are_not() {
    let mut story = alice_and_bob();
    story.disk(Disk::Slow);

    for number in 0..257 {
        wants(&mut story, ALICE, &number.to_string());
    }
    wants(&mut story, BOB, "k");

    assert_eq!(answers(&mut story, ALICE), [429]);
    story.disk(Disk::Sound);
    assert_eq!(answers(&mut story, ALICE), [200; 256]);
    assert_eq!(answers(&mut story, BOB), [200]);
}

#[test]
fn the_answer_of_one_who_has_gone_goes_nowhere() {
    let mut story = alice_and_bob();
    story.disk(Disk::Slow);
    wants(&mut story, ALICE, "k");

    story.ask_operator("delete", "ua", r#"{"resource":"alice"}"#);
    story.disk(Disk::Sound);

    assert!(story.kept.keys().any(|(_, key)| key.contains("\"k\"")));
}
