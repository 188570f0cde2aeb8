//! What the lock costs: a start at each level, and a system call behind the filter.

use serde_json::json;

use crate::Scale;
use crate::numbers::{median, microseconds, number, percentile};
use crate::ours::{GAUGE, NO_SPARES, Pair, catalogue, let_files_settle, start};
use crate::quiet::Place;
use crate::starting::deploy_named;
use crate::table::{Table, Target};
use crate::turns::take_turns;

/// Unlocked, and each level of the lock.
const LEVELS: [(&str, &[&str]); 4] = [
    ("L0", &["--unsafe", "--max-level", "L0"]),
    ("L1", &["--min-level", "L1", "--max-level", "L1"]),
    ("L2", &["--max-level", "L2"]),
    ("L3", &[]),
];

/// System calls of one turn.
const CALLS: u64 = 200_000;

/// Starts, then calls.
pub(crate) fn measure(table: &mut Table, scale: Scale) {
    Place::Free.enter();
    starting(table, scale);
    Place::Pinned.enter();
    calling(table, scale);
}

fn starting(table: &mut Table, scale: Scale) {
    let runtimes = LEVELS.map(|(_, arguments)| start(catalogue(), arguments, NO_SPARES));
    let_files_settle();
    let mut times: [Vec<u64>; 4] = Default::default();
    for _ in 0..scale.starts {
        for (runtime, times) in runtimes.iter().zip(&mut times) {
            times.push(deploy_named(runtime, GAUGE));
        }
    }
    let [unlocked, ..] = times.each_ref().map(|times| percentile(times, 50));
    for ((level, _), times) in LEVELS.iter().zip(&times).skip(1) {
        let locked = percentile(times, 50);
        let added = microseconds(locked) - microseconds(unlocked);
        let detail = format!(
            "{:.0} µs, {:.0} µs",
            microseconds(locked),
            microseconds(unlocked)
        );
        let what = format!("native start, cold: {level} − L0");
        table.add(
            &what,
            Place::Free.name(),
            (added, " µs"),
            Target::None,
            detail,
        );
    }
}

// `getppid` does nothing in the kernel, so that what is left is the way there.
fn calling(table: &mut Table, scale: Scale) {
    let pairs = LEVELS.map(|(_, arguments)| Pair::of(start(catalogue(), arguments, ""), GAUGE));
    let turns = take_turns(table, Place::Pinned, scale.rounds, LEVELS.len(), |side| {
        let taken = pairs[side].order(&json!({ "calls": CALLS }));
        number(taken.first().copied().unwrap_or_default()) / number(CALLS)
    });
    let unlocked = median(&turns[0]);
    for ((level, _), samples) in LEVELS.iter().zip(&turns).skip(1) {
        let locked = median(samples);
        let detail = format!("{locked:.0} ns, {unlocked:.0} ns");
        let what = format!("a system call: {level} − L0");
        let place = Place::Pinned.name();
        table.add(
            &what,
            place,
            (locked - unlocked, " ns"),
            Target::None,
            detail,
        );
    }
}
