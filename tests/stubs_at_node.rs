//! Both kinds of stub as processes, with the core played and the node real.
//!
//! `PUBLISHED_STUB=default.ps.js` puts another script in the place of ours by hand.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used)]

mod node;
mod played;

use hyperty_tests::harness::source_dir;
use node::{Node, REGISTRY, SM, Store};
use played::Stub;
use serde_json::{Value, json};

const ALICE: &str = "hyperty://example.org/alice";
const BOB: &str = "hyperty://example.org/bob";

fn node(store: &Store) -> Node {
    let arguments = store.arguments();
    Node::start(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

fn url(node: &Node) -> String {
    format!("ws://localhost:{}/ws", node.at.port())
}

fn native(node: &Node, name: &str) -> Stub {
    let mut stub = Stub::native(node.at, name, &json!({ "url": url(node) }));
    stub.wait_status("created");
    stub.wait_status("in-progress");
    stub.wait_status("live");
    stub
}

fn script(node: &Node, name: &str) -> Stub {
    let ours = source_dir().join("tests/fixtures/stubs/default.ps.js");
    let file = std::env::var_os("PUBLISHED_STUB").map_or(ours, Into::into);
    let config = json!({
        "url": url(node), "maxBuffer": 1_000_000, "runtimeURL": format!("runtime://example.org/{name}"),
    });
    let mut stub = Stub::script(node.at, name, &std::fs::read(file).unwrap(), &config);
    stub.wait_status("created");
    stub.wait_status("live");
    stub
}

fn listen(stub: &mut Stub, name: &str, addresses: &Value) {
    let from = format!("hyperty-runtime://example.org/{name}/subscriptions");
    let answer = stub.ask(
        "subscribe",
        900,
        &from,
        SM,
        &json!({ "resources": addresses }),
    );
    assert_eq!(answer.code, 200, "{answer:?}");
}

// What users see: a registration, a look-up, a request with its answer, a change.
fn exchange(mut alice: Stub, mut bob: Stub) {
    listen(&mut alice, "ra", &json!([ALICE]));
    listen(
        &mut bob,
        "rb",
        &json!([BOB, "comm://example.org/o/changes"]),
    );
    let value =
        json!({"url": BOB, "user": "bob@example.org", "descriptor": "x", "resources": ["chat"]});
    let registry = "hyperty-runtime://example.org/rb/registry/";
    let registered = bob.ask(
        "create",
        901,
        registry,
        REGISTRY,
        &json!({ "value": value }),
    );

    let resource = json!({"resource": "/hyperty/idp-identifier/bob@example.org"});
    let discovery = "hyperty-runtime://example.org/ra/discovery/";
    let found = alice.ask("read", 902, discovery, REGISTRY, &resource);
    alice.send("create", 5, ALICE, BOB, &json!({"x": 1}));
    let asked = bob.wait("request", |sent| sent.to == BOB);
    bob.send("response", 5, BOB, ALICE, &json!({"code": 200, "y": 2}));
    let answered = alice.wait("answer", |sent| sent.id == 5 && sent.kind == "response");
    let (object, channel) = ("comm://example.org/o", "comm://example.org/o/changes");
    alice.send("update", 6, object, channel, &json!({"version": 2}));
    let changed = bob.wait("change", |sent| sent.to == channel);

    assert_eq!(registered.code, 200, "{registered:?}");
    assert_eq!(found.body["value"][BOB]["userID"], "bob@example.org");
    assert_eq!((&asked.from[..], &asked.body["x"]), (ALICE, &json!(1)));
    assert_eq!((answered.code, &answered.body["y"]), (200, &json!(2)));
    assert_eq!(changed.body["version"], 2);
}

#[test]
fn two_native_stubs_exchange() {
    let store = Store::new();
    let node = node(&store);

    exchange(native(&node, "ra"), native(&node, "rb"));
}

#[test]
fn a_script_in_the_published_shape_and_ours_exchange() {
    let store = Store::new();
    let node = node(&store);

    exchange(script(&node, "ra"), native(&node, "rb"));
}

#[test]
fn ours_and_a_script_in_the_published_shape_exchange() {
    let store = Store::new();
    let node = node(&store);

    exchange(native(&node, "ra"), script(&node, "rb"));
}

#[test]
fn both_kinds_come_back_after_the_node_was_killed() {
    let store = Store::new();
    let first = node(&store);
    let (mut alice, mut bob) = (native(&first, "ra"), script(&first, "rb"));
    listen(&mut bob, "rb", &json!([BOB]));

    let arguments = store.arguments();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let _second = first.killed_and_started(&arguments);
    alice.wait_status("disconnected");
    alice.wait_status("live");
    bob.wait_status("disconnected");
    bob.wait_status("live");
    alice.send("create", 5, ALICE, BOB, &json!({"x": 1}));
    let asked = bob.wait("request", |sent| sent.to == BOB);

    assert_eq!(asked.body["x"], 1);
}

#[test]
fn a_native_stub_answers_what_it_cannot_carry() {
    let nobody = "127.0.0.1:1".parse().unwrap();
    let mut alice = Stub::native(nobody, "ra", &json!({"url": "ws://localhost:1/ws"}));
    alice.wait_status("disconnected");

    alice.send_within(1_000, "create", 5, (ALICE, BOB), &json!({}));
    let answer = alice.wait("answer", |sent| sent.kind == "response");

    assert_eq!((answer.code, &answer.from[..]), (503, BOB));
    assert_eq!(answer.body["desc"], "the node is away");
}

#[test]
fn a_native_stub_without_a_url_says_what_is_missing() {
    let nobody = "127.0.0.1:1".parse().unwrap();
    let mut stub = Stub::native(nobody, "ra", &json!({}));

    stub.wait_status("failed");

    assert!(
        stub.log
            .iter()
            .any(|line| line.contains("missing field `url`")),
        "{:?}",
        stub.log
    );
}
