//! The audit log of a real supervisor: written, chained, and read again.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;

use hyperty_tests::harness::{Catalogue, Runtime, TempDir, eventually, hyperty, script};
use serde_json::{Value, json};

fn lines(home: &TempDir) -> Vec<Value> {
    let file = home.join("data/audit/00000001.jsonl");
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn told(home: &TempDir, what: &str) -> Vec<Value> {
    let lines = lines(home);
    lines
        .into_iter()
        .filter(|line| line["what"] == what)
        .collect()
}

fn verify(home: &TempDir) -> (bool, Value) {
    let data = home.join("data").display().to_string();
    let arguments = ["audit", "verify", "--json", "--data-dir", &data];
    let outcome = hyperty(&arguments, [("PATH", "/usr/bin:/bin")]);
    (outcome.status == 0, outcome.json())
}

fn catalogue() -> Catalogue {
    let forger = "bus.postMessage({ id: 1, type: 'read', from: 'hyperty://bank.example/1',
        to: 'hyperty://bank.example/2', body: {} });";
    Catalogue::new()
        .script("a.example", "Quiet", &script(""))
        .script("mallory.example", "Forger", &script(forger))
        .puppet(
            "evil.example",
            "Leaver",
            &json!({ "act": "forbidden-call" }),
        )
}

#[test]
fn deployments_denials_and_kills_are_told_and_the_chain_holds() {
    let runtime = Runtime::with(catalogue()).start();

    let quiet = runtime.deploy("a.example/hyperty/Quiet");
    let forger = runtime.deploy("mallory.example/hyperty/Forger");
    let leaver = runtime.deploy("evil.example/hyperty/Leaver");
    eventually("the kill is told", || {
        told(runtime.home(), "ended")
            .iter()
            .any(|it| it["who"] == leaver.address)
    });
    eventually("the forgery is told", || {
        !told(runtime.home(), "denied").is_empty()
    });

    let deployed = told(runtime.home(), "deployed");
    assert!(
        deployed
            .iter()
            .any(|it| it["who"] == quiet.address && it["level"] == json!(quiet.level))
    );
    assert_eq!(told(runtime.home(), "denied")[0]["who"], forger.address);
    let ended = &told(runtime.home(), "ended")[0];
    assert!(
        ended["detail"].as_str().unwrap().contains("chroot"),
        "{ended}"
    );
    let (is_sound, checked) = verify(runtime.home());
    assert!(is_sound, "{checked}");
}

#[test]
fn the_chain_goes_on_after_the_supervisor_was_killed() {
    let runtime = Runtime::with(catalogue()).start();
    runtime.deploy("a.example/hyperty/Quiet");
    eventually("it is told", || {
        !told(runtime.home(), "deployed").is_empty()
    });

    let home = runtime.killed();
    let runtime = Runtime::with(catalogue()).home(home).start();
    eventually("the second start is told", || {
        told(runtime.home(), "started").len() == 2
    });

    let (is_sound, checked) = verify(runtime.home());
    assert!(is_sound, "{checked}");
}

#[test]
fn who_changes_the_record_is_found_out() {
    let runtime = Runtime::with(catalogue()).start();
    runtime.deploy("mallory.example/hyperty/Forger");
    eventually("the forgery is told", || {
        !told(runtime.home(), "denied").is_empty()
    });
    let home = runtime.killed();

    let file = home.join("data/audit/00000001.jsonl");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("mallory.example", "nobody.example")).unwrap();

    let (is_sound, checked) = verify(&home);
    assert!(!is_sound);
    assert!(
        checked["problems"][0]
            .as_str()
            .unwrap()
            .contains("was changed"),
        "{checked}"
    );
}
