//! Control groups of a real supervisor, where this machine and user may make them.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hyperty_tests::harness::{Catalogue, Runtime, TempDir, eventually, hyperty, program, script};
use serde_json::{Value, json};

fn catalogue() -> Catalogue {
    Catalogue::new()
        .script("a.example", "Quiet", &script(""))
        .puppet("b.example", "Echo", &json!({ "act": "echo" }))
}

fn probed() -> Value {
    let mut probe = Command::new(program("core-supervisor"));
    let output = probe
        .arg("probe-cgroup")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Where groups are made here, or why there are none, which is then told.
fn place() -> Option<PathBuf> {
    let probed = probed();
    if probed["groups"] == true {
        let detail = probed["detail"].as_str().unwrap();
        let folder = Path::new(detail.split(": ").next().unwrap());
        return folder.parent().map(Path::to_owned);
    }
    eprintln!("skipped: {}", probed["detail"]);
    None
}

/// The cgroup of version 2 that a process is in.
fn cgroup_of(pid: u32) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("0::"));
    line.unwrap().to_owned()
}

#[test]
fn each_sandbox_is_in_a_group_of_its_own_which_goes_with_it() {
    let Some(place) = place() else { return };
    let runtime = Runtime::with(catalogue()).start();
    let folder = place.join(format!("hyperty-{}", runtime.supervisor().pid));

    for item in ["a.example/hyperty/Quiet", "b.example/hyperty/Echo"] {
        let component = runtime.component(&runtime.deploy(item).address);
        let (sandbox, pid) = (component.sandbox.unwrap(), component.pid.unwrap());
        let group = folder.join(sandbox.to_string());
        let name = format!("hyperty-{}/{sandbox}", runtime.supervisor().pid);
        assert!(cgroup_of(pid).ends_with(&name), "{}", cgroup_of(pid));
        let procs = fs::read_to_string(group.join("cgroup.procs")).unwrap();
        assert_eq!(procs.trim(), pid.to_string());
        let _ = runtime.hyperty(&["rm", &component.address]).succeeded();
        eventually("the group is gone", || !group.exists());
    }
    drop(runtime);
    eventually("all of them are gone", || !folder.exists());
}

#[test]
fn what_a_killed_supervisor_leaves_the_next_one_removes() {
    let Some(place) = place() else { return };
    let runtime = Runtime::with(catalogue()).start();
    runtime.deploy("a.example/hyperty/Quiet");
    let folder = place.join(format!("hyperty-{}", runtime.supervisor().pid));
    assert!(folder.exists());

    let home = runtime.killed();
    let runtime = Runtime::with(catalogue()).home(home).start();

    eventually("the sandboxes have died with it", || {
        // Each start sweeps once; the kernel may still have been at it.
        probed()["groups"] == true && !folder.exists()
    });
    drop(runtime);
}

#[test]
fn a_bound_on_processors_that_nothing_enforces_is_not_accepted() {
    let home = TempDir::new();
    let file = home.join("hyperty.toml").display().to_string();
    fs::write(&file, "[limits]\ncpu = 50\n").unwrap();
    let has_cpu = probed()["controllers"]
        .as_array()
        .is_some_and(|all| all.iter().any(|one| one == "cpu"));
    let options = Runtime::with(catalogue()).arguments(&["--config", &file]);

    if has_cpu {
        options.home(home).start().deploy("a.example/hyperty/Quiet");
        return;
    }
    let (status, log) = options.home(home).try_start().unwrap_err();

    assert_eq!(status.code(), Some(5), "{log}");
    let told = format!("{file}:2: `limits.cpu` cannot be enforced here");
    assert!(log.contains(&told) && log.contains("Delegate=yes"), "{log}");
}

#[test]
fn doctor_says_what_there_is_and_what_to_do_about_the_rest() {
    let home = TempDir::new();
    let outcome = hyperty(&["doctor", "--json"], [("HOME", home.path())]);

    let report = outcome.json();
    let checks = report["checks"].as_array().unwrap();
    let check = checks
        .iter()
        .find(|it| it["id"] == "cgroup.delegated")
        .unwrap();
    let probed = probed();
    let is_whole = probed["controllers"]
        .as_array()
        .is_some_and(|all| all.len() == 3);
    assert_eq!(check["remedy"] == "", is_whole, "{check}");
    let expected = if probed["controllers"] == json!([]) {
        "skip"
    } else {
        "pass"
    };
    assert_eq!(check["status"], expected, "{check}");
}
