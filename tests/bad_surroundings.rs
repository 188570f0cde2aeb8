//! A machine that lacks something: the supervisor says what and how to mend it,
//! and never steps down silently.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;

use hyperty_tests::harness::{Catalogue, Options, Runtime, TempDir, is_root};
use protocol::frame::Level;
use serde_json::json;

/// The exit status for a machine below the floor (USERS §4).
const BELOW_FLOOR: i32 = 5;

fn options(arguments: &[&str]) -> Options {
    let catalogue =
        Catalogue::new()
            .with_witness()
            .puppet("good.example", "Native", &json!({ "act": "echo" }));
    Runtime::with(catalogue).arguments(arguments)
}

#[track_caller]
fn check_refused(arguments: &[&str], missing: &str) {
    let (status, log) = options(arguments).try_start().expect_err("it started");

    assert_eq!(status.code(), Some(BELOW_FLOOR), "{log}");
    assert!(
        log.to_lowercase().contains(missing),
        "`{missing}` is not named: {log}"
    );
}

#[track_caller]
fn check_level(arguments: &[&str], level: Level) {
    let runtime = options(arguments).start();

    let native = runtime.deploy("good.example/hyperty/Native");
    let script = runtime.deploy("good.example/hyperty/Witness");

    assert_eq!(
        (native.level, script.level),
        (Some(level), Some(level)),
        "{}",
        runtime.log()
    );
    runtime.assert_unharmed();
}

#[test]
fn without_landlock_it_refuses() {
    check_refused(&["--pretend-without", "landlock"], "landlock");
}

#[test]
fn without_seccomp_it_refuses() {
    check_refused(&["--pretend-without", "seccomp"], "seccomp");
}

#[test]
fn without_user_namespaces_it_runs_one_level_lower_and_says_so() {
    check_level(&["--pretend-without", "userns"], Level::L2);
}

#[test]
fn without_user_namespaces_it_refuses_when_they_are_demanded() {
    check_refused(
        &["--pretend-without", "userns", "--min-level", "L3"],
        "namespace",
    );
}

#[test]
fn without_landlock_it_runs_lower_when_that_is_asked_for() {
    check_level(
        &["--pretend-without", "landlock", "--min-level", "L1"],
        Level::L1,
    );
}

#[test]
fn the_lowest_level_must_be_asked_for_twice() {
    let (status, log) = options(&["--min-level", "L0"])
        .try_start()
        .expect_err("it started");

    assert_eq!(status.code(), Some(2), "{log}");
    assert!(log.contains("--unsafe"), "{log}");
}

#[test]
fn a_level_that_is_none_is_a_usage_error() {
    let (status, log) = options(&["--min-level", "L9"])
        .try_start()
        .expect_err("it started");

    assert_eq!(status.code(), Some(2), "{log}");
    assert!(log.contains("L9"), "{log}");
}

#[test]
fn a_data_directory_that_cannot_be_written() {
    let home = TempDir::new();
    fs::write(home.join("file"), "").unwrap();
    let data = home.join("file/data").display().to_string();

    let (status, log) = options(&["--data-dir", &data])
        .try_start()
        .expect_err("it started");

    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains(&data), "the directory is not named: {log}");
}

#[test]
fn a_data_directory_on_a_full_disk() {
    let home = TempDir::new();
    let data = home.join("full");
    fs::create_dir(&data).unwrap();
    let options_of_mount = Some("size=4k,nr_inodes=1");
    let flags = nix::mount::MsFlags::empty();
    let mounted = nix::mount::mount(Some("full"), &data, Some("tmpfs"), flags, options_of_mount);
    if mounted.is_err() {
        assert!(
            !is_root() || mounted == Err(nix::errno::Errno::EPERM),
            "{mounted:?}"
        );
        eprintln!("skipped: a full disk cannot be made here: {mounted:?}");
        return;
    }

    let started = options(&["--data-dir", &data.display().to_string()]).try_start();
    let outcome = started.map(|runtime| runtime.log());
    nix::mount::umount(&data).unwrap();

    let (status, log) = outcome.expect_err("it started");
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("full") || log.contains("No space"), "{log}");
}

#[test]
fn a_catalogue_that_is_not_there() {
    let missing = "/nonexistent/catalogue";
    let runtime = options(&[]).start();

    let wish = json!({ "catalogue": missing, "component": "hyperty/Any", "provider": "a.example" });
    let answer = runtime.operator().ask_room("create", "ua", &wish);

    assert_eq!(answer.code, 404, "{answer:?}");
    assert!(answer.reason().contains(missing), "{answer:?}");
}

#[test]
fn a_configuration_with_an_unknown_key_is_refused_with_its_line() {
    let home = TempDir::new();
    fs::write(home.join("hyperty.toml"), "\nmin_levle = \"L2\"\n").unwrap();
    let config = home.join("hyperty.toml").display().to_string();

    let (status, log) = options(&["--config", &config])
        .try_start()
        .expect_err("it started");

    assert_eq!(status.code(), Some(2), "{log}");
    assert!(
        log.contains("hyperty.toml:2") && log.contains("min_levle"),
        "{log}"
    );
}

#[test]
fn a_sandbox_host_that_is_not_there() {
    let missing = "/nonexistent/sandbox-host";

    let (status, log) = options(&["--sandbox-host", missing])
        .try_start()
        .expect_err("it started");

    assert_ne!(status.code(), Some(0));
    assert!(log.contains(missing), "{log}");
}
