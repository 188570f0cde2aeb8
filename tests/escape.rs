//! Every way out of a sandbox is tried, at each level, and the victims are looked at.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::process::Command;

use hyperty_tests::harness::program;
use serde_json::Value;

/// The cases that there are; fewer is a loss, and more belongs into this number.
const CASES: u64 = 288;

/// Skipped in our own sandbox, each with its reason in the table. The suite fails when they grow.
const SKIPPED: u64 = 0;

struct Run {
    cases: Vec<Value>,
    score: Value,
    is_good: bool,
}

fn escape(arguments: &[&str]) -> Run {
    let mut command = Command::new(program("hyperty-escape"));
    let output = command.arg("--json").args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut cases: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let score = cases.pop().expect(&errors);
    Run {
        cases,
        score,
        is_good: output.status.success(),
    }
}

impl Run {
    fn with(&self, outcome: &str) -> Vec<&Value> {
        let with = self.cases.iter().filter(|case| case["outcome"] == outcome);
        with.collect()
    }

    fn assert_held(&self) {
        for outcome in ["escaped", "broken", "gap"] {
            assert!(self.with(outcome).is_empty(), "{:#?}", self.with(outcome));
        }
        assert_eq!(self.score["cases"], CASES);
        assert_eq!(self.score["skipped"], SKIPPED);
        assert!(self.is_good);
    }
}

#[test]
fn everything_is_held_at_the_best_level_of_this_machine() {
    let run = escape(&[]);

    run.assert_held();
    // What is held would get through without a sandbox, or holding it proved nothing.
    let proved = run.score["proved"].as_u64().unwrap();
    assert!(
        proved > 80,
        "only {proved} were seen to get through without a sandbox"
    );
}

#[test]
fn everything_is_held_without_namespaces() {
    escape(&["--level", "L2", "--no-control"]).assert_held();
}

#[test]
fn what_a_process_of_its_own_does_not_hold_is_seen_and_said() {
    let run = escape(&[
        "--level",
        "L1",
        "--no-control",
        "--only",
        "FS-01a,KR-06,NW-01a",
    ]);

    assert_eq!(run.score["held"], 0, "{:#?}", run.cases);
    assert_eq!(run.score["gaps"], run.score["cases"]);
    assert!(run.is_good, "a gap that is known of a level is no failure");
}

#[test]
fn another_sandbox_is_measured_by_the_same_attempts() {
    let run = escape(&[
        "--with",
        "env",
        "--no-control",
        "--only",
        "FS-01a,FS-02a,FS-04b,NW-01a,PR-06a,BU-01a",
    ]);

    assert_eq!(run.with("escaped").len(), 5, "{:#?}", run.cases);
    assert_eq!(run.with("skipped").len(), 1, "it has no bus");
    assert!(!run.is_good);
}
