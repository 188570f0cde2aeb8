//! Looking into a sandbox: a component that waits for a debugger, and a shell in a sandbox
//! like a component's.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::path::Path;

use hyperty_tests::harness::{Catalogue, Process, Runtime, eventually, is_root, script};
use nix::sys::ptrace;
use nix::unistd::Pid;
use serde_json::{Value, json};

fn runtime() -> Runtime {
    let echo = script(
        "bus.addListener(url, function (m) { bus.postMessage({ id: m.id, type: 'response', from: url, to: m.from, body: { code: 200 } }); });",
    );
    let catalogue = Catalogue::new()
        .puppet("echo.example", "Board", &json!({ "act": "echo" }))
        .script("echo.example", "Echo", &echo);
    let runtime = Runtime::with(catalogue).start();
    runtime.deploy("echo.example/hyperty/Board");
    runtime.deploy("echo.example/hyperty/Echo");
    runtime
}

fn state_of(runtime: &Runtime, name: &str) -> String {
    let components = runtime.components();
    let component = components.into_iter().find(|it| it.name == name);
    component.expect("it is deployed").state
}

#[test]
fn a_debugged_component_waits_stopped_until_it_is_let_go() {
    let runtime = runtime();

    for name in ["Board", "Echo"] {
        let debug = runtime.hyperty(&["debug", name, "--json"]).succeeded();
        let held: Value = debug.json();
        let pid = u32::try_from(held["component"]["pid"].as_u64().unwrap()).unwrap();
        let attach = held["attach"].to_string();
        assert!(attach.contains(&format!("gdb -p {pid}")), "{attach}");
        assert!(attach.contains(&format!("strace -f -p {pid}")), "{attach}");
        let process = Process::of(pid);
        assert_eq!(process.status_field("State").unwrap(), "T (stopped)");
        assert_eq!(
            process.status_field("Seccomp").unwrap(),
            "2",
            "it is locked"
        );
        assert_eq!(state_of(&runtime, name), "paused");
        if is_root() {
            attach_and_leave(pid);
        }

        let _ = runtime.hyperty(&["debug", "--go", name]).succeeded();

        eventually("it runs", || state_of(&runtime, name) == "running");
        let _ = runtime.hyperty(&["call", name, "{}"]).succeeded();
        assert_eq!(
            runtime
                .component(held["component"]["address"].as_str().unwrap())
                .pid,
            Some(pid)
        );
    }
}

// As a debugger does: there is no other tracer, and the kernel permits it.
fn attach_and_leave(pid: u32) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap());
    ptrace::seize(pid, ptrace::Options::empty()).expect("a debugger can attach");
    // A tracee that is in a group stop is let go with the stop that it is in.
    let _ = nix::sys::wait::waitpid(pid, Some(nix::sys::wait::WaitPidFlag::WUNTRACED));
    ptrace::detach(pid, None).expect("and leave");
}

#[test]
fn a_restart_ends_debugging_and_what_is_not_debugged_is_not_let_go() {
    let runtime = runtime();

    let _ = runtime.hyperty(&["debug", "Board"]).succeeded();
    let ps = runtime.hyperty(&["ps"]).succeeded().stdout;
    let _ = runtime.hyperty(&["restart", "Board"]).succeeded();
    let go = runtime.hyperty(&["debug", "--go", "Board"]).failed_with(1);

    assert!(
        ps.contains("paused") && ps.contains("stopped for a debugger"),
        "{ps}"
    );
    assert_eq!(state_of(&runtime, "Board"), "running");
    assert!(go.stderr.contains("is not being debugged"), "{}", go.stderr);
}

#[test]
fn a_shell_is_where_scripts_are_and_has_what_they_have() {
    let runtime = runtime();

    let shell = runtime.hyperty_reading(
        &["shell", "Echo"],
        "6 * 7\nfetch('https://example.org').then(() => 'reached', () => 'refused')\nnone.x\ntypeof require\n",
    );

    let said: Vec<_> = shell
        .succeeded()
        .stdout
        .lines()
        .map(str::to_owned)
        .collect();
    assert!(said.contains(&"42".to_owned()), "{said:?}");
    assert!(said.contains(&"\"refused\"".to_owned()), "{said:?}");
    assert!(
        said.iter()
            .any(|line| line.starts_with("thrown: ReferenceError")),
        "{said:?}"
    );
    assert!(said.contains(&"\"undefined\"".to_owned()), "{said:?}");
    assert_eq!(
        runtime.components().len(),
        2,
        "the supervisor has nothing to do with it"
    );
}

#[test]
fn a_shell_is_where_programs_are_and_may_what_they_may() {
    let runtime = runtime();
    if !Path::new("/bin/busybox").is_file() {
        eprintln!("skipped: there is no static busybox on this machine");
        return;
    }

    let shell = runtime.hyperty_reading(
        &["shell", "Board"],
        "echo $((6 * 7))\necho x > /tmp/hyperty-shell-was-here\nls\n((\necho still $$\n",
    );

    let said = shell.succeeded().stdout;
    assert!(said.contains("42\n"), "{said}");
    assert!(said.contains("can't create"), "{said}");
    assert!(said.contains("can't fork"), "{said}");
    assert!(said.contains("still "), "a mistake ends it: {said}");
    assert!(!Path::new("/tmp/hyperty-shell-was-here").exists());
}

#[test]
fn a_shell_that_cannot_be_says_why_and_what_to_do() {
    let runtime = runtime();

    let dynamic = runtime
        .hyperty(&["shell", "Board", "--program", "/bin/sh"])
        .failed_with(1);
    let of_script = runtime
        .hyperty(&["shell", "Echo", "--program", "/bin/sh"])
        .failed_with(2);
    let _ = runtime.hyperty(&["stop", "Board"]).succeeded();
    let stopped = runtime.hyperty(&["shell", "Board"]).failed_with(1);

    assert!(
        dynamic.stderr.contains("build it static"),
        "{}",
        dynamic.stderr
    );
    assert!(
        of_script.stderr.contains("leave --program out"),
        "{}",
        of_script.stderr
    );
    assert!(
        stopped.stderr.contains("hyperty start Board"),
        "{}",
        stopped.stderr
    );
}
