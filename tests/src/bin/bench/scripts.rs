//! Components in JavaScript: starting, talking, idling.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::Scale;
use crate::numbers::{DEPTH, median, microseconds, nanoseconds_since, number, percentile};
use crate::ours::{NO_SPARES, Pair, SCRIPT, catalogue, private_kib, rollup_kib, start};
use crate::peers::Peer;
use crate::quiet::Place;
use crate::starting::{deploy_named, wait_for_spare};
use crate::table::{Table, Target};
use crate::turns::take_turns;

const IDLE: &str = "bench.example/hyperty/Idle";
const OTHER_IDLE: &str = "other.example/hyperty/OtherIdle";

/// All of them.
pub(crate) fn measure(table: &mut Table, scale: Scale) {
    Place::Free.enter();
    starting(table, scale);
    memory(table);
    Place::Pinned.enter();
    talking(table, scale);
}

fn starting(table: &mut Table, scale: Scale) {
    let cold = start(catalogue(), &[], NO_SPARES);
    let warm = start(catalogue(), &[], "spare-natives = 0\nspare-scripts = 1\n");
    let mut times: [Vec<u64>; 2] = Default::default();
    for _ in 0..scale.starts {
        times[0].push(deploy_named(&cold, IDLE));
        wait_for_spare(&warm);
        times[1].push(deploy_named(&warm, IDLE));
    }
    for (what, times, limit) in [("cold", &times[0], 2.5), ("warm", &times[1], 0.5)] {
        let [p50, p99] = [50, 99].map(|percent| microseconds(percentile(times, percent)) / 1e3);
        let what = format!("script component ready, {what}");
        let detail = format!("p50; p99 {p99:.2} ms");
        table.add(
            &what,
            Place::Free.name(),
            (p50, " ms"),
            Target::AtMost(limit),
            detail,
        );
    }
}

fn memory(table: &mut Table) {
    let runtime = start(catalogue(), &[], NO_SPARES);
    let supervisor = runtime.supervisor();
    // A while, so that what only the start needed is given back.
    std::thread::park_timeout(Duration::from_millis(500));
    let idle = || mebibytes(rollup_kib(supervisor, "Pss:"));
    let detail = format!("Pss; {:.1} MiB private", mebibytes(private_kib(supervisor)));
    table.add(
        "idle core",
        "",
        (idle(), " MiB"),
        Target::AtMost(12.0),
        detail,
    );
    let process = runtime.process_of(&runtime.deploy(IDLE));
    // While it is the only one, the pages of the program are counted as its own.
    let alone = mebibytes(private_kib(process));
    runtime.deploy(OTHER_IDLE);
    let detail = format!(
        "private, beside another; {:.2} MiB Pss; alone {alone:.2} MiB, {:.2} MiB of it dirty",
        mebibytes(rollup_kib(process, "Pss:")),
        mebibytes(rollup_kib(process, "Private_Dirty:")),
    );
    let private = mebibytes(private_kib(process));
    table.add(
        "idle script sandbox",
        "",
        (private, " MiB"),
        Target::AtMost(1.5),
        detail,
    );
}

fn talking(table: &mut Table, scale: Scale) {
    let pair = two_providers();
    let mut raw = Peer::raw(1024);
    let ours = |depth: usize| {
        let start = Instant::now();
        pair.order(&json!({ "samples": scale.samples, "depth": depth }));
        microseconds(nanoseconds_since(start)) / number(scale.samples as u64)
    };
    let turns = take_turns(table, Place::Pinned, scale.rounds, 3, |side| match side {
        0 => ours(1),
        1 => microseconds(percentile(&raw.caller.round_trips(scale.samples), 50)),
        _ => ours(DEPTH),
    });
    let [serial, bare, pipelined] = [0, 1, 2].map(|side| median(&turns[side]));
    let place = Place::Pinned.name();
    let detail = format!("mean {serial:.1} µs, {bare:.1} µs");
    let what = "script ↔ script, 1 KB JSON, round trip ÷ RAW";
    table.add(
        what,
        place,
        (serial / bare, "x"),
        Target::AtMost(2.5),
        detail,
    );
    let what = "script ↔ script, 1 KB JSON, 64 in flight";
    let detail = format!("{pipelined:.1} µs each");
    table.add(
        what,
        place,
        (1e6 / pipelined, "/s"),
        Target::AtLeast(40_000.0),
        detail,
    );
}

// Components of one provider share a sandbox, so these are of two.
fn two_providers() -> Pair {
    let rule = "@id(\"bench\")\n@why(\"the bench talks across providers\")\n\
                permit (principal is Hyperty, action in Action::\"message\", resource is Hyperty);\n";
    let catalogue = catalogue().rules("50-bench.cedar", rule).script(
        "other.example",
        "Script",
        &crate::ours::script_source(),
    );
    let runtime = start(catalogue, &[], "");
    let asker = runtime.deploy(SCRIPT);
    let peer = runtime.deploy("other.example/hyperty/Script");
    Pair {
        runtime,
        asker,
        peer,
    }
}

fn mebibytes(kib: u64) -> f64 {
    number(kib) / 1024.0
}
