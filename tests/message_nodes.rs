//! Several nodes of one domain on one NATS server.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used)]

mod node;

use hyperty_tests::harness::NatsServer;
use node::{Node, Peer, REGISTRY, SM};
use serde_json::json;

fn node(nats: &NatsServer) -> Node {
    Node::start(&["--nats", &nats.url()])
}

#[test]
fn two_nodes_are_one() {
    let Some(nats) = NatsServer::if_installed("") else {
        return;
    };
    let (one, two) = (node(&nats), node(&nats));
    let mut alice = Peer::open(&one, "alice");
    let mut bob = Peer::open(&two, "bob");
    let changes = "comm://example.org/o/changes";
    let (from, to) = (alice.hyperty(), bob.hyperty());
    alice.ask(
        "subscribe",
        &from,
        SM,
        &json!({"resources": ["comm://example.org/o"]}),
    );
    bob.ask("subscribe", &to, SM, &json!({"resources": [changes]}));
    let value = json!({"url": to, "user": "bob@example.org", "descriptor": "x"});
    bob.ask(
        "create",
        &bob.url.clone(),
        REGISTRY,
        &json!({"value": value}),
    );

    alice.say(
        "create",
        &from,
        &format!("{}/sm", bob.url),
        &json!({"x": 1}),
    );
    let asked = bob.hear();
    bob.say(
        "response",
        &format!("{}/sm", bob.url),
        &from,
        &json!({"code": 200}),
    );
    let answered = alice.hear();
    alice.say(
        "update",
        "comm://example.org/o",
        changes,
        &json!({"version": 1}),
    );
    let changed = bob.hear();
    let nobody = alice.ask("create", &from, "hyperty://example.org/none", &json!({}));
    let found = alice.ask(
        "read",
        &alice.url.clone(),
        REGISTRY,
        &json!({"resource": to}),
    );

    assert_eq!(
        (&asked["body"], &answered["body"]["code"]),
        (&json!({"x": 1}), &json!(200))
    );
    assert_eq!(changed["to"], changes);
    assert_eq!(nobody["code"], 404, "{nobody}");
    assert_eq!(found["code"], 200, "{found}");
    assert_eq!(bob.hear_all(), Vec::<serde_json::Value>::new());
}

#[test]
fn a_runtime_goes_on_at_another_node_when_its_own_is_killed() {
    let Some(nats) = NatsServer::if_installed("") else {
        return;
    };
    let (one, two) = (node(&nats), node(&nats));
    let alice = {
        let mut alice = Peer::open(&one, "alice");
        let room = json!({"resources": ["comm://example.org/o/subscription"]});
        let routed = alice.ask("subscribe", &alice.hyperty(), SM, &room);
        assert_eq!(routed["code"], 200, "{routed}");
        alice
    };
    let mut bob = Peer::open(&two, "bob");

    drop(one);
    let mut back = Peer::connect(&two.url(), two.at, &[]).unwrap();
    let session = format!("{}/{}", alice.url, alice.token);
    let resumed = back.ask("re-open", &session, "mn:/session", &json!({}));
    bob.say(
        "subscribe",
        &bob.hyperty(),
        "comm://example.org/o/subscription",
        &json!({}),
    );

    assert_eq!(resumed, json!({"code": 200}));
    assert_eq!(back.hear()["type"], "subscribe");
}

#[test]
fn registrations_are_the_domains_and_not_the_nodes() {
    let Some(nats) = NatsServer::if_installed("") else {
        return;
    };
    let one = node(&nats);
    let mut alice = Peer::open(&one, "alice");
    let url = alice.hyperty();
    let value = json!({"url": url, "user": "alice@example.org", "descriptor": "x"});
    let created = alice.ask(
        "create",
        &alice.url.clone(),
        REGISTRY,
        &json!({"value": value}),
    );

    drop(one);
    let two = node(&nats);
    let mut bob = Peer::open(&two, "bob");
    let found = bob.ask(
        "read",
        &bob.url.clone(),
        REGISTRY,
        &json!({"resource": url}),
    );
    let stolen = bob.ask("create", &url, &bob.url.clone(), &json!({}));

    assert_eq!(
        (&created["code"], &found["code"]),
        (&json!(200), &json!(200))
    );
    assert_eq!(stolen["code"], 403, "{stolen}");
}
