use super::*;
use crate::limits::{PENDING_MAX, TALKS_MAX};
use crate::stanza::Stanza;

const ANN: &str = "hyperty://a.example/1";
const BOB: &str = "xmpp://bob@x.org";
const OWN: &str = "bot@x.org/7";
const HELLO: &str = r#"{"value":{"content":"a<b"}}"#;

fn live() -> Bridge {
    let mut bridge = Bridge::new("xmpp.x.org", "");
    bridge.opened(OWN, 0);
    bridge
}

fn asker(to: &str) -> Asker {
    Asker {
        id: 7,
        from: ANN.to_owned(),
        to: to.to_owned(),
        is_waiting: true,
    }
}

fn ask(bridge: &mut Bridge, kind: &str, to: &str, body: &str) -> Vec<Effect> {
    bridge.ask(asker(to), kind, body.as_bytes(), 0);
    bridge.effects()
}

fn hear(bridge: &mut Bridge, stanza: Stanza) -> Vec<Effect> {
    bridge.heard(stanza, 0);
    bridge.effects()
}

fn answer(from: &str, id: &str) -> Stanza {
    Stanza::Answer {
        from: from.to_owned(),
        id: id.to_owned(),
    }
}

fn text(from: &str) -> Stanza {
    Stanza::Message {
        from: from.to_owned(),
        id: "1".to_owned(),
        body: "yo".to_owned(),
    }
}

fn presence(from: &str, kind: &str) -> Stanza {
    Stanza::Presence {
        from: from.to_owned(),
        kind: kind.to_owned(),
        status: "tea".to_owned(),
    }
}

fn bounce(from: &str) -> Stanza {
    Stanza::Bounced {
        from: from.to_owned(),
        id: "m1".to_owned(),
        condition: "service-unavailable".to_owned(),
    }
}

/// The code and the reason of the only effect.
fn answered(effects: &[Effect]) -> (u16, String) {
    let [Effect::Answer { asker, code, body }] = effects else {
        panic!("{effects:?}")
    };
    assert_eq!((asker.id, asker.from.as_str()), (7, ANN));
    let reason = body["desc"].as_str().unwrap_or_default();
    (code.0, reason.to_owned())
}

fn said(effects: &[Effect]) -> Vec<&str> {
    let said = effects.iter().map(|effect| match effect {
        Effect::Say(text) => text.as_str(),
        other => panic!("{other:?}"),
    });
    said.collect()
}

fn to_of(effects: &[Effect]) -> &str {
    match effects {
        [Effect::Post { to, .. }] => to,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_is_answered_once_the_server_has_taken_it() {
    let mut bridge = live();

    let sent = ask(&mut bridge, "create", BOB, HELLO);
    let done = hear(&mut bridge, answer("", "p1"));

    assert!(said(&sent)[0].contains("to='bob@x.org' type='chat'><body>a&lt;b</body>"));
    assert_eq!(answered(&done).0, 200);
    assert_eq!(hear(&mut bridge, answer("", "p1")), []);
}

#[test]
fn a_message_that_comes_back_is_answered_with_why() {
    let mut bridge = live();
    ask(&mut bridge, "create", BOB, HELLO);

    hear(&mut bridge, bounce("bob@x.org"));
    let done = answered(&hear(&mut bridge, answer("x.org", "p1")));

    assert_eq!(done.0, 404);
    assert!(done.1.contains("service-unavailable"), "{}", done.1);
}

#[test]
fn nobody_but_the_server_and_the_user_says_what_became_of_a_message() {
    let mut bridge = live();
    ask(&mut bridge, "create", BOB, HELLO);

    hear(&mut bridge, bounce("eve@x.org/1"));
    for forger in ["eve@x.org/1", "bob@x.org/1", "evil.org", "bot@x.org/8"] {
        assert_eq!(hear(&mut bridge, answer(forger, "p1")), [], "{forger}");
    }
    let done = hear(&mut bridge, answer(OWN, "p1"));

    assert_eq!(answered(&done).0, 200);
}

#[test]
fn a_user_answers_whoever_wrote_last_and_strangers_reach_the_inbox() {
    let mut bridge = Bridge::new("xmpp.x.org", "hyperty://a.example/inbox");
    bridge.opened(OWN, 0);
    ask(&mut bridge, "create", BOB, HELLO);

    assert_eq!(to_of(&hear(&mut bridge, text("bob@x.org/phone"))), ANN);
    assert_eq!(
        to_of(&hear(&mut bridge, text("eve@x.org/1"))),
        "hyperty://a.example/inbox"
    );
}

#[test]
fn the_stub_speaks_for_users_of_its_domain_alone_and_for_nobody_without_an_address() {
    let mut bridge = Bridge::new("xmpp.x.org", "hyperty://a.example/inbox");
    bridge.opened(OWN, 0);

    for from in [
        "eve@evil.org/1",
        "x.org",
        "",
        "bot@x.org/8",
        "a b@x.org",
        "eve@xx.org",
    ] {
        let effects = hear(&mut bridge, text(from));
        assert!(said(&effects)[0].contains("type='error'"), "{from}");
        assert_eq!(hear(&mut bridge, presence(from, "away")), [], "{from}");
    }
    assert_eq!(
        answered(&ask(&mut bridge, "create", "xmpp://eve@evil.org", HELLO)).0,
        400
    );
}

#[test]
fn a_text_that_nobody_hears_or_that_is_too_long_goes_back() {
    let mut bridge = live();
    let nobody = hear(&mut bridge, text("bob@x.org/1"));
    ask(&mut bridge, "create", BOB, HELLO);
    let long = |length: usize| Stanza::Message {
        from: "bob@x.org/1".to_owned(),
        id: "'/>".to_owned(),
        body: "x".repeat(length),
    };

    assert!(said(&nobody)[0].contains("<service-unavailable"));
    assert_eq!(to_of(&hear(&mut bridge, long(TEXT_BYTES_MAX))), ANN);
    let back = hear(&mut bridge, long(TEXT_BYTES_MAX + 1));
    assert!(said(&back)[0].contains("id='&apos;/&gt;'"), "{back:?}");
}

#[test]
fn only_who_subscribed_hears_how_a_user_stands() {
    let mut bridge = live();
    let before = hear(&mut bridge, presence("bob@x.org/phone", "away"));
    let unknown = answered(&ask(&mut bridge, "read", BOB, "{}"));

    let asked = ask(&mut bridge, "subscribe", BOB, "{}");
    let news = hear(&mut bridge, presence("bob@x.org/phone", "away"));
    let read = ask(&mut bridge, "read", BOB, "{}");
    let left = ask(&mut bridge, "unsubscribe", BOB, "{}");
    let after = hear(&mut bridge, presence("bob@x.org/phone", "unavailable"));

    assert_eq!((before, unknown.0), (vec![], 404));
    assert!(said(&asked)[0].contains("type='subscribe'"));
    let [
        Effect::Post {
            kind: "update",
            body,
            ..
        },
    ] = &news[..]
    else {
        panic!("{news:?}")
    };
    assert_eq!(body["value"]["presence"], "away");
    let [Effect::Answer { body: told, .. }] = &read[..] else {
        panic!("{read:?}")
    };
    assert_eq!(told["value"], body["value"]);
    assert!(said(&left)[0].contains("type='unsubscribe'"));
    assert_eq!(after, []);
}

#[test]
fn questions_are_answered_and_who_wants_to_see_us_may() {
    let mut bridge = live();
    let question = Stanza::Question {
        from: "bob@x.org/1".to_owned(),
        id: "9".to_owned(),
    };

    assert!(said(&hear(&mut bridge, question))[0].contains("type='error' id='9' to='bob@x.org/1'"));
    let seen = hear(&mut bridge, presence("bob@x.org", "subscribe"));
    assert_eq!(
        said(&seen),
        ["<presence to='bob@x.org' type='subscribed'/>"]
    );
}

#[test]
fn what_makes_no_sense_is_refused_at_once() {
    let mut bridge = live();
    let long = |length: usize| json!({ "value": "x".repeat(length) }).to_string();
    let cases = [
        ("create", "xmpp://x.org", HELLO.to_owned(), 400),
        ("create", "xmpp://a@b@x.org", HELLO.to_owned(), 400),
        ("create", BOB, "{}".to_owned(), 400),
        ("create", BOB, "nonsense".to_owned(), 400),
        ("create", BOB, r#"{"value":""}"#.to_owned(), 400),
        ("create", BOB, long(TEXT_BYTES_MAX + 1), 413),
        ("execute", BOB, HELLO.to_owned(), 405),
    ];

    for (kind, to, body, code) in cases {
        assert_eq!(
            answered(&ask(&mut bridge, kind, to, &body)).0,
            code,
            "{kind} {to}"
        );
    }
    assert_eq!(
        said(&ask(&mut bridge, "create", BOB, &long(TEXT_BYTES_MAX))).len(),
        2
    );
}

#[test]
fn requests_wait_for_the_session_and_not_for_ever() {
    let mut bridge = Bridge::new("xmpp.x.org", "");
    let first = ask(&mut bridge, "create", BOB, HELLO);
    bridge.lost("nobody is there", false);
    let lost = bridge.effects();
    bridge.tick(WAIT_MS - 1);
    let early = bridge.effects();

    assert_eq!((first, lost, early), (vec![], vec![], vec![]));
    assert_eq!(bridge.wakes_at(), WAIT_MS);
    bridge.tick(WAIT_MS);
    let late = answered(&bridge.effects());
    assert_eq!(late.0, 503);
    assert!(late.1.contains("nobody is there"), "{}", late.1);

    ask(&mut bridge, "create", BOB, HELLO);
    bridge.opened(OWN, 5);
    assert_eq!(said(&bridge.effects()).len(), 2);
}

#[test]
fn an_account_that_is_refused_answers_at_once() {
    let mut bridge = Bridge::new("xmpp.x.org", "");
    ask(&mut bridge, "create", BOB, HELLO);

    bridge.lost("wrong password", true);
    let waiting = answered(&bridge.effects());
    let then = answered(&ask(&mut bridge, "create", BOB, HELLO));

    assert_eq!((waiting.0, then.0), (503, 503));
    assert!(then.1.contains("wrong password"));
}

#[test]
fn a_lost_connection_answers_what_was_on_its_way_and_forgets_how_users_stand() {
    let mut bridge = live();
    ask(&mut bridge, "subscribe", BOB, "{}");
    hear(&mut bridge, answer("", "p1"));
    hear(&mut bridge, presence("bob@x.org/1", "away"));
    ask(&mut bridge, "create", BOB, HELLO);

    bridge.lost("it ended", false);
    let effects = bridge.effects();

    let [Effect::Answer { code, .. }, Effect::Post { body, .. }] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(
        (code.0, &body["value"]["presence"]),
        (503, &json!("unknown"))
    );
}

#[test]
fn a_server_that_says_nothing_is_asked_and_then_given_up() {
    let mut bridge = live();

    bridge.tick(IDLE_MS);
    let asked = bridge.effects();
    bridge.tick(IDLE_MS + SILENT_MS);
    let given_up = bridge.effects();

    assert!(said(&asked)[0].contains("urn:xmpp:ping"));
    assert_eq!(given_up, [Effect::GiveUp("answer a ping")]);
}

#[test]
fn what_waits_for_the_server_is_bounded() {
    let mut bridge = live();
    for _ in 0..PENDING_MAX {
        assert_eq!(said(&ask(&mut bridge, "create", BOB, HELLO)).len(), 2);
    }
    assert_eq!(answered(&ask(&mut bridge, "create", BOB, HELLO)).0, 429);
    hear(&mut bridge, answer("", "p1"));
    assert_eq!(said(&ask(&mut bridge, "create", BOB, HELLO)).len(), 2);

    let mut away = Bridge::new("xmpp.x.org", "");
    for _ in 0..PENDING_MAX {
        assert_eq!(ask(&mut away, "create", BOB, HELLO), []);
    }
    assert_eq!(answered(&ask(&mut away, "create", BOB, HELLO)).0, 429);
}

#[test]
fn whom_nobody_has_written_to_for_longest_is_forgotten() {
    let mut people = People::new("");
    for n in 0..=TALKS_MAX {
        people.talked(&n.to_string(), ANN);
    }

    assert_eq!(people.listener("0"), None);
    assert_eq!(people.listener("1"), Some(ANN));
}
