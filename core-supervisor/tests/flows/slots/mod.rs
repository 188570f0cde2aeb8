//! Slots: lent where nothing is to be decided any more, taken back when there is.

mod ends;

use core_supervisor::ids::LinkId;
use protocol::frame::Role;
use protocol::limits::{BODY_BYTES_MAX, SLOT_FROM_BYTES};
use protocol::slot::InSlot;
use protocol::{Code, HostFrame, Message, MessageKind, Reply};

use crate::story::{Heard, Story, rules, settings};
use crate::{WITHIN, alice_and_bob};

const ALICE: &str = "alice@a.example";
const BOB: &str = "bob@b.example";
const MOST: u16 = 16;

const ALL: &str = r#"@id("all") @why("the story says so") permit (principal, action, resource);"#;

/// Permits a and b to talk, unless the body says that they may not.
const READS_BODIES: &str = r#"
@id("all") @why("the story says so")
permit (principal is Hyperty, action, resource is Hyperty);
@id("not-this") @why("the story says so")
forbid (principal is Hyperty, action == Action::"update", resource is Hyperty)
when { context.body has method && context.body.method == "secret" };
"#;

fn large() -> String {
    format!("\"{}\"", "x".repeat(SLOT_FROM_BYTES))
}

fn takers() -> Story {
    let mut story = alice_and_bob();
    for name in [ALICE, BOB] {
        let link = story.link(name);
        story.says(link, &HostFrame::TakeSlots { most: MOST });
    }
    story
}

/// Alice and Bob, after Alice was lent a slot for Bob; its number.
fn lent() -> (Story, u64) {
    let mut story = takers();
    let slot = lend(&mut story, ALICE, BOB);
    (story, slot)
}

/// Sends a large body by stream, and has the slot arrive that follows it.
fn lend(story: &mut Story, from: &str, to: &str) -> u64 {
    let address = story.address(to);
    story.send(from, "update", &address, &large(), Reply::Unwanted);
    let offered = slots(story, to);
    let [("borrow", slot)] = offered[..] else {
        panic!("{offered:?}");
    };
    give_back(story, to, slot);
    assert_eq!(slots(story, from), [("lend", slot)]);
    slot
}

fn give_back(story: &mut Story, name: &str, slot: u64) {
    let link = story.link(name);
    story.says(link, &HostFrame::Return { slot });
}

/// What a component heard about slots; the rest is forgotten.
fn slots(story: &mut Story, name: &str) -> Vec<(&'static str, u64)> {
    let heard = story.heard(name);
    let slot = |heard| match heard {
        Heard::Slot(what, slot) => Some((what, slot)),
        _ => None,
    };
    heard.into_iter().filter_map(slot).collect()
}

fn send_by(story: &mut Story, slot: u64, (from, kind, to): (&str, &str, &str), reply: Reply) {
    let link = story.link(from);
    let (from, to) = (story.address(from), story.address(to));
    let message = Message::new(MessageKind::parse(kind), &from, &to, b"").with_id(77);
    say_by(story, link, slot, &message.expecting(reply));
}

fn say_by(story: &mut Story, link: LinkId, slot: u64, message: &Message<'_>) {
    let bytes = u32::try_from(BODY_BYTES_MAX).unwrap();
    let header = message.header;
    story.says(
        link,
        &HostFrame::SendBy(InSlot {
            slot,
            bytes,
            header,
        }),
    );
}

#[test]
fn a_large_message_between_two_who_take_slots_leads_to_one() {
    let (mut story, slot) = lent();

    send_by(&mut story, slot, (ALICE, "update", BOB), Reply::Unwanted);
    assert_eq!(slots(&mut story, BOB), [("deliver", slot)]);
    assert_eq!(slots(&mut story, ALICE), []);
    give_back(&mut story, BOB, slot);

    assert_eq!(slots(&mut story, ALICE), [("returned", slot)]);
}

#[test]
fn who_takes_no_slots_is_given_none_on_either_side() {
    let mut story = alice_and_bob();
    let (alice, bob) = (story.link(ALICE), story.address(BOB));

    story.send(ALICE, "update", &bob, &large(), Reply::Unwanted);
    story.says(alice, &HostFrame::TakeSlots { most: MOST });
    story.send(ALICE, "update", &bob, &large(), Reply::Unwanted);

    assert_eq!(slots(&mut story, ALICE), []);
    assert_eq!(slots(&mut story, BOB), []);
}

#[test]
fn a_small_message_leads_to_no_slot() {
    let mut story = takers();
    let bob = story.address(BOB);
    let body = "x".repeat(SLOT_FROM_BYTES);

    story.send(ALICE, "update", &bob, &body, Reply::Unwanted);

    assert_eq!(slots(&mut story, BOB), []);
}

#[test]
fn without_slots_in_the_settings_there_are_none() {
    let mut story = Story::with(core_supervisor::core::Settings {
        slots_max: 0,
        ..settings()
    });
    for name in [ALICE, BOB] {
        let (_, link) = story.deploy(name);
        story.says(link, &HostFrame::TakeSlots { most: MOST });
    }
    let bob = story.address(BOB);

    story.send(ALICE, "update", &bob, &large(), Reply::Unwanted);

    assert_eq!(slots(&mut story, BOB), []);
}

#[test]
fn another_slot_comes_while_the_first_is_under_way_and_no_sooner() {
    let (mut story, first) = lent();
    let bob = story.address(BOB);

    story.send(ALICE, "update", &bob, &large(), Reply::Unwanted);
    assert_eq!(slots(&mut story, BOB), []);
    send_by(&mut story, first, (ALICE, "update", BOB), Reply::Unwanted);
    slots(&mut story, BOB);
    let second = lend(&mut story, ALICE, BOB);

    assert_ne!(first, second);
}

#[test]
fn a_sender_has_no_more_than_its_share() {
    let mut story = takers();
    for _ in 0..core_supervisor::limits::SLOTS_PER_SENDER_MAX {
        let slot = lend(&mut story, ALICE, BOB);
        send_by(&mut story, slot, (ALICE, "update", BOB), Reply::Unwanted);
        slots(&mut story, BOB);
    }
    let bob = story.address(BOB);

    story.send(ALICE, "update", &bob, &large(), Reply::Unwanted);

    assert_eq!(slots(&mut story, BOB), []);
}

#[test]
fn a_request_by_slot_is_answered_once_and_the_answer_may_come_by_slot() {
    let (mut story, there) = lent();
    let back = lend(&mut story, BOB, ALICE);
    let (alice, bob) = (story.address(ALICE), story.address(BOB));

    send_by(&mut story, there, (ALICE, "read", BOB), WITHIN);
    let asked = Message::new(MessageKind::Read, &alice, &bob, b"").with_id(77);
    let link = story.link(BOB);
    say_by(&mut story, link, back, &asked.answer(Code::OK, b""));
    assert_eq!(slots(&mut story, ALICE), [("deliver", back)]);
    give_back(&mut story, ALICE, back);
    say_by(&mut story, link, back, &asked.answer(Code::OK, b""));

    assert_eq!(slots(&mut story, ALICE), [], "the request has ended");
    let heard = slots(&mut story, BOB);
    assert_eq!(
        heard,
        [("deliver", there), ("returned", back), ("returned", back)]
    );
}

#[test]
fn what_policy_refuses_is_refused_in_a_slot_as_well() {
    let (mut story, slot) = lent();
    story.core_rules(rules(
        r#"@id("updates") @why("the story says so")
        permit (principal is Hyperty, action == Action::"update", resource is Hyperty);"#,
    ));

    send_by(&mut story, slot, (ALICE, "read", BOB), WITHIN);

    assert_eq!(slots(&mut story, BOB), []);
    let heard = story.heard(ALICE);
    let code = heard.iter().find_map(|heard| match heard {
        Heard::Message { code, .. } => Some(*code),
        _ => None,
    });
    assert_eq!(code, Some(Code::FORBIDDEN), "{heard:?}");
    assert_eq!(heard.last(), Some(&Heard::Slot("returned", slot)));
}

#[test]
fn a_message_that_a_rule_wants_to_read_does_not_go_by_a_slot_for_others() {
    let mut story = takers();
    story.core_rules(rules(READS_BODIES));
    let bob = story.address(BOB);
    story.send(ALICE, "read", &bob, &large(), WITHIN);
    let [.., ("borrow", slot)] = slots(&mut story, BOB)[..] else {
        panic!("no slot for what no rule reads");
    };
    give_back(&mut story, BOB, slot);
    slots(&mut story, ALICE);

    send_by(&mut story, slot, (ALICE, "update", BOB), Reply::Unwanted);

    assert_eq!(slots(&mut story, ALICE), [("unsent", slot)]);
    assert_eq!(slots(&mut story, BOB), []);
}

#[test]
fn a_slot_of_somebody_else_for_somebody_else_or_under_way_is_not_used() {
    let (mut story, slot) = lent();
    story.core_rules(rules(ALL));
    let (_, carol) = story.deploy("carol@c.example");
    story.says(carol, &HostFrame::TakeSlots { most: MOST });
    let carols = lend(&mut story, "carol@c.example", BOB);

    send_by(&mut story, carols, (ALICE, "update", BOB), Reply::Unwanted);
    send_by(&mut story, 4711, (ALICE, "update", BOB), Reply::Unwanted);
    let to_carol = (ALICE, "update", "carol@c.example");
    send_by(&mut story, slot, to_carol, Reply::Unwanted);
    assert_eq!(slots(&mut story, "carol@c.example"), []);
    send_by(&mut story, slot, (ALICE, "update", BOB), Reply::Unwanted);
    send_by(&mut story, slot, (ALICE, "update", BOB), Reply::Unwanted);

    assert_eq!(slots(&mut story, BOB), [("deliver", slot)]);
    let heard = slots(&mut story, ALICE);
    assert_eq!(
        heard,
        [
            ("unsent", carols),
            ("unsent", 4711),
            ("unsent", slot),
            ("unsent", slot)
        ]
    );
}

#[test]
fn only_the_receiver_gives_a_slot_back() {
    let (mut story, slot) = lent();
    send_by(&mut story, slot, (ALICE, "update", BOB), Reply::Unwanted);

    give_back(&mut story, ALICE, slot);

    assert_eq!(slots(&mut story, ALICE), []);
}

#[test]
fn a_body_in_a_slot_counts_as_bytes_of_its_receiver() {
    let (mut story, slot) = lent();
    story.deaf = Some(story.link(BOB));
    let bob = story.address(BOB);
    let full = "x".repeat(BODY_BYTES_MAX - 1024);
    for _ in 0..4 {
        story.send(ALICE, "update", &bob, &full, Reply::Unwanted);
    }

    send_by(&mut story, slot, (ALICE, "read", BOB), WITHIN);

    let heard = story.heard(ALICE);
    let code = heard.iter().find_map(|heard| match heard {
        Heard::Message { code, .. } => Some(*code),
        _ => None,
    });
    assert_eq!(code, Some(Code::BUSY), "{heard:?}");
}

#[test]
fn an_application_is_lent_slots_as_well() {
    let mut story = takers();
    story.core_rules(rules(ALL));
    let role = Role::Application {
        provider: "app.example",
        name: "app",
        token: "",
    };
    let (link, from) = story.local(role);
    story.says(link, &HostFrame::TakeSlots { most: MOST });
    let bob = story.address(BOB);

    story.send_as(link, &from, "update", &bob, &large(), Reply::Unwanted);

    assert!(matches!(slots(&mut story, BOB)[..], [("borrow", _)]));
}

#[test]
fn a_shell_that_can_make_none_is_not_asked_again_at_once() {
    let mut story = takers();
    story.lender.fails = true;
    let bob = story.address(BOB);

    story.send(ALICE, "update", &bob, &large(), Reply::Unwanted);
    assert_eq!(slots(&mut story, BOB), [("revoke", 1)]);
    story.lender.fails = false;
    story.send(ALICE, "update", &bob, &large(), Reply::Unwanted);

    assert_eq!(slots(&mut story, BOB), []);
}
