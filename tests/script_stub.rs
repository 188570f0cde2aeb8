//! A domain whose one runtime speaks through a script stub in the published form, and the
//! other through `stub-message-node`.
//!
//! `PUBLISHED_STUB=default.ps.js` puts the published one in the place of ours by hand.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;

use hyperty_tests::harness::social::{ANN, BOB};
use hyperty_tests::harness::{
    Catalogue, Kind, Member, Node, Runtime, TempDir, eventually, is_live, source_dir,
};
use serde_json::{Value, json};

const DOMAIN: &str = "social.example";
const GROUP: &str = "social.example/hyperty/GroupChat";

// What the published descriptor says, for this node, and what nobody asked for then: a grant.
fn with_script_stub(node: &Node) -> Runtime {
    let url = node.url();
    let port = url.rsplit(':').next().unwrap().trim_end_matches("/ws");
    let descriptor = json!({
        "language": "javascript", "interworking": false, "objectName": "default",
        "configuration": { "url": url, "maxBuffer": 1_000_000 },
        "network": [{ "host": "127.0.0.1", "port": port.parse::<u16>().unwrap() }],
    });
    let ours = source_dir().join("tests/fixtures/stubs/default.ps.js");
    let file = std::env::var_os("PUBLISHED_STUB").map_or(ours, Into::into);
    let folder = format!("{DOMAIN}/.well-known/protocolstub");
    let catalogue = Catalogue::fixture("social")
        .file(
            &format!("{folder}/default.ps.json"),
            &descriptor.to_string(),
        )
        .file(
            &format!("{folder}/default.ps.js"),
            &fs::read_to_string(file).unwrap(),
        );
    let runtime = Runtime::with(catalogue)
        .arguments(&["--domain", DOMAIN])
        .start();
    let place = format!("127.0.0.1:{port}");
    let granted = [
        "grants",
        "add",
        "social.example/default",
        &place,
        "--private",
    ];
    let _ = runtime.hyperty(&granted).succeeded();
    runtime.deploy("social.example/protocolstub/default");
    eventually("the script stub is live", || is_live(&runtime, DOMAIN));
    runtime
}

fn with_ours(node: &Node, home: TempDir) -> Runtime {
    let runtime = Runtime::with(Catalogue::fixture("social"))
        .arguments(&["--domain", DOMAIN, "--node", &node.url()])
        .home(home)
        .start();
    eventually("our stub is live", || is_live(&runtime, DOMAIN));
    runtime
}

#[track_caller]
fn have(both: [&Member<'_>; 2], url: &Value, words: &[&str]) {
    let mut all = words.to_vec();
    all.sort_unstable();
    for member in both {
        member.comes_to("messages", &json!([url]), &json!(all));
    }
}

#[test]
fn users_behind_either_stub_talk_and_go_on_after_the_end_of_each() {
    let Some(node) = Node::start(Kind::MessageNode, DOMAIN) else {
        return;
    };
    let one = with_script_stub(&node);
    let other = with_ours(&node, TempDir::new());
    let ann = Member::deploy(&one, GROUP, ANN);
    let bob = Member::deploy(&other, GROUP, BOB);
    let query = json!({ "resource": format!("/hyperty/user/{BOB}") });
    eventually("the registry knows Bob", || {
        let found = one.operator().ask_room("read", "discovery", &query);
        found.value()[0]["hypertyID"] == bob.address()
    });

    // The domain's own node deals out addresses through either stub.
    for runtime in [&one, &other] {
        let node = "domain://msg-node.social.example/address-allocation";
        let wanted = json!({ "scheme": "hyperty", "value": { "number": 2 } });
        let answer = runtime.operator().ask("create", node, &wanted);
        assert_eq!(answer.code, 200, "{answer:?}");
        assert_eq!(
            answer.value()["allocated"].as_array().unwrap().len(),
            2,
            "{answer:?}"
        );
    }

    // Either invites the other, and each says something.
    let whom = json!({ "user": "user://idp.example/bob", "domain": DOMAIN });
    let url = ann.call("create", &json!(["talk", [whom]]));
    bob.hears(&json!(["invited", url]));
    bob.call("join", &json!([url]));
    ann.call("send", &json!([url, "one"]));
    bob.call("send", &json!([url, "two"]));
    have([&ann, &bob], &url, &["one", "two"]);

    // The process of the script stub is killed.
    let components = one.components();
    let stub = components.iter().find(|c| !c.session.is_empty()).unwrap();
    one.process_of(stub).kill();
    eventually("the script stub is started again", || {
        let now = one.component(&stub.address);
        now.restarts > stub.restarts && now.session == "live"
    });
    bob.call("send", &json!([url, "three"]));
    ann.call("send", &json!([url, "four"]));
    have([&ann, &bob], &url, &["one", "two", "three", "four"]);

    // The runtime with our stub is killed.
    let bob_is = bob.address().to_owned();
    other.keeps(r#""content":"four""#);
    let home = other.killed();
    ann.call("send", &json!([url, "five"]));
    let other = with_ours(&node, home);
    let bob = Member::deploy(&other, GROUP, BOB);
    let resumed = bob.call("resume", &json!([]));
    assert_eq!((bob.address(), resumed), (bob_is.as_str(), json!([url])));
    have([&ann, &bob], &url, &["one", "two", "three", "four", "five"]);
}
