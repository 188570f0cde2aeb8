//! A sandbox that floods: what the others and the operator feel of it.

use std::thread;
use std::time::{Duration, Instant};

use hyperty_tests::harness::Operator;
use protocol::api::user_agent::Component;
use serde_json::json;

use crate::Scale;
use crate::numbers::{BODY_BYTES, median, microseconds, nanoseconds_since, percentile};
use crate::ours::{GAUGE, Pair};
use crate::peers::Peer;
use crate::quiet::Place;
use crate::table::{Table, Target};

/// Requests of one flood, and how many of them are under way at once.
///
/// As many as the core takes: a sandbox that is refused 5 000 messages within a
/// second is cut off, and would not flood any more.
const FLOOD: usize = 1_000_000;
const IN_FLIGHT: usize = 2048;
const WITHIN: Duration = Duration::from_secs(25);

/// The others' p99 beside the flood ÷ without it, and the operator's commands.
pub(crate) fn measure(table: &mut Table, scale: Scale) {
    Place::Free.enter();
    let pair = Pair::native(&[]);
    let flooder = pair.runtime.deploy(GAUGE);
    let sink = pair.runtime.deploy(GAUGE);
    let mut raw = Peer::raw(BODY_BYTES);
    let (mut calm, mut flooded, mut commands) = (Vec::new(), Vec::new(), Vec::new());
    let (mut raw_calm, mut raw_flooded) = (Vec::new(), Vec::new());
    let mut sent = 0;
    for _ in 0..scale.rounds {
        calm.push(p99(&pair.round_trips(scale.samples)));
        raw_calm.push(p99(&raw.caller.round_trips(scale.samples)));
        let flood = start_flood(&pair, &flooder, &sink);
        flooded.push(p99(&pair.round_trips(scale.samples)));
        raw_flooded.push(p99(&raw.caller.round_trips(scale.samples)));
        commands.extend((0..20).map(|_| command(&pair)));
        if flood.is_finished() {
            eprintln!("  the flood was over before all was measured beside it");
        }
        sent += flood.join().expect("the flood ends");
    }
    let (ours, theirs) = (median(&flooded), median(&calm));
    let detail = format!("{ours:.0} µs, {theirs:.0} µs; {sent} requests of the flood");
    let place = Place::Free.name();
    let ratio = (ours / theirs, "x");
    table.add(
        "others' p99 beside a flood ÷ without",
        place,
        ratio,
        Target::AtMost(2.0),
        detail,
    );
    // What the flood costs those who have nothing to do with the runtime: the
    // processors that it takes.
    let (ours, theirs) = (median(&raw_flooded), median(&raw_calm));
    table.add(
        "RAW's p99 beside the same flood ÷ without",
        place,
        (ours / theirs, "x"),
        Target::None,
        format!("{ours:.0} µs, {theirs:.0} µs"),
    );
    let [p50, worst] = [50, 100].map(|percent| microseconds(percentile(&commands, percent)) / 1e3);
    let detail = format!("the slowest of {}; p50 {p50:.2} ms", commands.len());
    let target = Target::AtMost(50.0);
    table.add(
        "operator's commands beside a flood",
        place,
        (worst, " ms"),
        target,
        detail,
    );
}

fn p99(trips: &[u64]) -> f64 {
    microseconds(percentile(trips, 99))
}

fn command(pair: &Pair) -> u64 {
    let start = Instant::now();
    pair.runtime.operator().read_room("ua");
    nanoseconds_since(start)
}

// On a link of its own, since the order is answered when the flood is over.
fn start_flood(pair: &Pair, flooder: &Component, sink: &Component) -> thread::JoinHandle<usize> {
    let operator = Operator::connect(pair.runtime.endpoint());
    let (to, peer) = (flooder.address.clone(), sink.address.clone());
    thread::spawn(move || {
        let order = json!({ "peer": peer, "samples": FLOOD, "depth": IN_FLIGHT }).to_string();
        let answer = operator.ask_bytes("execute", &to, order.as_bytes(), WITHIN);
        let answer = answer.expect("the flood ends");
        assert_eq!(answer.code, 200, "{answer:?}");
        FLOOD
    })
}
