//! Components find each other and hear when others come and go, through the published
//! library and real processes.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use hyperty_tests::harness::{Catalogue, Member, Runtime, TempDir};
use serde_json::json;

const FINDER: &str = "a.example/hyperty/Finder";
const OTHER: &str = "b.example/hyperty/Finder";
const ANN: &str = "ann@idp.example";
const BOB: &str = "user://idp.example/bob";

fn start(home: TempDir) -> Runtime {
    let catalogue = Catalogue::new()
        .fixture_script("a.example", "Finder")
        .fixture_script("b.example", "Finder");
    Runtime::with(catalogue).home(home).start()
}

#[test]
fn a_component_finds_one_of_another_provider_by_its_user_and_hears_of_its_end_and_return() {
    let runtime = start(TempDir::new());
    let ann = Member::deploy(&runtime, FINDER, ANN);
    let bob = Member::deploy(&runtime, OTHER, BOB);

    let found = ann.call("find", &json!([BOB]));
    ann.call("watch", &json!([bob.address()]));
    bob.kill();

    assert_eq!(found[0]["hypertyID"], bob.address());
    assert_eq!(
        (&found[0]["userID"], &found[0]["status"]),
        (&json!(BOB), &json!("live"))
    );
    assert_eq!(bob.call("whoAmI", &json!([])), BOB);
    ann.comes_to("news", &json!([]), &json!(["disconnected", "live"]));
}

#[test]
fn what_was_watched_is_watched_again_after_the_supervisor_was_killed() {
    let runtime = start(TempDir::new());
    let ann = Member::deploy(&runtime, FINDER, ANN);
    let bob = Member::deploy(&runtime, OTHER, BOB);
    let before = bob.address().to_owned();
    ann.call("watch", &json!([before]));

    let runtime = start(runtime.killed());
    let bob = Member::deploy(&runtime, OTHER, BOB);
    let ann = Member::deploy(&runtime, FINDER, ANN);
    let resumed = ann.call("resume", &json!([]));
    bob.kill();

    assert_eq!((bob.address(), resumed), (before.as_str(), json!([before])));
    ann.comes_to("news", &json!([]), &json!(["live"]));
}
