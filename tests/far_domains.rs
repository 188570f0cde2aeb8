//! Messages for other domains: their stubs come up when they are needed.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::thread;

use hyperty_tests::harness::{Catalogue, Operator, Runtime, eventually};
use serde_json::{Value, json};

const FAR: &str = "hyperty://far.example/somebody";

/// The stub of far.example can be had, and answers what it is asked.
fn with_far() -> Catalogue {
    Catalogue::new()
        .stub("far.example", "default", "stub-loopback")
        .permissive()
}

#[test]
fn a_message_brings_up_the_stub_of_its_domain_and_is_answered() {
    let runtime = Runtime::with(with_far()).start();

    let answers: Vec<_> = thread::scope(|scope| {
        let asked: Vec<_> = (0..8)
            .map(|n| {
                let endpoint = runtime.endpoint();
                scope
                    .spawn(move || Operator::connect(endpoint).ask("read", FAR, &json!({ "n": n })))
            })
            .collect();
        asked
            .into_iter()
            .map(|asked| asked.join().unwrap())
            .collect()
    });

    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(
            (answer.code, &answer.value()["n"]),
            (200, &json!(n)),
            "{answer:?}"
        );
    }
    let stubs = runtime.components();
    assert_eq!(stubs.len(), 1, "{stubs:?}");
    assert_eq!(stubs[0].provider, "far.example");
    eventually("the stub says that it is live", || {
        runtime.component(&stubs[0].address).session == "live"
    });
}

#[test]
fn who_has_no_stub_anywhere_is_refused_at_once_and_the_way_is_explained() {
    let runtime = Runtime::with(with_far()).start();
    let nowhere = "hyperty://nowhere.example/1";

    let first = runtime.operator().ask("read", nowhere, &json!({}));
    let second = runtime.operator().ask("read", nowhere, &json!({}));
    let explained = runtime.hyperty(&["resolve", "--explain", nowhere]);
    let way = runtime.hyperty(&["resolve", "--json", FAR]);
    let remote = runtime.hyperty(&["registry", "ls", "--remote"]);

    assert_eq!((first.code, second.code), (404, 404));
    assert!(
        first.reason().contains("nowhere.example"),
        "{}",
        first.reason()
    );
    assert!(
        second.reason().contains("tried again"),
        "{}",
        second.reason()
    );
    assert_eq!(explained.status, 1, "{explained:?}");
    assert!(
        explained.stdout.contains("a message has no way"),
        "{explained:?}"
    );
    let way: Value = serde_json::from_str(&way.stdout).unwrap();
    assert_eq!(way["reachable"], true);
    assert!(remote.stdout.contains("nowhere.example"), "{remote:?}");
}

#[test]
fn a_catalogue_of_one_provider_is_not_everybodys() {
    let catalogue = with_far();
    let one = catalogue.path().join("far.example");
    std::fs::create_dir(catalogue.path().join("shop")).unwrap();
    std::fs::rename(
        one.join(".well-known"),
        catalogue.path().join("shop/.well-known"),
    )
    .unwrap();
    let shop = catalogue.path().join("shop").display().to_string();
    let runtime = Runtime::with(catalogue)
        .arguments(&["--catalogue", &shop])
        .start();

    let answer = runtime.operator().ask("read", FAR, &json!({}));

    assert_eq!(answer.code, 404, "{answer:?}");
    assert_eq!(runtime.components(), []);
}

#[test]
fn a_node_that_is_none_is_refused_with_what_to_say() {
    let started = Runtime::with(Catalogue::new())
        .arguments(&["--node", "https://node.example.org"])
        .try_start();

    let (status, log) = started.expect_err("it must not start");
    assert_eq!(status.code(), Some(2), "{log}");
    assert!(log.contains("is no message node"), "{log}");
}
