//! Messages: delivered once, answered once, or refused with a reason.

use std::collections::VecDeque;

use std::time::Duration;

use core_supervisor::event::Exit;
use core_supervisor::limits::QUEUE_BYTES_MAX;
use protocol::{Code, HostFrame, Message, MessageKind, Reply};

use crate::story::RUNTIME;
use crate::{WITHIN, alice_and_bob};

#[test]
fn a_permitted_request_reaches_its_receiver_and_its_answer_comes_back() {
    let mut story = alice_and_bob();
    let (alice, bob) = (
        story.address("alice@a.example"),
        story.address("bob@b.example"),
    );

    let id = story.send("alice@a.example", "read", &bob, r#"{"a":1}"#, WITHIN);
    let asked = story.messages("bob@b.example");
    story.answer("bob@b.example", id, &alice, 200);
    let answered = story.messages("alice@a.example");

    assert_eq!(asked, [("read".into(), alice, 0, r#"{"a":1}"#.into())]);
    assert_eq!(
        answered,
        [("response".into(), bob, 200, r#"{"code":200}"#.into())]
    );
}

#[test]
fn a_provisional_answer_does_not_end_a_request() {
    let mut story = alice_and_bob();
    let (alice, bob) = (
        story.address("alice@a.example"),
        story.address("bob@b.example"),
    );

    let id = story.send("alice@a.example", "read", &bob, "{}", WITHIN);
    story.answer("bob@b.example", id, &alice, 100);
    story.answer("bob@b.example", id, &alice, 200);
    story.answer("bob@b.example", id, &alice, 200);

    let codes: Vec<u16> = story
        .messages("alice@a.example")
        .into_iter()
        .map(|m| m.2)
        .collect();
    assert_eq!(codes, [100, 200]);
}

// messaging A.2 case 26: not dropped, or its asker would wait for nothing.
#[test]
fn an_answer_without_a_body_ends_its_request_and_harms_nobody() {
    let mut story = alice_and_bob();
    let (alice, bob) = (
        story.address("alice@a.example"),
        story.address("bob@b.example"),
    );
    let id = story.send("alice@a.example", "read", &bob, "{}", WITHIN);
    let bare = Message::new(MessageKind::Response, &bob, &alice, b"").with_id(id);
    let link = story.link("bob@b.example");

    story.says(link, &HostFrame::Send(bare));
    story.answer("bob@b.example", id, &alice, 200);
    let next = story.send("alice@a.example", "read", &bob, "{}", WITHIN);
    story.answer("bob@b.example", next, &alice, 200);

    let answers = story.messages("alice@a.example").into_iter();
    let codes: Vec<u16> = answers.map(|answer| answer.2).collect();
    assert_eq!(codes, [0, 200]);
}

// messaging A.1 case 19
#[test]
fn a_message_that_no_rule_permits_is_answered_403_and_not_delivered() {
    let mut story = alice_and_bob();
    story.deploy("carol@c.example");
    let carol = story.address("carol@c.example");
    story.heard("carol@c.example");

    story.send("alice@a.example", "create", &carol, "{}", WITHIN);

    let refused = story.messages("alice@a.example");
    assert_eq!(refused[0].2, 403);
    assert!(refused[0].3.contains("no rule permits"), "{}", refused[0].3);
    assert!(
        refused[0].3.contains("\"decision\":\"d-1-"),
        "{}",
        refused[0].3
    );
    assert_eq!(story.messages("carol@c.example"), []);
}

#[test]
fn every_kind_of_message_is_decided() {
    let mut story = alice_and_bob();
    story.deploy("carol@c.example");
    let carol = story.address("carol@c.example");
    story.heard("carol@c.example");

    for kind in [
        "create",
        "read",
        "update",
        "delete",
        "subscribe",
        "unsubscribe",
        "forward",
        "execute",
        "event",
        "init",
    ] {
        story.send("alice@a.example", kind, &carol, "{}", Reply::Unwanted);
    }

    assert_eq!(story.messages("carol@c.example"), []);
}

#[test]
fn an_absent_address_of_the_own_domain_is_answered_404_at_once() {
    let mut story = alice_and_bob();

    story.send(
        "alice@a.example",
        "read",
        "hyperty://a.example/nobody",
        "{}",
        WITHIN,
    );
    story.send(
        "alice@a.example",
        "read",
        &format!("{RUNTIME}/nothing"),
        "{}",
        WITHIN,
    );

    let answers = story.messages("alice@a.example");
    assert_eq!(answers[0].2, 404, "{answers:?}");
    assert!(answers[1].2 == 404 || answers[1].2 == 403, "{answers:?}");
}

#[test]
fn the_operator_is_answered_404_for_an_unknown_room() {
    let mut story = alice_and_bob();

    let (code, _) = story.ask_operator("read", "nothing", "{}");

    assert_eq!(code, Code::NOT_FOUND);
}

#[test]
fn a_request_to_a_dead_component_is_answered_503_at_once() {
    let mut story = alice_and_bob();
    let bob = story.address("bob@b.example");

    story.send("alice@a.example", "read", &bob, "{}", WITHIN);
    story.crash("bob@b.example", Exit::Signal(11));
    story.send("alice@a.example", "read", &bob, "{}", WITHIN);

    let answers = story.messages("alice@a.example");
    let codes: Vec<u16> = answers.iter().map(|m| m.2).collect();
    assert_eq!(codes, [503, 503]);
    assert!(answers[1].3.contains("SIGSEGV"), "{}", answers[1].3);
}

#[test]
fn a_request_that_nobody_answers_ends_with_408() {
    let mut story = alice_and_bob();
    let bob = story.address("bob@b.example");

    story.send("alice@a.example", "read", &bob, "{}", Reply::Within(1_000));
    story.wait(Duration::from_millis(900));
    let early = story.messages("alice@a.example");
    story.wait(Duration::from_millis(300));

    assert_eq!(early, []);
    assert_eq!(story.messages("alice@a.example")[0].2, 408);
}

#[test]
fn an_untimed_request_is_not_answered_by_the_clock() {
    let mut story = alice_and_bob();
    let (alice, bob) = (
        story.address("alice@a.example"),
        story.address("bob@b.example"),
    );

    let id = story.send("alice@a.example", "read", &bob, "{}", Reply::Untimed);
    let asked = story.messages("bob@b.example");
    story.wait(Duration::from_millis(1_900));
    let silence = story.messages("alice@a.example");
    story.answer("bob@b.example", id, &alice, 200);

    assert_eq!(asked.len(), 1);
    assert_eq!(silence, []);
    assert_eq!(story.messages("alice@a.example")[0].2, 200);
}

#[test]
fn an_answer_to_a_request_that_was_never_made_goes_nowhere() {
    let mut story = alice_and_bob();
    let alice = story.address("alice@a.example");

    story.answer("bob@b.example", 4711, &alice, 200);

    assert_eq!(story.messages("alice@a.example"), []);
}

#[test]
fn only_who_was_asked_may_answer() {
    let mut story = alice_and_bob();
    story.deploy("eve@b.example");
    let (alice, bob) = (
        story.address("alice@a.example"),
        story.address("bob@b.example"),
    );
    story.deploy("native/mallory@b.example");

    let id = story.send("alice@a.example", "read", &bob, "{}", WITHIN);
    story.answer("native/mallory@b.example", id, &alice, 200);

    assert_eq!(story.messages("alice@a.example"), []);
}

#[test]
fn both_names_of_the_runtime_lead_to_the_same_room() {
    let mut story = alice_and_bob();

    let published = "runtime://home.example/rt/registry/";
    story.send("alice@a.example", "read", published, "{}", WITHIN);

    let answer = story.messages("alice@a.example");
    assert_eq!((answer[0].2, answer[0].1.as_str()), (200, published));
}

#[test]
fn an_answer_may_say_the_other_name_of_the_address_that_asked() {
    let mut story = alice_and_bob();
    let bob = story.address("bob@b.example");
    let (operator, address) = story.operator();

    let id = story.send_as(operator, &address, "read", &bob, "{}", WITHIN);
    let published = address.replace("hyperty-runtime://", "runtime://");
    story.answer("bob@b.example", id, &published, 200);
    story.answer("bob@b.example", id, &published, 200);

    let codes: Vec<u16> = { story.messages_on(operator) }
        .iter()
        .map(|m| m.2)
        .collect();
    assert_eq!(codes, [200]);
}

#[test]
fn a_receiver_that_does_not_read_makes_its_senders_hear_429() {
    let mut story = alice_and_bob();
    let bob = story.address("bob@b.example");
    let bob_link = story.link("bob@b.example");
    story.deaf = Some(bob_link);
    let big = format!("\"{}\"", "x".repeat(1_000_000));

    for _ in 0..6 {
        story.send("alice@a.example", "read", &bob, &big, WITHIN);
    }

    let codes: Vec<u16> = story
        .messages("alice@a.example")
        .into_iter()
        .map(|m| m.2)
        .collect();
    assert_eq!(codes, [429, 429]);
}

#[test]
fn who_asks_on_and_reads_no_answer_hears_429_before_it_is_cut_off() {
    let mut story = alice_and_bob();
    let link = story.link("alice@a.example");
    story.deaf = Some(link);
    let registry = format!("{RUNTIME}/registry");

    let mut asked = 0;
    while !story.sides[&link].is_closed {
        asked += 1;
        assert!(asked < 200_000, "the core answers without end");
        story.send("alice@a.example", "read", &registry, "{}", WITHIN);
    }

    let answers = story.messages_on(link);
    let bytes: usize = answers.iter().map(|answer| answer.3.len()).sum();
    assert_eq!(answers.last().map(|answer| answer.2), Some(429));
    assert!(bytes < 2 * QUEUE_BYTES_MAX, "{bytes} bytes waited for it");
}

#[test]
fn a_receiver_that_never_reads_is_cut_off() {
    let mut story = alice_and_bob();
    let bob = story.address("bob@b.example");
    let bob_link = story.link("bob@b.example");
    story.deaf = Some(bob_link);

    story.send("alice@a.example", "update", &bob, "{}", Reply::Unwanted);
    // Its heartbeat is answered, so that only the full queue can be what ends it.
    for _ in 0..31 {
        story.wait(Duration::from_secs(1));
        story.pongs(bob_link);
        let alice = story.link("alice@a.example");
        story.pongs(alice);
    }

    assert!(story.sides[&bob_link].is_closed);
    let (_, state) = story.ask_operator("read", "ua", &format!(r#"{{"resource":"{bob}"}}"#));
    assert!(
        state.contains("has not read for 30s") || state.contains(r#""restarts":1"#),
        "{state}"
    );
}

#[test]
fn a_tap_shows_who_sent_what_to_whom_and_why_it_passed() {
    let mut story = alice_and_bob();
    story.deploy("carol@c.example");
    let (alice, bob, carol) = (
        story.address("alice@a.example"),
        story.address("bob@b.example"),
        story.address("carol@c.example"),
    );
    let (operator, _) = story.operator();

    story.ask_operator("subscribe", "bus", r#"{"bodies":true}"#);
    let id = story.send(
        "alice@a.example",
        "read",
        &bob,
        r#"{"token":"hush"}"#,
        WITHIN,
    );
    story.answer("bob@b.example", id, &alice, 200);
    story.send("alice@a.example", "read", &carol, "{}", WITHIN);
    story.wait(Duration::from_millis(60));

    let batch = story.messages_on(operator).pop().unwrap().3;
    assert!(
        batch.contains(r#""verdict":"permit""#) && batch.contains("story.cedar"),
        "{batch}"
    );
    assert!(
        batch.contains(r#""verdict":"deny""#) && batch.contains("latency_us"),
        "{batch}"
    );
    assert!(!batch.contains("hush"), "{batch}");
}

#[test]
fn who_only_tells_is_never_refused_for_answers_that_do_not_come() {
    const MORE_THAN_ITS_SHARE: usize = 4_200;
    let mut story = alice_and_bob();
    let (alice, bob) = (
        story.address("alice@a.example"),
        story.address("bob@b.example"),
    );
    for _ in 0..MORE_THAN_ITS_SHARE {
        story.send("alice@a.example", "update", &bob, "{}", Reply::Untimed);
    }
    let told = story.messages("bob@b.example").len();
    let last = story.send("alice@a.example", "read", &bob, "{}", WITHIN);
    story.answer("bob@b.example", last, &alice, 200);

    assert_eq!(told, MORE_THAN_ITS_SHARE);
    assert_eq!(
        story.messages("alice@a.example"),
        [("response".into(), bob, 200, r#"{"code":200}"#.into())]
    );
}

#[test]
fn who_asks_on_and_on_hears_every_answer() {
    const IN_FLIGHT: usize = 3;
    const TIMES_ITS_SHARE: usize = 3;
    let mut story = alice_and_bob();
    let (alice, bob) = (
        story.address("alice@a.example"),
        story.address("bob@b.example"),
    );
    let mut asked = VecDeque::new();
    let all = TIMES_ITS_SHARE * 4096;
    for _ in 0..all {
        asked.push_back(story.send("alice@a.example", "read", &bob, "{}", Reply::Untimed));
        if asked.len() > IN_FLIGHT {
            story.answer("bob@b.example", asked.pop_front().unwrap(), &alice, 200);
        }
    }

    let heard = story.messages("alice@a.example").len();

    assert_eq!(heard, all - IN_FLIGHT);
}
