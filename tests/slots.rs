//! Large bodies by slots, between real processes: intact, kept apart, and taken back.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hyperty_tests::harness::{Catalogue, Runtime, TempDir, eventually};
use protocol::api::user_agent::Component;
use protocol::client::Incoming;
use protocol::client::blocking::Client;
use protocol::frame::Role;
use protocol::limits::{BODY_BYTES_MAX, SLOT_FROM_BYTES};
use protocol::message::MessageKind;
use serde_json::{Value, json};

const WAIT: Duration = Duration::from_secs(30);
const LARGE: usize = SLOT_FROM_BYTES + 1;
const ECHO: &str = "b.example/hyperty/Echo";
const HOARDER: &str = "c.example/hyperty/Hoarder";
const SCRIBBLER: &str = "a.example/hyperty/Scribbler";

const FORBID: &str = "@id(\"no-reading\")\n@why(\"not any more\")\nforbid (\n  \
    principal,\n  action in [Action::\"read\", Action::\"update\"],\n  \
    resource is Hyperty\n);\n";

fn runtime(arguments: &[&str]) -> Runtime {
    let catalogue = Catalogue::new()
        .permissive()
        .program("b.example", "Echo", "gauge", &json!({}))
        .puppet("c.example", "Hoarder", &json!({ "act": "hoard" }))
        .puppet("a.example", "Scribbler", &json!({ "act": "scribble" }));
    Runtime::with(catalogue).arguments(arguments).start()
}

fn application(runtime: &Runtime) -> Client {
    let role = Role::Application {
        provider: "app.example",
        name: "app",
        token: "",
    };
    Client::connect(runtime.endpoint(), role).unwrap()
}

fn number(runtime: &Runtime, name: &str) -> u64 {
    runtime.operator().read_room("bus")[name].as_u64().unwrap()
}

/// Has a component of another runtime's provider check what comes back.
fn check_between_components(arguments: &[&str]) {
    let runtime = runtime(arguments);
    let [asker, echo] = [(); 2].map(|()| runtime.deploy(ECHO));
    let order =
        json!({ "peer": echo.address, "samples": 60, "bytes": BODY_BYTES_MAX, "check": true });

    let answer = runtime.operator().ask("execute", &asker.address, &order);

    assert_eq!(answer.code, 200, "{answer:?}");
    let by_slot = number(&runtime, "by_slot");
    assert!(by_slot > 60, "only {by_slot} bodies went by slots");
}

#[test]
fn bodies_arrive_intact_both_ways_between_locked_components() {
    check_between_components(&[]);
}

#[test]
fn they_do_so_at_the_floor_as_well() {
    check_between_components(&["--max-level", "L2"]);
}

#[test]
fn many_bodies_in_flight_arrive_intact_by_slots_and_by_stream() {
    let runtime = runtime(&[]);
    let echo = runtime.deploy(ECHO);
    let mut client = application(&runtime);
    let letter = |id: u64| b'a' + u8::try_from(id % 26).unwrap();
    // Small ones among large ones of every size; a receiver may have 4 MiB waiting.
    let length = |id: u64| usize::try_from(id * 77_777).unwrap() % BODY_BYTES_MAX;

    let (mut asked, mut answers) = (0, BTreeSet::new());
    while answers.len() < 400 {
        while asked < 400 && asked - answers.len() < 4 {
            let id = asked as u64 + 1;
            let body = vec![letter(id); length(id)];
            let given = client.ask(MessageKind::Read, &echo.address, &body, WAIT);
            assert_eq!(given.unwrap(), id);
            asked += 1;
        }
        if let Incoming::Response(response) = client.recv_within(WAIT).unwrap().0 {
            let id = response.id;
            assert_eq!((response.code.0, response.body.len()), (200, length(id)));
            assert!(response.body.iter().all(|byte| *byte == letter(id)));
            assert!(answers.insert(id), "{id} was answered twice");
        }
    }

    assert!(number(&runtime, "by_slot") > 100);
}

#[test]
fn without_slots_everything_goes_by_stream() {
    let file = TempDir::new();
    std::fs::write(file.join("hyperty.toml"), "slots-max = 0\n").unwrap();
    let file = file.join("hyperty.toml").display().to_string();
    let runtime = runtime(&["--config", &file]);
    let echo = runtime.deploy(ECHO);
    let mut client = application(&runtime);

    for _ in 0..4 {
        let body = vec![b'x'; LARGE];
        let answer = client.request(MessageKind::Read, &echo.address, &body, WAIT);
        assert_eq!(answer.unwrap().body, body);
    }

    assert_eq!(number(&runtime, "by_slot"), 0);
}

/// What a hoarder has seen.
fn seen(client: &mut Client, hoarder: &Component) -> Value {
    let answer = client.request(MessageKind::Read, &hoarder.address, b"{}", WAIT);
    let body: Value = serde_json::from_slice(answer.unwrap().body).unwrap();
    body["value"].clone()
}

#[test]
fn a_receiver_that_never_gives_back_costs_its_sender_the_slots_and_nothing_else() {
    let runtime = runtime(&[]);
    let hoarder = runtime.deploy(HOARDER);
    let mut client = application(&runtime);

    for _ in 0..20 {
        let body = vec![b'x'; LARGE];
        client
            .send(MessageKind::Update, &hoarder.address, &body)
            .unwrap();
        seen(&mut client, &hoarder);
    }

    let seen = seen(&mut client, &hoarder);
    assert_eq!(
        (&seen["by_slot"], &seen["by_stream"]),
        (&json!(8), &json!(12))
    );
}

#[test]
fn a_receiver_reads_nothing_that_its_sender_says_to_others_and_changes_nothing() {
    let runtime = runtime(&[]);
    let (hoarder, echo) = (
        runtime.deploy_with(HOARDER, &json!({ "returns": true })),
        runtime.deploy(ECHO),
    );
    let mut client = application(&runtime);

    for _ in 0..6 {
        client
            .send(MessageKind::Update, &hoarder.address, &vec![b'h'; LARGE])
            .unwrap();
        let answer = client.request(MessageKind::Read, &echo.address, &vec![b'e'; LARGE], WAIT);
        assert_eq!(answer.unwrap().body, vec![b'e'; LARGE]);
        seen(&mut client, &hoarder);
    }

    let seen = seen(&mut client, &hoarder);
    assert_eq!((&seen["by_slot"], &seen["slots"]), (&json!(4), &json!(1)));
    assert_eq!(seen["letters"], json!(["h"]), "{seen}");
    let refused =
        json!({ "write": "EBADF", "cut": "EPERM", "seal": "EPERM", "open again": "EPERM" });
    assert_eq!(seen["attempts"], refused);
}

fn reload(runtime: &Runtime, rules: &str) {
    let file = runtime.catalogue().path().join("policy.d/50-forbid.cedar");
    std::fs::write(file, rules).unwrap();
    let reload = json!({ "method": "reload" });
    let answer = runtime.operator().ask_room("execute", "pep", &reload);
    assert_eq!(answer.code, 200, "{answer:?}");
}

#[test]
fn what_the_new_rules_deny_is_not_delivered_and_each_request_is_answered_once() {
    let runtime = runtime(&[]);
    let echo = runtime.deploy(ECHO);
    let mut client = application(&runtime);
    for _ in 0..4 {
        let answer = client.request(MessageKind::Read, &echo.address, &vec![b'x'; LARGE], WAIT);
        assert_eq!(answer.unwrap().code.0, 200);
    }
    assert!(number(&runtime, "by_slot") > 0);
    let ask = |client: &mut Client, count| -> Vec<u64> {
        let body = vec![b'y'; LARGE];
        let ask = |_| {
            client
                .ask(MessageKind::Read, &echo.address, &body, WAIT)
                .unwrap()
        };
        (0..count).map(ask).collect()
    };

    let before = ask(&mut client, 24);
    client.flush().unwrap();
    reload(&runtime, FORBID);
    let delivered = number(&runtime, "by_slot");
    let after = ask(&mut client, 24);

    let mut answers = BTreeMap::new();
    while answers.len() < before.len() + after.len() {
        let heard = client.recv_within(WAIT);
        let heard = heard.unwrap_or_else(|error| {
            let all = before.iter().chain(&after);
            let missing: Vec<_> = all.filter(|id| !answers.contains_key(*id)).collect();
            panic!("{error}: no answer to {missing:?} of {before:?} and {after:?}: {answers:?}")
        });
        if let Incoming::Response(response) = heard.0 {
            let (id, code) = (response.id, response.code.0);
            assert_eq!(answers.insert(id, code), None, "{id} was answered twice");
        }
    }
    assert!(before.iter().all(|id| matches!(answers[id], 200 | 403)));
    assert!(after.iter().all(|id| answers[id] == 403), "{answers:?}");
    // Answers to what was permitted before may still go by slots, requests do not.
    assert!(number(&runtime, "by_slot") - delivered <= before.len() as u64);
    eventually("the slots are gone", || number(&runtime, "slots") == 0);
}

#[test]
fn a_slot_that_was_taken_back_cannot_be_written_any_more() {
    let runtime = runtime(&[]);
    let echo = runtime.deploy(ECHO);
    runtime.watch();
    // The receiver must be ready for slots: it has seen a large body.
    let answer = runtime
        .operator()
        .ask("read", &echo.address, &json!("x".repeat(LARGE)));
    assert_eq!(answer.code, 200);
    let scribbler = runtime.deploy_with(SCRIBBLER, &json!({ "peer": echo.address }));
    eventually("it was lent a slot", || {
        runtime.log_says(&scribbler, "lent, wrote done")
    });

    reload(&runtime, FORBID);

    eventually("it has tried to write it once more", || {
        runtime.log_says(&scribbler, "revoked, wrote EPERM")
    });
}

#[test]
fn who_writes_beyond_a_slot_harms_itself_alone() {
    let runtime = runtime(&[]);
    let echo = runtime.deploy(ECHO);
    let answer = runtime
        .operator()
        .ask("read", &echo.address, &json!("x".repeat(LARGE)));
    assert_eq!(answer.code, 200);

    let configuration = json!({ "peer": echo.address, "outside": true });
    let scribbler = runtime.deploy_with(SCRIBBLER, &configuration);

    eventually("it has ended", || {
        let reason = runtime.component(&scribbler.address).reason;
        reason.contains("SIGXFSZ") || reason.contains("25")
    });
    let answer = runtime
        .operator()
        .ask("read", &echo.address, &json!({ "n": 1 }));
    assert_eq!(answer.code, 200);
}

#[test]
fn slots_end_with_either_of_their_ends() {
    let runtime = runtime(&[]);
    let echo = runtime.deploy(ECHO);
    let mut client = application(&runtime);
    let warm = |client: &mut Client| {
        for _ in 0..4 {
            let body = vec![b'x'; LARGE];
            let answer = client.request(MessageKind::Read, &echo.address, &body, WAIT);
            assert!(matches!(answer.unwrap().code.0, 200 | 503));
        }
    };
    warm(&mut client);
    assert!(number(&runtime, "slots") >= 2);

    runtime.process_of(&echo).kill();
    eventually("the slots are gone", || number(&runtime, "slots") == 0);
    eventually("it runs again, and large bodies arrive", || {
        runtime
            .operator()
            .ask("read", &echo.address, &json!({}))
            .code
            == 200
    });
    warm(&mut client);
    assert!(number(&runtime, "slots") >= 2);
    drop(client);

    eventually("the slots are gone again", || {
        number(&runtime, "slots") == 0
    });
}
