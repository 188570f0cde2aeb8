//! Many components: deploying them, what each costs, and who suffers.

use std::time::Instant;

use hyperty_tests::harness::{Process, Runtime};
use serde_json::Value;

use crate::Scale;
use crate::numbers::{median, microseconds, nanoseconds_since, number, percentile};
use crate::ours::{GAUGE, Pair, catalogue, let_files_settle, rollup_kib, start};
use crate::quiet::Place;
use crate::table::{Table, Target};
use crate::turns::take_turns;

/// All of them.
pub(crate) fn measure(table: &mut Table, scale: Scale) {
    Place::Free.enter();
    deploying(table, scale);
    Place::Pinned.enter();
    idle_ones(table, scale);
}

fn deploying(table: &mut Table, scale: Scale) {
    let runtime = start(catalogue(), &[], "");
    let_files_settle();
    let begin = Instant::now();
    deploy_many(&runtime, scale.swarm);
    let seconds = microseconds(nanoseconds_since(begin)) / 1e6;
    let what = format!("{} native components deployed", scale.swarm);
    let each = format!("{:.2} ms each", seconds * 1e3 / number(scale.swarm as u64));
    let target = Target::AtMost(0.5 * number(scale.swarm as u64) / 1000.0);
    table.add(&what, Place::Free.name(), (seconds, " s"), target, each);

    let pids = runtime.sandboxes().into_iter().filter_map(|one| one.pid);
    let sizes: Vec<_> = pids
        .map(|pid| number(rollup_kib(Process::of(pid), "Pss:")))
        .collect();
    let detail = format!("median of {}", sizes.len());
    let size = (median(&sizes), " KiB");
    table.add("each of them, Pss", "", size, Target::AtMost(100.0), detail);
}

fn idle_ones(table: &mut Table, scale: Scale) {
    let crowded = Pair::native(&[]);
    deploy_many(&crowded.runtime, scale.swarm / 2);
    let pairs = [crowded, Pair::native(&[])];
    let turns = take_turns(table, Place::Pinned, scale.rounds, 2, |side| {
        microseconds(percentile(&pairs[side].round_trips(scale.samples), 50))
    });
    let (ours, theirs) = (median(&turns[0]), median(&turns[1]));
    let what = format!("round trip p50 beside {} idle ÷ alone", scale.swarm / 2);
    let detail = format!("{ours:.1} µs, {theirs:.1} µs");
    let target = Target::AtMost(1.05);
    table.add(
        &what,
        Place::Pinned.name(),
        (ours / theirs, "x"),
        target,
        detail,
    );
}

fn deploy_many(runtime: &Runtime, count: usize) {
    let wish = runtime.wish(GAUGE, &Value::Null);
    let answers = runtime
        .operator()
        .ask_room_many("create", "ua", &wish, count);
    assert_eq!(
        answers.get(&200),
        Some(&count),
        "{answers:?}\n{}",
        runtime.log()
    );
}
