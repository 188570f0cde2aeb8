//! The command line against a real runtime: what it prints, as tables and as JSON, and how it ends.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use hyperty_tests::harness::{Catalogue, Outcome, Runtime, TempDir, eventually, hyperty, running};
use serde_json::{Value, json};

/// Two components, the second of which never answers.
fn runtime() -> Runtime {
    let catalogue = Catalogue::new()
        .puppet("echo.example", "Echo", &json!({ "act": "echo" }))
        .puppet("mute.example", "Mute", &json!({ "act": "never-reads" }));
    let runtime = Runtime::with(catalogue).start();
    runtime.deploy("echo.example/hyperty/Echo");
    runtime
}

#[track_caller]
fn json_of(runtime: &Runtime, arguments: &[&str], schema: &str) -> Value {
    let arguments = [arguments, &["--json"]].concat();
    let value = runtime.hyperty(&arguments).succeeded().json();
    assert_eq!(value["schema"], schema, "{value:#}");
    value
}

#[track_caller]
fn assert_error(outcome: &Outcome, status: i32, number: &str) {
    assert_eq!(outcome.status, status, "{outcome:#?}");
    assert!(
        outcome.stderr.starts_with(&format!("error[{number}]: ")),
        "{outcome:#?}"
    );
    assert_eq!(outcome.stdout, "", "data and errors do not mix");
}

#[test]
fn ps_shows_a_table_for_people_and_json_for_programs() {
    let runtime = runtime();

    let table = runtime.hyperty(&["ps"]).succeeded().stdout;
    let value = json_of(&runtime, &["ps"], "hyperty.ps/1");

    let head: Vec<_> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(
        head[..5],
        ["NAME", "PROVIDER", "KIND", "STATE", "LEVEL"],
        "{table}"
    );
    assert!(
        table.contains("Echo") && table.contains("running"),
        "{table}"
    );
    assert!(!table.contains('\u{1b}'), "colours in a pipe: {table}");
    // In one order, whichever map another crate of the build chose for JSON.
    let keys: std::collections::BTreeSet<_> = value["components"][0]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    insta::assert_json_snapshot!("ps_members", keys);
}

#[test]
fn deploy_call_stop_start_and_rm_do_what_they_say() {
    let runtime =
        Runtime::with(Catalogue::new().puppet("echo.example", "Echo", &json!({ "act": "echo" })))
            .start();
    let state = || json_of(&runtime, &["inspect", "Echo"], "hyperty.inspect/1").to_string();

    let deployed = json_of(
        &runtime,
        &["deploy", "Echo", "--provider", "echo.example"],
        "hyperty.deploy/1",
    );
    let answer = json_of(&runtime, &["call", "Echo", "{\"n\":3}"], "hyperty.call/1");
    let _ = runtime.hyperty(&["stop", "Echo"]).succeeded();
    let stopped = state();
    let _ = runtime.hyperty(&["start", "Echo"]).succeeded();
    eventually("it runs again", || state().contains("running"));
    let _ = runtime.hyperty(&["rm", "Echo"]).succeeded();

    assert!(deployed.to_string().contains("running"), "{deployed:#}");
    assert!(answer.to_string().contains("\"n\":3"), "{answer:#}");
    assert!(stopped.contains("stopped"), "{stopped}");
    assert_error(&runtime.hyperty(&["inspect", "Echo"]), 3, "HY-N001");
}

#[test]
fn every_listing_has_its_schema() {
    let runtime = runtime();
    let catalogue = runtime.catalogue().path().display().to_string();

    json_of(&runtime, &["registry", "ls"], "hyperty.registry/1");
    json_of(
        &runtime,
        &["registry", "resolve", "Echo"],
        "hyperty.resolve/1",
    );
    json_of(
        &runtime,
        &["catalogue", "ls", &catalogue],
        "hyperty.catalogue/1",
    );
    json_of(
        &runtime,
        &["catalogue", "check", &catalogue],
        "hyperty.catalogue/1",
    );
    json_of(&runtime, &["policy", "show"], "hyperty.policy/1");
    json_of(&runtime, &["policy", "reload"], "hyperty.policy/1");
    json_of(&runtime, &["version"], "hyperty.version/1");
    json_of(&runtime, &["send", "Echo", "{}"], "hyperty.send/1");
    json_of(
        &runtime,
        &["config", "show", "--origin"],
        "hyperty.config/1",
    );
}

#[test]
fn a_command_without_a_runtime_says_that_there_is_none() {
    let home = TempDir::new();
    let run = home.join("run").display().to_string();

    let outcome = hyperty(&["ps", "--runtime-dir", &run], [("HOME", home.path())]);

    assert_error(&outcome, 6, "HY-C001");
    assert!(
        outcome.stderr.contains("hyperty up"),
        "no remedy in {outcome:#?}"
    );
}

#[test]
fn an_unknown_command_is_a_usage_error() {
    let outcome = hyperty(&["explode"], [("HOME", "/nonexistent")]);

    assert_eq!(outcome.status, 2, "{outcome:#?}");
    assert!(outcome.stderr.contains("explode"), "{outcome:#?}");
}

#[test]
fn what_does_not_exist_is_not_found() {
    let runtime = runtime();

    assert_error(&runtime.hyperty(&["inspect", "Nobody"]), 3, "HY-N001");
    assert_error(
        &runtime.hyperty(&["call", "hyperty://echo.example/nobody"]),
        3,
        "HY-N001",
    );
    assert_error(
        &runtime.hyperty(&["deploy", "Nobody", "--provider", "echo.example"]),
        3,
        "HY-N001",
    );
}

#[test]
fn an_answer_that_does_not_come_is_a_time_out() {
    let runtime = runtime();
    runtime.deploy("mute.example/hyperty/Mute");

    let outcome = runtime.hyperty(&["call", "Mute", "--timeout", "100ms"]);

    assert_error(&outcome, 7, "HY-T001");
}

#[test]
fn an_error_for_programs_is_json_too() {
    let runtime = runtime();

    let outcome = runtime
        .hyperty(&["inspect", "Nobody", "--json"])
        .failed_with(3);

    let error: Value = serde_json::from_str(&outcome.stderr).expect("JSON");
    assert_eq!(error["schema"], "hyperty.error/1");
}

#[test]
fn listen_prints_what_is_sent_to_an_address() {
    let runtime = runtime();
    let echo = runtime.components().remove(0);

    let listening = runtime.start_hyperty(&["listen", "Echo", "--count", "1", "--json"]);
    eventually("the message is printed", || {
        runtime
            .operator()
            .tell("event", &echo.address, &json!({ "n": 5 }));
        listening.has_ended()
    });

    let printed = listening.outcome().succeeded().json();
    assert_eq!(
        (&printed["schema"], &printed["body"]["n"]),
        (&json!("hyperty.message/1"), &json!(5))
    );
}

#[test]
fn tap_prints_who_said_what_to_whom_and_why_explains_it() {
    let runtime = runtime();
    let echo = runtime.components().remove(0);

    let tapping = runtime.start_hyperty(&["tap", "--to", "Echo", "--count", "1", "--json"]);
    eventually("the message is printed", || {
        runtime.operator().ask("read", &echo.address, &json!({}));
        tapping.has_ended()
    });

    let printed = tapping.outcome().succeeded().json();
    assert_eq!(
        (&printed["to"], &printed["verdict"]),
        (&json!(echo.address), &json!("permit"))
    );
    let decision = printed["decision"].as_str().unwrap();
    let why = json_of(&runtime, &["why", decision], "hyperty.why/1");
    assert_eq!(why["verdict"], "permitted", "{why:#}");
    let now = [
        "why", "--from", "Echo", "--to", "/pep", "--type", "read", "--json",
    ];
    let denied = runtime.hyperty(&now).failed_with(1).json();
    assert_eq!(denied["verdict"], "forbidden", "{denied:#}");
}

#[test]
fn logs_show_what_components_wrote() {
    let catalogue = Catalogue::demo();
    let runtime = Runtime::with(catalogue).start();
    let trickster = runtime.deploy("mallory.example/hyperty/Trickster");
    eventually("it has written", || runtime.log_says(&trickster, "tried"));

    let lines = runtime.hyperty(&["logs", "Trickster"]).succeeded().stdout;

    assert!(lines.contains("tried"), "{lines}");
}

#[test]
fn policy_check_names_the_place_of_a_problem() {
    let home = TempDir::new();
    std::fs::write(
        home.join("10-bad.cedar"),
        "permit (principal, action, resource\n",
    )
    .unwrap();
    let folder = home.path().display().to_string();

    let outcome = hyperty(&["policy", "check", &folder], [("HOME", home.path())]);

    assert_eq!(outcome.status, 1, "{outcome:#?}");
    assert!(outcome.stdout.contains("10-bad.cedar:"), "{outcome:#?}");
}

#[test]
fn catalogue_check_names_every_problem() {
    let catalogue = Catalogue::new()
        .file("bad.example/.well-known/hyperty/One.hy.json", "{")
        .file(
            "bad.example/.well-known/hyperty/Two.hy.json",
            "{ \"configuration\": {} }",
        );
    let runtime = Runtime::with(catalogue).start();
    let folder = runtime.catalogue().path().display().to_string();

    let outcome = runtime.hyperty(&["catalogue", "check", &folder]);

    assert_eq!(outcome.status, 1, "{outcome:#?}");
    assert!(
        outcome.stdout.contains("One") && outcome.stdout.contains("Two"),
        "{outcome:#?}"
    );
}

#[test]
fn doctor_tries_every_primitive() {
    let home = TempDir::new();

    let outcome = hyperty(&["doctor", "--json"], [("HOME", home.path())]);
    let lacking = hyperty(
        &["doctor", "--pretend-without", "landlock", "--json"],
        [("HOME", home.path())],
    );

    let checks = |outcome: &Outcome| outcome.json()["checks"].as_array().unwrap().clone();
    let ids: Vec<_> = checks(&outcome)
        .iter()
        .map(|it| it["id"].as_str().unwrap().to_owned())
        .collect();
    assert!(ids.contains(&"sandbox.landlock".to_owned()), "{ids:?}");
    assert!(ids.contains(&"sandbox.seccomp".to_owned()), "{ids:?}");
    let failing = checks(&lacking)
        .into_iter()
        .find(|it| it["id"] == "sandbox.landlock")
        .unwrap();
    assert_eq!(failing["status"], "fail", "{failing:#}");
    assert!(
        !failing["remedy"].as_str().unwrap().is_empty(),
        "{failing:#}"
    );
    assert_ne!(lacking.status, 0);
}

#[test]
fn down_ends_everything() {
    let mut runtime = runtime();
    let all = runtime.descendants();

    let _ = runtime.hyperty(&["down"]).succeeded();

    assert_eq!(runtime.ended().code(), Some(0));
    eventually("nothing runs any more", || running(&all).is_empty());
}

#[test]
fn up_below_the_floor_says_what_is_missing() {
    let home = TempDir::new();
    let run = home.join("run").display().to_string();
    let data = home.join("data").display().to_string();

    let without = [
        "up",
        "--data-dir",
        &data,
        "--runtime-dir",
        &run,
        "--pretend-without",
        "seccomp",
    ];
    let outcome = hyperty(&without, [("HOME", home.path())]);

    assert_eq!(outcome.status, 5, "{outcome:#?}");
    assert!(outcome.stderr.contains("seccomp"), "{outcome:#?}");
}

#[test]
fn completions_are_printed_for_each_shell() {
    for shell in ["bash", "zsh", "fish"] {
        let outcome = hyperty(&["completions", shell], [("HOME", "/nonexistent")]).succeeded();

        assert!(outcome.stdout.contains("hyperty"), "{shell}");
    }
}
