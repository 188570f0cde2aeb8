//! Presence.

use hyperty_tests::harness::social::{ANN, BOB};
use hyperty_tests::harness::{Between, Member, Pair};
use serde_json::{Value, json};

use super::{DOMAIN, social};

const REPORTER: &str = "social.example/hyperty/Availability";
const OBSERVER: &str = "social.example/hyperty/AvailabilityObserver";

over_each_node! {
    a_user_s_presence_is_found_and_followed_in_another_runtime,
    who_has_gone_is_unavailable_until_they_are_back,
    presence_goes_on_after_the_observing_runtime_was_killed,
    presence_goes_on_after_the_reporting_runtime_was_killed,
    presence_goes_on_after_each_stub_was_killed,
    presence_goes_on_after_the_node_was_killed,
}

between_machines! {
    presence_goes_on_after_the_reporting_runtime_was_killed,
}

/// Ann reports in the one runtime, Bob observes in the other.
#[track_caller]
fn watching(pair: &Pair) -> (Member<'_>, Member<'_>, Value) {
    let ann = Member::deploy(&pair.one, REPORTER, ANN);
    let bob = Member::deploy(&pair.other, OBSERVER, BOB);
    let started = ann.call("start", &json!([]));
    assert_eq!(bob.call("start", &json!([])), json!([]));
    let whom = json!(["user://idp.example/ann", DOMAIN]);
    bob.comes_to("watch", &whom, &started["url"]);
    let url = started["url"].clone();
    bob.comes_to("status", &json!([url]), &json!("available"));
    (ann, bob, url)
}

#[track_caller]
fn is_followed(ann: &Member<'_>, bob: &Member<'_>, url: &Value, status: &str) {
    ann.call("setStatus", &json!([status]));
    bob.comes_to("status", &json!([url]), &json!(status));
}

fn a_user_s_presence_is_found_and_followed_in_another_runtime(between: Between) {
    let Some(pair) = Pair::start(between, DOMAIN, social) else {
        return;
    };
    let (ann, bob, url) = watching(&pair);

    is_followed(&ann, &bob, &url, "busy");
    is_followed(&ann, &bob, &url, "away");
    bob.call("stop", &json!([url]));

    assert!(bob.try_call("status", &json!([url])).is_err());
}

fn who_has_gone_is_unavailable_until_they_are_back(between: Between) {
    let Some(pair) = Pair::start(between, DOMAIN, social) else {
        return;
    };
    let (ann, bob, url) = watching(&pair);
    let gone = json!({ "resource": ann.address() });

    let removed = pair.one.operator().ask_room("delete", "ua", &gone);
    assert_eq!(removed.code, 200, "{removed:?}");
    bob.comes_to("status", &json!([url]), &json!("unavailable"));
    let ann = Member::deploy(&pair.one, REPORTER, ANN);
    let resumed = ann.call("start", &json!([]));
    bob.comes_to("status", &json!([url]), &json!("available"));

    assert_eq!(resumed, json!({ "url": url, "resumed": true }));
    is_followed(&ann, &bob, &url, "away");
}

fn presence_goes_on_after_the_observing_runtime_was_killed(between: Between) {
    let Some(pair) = Pair::start(between, DOMAIN, social) else {
        return;
    };
    let (ann_is, url) = {
        let (ann, bob, url) = watching(&pair);
        is_followed(&ann, &bob, &url, "busy");
        (ann.address().to_owned(), url)
    };

    let pair = pair.with_other_killed(|one| {
        Member::at(one, &ann_is).call("setStatus", &json!(["away"]));
    });
    let ann = Member::at(&pair.one, &ann_is);
    let bob = Member::deploy(&pair.other, OBSERVER, BOB);
    let seen = bob.call("start", &json!([]));

    assert_eq!(seen, json!([url]));
    bob.comes_to("status", &json!([url]), &json!("away"));
    is_followed(&ann, &bob, &url, "back");
}

fn presence_goes_on_after_the_reporting_runtime_was_killed(between: Between) {
    let Some(pair) = Pair::start(between, DOMAIN, social) else {
        return;
    };
    let (bob_is, url) = {
        let (ann, bob, url) = watching(&pair);
        is_followed(&ann, &bob, &url, "busy");
        pair.one.keeps("busy");
        (bob.address().to_owned(), url)
    };

    let pair = pair.with_one_killed(|_| {});
    let ann = Member::deploy(&pair.one, REPORTER, ANN);
    let resumed = ann.call("start", &json!([]));
    let bob = Member::at(&pair.other, &bob_is);

    assert_eq!(resumed, json!({ "url": url, "resumed": true }));
    is_followed(&ann, &bob, &url, "back");
}

fn presence_goes_on_after_each_stub_was_killed(between: Between) {
    let Some(pair) = Pair::start(between, DOMAIN, social) else {
        return;
    };
    let (ann, bob, url) = watching(&pair);

    Pair::kill_stub_of(&pair.one);
    is_followed(&ann, &bob, &url, "busy");
    Pair::kill_stub_of(&pair.other);

    is_followed(&ann, &bob, &url, "back");
}

fn presence_goes_on_after_the_node_was_killed(between: Between) {
    let Some(mut pair) = Pair::start(between, DOMAIN, social) else {
        return;
    };
    let (ann_is, bob_is, url) = {
        let (ann, bob, url) = watching(&pair);
        (ann.address().to_owned(), bob.address().to_owned(), url)
    };

    pair.kill_node(|pair| {
        Member::at(&pair.one, &ann_is).call("setStatus", &json!(["busy"]));
    });

    let (ann, bob) = (
        Member::at(&pair.one, &ann_is),
        Member::at(&pair.other, &bob_is),
    );
    bob.comes_to("status", &json!([url]), &json!("busy"));
    is_followed(&ann, &bob, &url, "back");
}
