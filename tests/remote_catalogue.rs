//! A hyperty from the catalogue of another machine: fetched, kept, asked after, pinned, and
//! started when nobody can be asked.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod https;
mod served;

use std::fs;

use hyperty_tests::harness::{
    Catalogue, Options, Runtime, TempDir, eventually, hyperty, script, start_hyperty,
};
use serde_json::{Value, json};
use served::Served;

const CODE: &str = "echo.example/.well-known/hyperty/Echo.hy.js";
const DESCRIPTOR: &str = "echo.example/.well-known/hyperty/Echo.hy.json";

/// Answers what it is asked with this word.
fn code(word: &str) -> String {
    script(&format!(
        "bus.addListener(url, (m) => {{ if (m.type === 'read') bus.postMessage({{ id: m.id,
            type: 'response', from: url, to: m.from, body: {{ code: 200, value: '{word}' }} }}) }})"
    ))
}

fn descriptor(network: &Value) -> String {
    let descriptor = json!({
        "name": "Echo", "language": "javascript", "configuration": {}, "network": network,
    });
    descriptor.to_string()
}

fn served() -> Served {
    let catalogue = Catalogue::new()
        .file(DESCRIPTOR, &descriptor(&json!([])))
        .file(CODE, &code("first"));
    Served::start(catalogue, &[])
}

impl Served {
    fn put(&self, path: &str, text: &str) {
        fs::write(self.catalogue.path().join(path), text).unwrap();
    }

    fn url(&self) -> String {
        format!("https://{}", self.address())
    }
}

/// A runtime without a catalogue that trusts this server's certificate.
fn trusting(served: &Served) -> Options {
    let certificate = served.said["certificate"].as_str().unwrap();
    Runtime::with(Catalogue::new()).arguments(&["--tls-roots", certificate, "--unsigned"])
}

/// Deploys it as people do, and asks it for its word.
#[track_caller]
fn word(runtime: &Runtime, url: &str) -> Value {
    let deploy = [
        "deploy",
        "Echo",
        "--catalogue",
        url,
        "--provider",
        "echo.example",
        "--json",
    ];
    let deployed = runtime.hyperty(&deploy).succeeded();
    let components = runtime.components();
    let mut named = components.iter().filter(|it| it.provider == "echo.example");
    let echo = named.next().unwrap_or_else(|| panic!("{deployed:?}"));
    let answer = runtime.operator().ask("read", &echo.address, &json!({}));
    let gone = json!({ "resource": echo.address });
    assert_eq!(runtime.operator().ask_room("delete", "ua", &gone).code, 200);
    answer.value().clone()
}

/// What an update of everything comes to.
#[track_caller]
fn updates(runtime: &Runtime, more: &[&str]) -> Value {
    let update = [&["catalogue", "update", "--json"], more].concat();
    runtime.hyperty(&update).json()["items"][0].clone()
}

#[test]
fn it_is_fetched_once_asked_after_and_starts_when_the_server_is_away() {
    let mut served = served();
    let url = served.url();
    let runtime = trusting(&served).start();

    assert_eq!(word(&runtime, &url), "first");
    let mut told = || [(); 3].map(|()| served.told()["status"].clone());
    let fetched = told();
    let grants = runtime.hyperty(&["grants"]).stdout;
    let same = updates(&runtime, &[]);
    let asked = told();

    assert_eq!(fetched, [404, 200, 200]);
    let port = url.rsplit(':').next().unwrap();
    let is_granted = |line: &str| {
        ["shipped.hyperty/catalogue", "127.0.0.1", port, "operator"]
            .iter()
            .all(|word| line.contains(word))
    };
    assert!(grants.lines().any(is_granted), "{grants}");
    assert_eq!(same["outcome"], "same", "{same}");
    assert_eq!(asked, [404, 304, 304]);
    let options = trusting(&served);
    drop(served);
    let runtime = options.home(runtime.killed()).start();
    assert_eq!(word(&runtime, &url), "first");
    assert_eq!(updates(&runtime, &[])["outcome"], "failed");
    assert_eq!(word(&runtime, &url), "first");
}

#[test]
fn a_runtime_comes_up_with_what_another_machine_has() {
    let served = served();
    let (url, home) = (served.url(), TempDir::new());
    let certificate = served.said["certificate"].as_str().unwrap();
    let up = |words: &[&str]| {
        let data = home.join("data").display().to_string();
        let run = home.join("run").display().to_string();
        let all = [
            &["up", "--data-dir", &data, "--runtime-dir", &run],
            &[
                "--tls-roots",
                certificate,
                "--unsigned",
                "--catalogue",
                &url,
            ][..],
            words,
        ];
        start_hyperty(&all.concat(), [("HOME", home.path())])
    };

    let running = up(&["echo.example/hyperty/Echo"]);
    let is_up = running.says("Echo@echo.example");
    running.interrupt();
    eventually("it ends in order", || running.has_ended());
    let unnamed = ["up", "--catalogue", &url];
    let unnamed = hyperty(&unnamed, [("HOME", home.path())]);

    assert!(is_up);
    assert_eq!(unnamed.status, 2, "{unnamed:?}");
    assert!(unnamed.stderr.contains("asked by name"), "{unnamed:?}");
}

#[test]
fn a_new_version_comes_by_update_unless_it_is_pinned_or_asks_for_more() {
    let served = served();
    let url = served.url();
    let runtime = trusting(&served).start();
    assert_eq!(word(&runtime, &url), "first");

    served.put(CODE, &code("second"));
    assert_eq!(updates(&runtime, &["--check"])["outcome"], "changed");
    assert_eq!(word(&runtime, &url), "first");
    assert_eq!(updates(&runtime, &[])["outcome"], "changed");
    assert_eq!(word(&runtime, &url), "second");

    let echo = ["Echo", "--catalogue", &url, "--provider", "echo.example"];
    let _ = runtime
        .hyperty(&[&["catalogue", "pin"], &echo[..]].concat())
        .succeeded();
    served.put(CODE, &code("third"));
    assert_eq!(updates(&runtime, &[])["outcome"], "pinned");
    assert_eq!(word(&runtime, &url), "second");
    let _ = runtime
        .hyperty(&[&["catalogue", "unpin"], &echo[..]].concat())
        .succeeded();

    served.put(
        DESCRIPTOR,
        &descriptor(&json!([{ "host": "*", "port": 443 }])),
    );
    let grown = updates(&runtime, &[]);
    assert_eq!(grown["outcome"], "grown", "{grown}");
    assert_eq!(word(&runtime, &url), "second");
    assert_eq!(updates(&runtime, &["--accept"])["outcome"], "changed");
    assert_eq!(word(&runtime, &url), "third");
}
