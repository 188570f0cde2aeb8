//! What the runtime has said that it keeps is there after `kill -9`, and a disk that
//! fails costs an answer, not the runtime.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use hyperty_tests::harness::{Answer, Catalogue, Operator, Runtime, TempDir, eventually, is_root};
use serde_json::{Value, json};

const ROOM: &str = "address-allocation";

fn start(home: TempDir) -> Runtime {
    Runtime::with(Catalogue::new()).home(home).start()
}

fn block(key: &str) -> Value {
    json!({"scheme": "comm", "value": {"number": 1, "allocationKey": key}})
}

fn given(answer: &Answer) -> String {
    assert_eq!(answer.code, 200, "{answer:?}");
    answer.value()["allocated"][0].as_str().unwrap().to_owned()
}

/// Asks for one block after the other until the link breaks; what was acknowledged.
fn ask_until_the_end(
    operator: &Operator,
    round: usize,
    answered: &AtomicUsize,
) -> BTreeMap<String, String> {
    let room = format!("{}/{ROOM}", operator.runtime());
    let mut acknowledged = BTreeMap::new();
    while let key = format!("{round}/{}", acknowledged.len())
        && let Ok(answer) = operator.try_ask("create", &room, &block(&key))
    {
        acknowledged.insert(key, given(&answer));
        answered.fetch_add(1, Ordering::Relaxed);
    }
    acknowledged
}

/// Kills the supervisor amid a stream of requests, once so many were answered.
fn kill_amid_requests(
    home: TempDir,
    round: usize,
    after: usize,
) -> (TempDir, BTreeMap<String, String>) {
    let runtime = start(home);
    let operator = Operator::connect(runtime.endpoint());
    let answered = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&answered);
    let asking = thread::spawn(move || ask_until_the_end(&operator, round, &counter));
    eventually("enough requests were answered", || {
        answered.load(Ordering::Relaxed) >= after
    });
    let home = runtime.killed();
    (home, asking.join().unwrap())
}

#[test]
fn everything_acknowledged_survives_a_kill_at_any_moment() {
    let mut home = TempDir::new();
    let mut acknowledged = BTreeMap::new();
    // Odd and far apart, so that the kill falls now before, now amid, now behind a commit.
    for (round, after) in [0, 1, 7, 23, 38].into_iter().enumerate() {
        let (next, said) = kill_amid_requests(home, round, after);
        acknowledged.extend(said);
        home = next;
    }

    let runtime = start(home);

    let found: BTreeMap<String, String> = acknowledged
        .keys()
        .map(|key| {
            (
                key.clone(),
                given(&runtime.operator().ask_room("create", ROOM, &block(key))),
            )
        })
        .collect();
    assert!(found.len() > 20, "only {} were acknowledged", found.len());
    assert_eq!(found, acknowledged);
}

#[test]
fn a_component_has_its_address_after_a_kill() {
    let catalogue = || Catalogue::new().with_witness();
    let runtime = Runtime::with(catalogue()).start();
    let before = runtime.deploy("good.example/hyperty/Witness").address;
    // What is acknowledged later is written later.
    given(&runtime.operator().ask_room("create", ROOM, &block("later")));
    let home = runtime.killed();

    let runtime = Runtime::with(catalogue()).home(home).start();

    let after = runtime.deploy("good.example/hyperty/Witness").address;
    assert_eq!(before, after, "{}", runtime.log());
}

#[test]
fn a_damaged_store_is_moved_aside_and_the_runtime_begins_anew() {
    let runtime = start(TempDir::new());
    let before = given(&runtime.operator().ask_room("create", ROOM, &block("k")));
    let home = runtime.killed();
    fs::write(home.join("data/state.redb"), "no database ".repeat(1000)).unwrap();

    let runtime = start(home);

    let after = given(&runtime.operator().ask_room("create", ROOM, &block("k")));
    assert_ne!(before, after);
    let log = runtime.log();
    assert!(
        log.contains("state.redb.damaged-") && log.contains("moved aside"),
        "{log}"
    );
}

#[test]
fn a_disk_that_fills_up_costs_answers_and_nothing_else() {
    let home = TempDir::new();
    let data = home.join("data");
    fs::create_dir(&data).unwrap();
    let size = Some("size=4m,mode=700");
    let mounted = nix::mount::mount(
        Some("small"),
        &data,
        Some("tmpfs"),
        nix::mount::MsFlags::empty(),
        size,
    );
    if mounted.is_err() {
        assert!(
            !is_root() || mounted == Err(nix::errno::Errno::EPERM),
            "{mounted:?}"
        );
        eprintln!("skipped: a small disk cannot be made here: {mounted:?}");
        return;
    }

    let outcome = thread::spawn(|| fill_up(home)).join();
    nix::mount::umount(&data).unwrap();

    drop(outcome.expect("the runtime lives on"));
}

// Its directories come back: they can be removed only once nothing is mounted there.
fn fill_up(home: TempDir) -> TempDir {
    let filler = home.join("data/filler");
    let runtime = start(home);
    let ask = |key: &str| runtime.operator().ask_room("create", ROOM, &block(key));
    let first = given(&ask("first"));
    // As much as fits: the write fails when the disk is full.
    let _ = fs::write(&filler, vec![0; 8 * 1024 * 1024]);

    let refused = (0..200)
        .map(|number| ask(&format!("{number}/{}", "k".repeat(400))))
        .find(|answer| answer.code != 200)
        .expect("the disk is full");

    assert_eq!(refused.code, 500, "{refused:?}");
    assert!(refused.reason().contains("state.redb"), "{refused:?}");
    assert_eq!(
        runtime.operator().ask_room("read", "bus", &json!({})).code,
        200
    );

    fs::remove_file(&filler).unwrap();
    let second = given(&ask("second"));
    let runtime = start(runtime.killed());
    let ask = |key: &str| runtime.operator().ask_room("create", ROOM, &block(key));
    assert_eq!(
        (given(&ask("first")), given(&ask("second"))),
        (first, second)
    );
    runtime.killed()
}
