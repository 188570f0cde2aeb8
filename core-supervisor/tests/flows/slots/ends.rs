//! A slot is taken back as soon as there is something to decide again.

use std::time::Duration;

use core_supervisor::event::Exit;
use protocol::{Code, HostFrame, Message, MessageKind, Reply};

use super::{ALICE, BOB, MOST, READS_BODIES, give_back, large, lend, lent, send_by, slots};
use crate::WITHIN;
use crate::story::{Heard, Story, rules};

#[test]
fn a_slot_is_sealed_with_the_rules_that_permitted_it() {
    let (mut story, slot) = lent();

    story.core_rules(rules(""));

    assert!(
        !story.lender.slots.contains(&slot),
        "it can still be written"
    );
    assert_eq!(slots(&mut story, ALICE), [("revoke", slot)]);
    assert_eq!(slots(&mut story, BOB), [("revoke", slot)]);
}

#[test]
fn a_slot_outlives_rules_that_still_permit_it() {
    let (mut story, slot) = lent();

    story.core_rules(rules(crate::story::RULES));
    story.deploy("carol@c.example");

    assert!(story.lender.slots.contains(&slot));
    assert_eq!(slots(&mut story, ALICE), []);
}

#[test]
fn a_slot_for_answers_ends_when_its_holder_may_not_ask_any_more() {
    let (mut story, there) = lent();
    let back = {
        send_by(&mut story, there, (ALICE, "read", BOB), WITHIN);
        let (alice, bob) = (story.address(ALICE), story.address(BOB));
        let asked = Message::new(MessageKind::Read, &alice, &bob, b"").with_id(77);
        let (link, body) = (story.link(BOB), large());
        story.says(
            link,
            &HostFrame::Send(asked.answer(Code::OK, body.as_bytes())),
        );
        let [("borrow", back)] = slots(&mut story, ALICE)[..] else {
            panic!("no slot for answers");
        };
        give_back(&mut story, ALICE, back);
        back
    };
    slots(&mut story, BOB);

    // Whoever is asked may still answer, but nobody asks.
    story.core_rules(rules(""));

    assert!(!story.lender.slots.contains(&back));
    assert!(slots(&mut story, BOB).contains(&("revoke", back)));
    assert!(slots(&mut story, ALICE).contains(&("revoke", back)));
}

#[test]
fn a_message_that_crosses_the_end_of_its_slot_is_given_back_and_not_delivered() {
    let (mut story, slot) = lent();
    story.core_rules(rules(""));
    slots(&mut story, ALICE);
    slots(&mut story, BOB);

    send_by(&mut story, slot, (ALICE, "read", BOB), WITHIN);

    assert_eq!(slots(&mut story, ALICE), [("unsent", slot)]);
    assert_eq!(slots(&mut story, BOB), []);
}

#[test]
fn rules_that_read_bodies_end_slots_and_keep_them_away() {
    let (mut story, slot) = lent();

    story.core_rules(rules(READS_BODIES));
    let bob = story.address(BOB);
    story.send(ALICE, "update", &bob, &large(), Reply::Unwanted);

    assert_eq!(slots(&mut story, ALICE), [("revoke", slot)]);
    assert_eq!(slots(&mut story, BOB), [("revoke", slot)]);
}

#[test]
fn whoever_dies_leaves_no_slot_behind() {
    let (mut story, slot) = lent();
    send_by(&mut story, slot, (ALICE, "read", BOB), WITHIN);

    story.crash(BOB, Exit::Signal(11));

    assert!(story.lender.slots.is_empty());
    let heard = story.heard(ALICE);
    assert!(heard.contains(&Heard::Slot("returned", slot)), "{heard:?}");
    assert!(heard.contains(&Heard::Slot("revoke", slot)), "{heard:?}");
    let answers = heard
        .iter()
        .filter(|it| matches!(it, Heard::Message { .. }));
    assert_eq!(answers.count(), 1, "{heard:?}");
}

#[test]
fn a_slot_that_rests_is_taken_back_by_whomever_it_is_held() {
    let mut story = Story::new();
    // Programs are not asked whether they live, so nothing else happens meanwhile.
    let [alice, bob] = ["native/alice@a.example", "native/bob@b.example"];
    for name in [alice, bob] {
        let (_, link) = story.deploy(name);
        story.heard(name);
        story.says(link, &HostFrame::TakeSlots { most: MOST });
    }
    let slot = lend(&mut story, alice, bob);
    send_by(&mut story, slot, (alice, "update", bob), Reply::Unwanted);
    let just_before = core_supervisor::limits::SLOT_REST.saturating_sub(Duration::from_millis(10));

    story.wait(just_before);
    assert!(story.lender.slots.contains(&slot));
    story.wait(Duration::from_millis(20));

    assert!(story.lender.slots.is_empty());
    let heard = slots(&mut story, alice);
    assert_eq!(heard, [("returned", slot), ("revoke", slot)]);
}

#[test]
fn who_wants_slots_no_more_gives_back_all() {
    let (mut story, slot) = lent();
    let bob = story.link(BOB);

    story.says(bob, &HostFrame::TakeSlots { most: 0 });
    let address = story.address(BOB);
    story.send(ALICE, "update", &address, &large(), Reply::Unwanted);

    assert!(story.lender.slots.is_empty());
    assert_eq!(slots(&mut story, ALICE), [("revoke", slot)]);
    assert_eq!(slots(&mut story, BOB), [("revoke", slot)]);
}

#[test]
fn what_is_listened_to_goes_by_stream_to_all() {
    let (mut story, slot) = lent();
    let (carol, link) = story.deploy("carol@a.example");
    let address = story.address(BOB);

    story.says(
        link,
        &HostFrame::Listen {
            component: &carol,
            address: &address,
        },
    );
    send_by(&mut story, slot, (ALICE, "update", BOB), Reply::Unwanted);

    let heard = slots(&mut story, ALICE);
    assert_eq!(heard, [("revoke", slot), ("unsent", slot)]);
}

#[test]
fn while_bodies_are_watched_none_goes_unseen() {
    let (mut story, slot) = lent();

    story.ask_operator("subscribe", "bus", r#"{"bodies":true}"#);
    send_by(&mut story, slot, (ALICE, "update", BOB), Reply::Unwanted);

    assert_eq!(slots(&mut story, ALICE), [("unsent", slot)]);
    assert_eq!(slots(&mut story, BOB), []);
}
