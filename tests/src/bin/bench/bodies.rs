//! Large bodies: by slots, past the core, and by the stream.

use protocol::limits::BODY_BYTES_MAX;

use crate::Scale;
use crate::numbers::{median, microseconds, number, percentile};
use crate::ours::{GAUGE, Pair, catalogue, start};
use crate::peers::Peer;
use crate::quiet::{Place, cpu_ns};
use crate::table::{Table, Target};
use crate::turns::take_turns;

// Round trips that are not measured.
const WARM_UP: usize = 8;

// What one turn showed.
struct Turn {
    p50: u64,
    // The relaying process's, of one round trip.
    cpu: u64,
}

/// Three ways of the same bytes: by slots, by the stream, and by the bare relay.
pub(crate) fn measure(table: &mut Table, scale: Scale) {
    Place::Pinned.enter();
    let by_slot = Pair::native(&[]);
    let by_stream = Pair::of(start(catalogue(), &[], "slots-max = 0\n"), GAUGE);
    let mut raw = Peer::raw(BODY_BYTES_MAX);
    let samples = scale.samples / 10;
    let order = |samples| serde_json::json!({ "samples": samples, "bytes": BODY_BYTES_MAX });
    let turns = take_turns(table, Place::Pinned, scale.rounds, 3, |side| {
        let pair = [&by_slot, &by_stream].get(side).copied();
        let server = pair.map_or(raw.server(), |pair| pair.runtime.supervisor().pid);
        // Slots are lent after the first bodies, and taken back when they rest.
        pair.inspect(|pair| drop(pair.order(&order(WARM_UP))));
        let before = cpu_ns(server);
        let trips = pair.map_or_else(
            || raw.caller.round_trips(samples),
            |pair| pair.order(&order(samples)),
        );
        Turn {
            p50: percentile(&trips, 50),
            cpu: (cpu_ns(server) - before) / samples as u64,
        }
    });
    let of = |side: usize, what: fn(&Turn) -> u64| {
        let turns = turns[side].iter().map(what).map(microseconds);
        median(&turns.collect::<Vec<_>>())
    };
    // There and back; bytes per microsecond are megabytes per second.
    let rate = |side| 2.0 * number(BODY_BYTES_MAX as u64) / of(side, |turn| turn.p50);
    let cpu = |side| of(side, |turn| turn.cpu);
    let place = Place::Pinned.name();
    let detail = format!("{:.0} MB/s, {:.0} MB/s", rate(0), rate(1));
    table.add(
        "bodies of 1 MiB by memfd, bytes/s ÷ stream",
        place,
        (rate(0) / rate(1), "x"),
        Target::AtLeast(3.0),
        detail,
    );
    let detail = format!("{:.1} µs, {:.0} µs", cpu(0), cpu(1));
    table.add(
        "supervisor's cpu of them ÷ stream's",
        place,
        (cpu(0) / cpu(1), "x"),
        Target::AtMost(0.05),
        detail,
    );
    let detail = format!(
        "{:.0} MB/s, {:.0} MB/s; cpu {:.0} µs, {:.0} µs",
        rate(1),
        rate(2),
        cpu(1),
        cpu(2)
    );
    table.add(
        "bodies of 1 MiB as stream, bytes/s ÷ RAW",
        place,
        (rate(1) / rate(2), "x"),
        Target::None,
        detail,
    );
}
