//! Foreign code is locked in: looked at from outside, and tried from inside.
//!
//! The last test runs the same attempts without the lock and sees them succeed:
//! if it did not, the others would prove nothing.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;

use hyperty_tests::harness::{
    Catalogue, Process, Runtime, TempDir, Victim, eventually, is_root, script,
};
use protocol::api::user_agent::Component;
use protocol::frame::Level;
use protocol::limits::SLOT_BYTES;
use serde_json::{Value, json};

/// What a component must be kept from, with everything that can tell whether it was.
struct Surroundings {
    home: TempDir,
    victim: Victim,
    tcp: TcpListener,
    local: UnixListener,
}

impl Surroundings {
    fn new() -> Self {
        let home = TempDir::new();
        fs::write(home.join("secret"), "untouched").unwrap();
        fs::set_permissions(home.join("secret"), PermissionsExt::from_mode(0o666)).unwrap();
        fs::set_permissions(home.path(), PermissionsExt::from_mode(0o777)).unwrap();
        let tcp = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let local = UnixListener::bind(home.join("socket")).unwrap();
        fs::set_permissions(home.join("socket"), PermissionsExt::from_mode(0o777)).unwrap();
        tcp.set_nonblocking(true).unwrap();
        local.set_nonblocking(true).unwrap();
        Self {
            home,
            victim: Victim::start(),
            tcp,
            local,
        }
    }

    fn configuration(&self, act: &str) -> Value {
        json!({
            "act": act,
            "file": self.home.join("secret"),
            "folder": self.home.path(),
            "process": self.victim.process().pid,
            "port": self.tcp.local_addr().unwrap().port(),
            "socket": self.home.join("socket"),
        })
    }

    fn assert_untouched(&self) {
        let secret = self.home.join("secret");
        assert_eq!(fs::read_to_string(&secret).unwrap(), "untouched");
        assert_eq!(
            fs::metadata(&secret).unwrap().permissions().mode() & 0o777,
            0o666
        );
        assert!(!self.home.join("made").exists(), "a file was made");
        assert!(!self.home.join("link").exists(), "a link was made");
        assert!(self.victim.process().is_running(), "the victim was killed");
        let state = self.victim.process().status_field("State").unwrap();
        assert!(!state.starts_with('T'), "the victim was stopped");
        assert!(self.tcp.accept().is_err(), "somebody connected by TCP");
        assert!(
            self.local.accept().is_err(),
            "somebody connected to the socket"
        );
        let core_limit = self.victim.process().limit("Max core file size");
        assert_eq!(
            core_limit,
            Process::of(std::process::id()).limit("Max core file size")
        );
    }
}

fn runtime() -> Runtime {
    let catalogue = Catalogue::new()
        .puppet("locked.example", "Native", &json!({ "act": "echo" }))
        .script("locked.example", "Script", &script(""));
    Runtime::with(catalogue).start()
}

fn both(runtime: &Runtime) -> [(Component, Process); 2] {
    ["Native", "Script"].map(|name| {
        let component = runtime.deploy(&format!("locked.example/hyperty/{name}"));
        let process = runtime.process_of(&component);
        (component, process)
    })
}

#[test]
fn every_thread_of_a_sandbox_is_filtered_and_can_gain_no_privilege() {
    let runtime = runtime();

    for (component, process) in both(&runtime) {
        let name = component.name;
        assert_eq!(
            process.status_of_threads("NoNewPrivs"),
            ["1".to_owned()].into(),
            "{name}"
        );
        assert_eq!(
            process.status_of_threads("Seccomp"),
            ["2".to_owned()].into(),
            "{name}"
        );
        assert_eq!(process.status_field("Threads").unwrap(), "1", "{name}");
    }
}

#[test]
fn a_sandbox_has_no_capability_and_is_not_the_superuser() {
    let runtime = runtime();

    for (component, process) in both(&runtime) {
        for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
            let value = process.status_field(set).unwrap();
            let is_allowed = set == "CapBnd" || value == "0000000000000000";
            assert!(is_allowed, "{}: {set} is {value}", component.name);
        }
        let uids = process.status_field("Uid").unwrap();
        assert!(
            uids.split_whitespace().all(|uid| uid != "0"),
            "{}: {uids}",
            component.name
        );
        let gids = process.status_field("Gid").unwrap();
        assert!(
            gids.split_whitespace().all(|gid| gid != "0"),
            "{}: {gids}",
            component.name
        );
    }
}

#[test]
fn a_sandbox_has_exactly_its_link_and_nowhere_else_to_speak() {
    let runtime = runtime();

    for (component, process) in both(&runtime) {
        let descriptors = process.descriptors();
        if descriptors.is_empty() && !is_root() {
            eprintln!(
                "skipped: only the superuser may look into {}",
                component.name
            );
            continue;
        }
        let numbers: Vec<_> = descriptors.keys().copied().collect();
        assert_eq!(numbers, [0, 1, 2], "{}: {descriptors:?}", component.name);
        assert!(descriptors[&0].starts_with("socket:"), "{descriptors:?}");
        assert_eq!(
            (&*descriptors[&1], &*descriptors[&2]),
            ("/dev/null", "/dev/null")
        );
    }
}

#[test]
fn a_sandbox_inherits_no_environment_and_no_secret_argument() {
    let runtime = runtime();

    for (component, process) in both(&runtime) {
        if let Some(environment) = process.environment() {
            assert_eq!(environment.trim_matches('\0'), "", "{}", component.name);
        }
        let arguments = process.arguments().join(" ");
        assert!(!arguments.contains('/'), "{}: {arguments}", component.name);
    }
}

#[test]
fn a_sandbox_is_limited_in_what_it_can_take() {
    let runtime = runtime();

    for (component, process) in both(&runtime) {
        let hard = |name: &str| process.limit(name).unwrap().1;
        assert_eq!(hard("Max core file size"), "0", "{}", component.name);
        // The native one may write as much into a slot.
        let bytes: usize = hard("Max file size").parse().unwrap();
        assert!(bytes <= SLOT_BYTES, "{}: {bytes} bytes", component.name);
        assert_ne!(hard("Max address space"), "unlimited", "{}", component.name);
        let files: u64 = hard("Max open files").parse().unwrap();
        assert!(files <= 64, "{}: {files} files", component.name);
    }
}

#[test]
fn no_page_of_a_sandbox_can_be_both_written_and_executed() {
    let runtime = runtime();

    for (component, process) in both(&runtime) {
        assert!(!process.has_writable_code(), "{}", component.name);
    }
}

#[test]
fn a_sandbox_of_the_highest_level_lives_in_empty_namespaces() {
    let runtime = runtime();

    for (component, process) in both(&runtime) {
        if component.level != Some(Level::L3) {
            eprintln!("skipped: this machine reaches {:?}", component.level);
            continue;
        }
        for kind in ["user", "mnt", "pid", "net", "ipc", "uts"] {
            let (Some(own), Some(ours)) = (
                process.namespace(kind),
                runtime.supervisor().namespace(kind),
            ) else {
                eprintln!("skipped: only the superuser may see the {kind} namespace");
                continue;
            };
            assert_ne!(own, ours, "{}: {kind}", component.name);
        }
        if let Some(entries) = process.root_entries() {
            assert_eq!(entries, [""; 0], "{}", component.name);
        }
    }
}

#[test]
fn a_program_that_tries_to_leave_touches_nothing() {
    let around = Surroundings::new();
    let configuration = around.configuration("escape");
    let catalogue = Catalogue::new().puppet("evil.example", "Escapee", &configuration);
    let runtime = Runtime::with(catalogue).start();

    let escapee = runtime.deploy("evil.example/hyperty/Escapee");
    let outcome = runtime.operator().ask("read", &escapee.address, &json!({}));

    let succeeded = acts(outcome.value(), Value::is_null);
    assert_eq!(succeeded, BTreeSet::new(), "{outcome:#?}");
    assert!(
        acts(outcome.value(), Value::is_string).len() > 20,
        "{outcome:#?}"
    );
    around.assert_untouched();
    assert_eq!(runtime.component(&escapee.address).state, "running");
}

#[test]
fn a_program_is_killed_for_a_call_that_is_never_legitimate_and_the_call_is_named() {
    let catalogue = Catalogue::new().puppet(
        "evil.example",
        "Leaver",
        &json!({ "act": "forbidden-call" }),
    );
    let runtime = Runtime::with(catalogue).start();

    let leaver = runtime.deploy("evil.example/hyperty/Leaver");

    eventually("the call is named", || {
        runtime.component(&leaver.address).reason.contains("chroot")
    });
}

#[test]
fn a_script_finds_no_way_out_of_its_engine() {
    let runtime = Runtime::with(Catalogue::demo()).start();

    let trickster = runtime.deploy("mallory.example/hyperty/Trickster");
    eventually("every trick was tried", || {
        runtime.log_says(&trickster, "tried")
    });
    let outcome = runtime
        .operator()
        .ask("read", &trickster.address, &json!({}));

    let succeeded = acts(outcome.value(), |it| it == "ESCAPED");
    assert_eq!(succeeded, BTreeSet::new(), "{outcome:#?}");
    assert!(
        acts(outcome.value(), Value::is_string).len() > 10,
        "{outcome:#?}"
    );
}

#[test]
fn without_the_lock_the_same_program_leaves() {
    let around = Surroundings::new();
    let mut configuration = around.configuration("escape");
    configuration["skip"] = json!("become another program"); // it would, and tell nothing
    let catalogue = Catalogue::new().puppet("evil.example", "Escapee", &configuration);
    let unlocked = ["--unsafe", "--min-level", "L0", "--max-level", "L0"];
    let runtime = Runtime::with(catalogue).arguments(&unlocked).start();

    let escapee = runtime.deploy("evil.example/hyperty/Escapee");
    let outcome = runtime.operator().ask("read", &escapee.address, &json!({}));

    let succeeded = acts(outcome.value(), Value::is_null);
    let expected = [
        "read /etc/passwd",
        "read a file",
        "list /",
        "list /proc",
        "connect by TCP",
        "listen on TCP",
        "connect to a local socket",
        "make a datagram pair",
        "make a memory file",
    ];
    for act in expected {
        assert!(
            succeeded.contains(act),
            "even without the lock: {act}: {outcome:#?}"
        );
    }
    assert_eq!(runtime.component(&escapee.address).level, Some(Level::L0));
}

fn acts(outcome: &Value, which: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    let outcome = outcome.as_object().expect("what became of each act");
    outcome
        .iter()
        .filter(|(_, how)| which(how))
        .map(|(act, _)| act.clone())
        .collect()
}
