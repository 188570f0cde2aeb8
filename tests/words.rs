//! What authors type and read: names with their provider, places in their own files,
//! and traffic that was only watched as a test.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;

use hyperty_tests::harness::{Catalogue, Outcome, Runtime, TempDir, hyperty, script};
use serde_json::json;

const CODE: &str = "words.example/.well-known/hyperty/Words.hy.js";

// What a bundler made of line 7 of `src/Words.ts`: the second line here.
const BROKEN: &str = "System.register([], function (_export) { return { execute: function () {
throw new Error('no luck');
} }; });
//# sourceMappingURL=Words.hy.js.map
";
const MAP: &str = r#"{"version":3,"sources":["src/Words.ts"],"names":[],"mappings":";AAMA"}"#;

fn catalogue(code: &str) -> Catalogue {
    Catalogue::new()
        .script("words.example", "Words", code)
        .file(&format!("{CODE}.map"), MAP)
}

#[track_caller]
fn assert_authors_place(outcome: &Outcome) {
    assert_ne!(outcome.status, 0, "{outcome:#?}");
    assert!(outcome.stderr.contains("no luck"), "{outcome:#?}");
    assert!(outcome.stderr.contains("src/Words.ts:7"), "{outcome:#?}");
    assert!(!outcome.stderr.contains("hy.js:2"), "{outcome:#?}");
}

#[test]
fn a_component_that_cannot_be_loaded_fails_at_its_author_s_line() {
    let runtime = Runtime::with(catalogue(BROKEN)).start();
    let folder = runtime.catalogue().path().display().to_string();

    let configured = runtime.hyperty(&["deploy", "words.example/hyperty/Words"]);
    let named = runtime.hyperty(&[
        "deploy",
        "Words",
        "--provider",
        "words.example",
        "--catalogue",
        &folder,
    ]);

    assert_authors_place(&configured);
    assert_authors_place(&named);
}

#[test]
fn a_component_that_cannot_be_reloaded_fails_there_as_well() {
    let runtime = Runtime::with(catalogue(&script(""))).start();
    let deployed = runtime.hyperty(&["deploy", "words.example/hyperty/Words"]);
    let code = runtime.catalogue().path().join(CODE);

    fs::write(code, BROKEN).unwrap();
    let reloaded = runtime.hyperty(&["reload", "Words"]);

    let _ = deployed.succeeded();
    assert_authors_place(&reloaded);
}

#[test]
fn a_component_named_with_another_provider_than_was_said_is_a_mistake() {
    let runtime = Runtime::with(catalogue(&script(""))).start();

    let outcome = runtime.hyperty(&[
        "deploy",
        "words.example/hyperty/Words",
        "--provider",
        "other.example",
    ]);

    assert_eq!(outcome.status, 2, "{outcome:#?}");
    assert!(
        outcome.stderr.contains("--provider says `other.example`"),
        "{outcome:#?}"
    );
}

#[test]
fn traffic_that_was_watched_is_a_test() {
    let home = TempDir::new();
    let answers = "bus.addListener(url, (m) => m.type === 'read' && bus.postMessage({ id: m.id,
        type: 'response', from: url, to: m.from, body: { code: 200, value: 'hello' } }));";
    let asks = "setInterval(() => bus.postMessage({ type: 'read', from: url, to: config.echo,
        body: {} }), 20);";
    let catalogue = Catalogue::new()
        .script("echo.example", "Echo", &script(answers))
        .script("asker.example", "Asker", &script(asks))
        .permissive();
    let runtime = Runtime::with(catalogue).start();
    let echo = runtime.deploy("echo.example/hyperty/Echo");
    let settings = json!({ "echo": echo.address });
    runtime.deploy_with("asker.example/hyperty/Asker", &settings);
    let tape = home.join("talk.jsonl").display().to_string();
    let folder = runtime.catalogue().path().display().to_string();

    let tap = [
        "tap",
        "--component",
        "Echo",
        "--bodies",
        "--json",
        "-n",
        "4",
    ];
    fs::write(&tape, runtime.hyperty(&tap).succeeded().stdout).unwrap();
    let play = ["test", &tape, "--catalogue", &folder, "--no-build"];
    let unclear = hyperty(&play, [("HOME", home.path())]);
    let told = [&play[..], &["--address", &echo.address]].concat();
    let played = hyperty(&told, [("HOME", home.path())]);

    assert_eq!(unclear.status, 2, "{unclear:#?}");
    assert!(
        unclear.stderr.contains("say which with `--address`"),
        "{unclear:#?}"
    );
    assert_eq!(
        played.status,
        0,
        "{played:#?}\n{}",
        fs::read_to_string(&tape).unwrap()
    );
}
