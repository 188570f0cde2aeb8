//! One user sees whether another is there: a context that is found, observed, and out of date
//! never longer than it must be.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use hyperty_tests::harness::social::{ANN, BOB, again, runtime};
use hyperty_tests::harness::{Member, Runtime};
use serde_json::{Value, json};

const REPORTER: &str = "social.example/hyperty/Availability";
const OBSERVER: &str = "social.example/hyperty/AvailabilityObserver";

fn ann() -> Value {
    json!(["user://idp.example/ann", "social.example"])
}

/// Ann reports, Bob observes; both, and the context's address.
fn watching(runtime: &Runtime) -> (Member<'_>, Member<'_>, Value) {
    let ann_reports = Member::deploy(runtime, REPORTER, ANN);
    let bob_observes = Member::deploy(runtime, OBSERVER, BOB);
    let started = ann_reports.call("start", &json!([]));
    assert_eq!(started["resumed"], false);
    assert_eq!(bob_observes.call("start", &json!([])), json!([]));
    let url = bob_observes.call("watch", &ann());
    assert_eq!(url, started["url"]);
    (ann_reports, bob_observes, url)
}

#[test]
fn a_user_s_presence_is_found_and_followed() {
    let runtime = runtime();
    let (reporter, observer, url) = watching(&runtime);

    observer.comes_to("status", &json!([url]), &json!("available"));
    reporter.call("setStatus", &json!(["busy"]));
    observer.comes_to("status", &json!([url]), &json!("busy"));

    assert_ne!(reporter.component().pid, observer.component().pid);
    observer.call("stop", &json!([url]));
    assert!(observer.try_call("status", &json!([url])).is_err());
}

#[test]
fn a_user_whose_reporter_has_gone_is_unavailable_until_it_is_back() {
    let runtime = runtime();
    let (reporter, observer, url) = watching(&runtime);
    let gone = json!({ "resource": reporter.address() });

    assert_eq!(runtime.operator().ask_room("delete", "ua", &gone).code, 200);
    observer.comes_to("status", &json!([url]), &json!("unavailable"));
    let reporter = Member::deploy(&runtime, REPORTER, ANN);
    let resumed = reporter.call("start", &json!([]));
    observer.comes_to("status", &json!([url]), &json!("available"));
    reporter.call("setStatus", &json!(["away"]));

    observer.comes_to("status", &json!([url]), &json!("away"));
    assert_eq!(resumed, json!({ "url": url, "resumed": true }));
}

#[test]
fn a_killed_observer_sees_the_presence_again() {
    let runtime = runtime();
    let (reporter, observer, url) = watching(&runtime);

    observer.kill();
    reporter.call("setStatus", &json!(["busy"]));
    let seen = observer.call("start", &json!([]));
    observer.comes_to("status", &json!([url]), &json!("busy"));
    reporter.call("setStatus", &json!(["back"]));

    observer.comes_to("status", &json!([url]), &json!("back"));
    assert_eq!(seen, json!([url]));
}

#[test]
fn presence_outlives_the_supervisor() {
    let runtime = runtime();
    let (reporter, observer, url) = watching(&runtime);
    reporter.call("setStatus", &json!(["busy"]));
    observer.comes_to("status", &json!([url]), &json!("busy"));

    let runtime = again(runtime.killed());
    let observer = Member::deploy(&runtime, OBSERVER, BOB);
    assert_eq!(observer.call("start", &json!([])), json!([url]));
    let reporter = Member::deploy(&runtime, REPORTER, ANN);
    let resumed = reporter.call("start", &json!([]));
    reporter.call("setStatus", &json!(["back"]));

    observer.comes_to("status", &json!([url]), &json!("back"));
    assert_eq!(
        (resumed["url"].clone(), resumed["resumed"].clone()),
        (url, json!(true))
    );
}

#[test]
fn a_user_who_is_not_there_yet_is_found_when_they_are() {
    let runtime = runtime();
    let observer = Member::deploy(&runtime, OBSERVER, BOB);

    assert_eq!(observer.call("watch", &ann()), Value::Null);
    let reporter = Member::deploy(&runtime, REPORTER, ANN);
    let started = reporter.call("start", &json!([]));

    assert_eq!(observer.call("watch", &ann()), started["url"]);
}
