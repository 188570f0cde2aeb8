//! Who hears of whose registration, and what there is to hear.

use core_supervisor::event::Exit;
use protocol::frame::Role;
use protocol::{Code, HostFrame, Reply};
use serde_json::{Value, json};

use crate::story::{Disk, Heard, RUNTIME, Story};
use crate::{WITHIN, alice_and_bob};

const ALICE: &str = "alice@a.example";
const BOB: &str = "bob@b.example";

fn asks(story: &mut Story, name: &str, kind: &str, body: &Value) -> (u16, Value) {
    let room = format!("{RUNTIME}/subscriptions");
    story.send(name, kind, &room, &body.to_string(), WITHIN);
    let (_, _, code, body) = story.messages(name).pop().unwrap();
    (code, serde_json::from_str(&body).unwrap())
}

fn registration(story: &Story, name: &str) -> String {
    format!("{}/registration", story.address(name))
}

/// Alice subscribes to Bob's registration.
fn subscribed() -> Story {
    let mut story = alice_and_bob();
    let topic = registration(&story, BOB);
    let (code, _) = asks(
        &mut story,
        ALICE,
        "subscribe",
        &json!({"resources": [topic]}),
    );
    assert_eq!(code, 200);
    story
}

/// What a component heard as (type, from, to, body).
fn updates(story: &mut Story, name: &str) -> Vec<(String, String, String, Value)> {
    let heard = story.heard(name).into_iter();
    heard
        .filter_map(|heard| match heard {
            Heard::Message {
                kind,
                from,
                to,
                body,
                ..
            } if kind == "update" => Some((kind, from, to, serde_json::from_str(&body).unwrap())),
            _ => None,
        })
        .collect()
}

/// The statuses that a component heard of.
fn statuses(story: &mut Story, name: &str) -> Vec<String> {
    let updates = updates(story, name).into_iter();
    updates
        .map(|(.., body)| body["value"].as_str().unwrap().to_owned())
        .collect()
}

fn operates(story: &mut Story, kind: &str, body: &Value) {
    let (code, answer) = story.ask_operator(kind, "ua", &body.to_string());
    assert_eq!(code, Code::OK, "{answer}");
}

// services §8.3 case 57
#[test]
fn a_subscriber_is_answered_with_its_request_and_hears_of_each_change_once() {
    let mut story = alice_and_bob();
    let topic = registration(&story, BOB);

    let (code, answer) = asks(
        &mut story,
        ALICE,
        "subscribe",
        &json!({"resources": [topic]}),
    );
    assert_eq!(
        (code, answer),
        (200, json!({"code": 200, "resources": [topic]}))
    );

    operates(
        &mut story,
        "execute",
        &json!({"method": "stop", "resource": "bob"}),
    );
    operates(
        &mut story,
        "execute",
        &json!({"method": "start", "resource": "bob"}),
    );

    let from = "runtime://home.example/rt/registry".to_owned();
    let told = |value: &str| {
        let body = json!({"value": value, "attribute": "status"});
        ("update".to_owned(), from.clone(), topic.clone(), body)
    };
    assert_eq!(
        updates(&mut story, ALICE),
        [told("disconnected"), told("live")]
    );
}

// messaging A.4 case 41
#[test]
fn a_crash_and_the_end_of_a_component_are_told_and_nothing_after_the_subscription() {
    let mut story = subscribed();
    let topic = registration(&story, BOB);

    story.crash(BOB, Exit::Signal(11));
    assert_eq!(statuses(&mut story, ALICE), ["disconnected"]);
    story.wait(std::time::Duration::from_secs(2));
    assert_eq!(statuses(&mut story, ALICE), ["live"]);
    operates(&mut story, "delete", &json!({"resource": "bob"}));
    assert_eq!(statuses(&mut story, ALICE), ["disconnected"]);

    story.deploy(BOB);
    assert_eq!(statuses(&mut story, ALICE), ["live"]);
    let (code, answer) = asks(
        &mut story,
        ALICE,
        "unsubscribe",
        &json!({"resource": topic}),
    );
    assert_eq!((code, answer), (200, json!({"code": 200})));
    operates(&mut story, "delete", &json!({"resource": "bob"}));
    assert_eq!(statuses(&mut story, ALICE), [""; 0]);
}

// services §8.3 case 58
#[test]
fn a_subscriber_reads_what_it_has_subscribed_to() {
    let mut story = subscribed();
    let topic = registration(&story, BOB);
    let (alice, bob) = (story.address(ALICE), story.address(BOB));

    let own = asks(&mut story, ALICE, "read", &json!({"resource": alice}));
    let none = asks(&mut story, BOB, "read", &json!({"resource": bob}));
    let others = asks(&mut story, BOB, "read", &json!({"resource": alice}));
    let unknown = asks(
        &mut story,
        ALICE,
        "read",
        &json!({"resource": "hyperty://a.example/x"}),
    );

    assert_eq!(own, (200, json!({"code": 200, "value": [topic]})));
    for (code, answer) in [none, others, unknown] {
        assert_eq!((code, &answer["description"]), (404, &json!("Not Found")));
    }
}

// messaging A.4 case 42
#[test]
fn subscriptions_are_there_after_a_restart_before_components_are() {
    let story = subscribed();

    let mut story = story.restarted();
    story.deploy(ALICE);
    story.heard(ALICE);
    story.deploy(BOB);

    assert_eq!(statuses(&mut story, ALICE), ["live"]);
}

#[test]
fn a_subscription_is_acknowledged_once_it_is_kept() {
    let mut story = alice_and_bob();
    let topic = registration(&story, BOB);
    story.disk(Disk::Slow);
    let body = json!({"resources": [topic]}).to_string();

    story.send(
        ALICE,
        "subscribe",
        &format!("{RUNTIME}/subscriptions"),
        &body,
        WITHIN,
    );

    assert!(story.messages(ALICE).is_empty());
    story.disk(Disk::Sound);
    assert_eq!(story.messages(ALICE).len(), 1);
}

#[test]
fn who_subscribed_may_listen_there_and_hears_nobody_but_the_runtime() {
    // Of a provider that has nothing to say to Alice's.
    let mut story = Story::new();
    for name in [ALICE, "carl@c.example"] {
        story.deploy(name);
        story.heard(name);
    }
    let topic = registration(&story, "carl@c.example");
    let (component, link) = (story.address(ALICE), story.link(ALICE));
    let listen = HostFrame::Listen {
        component: &component,
        address: &topic,
    };
    let listens = |story: &mut Story| {
        story.says(link, &listen);
        match story.heard_on(link).pop().unwrap() {
            Heard::Listening { code, .. } => code.0,
            other => panic!("{other:?}"),
        }
    };

    let before = listens(&mut story);
    asks(
        &mut story,
        ALICE,
        "subscribe",
        &json!({"resources": [topic]}),
    );
    let after = listens(&mut story);
    story.send(
        "carl@c.example",
        "update",
        &topic,
        r#"{"value":"live"}"#,
        Reply::Unwanted,
    );

    assert_eq!((before, after), (403, 200));
    assert_eq!(statuses(&mut story, ALICE), [""; 0]);
}

#[test]
fn what_is_no_registration_is_a_bad_request_and_nothing_of_it_is_done() {
    let mut story = alice_and_bob();
    let topic = registration(&story, BOB);
    let (alice, bob) = (story.address(ALICE), story.address(BOB));

    let mixed = asks(
        &mut story,
        ALICE,
        "subscribe",
        &json!({"resources": [topic, bob]}),
    );
    let empty = asks(&mut story, ALICE, "subscribe", &json!({"resources": []}));
    let missing = asks(&mut story, ALICE, "subscribe", &json!({}));
    let none = asks(&mut story, ALICE, "read", &json!({"resource": alice}));

    assert_eq!((mixed.0, empty.0, missing.0, none.0), (400, 400, 400, 404));
}

#[test]
fn what_an_application_subscribed_to_ends_with_its_link() {
    let mut story = alice_and_bob();
    let role = Role::Application {
        provider: "a.example",
        name: "desk",
        token: "",
    };
    let (link, from) = story.local(role);
    let body = json!({"resources": [registration(&story, BOB)]}).to_string();
    let to = format!("{RUNTIME}/subscriptions");
    story.send_as(link, &from, "subscribe", &to, &body, WITHIN);
    assert_eq!(story.messages_on(link).pop().unwrap().2, 200);
    assert!(story.kept.keys().all(|(_, key)| !key.contains("app://")));

    operates(
        &mut story,
        "execute",
        &json!({"method": "stop", "resource": "bob"}),
    );

    assert_eq!(story.messages_on(link).len(), 1);
    story.happens(core_supervisor::event::Event::Closed { link });
    operates(
        &mut story,
        "execute",
        &json!({"method": "start", "resource": "bob"}),
    );
}

/// Alice listens to the statuses of stubs.
fn listening() -> (Story, String) {
    let mut story = alice_and_bob();
    story.deploy("clock@a.example");
    // As published components write it.
    let status = "runtime://home.example/rt/status";
    for name in [ALICE, "clock@a.example"] {
        let (component, link) = (story.address(name), story.link(name));
        let listen = HostFrame::Listen {
            component: &component,
            address: status,
        };
        story.says(link, &listen);
    }
    story.deploy("stub/loop@c.example");
    for name in [ALICE, BOB, "stub/loop@c.example"] {
        story.heard(name);
    }
    let stub = story.address("stub/loop@c.example");
    (story, stub)
}

#[test]
fn the_status_of_a_stub_is_told_once_in_each_sandbox_that_listens() {
    let (mut story, stub) = listening();
    let published = stub.replace("hyperty-runtime://", "runtime://");
    let said = r#"{"value":"in-progress","desc":"opening","token":"secret"}"#;

    let status = format!("{stub}/status");
    story.send(
        "stub/loop@c.example",
        "update",
        &status,
        said,
        Reply::Unwanted,
    );

    let body = json!({"value": "in-progress", "resource": published, "desc": "opening"});
    let runtime = "runtime://home.example/rt".to_owned();
    let told = (
        "update".to_owned(),
        runtime.clone(),
        format!("{runtime}/status"),
        body,
    );
    assert_eq!(updates(&mut story, ALICE), [told]);
    assert!(updates(&mut story, BOB).is_empty());
}

#[test]
fn the_end_of_a_stub_is_told_as_disconnected_once() {
    let (mut story, _) = listening();

    story.crash("stub/loop@c.example", Exit::Signal(9));

    assert_eq!(statuses(&mut story, ALICE), ["disconnected"]);
}

#[test]
fn what_others_say_at_their_status_is_not_told() {
    let (mut story, stub) = listening();
    let said = r#"{"value":"live"}"#;
    let (alice, bob) = (story.address(ALICE), story.address(BOB));

    story.send(
        BOB,
        "update",
        &format!("{bob}/status"),
        said,
        Reply::Unwanted,
    );
    story.send(
        BOB,
        "update",
        &format!("{stub}/status"),
        said,
        Reply::Unwanted,
    );
    story.send(
        "stub/loop@c.example",
        "update",
        &format!("{stub}/x"),
        said,
        Reply::Unwanted,
    );
    story.send(
        "stub/loop@c.example",
        "update",
        &format!("{stub}/status"),
        "[",
        Reply::Unwanted,
    );
    story.send(
        "stub/loop@c.example",
        "update",
        &format!("{alice}/status"),
        said,
        Reply::Unwanted,
    );

    assert!(updates(&mut story, ALICE).is_empty());
}
