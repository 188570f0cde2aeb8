//! The examples play by one command, show what happens, and end by themselves.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;
use std::path::Path;

use hyperty_tests::harness::{Outcome, TempDir, hyperty, source_dir};
use serde_json::Value;

fn run(home: &TempDir, arguments: &[&str]) -> Outcome {
    let environment = [("HOME", home.path()), ("TMPDIR", home.path())];
    hyperty(arguments, environment)
}

fn play(scene: &str) -> String {
    let home = TempDir::new();
    let folder = source_dir().join("sandbox-host/examples").join(scene);

    let outcome = run(&home, &["run", &folder.display().to_string()]).succeeded();

    assert_eq!(
        fs::read_dir(home.path()).unwrap().count(),
        0,
        "files were left behind"
    );
    outcome.stdout
}

/// Each text stands in the output behind the one before.
#[track_caller]
fn assert_in_order(output: &str, texts: &[&str]) {
    let mut rest = output;
    for text in texts {
        let at = rest.find(text);
        let at = at.unwrap_or_else(|| panic!("no `{text}` where it belongs in:\n{output}"));
        rest = &rest[at + text.len()..];
    }
}

#[test]
fn the_chat_is_opened_joined_talked_and_ended() {
    let shown = play("chat");

    assert_in_order(
        &shown,
        &[
            "Host@ann.example  opened a conversation",
            "Guest@bob.example  joined the conversation",
            "Host@ann.example  hears: it is me, Bob",
            "Guest@bob.example  hears: you said \"it is me, Bob\". Tea?",
            "Host@ann.example  hears: goodbye",
            "Guest@bob.example  was told that it is over",
        ],
    );
    assert!(
        shown.contains("/children create"),
        "no message is shown: {shown}"
    );
}

#[test]
fn the_presence_of_one_is_what_the_other_sees() {
    let shown = play("presence");

    let states = ["available", "busy", "away", "available", "unavailable"];
    let seen = states.map(|state| format!("Watcher@bob.example  sees: {state}  "));
    assert_in_order(&shown, &seen.each_ref().map(String::as_str));
    assert!(
        shown.contains("/changes update"),
        "no update is shown: {shown}"
    );
}

#[test]
fn the_map_follows_the_whole_way() {
    let shown = play("location");

    assert_in_order(
        &shown,
        &[
            "Map@bob.example  sees 2 places, the last at 38.72 -9.15",
            "Map@bob.example  sees 3 places, the last at 38.73 -9.16",
            "Map@bob.example  saw a way of 4 places",
        ],
    );
}

#[test]
fn programs_read_a_scene_line_by_line() {
    let home = TempDir::new();
    let folder = source_dir().join("sandbox-host/examples/presence");

    let outcome = run(&home, &["run", &folder.display().to_string(), "--json"]).succeeded();

    let lines = outcome
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let schemas: Vec<_> = lines
        .map(|line| line["schema"].as_str().unwrap().to_owned())
        .collect();
    for schema in ["hyperty.log/1", "hyperty.tap/1", "hyperty.component/1"] {
        assert!(
            schemas.iter().any(|one| one == schema),
            "no {schema} in {schemas:?}"
        );
    }
}

#[test]
fn without_its_rules_a_scene_does_not_come_to_its_end() {
    let home = TempDir::new();
    let scene = home.join("scene");
    copy(&source_dir().join("sandbox-host/examples/presence"), &scene);
    fs::remove_file(scene.join("policy.d/50-presence.cedar")).unwrap();
    let text = fs::read_to_string(scene.join("scene.json")).unwrap();
    // What Ann logs when she is refused would be the end of it.
    let ends = text.replace("nothing to watch any more", "rejected");
    fs::write(scene.join("scene.json"), ends).unwrap();
    let code = scene.join("ann.example/.well-known/hyperty/Availability.hy.js");
    let ann = fs::read_to_string(&code).unwrap();
    let watched = ann.replace(
        "reporter.onSubscription(",
        "reporter.invitations[0].then(console.log, (e) => console.log('rejected', e));\n        reporter.onSubscription(",
    );
    assert_ne!(watched, ann);
    fs::write(&code, watched).unwrap();

    let outcome = run(&home, &["run", &scene.display().to_string()]).succeeded();

    assert!(outcome.stdout.contains("rejected"), "{outcome:#?}");
    assert!(!outcome.stdout.contains("sees:"), "{outcome:#?}");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy(&source, &target);
        } else {
            fs::copy(source, target).unwrap();
        }
    }
}
