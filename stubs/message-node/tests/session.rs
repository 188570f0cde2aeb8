//! A session at a node that is played, with a clock that is turned by hand.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, missing_docs)]

mod play;

use play::{BOB, HYPERTY, Play, RUNTIME, SM, response};
use protocol::message::{Message, MessageKind, Reply};
use serde_json::json;
use stub_message_node::config::Config;
use stub_message_node::session::Effect;

// Spec messaging, Annex A.8 and A.33.
#[test]
fn a_session_is_opened_and_marks_what_it_sends() {
    let mut play = Play::new();

    play.session.opened(0);
    let open = play.answer_open(&json!({"code": 200, "runtimeToken": "t1"}));
    play.ask(7, BOB, &json!({"x": 1}));
    let sent = play.next().unwrap();

    assert_eq!(
        (&open["type"], &open["from"]),
        (&json!("open"), &json!(RUNTIME))
    );
    assert_eq!(play.statuses(), ["created", "in-progress", "live"]);
    assert_eq!(
        sent,
        json!({"id": 7, "type": "create", "from": HYPERTY, "to": BOB, "body": {"x": 1, "via": format!("{RUNTIME}/t1")}})
    );
}

#[test]
fn a_lost_connection_is_resumed_with_the_token() {
    let mut play = Play::live();

    play.lose();
    play.reconnect();
    play.session.opened(play.now);
    let asked = play.answer_open(&json!({"code": 200}));

    assert_eq!(
        (&asked["type"], &asked["from"]),
        (&json!("re-open"), &json!(format!("{RUNTIME}/t1")))
    );
    assert_eq!(play.statuses(), ["in-progress", "live"]);
    assert_eq!(play.session.session_url(), format!("{RUNTIME}/t1"));
}

// Annex A.34, at the node that refuses.
#[test]
fn a_refused_resumption_opens_anew_and_subscribes_again() {
    let mut play = Play::live();
    let body = json!({"resources": ["comm://example.org/o/changes"]}).to_string();
    let subscribe = Message::new(
        MessageKind::Subscribe,
        "hyperty-runtime://example.org/alice/sm",
        SM,
        body.as_bytes(),
    );
    play.send(subscribe.with_id(3).expecting(Reply::Within(15_000)));
    let sent = play.next().unwrap();
    play.hear(&json!({"id": 3, "type": "response", "from": SM, "to": sent["from"], "body": {"code": 200}}));

    play.lose();
    play.reconnect();
    play.session.opened(play.now);
    play.answer_open(&json!({"code": 500, "desc": "Reconnection fail. Incorrect runtime token!"}));
    let asked = play.answer_open(&json!({"code": 200, "runtimeToken": "t2"}));
    let renewed = play.next().unwrap();

    assert_eq!(
        (&asked["type"], &asked["from"]),
        (&json!("open"), &json!(RUNTIME))
    );
    assert_eq!(
        (&renewed["type"], &renewed["to"]),
        (&json!("subscribe"), &json!(SM))
    );
    assert_eq!(
        renewed["body"],
        json!({"resources": ["comm://example.org/o/changes"]})
    );
    assert_eq!(play.next(), None);
}

// Annex A.35.
#[test]
fn an_answer_that_comes_late_still_makes_it_live() {
    let mut play = Play::new();
    play.session.opened(0);
    play.gather();

    play.pass(2_999);
    let before = play.statuses();
    play.pass(1);
    let late = play.statuses();
    play.answer_open(&json!({"code": 200, "runtimeToken": "t1"}));

    assert_eq!(before, ["created", "in-progress"]);
    assert_eq!(
        late.last().unwrap(),
        "disconnected Timeout from mn:/session"
    );
    assert_eq!(play.statuses().last().unwrap(), "live");
}

#[test]
fn a_node_that_never_answers_is_left_and_met_again() {
    let mut play = Play::new();
    play.session.opened(0);

    play.pass(10_000);

    assert!(play.effects.contains(&Effect::Hangup));
    assert!(play.reconnect() <= 1_000);
}

#[test]
fn a_refused_session_is_told_and_tried_again_later() {
    let mut play = Play::new();
    play.session.opened(0);

    play.answer_open(&json!({"code": 403, "desc": "this access token is for `x` alone"}));

    assert_eq!(
        play.statuses().last().unwrap(),
        "failed this access token is for `x` alone"
    );
    assert!(play.effects.contains(&Effect::Hangup));
    assert!(play.reconnect() > 0);
}

#[test]
fn pauses_grow_while_the_node_flaps_and_shrink_when_it_is_steady() {
    let mut play = Play::live();

    let flapping: Vec<u64> = (0..12)
        .map(|_| {
            play.pass(1_000);
            play.lose();
            let pause = play.reconnect();
            play.connect("t1");
            pause
        })
        .collect();
    play.pass(10_000);
    play.lose();
    let after = play.reconnect();

    assert!(flapping[0] <= 1_000, "{flapping:?}");
    assert!(
        flapping[11] >= 15_000 && flapping[11] <= 30_000,
        "{flapping:?}"
    );
    assert!(after <= 500, "{after}");
}

#[test]
fn what_waits_is_sent_once_when_the_node_is_back() {
    let mut play = Play::live();
    play.lose();

    play.ask(1, BOB, &json!({}));
    let away = play.next();
    play.reconnect();
    play.connect("t1");
    let sent = play.next().unwrap();
    play.lose();
    play.reconnect();
    play.connect("t1");

    assert_eq!(away, None);
    assert_eq!(sent["id"], 1);
    assert_eq!(play.next(), None);
}

#[test]
fn a_request_that_waits_for_too_long_is_answered() {
    let mut play = Play::live();
    play.lose();
    play.effects.clear();

    play.ask(1, BOB, &json!({}));
    play.pass(9_999);
    let before = play.ends();
    play.pass(1);

    assert_eq!((before, play.ends()), (vec![], vec![(1, 503)]));
}

#[test]
fn what_waits_is_bounded() {
    let mut play = Play::live();
    play.lose();
    play.effects.clear();

    for id in 1..=512 {
        play.ask(id, BOB, &json!({}));
    }
    let within = play.ends();
    play.ask(513, BOB, &json!({}));
    let beyond = play.ends();

    assert_eq!((within, beyond), (vec![], vec![(513, 503)]));
}

#[test]
fn bytes_that_wait_are_bounded() {
    let mut play = Play::live();
    play.lose();
    play.effects.clear();
    let large = json!({"text": "x".repeat(1_000_000)});

    for id in 1..=4 {
        play.ask(id, BOB, &large);
    }
    let within = play.ends();
    play.ask(5, BOB, &large);

    assert_eq!((within, play.ends()), (vec![], vec![(5, 503)]));
}

#[test]
fn a_request_gets_one_final_answer_and_no_second_one() {
    let mut play = Play::live();
    play.ask(1, BOB, &json!({}));
    play.next();

    play.hear(&response(1, 100));
    play.hear(&response(1, 200));
    play.hear(&response(1, 200));
    play.hear(&response(2, 200));

    assert_eq!(play.ends(), [(1, 100), (1, 200)]);
}

#[test]
fn requests_of_a_lost_session_are_answered_and_a_late_answer_is_dropped() {
    let mut play = Play::live();
    play.ask(1, BOB, &json!({}));
    play.next();

    play.lose();
    play.reconnect();
    play.connect("t2");
    let lost = play.ends();
    play.hear(&response(1, 200));

    assert_eq!((&lost, play.ends()), (&vec![(1, 503)], lost.clone()));
}

#[test]
fn a_request_survives_a_resumed_session() {
    let mut play = Play::live();
    play.ask(1, BOB, &json!({}));
    play.next();

    play.lose();
    play.reconnect();
    play.session.opened(play.now);
    play.answer_open(&json!({"code": 200}));
    play.hear(&response(1, 200));

    assert_eq!(play.ends(), [(1, 200)]);
}

// Annex A.10.
#[test]
fn what_comes_back_to_its_author_is_dropped() {
    let mut play = Play::live();
    let via = format!("{RUNTIME}/t1");

    play.hear(&json!({"id": 5, "type": "create", "from": HYPERTY, "to": "comm://example.org/o/children/", "body": {"via": via}}));
    play.hear(&json!({"id": 6, "type": "create", "from": BOB, "to": "comm://example.org/o/children/", "body": {"via": "other"}}));

    assert_eq!(play.ends(), [(6, 0)]);
}

// Annex A.26.
#[test]
fn garbage_is_dropped_and_the_session_stays() {
    let mut play = Play::live();

    for text in [
        "",
        "<html>",
        "[]",
        "{}",
        "{\"id\":1,\"type\":\"response\",\"from\":\"a.org\",\"to\":\"b.org\"}",
        "\u{0}",
    ] {
        play.session.text(text, 0);
    }
    play.gather();
    play.hear(&json!({"id": 6, "type": "create", "from": BOB, "to": HYPERTY}));

    assert_eq!(play.ends(), [(6, 0)]);
    assert!(play.session.is_live());
}

#[test]
fn at_the_end_the_node_is_told_and_every_request_answered() {
    let mut play = Play::live();
    play.ask(1, BOB, &json!({}));
    play.next();
    play.ask(2, BOB, &json!({}));

    play.session.stop();
    play.gather();
    let said = play.next().unwrap();

    assert_eq!(
        (&said["type"], &said["to"]),
        (&json!("close"), &json!("mn:/session"))
    );
    assert_eq!(play.ends(), [(1, 503), (2, 503)]);
    assert_eq!(play.next(), None);
}

#[test]
fn the_other_make_of_node_is_spoken_to_in_its_dialect() {
    let mut play =
        Play::with(r#"{"url": "ws://node.example.org/socket.io/?EIO=3&transport=websocket"}"#);
    play.session.opened(0);
    let early = play.session.next_text();
    play.session.text(r#"0{"sid":"x","pingInterval":25000}"#, 0);
    play.session.text("40", 0);
    let open = play.session.next_text().unwrap();
    play.session.text(r#"42["message",{"id":1,"type":"response","from":"mn:/session","to":"runtime://example.org/alice","body":{"code":200}}]"#, 0);
    let body = json!({"resources": ["comm://example.org/o"]}).to_string();
    let subscribe = Message::new(MessageKind::Subscribe, HYPERTY, SM, body.as_bytes());
    play.send(subscribe.with_id(3).expecting(Reply::Untimed));
    let subscribed = play.session.next_text().unwrap();
    let read = Message::new(
        MessageKind::Read,
        HYPERTY,
        "domain://registry.example.org",
        b"{}",
    );
    play.send(read.with_id(4).expecting(Reply::Untimed));
    let asked = play.session.next_text().unwrap();

    assert_eq!(early, None);
    assert!(
        open.starts_with(r#"42["message","{\"id\":1,\"type\":\"open\""#),
        "{open}"
    );
    assert!(
        subscribed.contains(r#"\"subscribe\":[\"comm://example.org/o\"]"#),
        "{subscribed}"
    );
    assert!(!subscribed.contains("resources"), "{subscribed}");
    assert!(
        asked.contains(r#"\"to\":\"domain://registry.example.org/\""#),
        "{asked}"
    );
}

#[test]
fn a_wrong_configuration_says_what_is_wrong() {
    let refused = |config: &str| {
        let refused = Config::read(config, "hyperty-runtime://example.org/alice");
        refused.unwrap_err().to_string()
    };

    assert!(refused("{}").contains("missing field `url`"));
    assert!(refused(r#"{"url": "https://x.org"}"#).contains("begins with `wss://`"));
    assert!(
        refused(r#"{"url": "wss://x.org", "dialect": "smoke"}"#)
            .contains("say `vertx` or `nodejs`")
    );
}

#[test]
fn the_nodes_of_a_domain_are_met_in_turn() {
    let mut play =
        Play::with(r#"{"url": "wss://one.org", "urls": ["wss://one.org", "wss://two.org"]}"#);
    let mut met = Vec::new();

    for _ in 0..3 {
        met.extend(play.effects.drain(..).filter_map(|effect| match effect {
            Effect::Connect(url) => Some(url),
            _ => None,
        }));
        play.lose();
        play.reconnect();
    }

    assert_eq!(met, ["wss://one.org", "wss://two.org", "wss://one.org"]);
}

#[test]
fn who_only_tells_is_never_refused_for_answers_that_do_not_come() {
    const MORE_THAN_WAIT: u64 = 5_000;
    let mut play = Play::live();
    let told = |n: u64| {
        Message::new(MessageKind::Update, HYPERTY, BOB, b"{}")
            .with_id(n)
            .expecting(Reply::Untimed)
    };

    for n in 1..=MORE_THAN_WAIT {
        play.send(told(n));
        assert_eq!(play.next().unwrap()["id"], n);
    }
    play.hear(&response(MORE_THAN_WAIT, 200));
    play.hear(&response(1, 200));

    // The newest is answered, the oldest has given its place away.
    assert_eq!(play.ends(), [(MORE_THAN_WAIT, 200)]);
}

#[test]
fn who_gave_a_time_keeps_the_place() {
    const ALL_THAT_WAIT: u64 = 4_096;
    let mut play = Play::live();
    let asked = |n: u64| {
        Message::new(MessageKind::Read, HYPERTY, BOB, b"{}")
            .with_id(n)
            .expecting(Reply::Within(60_000))
    };

    for n in 1..=ALL_THAT_WAIT + 1 {
        play.send(asked(n));
        play.next();
    }

    assert_eq!(play.ends(), [(ALL_THAT_WAIT + 1, 429)]);
}
