//! Whether many rules make a message slower.

use std::fmt::Write;

use crate::Scale;
use crate::numbers::{median, microseconds, percentile};
use crate::ours::{GAUGE, Pair, catalogue, start};
use crate::quiet::Place;
use crate::table::{Table, Target};
use crate::turns::take_turns;

/// Ten rules beside ten thousand.
pub(crate) fn measure(table: &mut Table, scale: Scale) {
    Place::Pinned.enter();
    let many = if scale.swarm < 1000 { 1000 } else { 10_000 };
    let pairs = [with_rules(many), with_rules(10)];
    let turns = take_turns(table, Place::Pinned, scale.rounds, 2, |side| {
        microseconds(percentile(&pairs[side].round_trips(scale.samples), 50))
    });
    let (ours, theirs) = (median(&turns[0]), median(&turns[1]));
    let what = format!("round trip p50, {many} rules ÷ 10");
    let detail = format!("{ours:.2} µs, {theirs:.2} µs");
    let place = Place::Pinned.name();
    table.add(
        &what,
        place,
        (ours / theirs, "x"),
        Target::AtMost(1.02),
        detail,
    );
}

fn with_rules(count: usize) -> Pair {
    let mut text = String::new();
    for rule in 0..count {
        let _ = writeln!(
            text,
            "@id(\"bench-{rule}\")\n@why(\"one of many\")\npermit (principal is Hyperty in \
             Provider::\"p{rule}.example\", action in Action::\"message\", resource is Hyperty in \
             Provider::\"q{rule}.example\");"
        );
    }
    let catalogue = catalogue().rules("50-bench.cedar", &text);
    Pair::of(start(catalogue, &[], ""), GAUGE)
}
