//! Senders: who may say what under which address, and who may hear it.

use std::time::Duration;

use core_supervisor::event::Event;
use protocol::api::policy::Problems;
use protocol::frame::Role;
use protocol::{Code, HostFrame, Reply};

use crate::story::{self, Heard, RUNTIME, Story, rules};
use crate::{WITHIN, alice_and_bob};

// messaging A.2 case 29
#[test]
fn a_forged_sender_is_refused_and_its_victim_hears_nothing() {
    let mut story = alice_and_bob();
    let (alice, bob) = (
        story.address("alice@a.example"),
        story.address("bob@b.example"),
    );
    let alice_link = story.link("alice@a.example");

    story.send_as(alice_link, &bob, "update", &alice, "{}", WITHIN);
    story.send_as(alice_link, RUNTIME, "update", &bob, "{}", WITHIN);
    story.send_as(
        alice_link,
        &format!("{alice}x"),
        "update",
        &bob,
        "{}",
        WITHIN,
    );

    assert_eq!(story.messages("bob@b.example"), []);
    let codes: Vec<u16> = story
        .messages("alice@a.example")
        .into_iter()
        .map(|m| m.2)
        .collect();
    assert_eq!(codes, [403, 403, 403]);
}

#[test]
fn what_is_below_an_own_address_is_own() {
    let mut story = alice_and_bob();
    let (alice, bob) = (
        story.address("alice@a.example"),
        story.address("bob@b.example"),
    );
    let alice_link = story.link("alice@a.example");

    story.send_as(
        alice_link,
        &format!("{alice}/part"),
        "update",
        &bob,
        "{}",
        WITHIN,
    );

    assert_eq!(story.messages("bob@b.example").len(), 1);
}

#[test]
fn who_keeps_forging_is_cut_off_and_started_again_later() {
    let mut story = alice_and_bob();
    let (alice, bob) = (
        story.address("alice@a.example"),
        story.address("bob@b.example"),
    );
    let alice_link = story.link("alice@a.example");

    for _ in 0..17 {
        story.send_as(alice_link, &bob, "update", &alice, "{}", WITHIN);
    }
    let (_, waiting) = story.ask_operator("read", "ua", &format!(r#"{{"resource":"{alice}"}}"#));
    story.wait(Duration::from_secs(1));
    let (_, running) = story.ask_operator("read", "ua", &format!(r#"{{"resource":"{alice}"}}"#));

    assert!(story.sides[&alice_link].is_closed);
    assert!(
        waiting.contains(r#""state":"waiting""#) && waiting.contains("forged `from`"),
        "{waiting}"
    );
    assert!(
        running.contains(r#""state":"running""#) && running.contains(r#""restarts":1"#),
        "{running}"
    );
}

#[test]
fn a_flood_of_refused_messages_cuts_its_sender_off_and_nobody_else() {
    let mut story = alice_and_bob();
    let alice_link = story.link("alice@a.example");

    for _ in 0..5_001 {
        story.send(
            "alice@a.example",
            "create",
            "hyperty://nowhere.example/x",
            "{}",
            Reply::Unwanted,
        );
    }

    assert!(story.sides[&alice_link].is_closed);
    let bob = story.address("bob@b.example");
    let (_, state) = story.ask_operator("read", "ua", &format!(r#"{{"resource":"{bob}"}}"#));
    assert!(state.contains(r#""state":"running""#), "{state}");
}

#[test]
fn news_reach_those_who_listen_and_a_revoked_listener_no_more() {
    let mut story = alice_and_bob();
    let (alice, bob) = (
        story.address("alice@a.example"),
        story.address("bob@b.example"),
    );
    let news = format!("{bob}/changes");
    let link = story.link("alice@a.example");

    story.says(
        link,
        &HostFrame::Listen {
            component: &alice,
            address: &news,
        },
    );
    let listening = story.heard("alice@a.example");
    story.send(
        "bob@b.example",
        "update",
        &news,
        r#"{"value":1}"#,
        Reply::Unwanted,
    );
    let heard = story.messages("alice@a.example");
    let (operator, from) = story.operator();
    story.send_as(
        operator,
        &from,
        "execute",
        &format!("{RUNTIME}/pep"),
        r#"{"method":"reload"}"#,
        WITHIN,
    );
    let ticket = story.last_ticket();
    story.happens(Event::PolicyCompiled {
        ticket,
        result: Box::new(Ok(rules(""))),
    });
    story.send(
        "bob@b.example",
        "update",
        &news,
        r#"{"value":2}"#,
        Reply::Unwanted,
    );

    assert_eq!(
        listening,
        [Heard::Listening {
            address: news,
            code: Code::OK
        }]
    );
    assert_eq!(heard.len(), 1);
    assert_eq!(story.messages("alice@a.example"), []);
}

#[test]
fn who_listens_to_an_own_address_hears_a_message_once() {
    let mut story = alice_and_bob();
    let bob = story.address("bob@b.example");
    let (part, link) = (format!("{bob}/part"), story.link("bob@b.example"));

    story.says(
        link,
        &HostFrame::Listen {
            component: &bob,
            address: &part,
        },
    );
    story.heard("bob@b.example");
    story.send("alice@a.example", "read", &part, "{}", WITHIN);

    assert_eq!(story.messages("bob@b.example").len(), 1);
}

#[test]
fn a_stranger_may_not_listen() {
    let mut story = alice_and_bob();
    story.deploy("carol@c.example");
    let (carol, bob) = (
        story.address("carol@c.example"),
        story.address("bob@b.example"),
    );
    story.heard("carol@c.example");
    let link = story.link("carol@c.example");

    story.says(
        link,
        &HostFrame::Listen {
            component: &carol,
            address: &bob,
        },
    );

    assert_eq!(
        story.heard("carol@c.example"),
        [Heard::Listening {
            address: bob,
            code: Code::FORBIDDEN
        }]
    );
}

#[test]
fn a_stub_speaks_for_its_own_domain_only() {
    let mut story = Story::new();
    story.deploy("one@a.example");
    story.deploy("stub/gate@a.example");
    let (one, link) = (
        story.address("one@a.example"),
        story.link("stub/gate@a.example"),
    );

    story.send_as(
        link,
        "hyperty://far.a.example/9",
        "update",
        &one,
        "{}",
        WITHIN,
    );
    story.send_as(link, "hyperty://b.example/9", "update", &one, "{}", WITHIN);
    story.send_as(link, &one, "update", &one, "{}", WITHIN);

    let codes: Vec<u16> = story
        .messages("stub/gate@a.example")
        .into_iter()
        .map(|m| m.2)
        .collect();
    assert_eq!(
        codes.iter().filter(|code| **code == 403).count(),
        codes.len()
    );
    assert!(codes.len() >= 2, "{codes:?}");
}

#[test]
fn an_object_address_is_given_out_once_and_belongs_to_its_asker() {
    let mut story = alice_and_bob();
    let room = format!("{RUNTIME}/address-allocation");
    let bob = story.address("bob@b.example");

    story.send(
        "alice@a.example",
        "create",
        &room,
        r#"{"scheme":"hello","number":2}"#,
        WITHIN,
    );
    let body: serde_json::Value =
        serde_json::from_str(&story.messages("alice@a.example")[0].3).unwrap();
    let given = body["value"]["allocated"].as_array().unwrap().clone();
    let object = given[0].as_str().unwrap();
    let alice_link = story.link("alice@a.example");
    story.send_as(alice_link, object, "update", &bob, "{}", WITHIN);
    let bob_link = story.link("bob@b.example");
    story.send_as(bob_link, object, "update", &bob, "{}", WITHIN);

    assert_ne!(given[0], given[1]);
    assert!(object.starts_with("hello://a.example/"), "{object}");
    assert_eq!(
        story
            .messages("bob@b.example")
            .iter()
            .filter(|m| m.0 == "update")
            .count(),
        1
    );
}

#[test]
fn components_may_not_ask_the_operators_rooms() {
    let mut story = alice_and_bob();

    for (kind, room) in [
        ("execute", "pep"),
        ("execute", "sandboxes"),
        ("create", "ua"),
        ("subscribe", "bus"),
    ] {
        story.send(
            "alice@a.example",
            kind,
            &format!("{RUNTIME}/{room}"),
            "{}",
            WITHIN,
        );
    }

    let codes: Vec<u16> = story
        .messages("alice@a.example")
        .into_iter()
        .map(|m| m.2)
        .collect();
    assert_eq!(codes, [403, 403, 403, 403]);
}

#[test]
fn a_failed_reload_leaves_the_rules_in_force() {
    let mut story = alice_and_bob();
    let (operator, from) = story.operator();

    story.send_as(
        operator,
        &from,
        "execute",
        &format!("{RUNTIME}/pep"),
        r#"{"method":"reload"}"#,
        WITHIN,
    );
    let ticket = story.last_ticket();
    story.happens(Event::PolicyCompiled {
        ticket,
        result: Box::new(Err(Problems::default())),
    });
    let told = story.messages_on(operator);
    let bob = story.address("bob@b.example");
    story.send("alice@a.example", "read", &bob, "{}", WITHIN);

    assert_eq!(told[0].2, 400);
    assert_eq!(story.messages("bob@b.example").len(), 1);
}

#[test]
fn an_application_needs_the_token_of_its_launch() {
    let mut settings = story::settings();
    settings.token = Some("right".to_owned());
    let mut story = Story::with(settings);
    let (wrong, right) = (story.connect(), story.connect());

    story.greet(
        wrong,
        Role::Application {
            provider: "app.example",
            name: "app",
            token: "wrong",
        },
    );
    story.greet(
        right,
        Role::Application {
            provider: "app.example",
            name: "app",
            token: "right",
        },
    );

    assert!(story.sides[&wrong].is_closed);
    assert!(!story.sides[&right].is_closed);
}

#[test]
fn an_application_deploys_for_its_own_provider_only() {
    let mut story = Story::new();
    let (link, from) = story.local(Role::Application {
        provider: "a.example",
        name: "app",
        token: "",
    });

    story.send_as(
        link,
        &from,
        "create",
        &format!("{RUNTIME}/ua"),
        r#"{"component":"x@a.example"}"#,
        WITHIN,
    );
    story.send_as(
        link,
        &from,
        "create",
        &format!("{RUNTIME}/ua"),
        r#"{"component":"x@b.example"}"#,
        WITHIN,
    );

    let codes: Vec<u16> = story.messages_on(link).into_iter().map(|m| m.2).collect();
    assert_eq!(codes, [200, 403]);
}
