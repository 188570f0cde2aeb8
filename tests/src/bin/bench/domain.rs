//! A domain over NATS: two runtimes beside two bare clients, and what more
//! runtimes on one server cost.

use std::time::{Duration, Instant};

use hyperty_tests::harness::NatsServer;
use hyperty_tests::harness::nats::{DOMAIN, Place as Member, reachable};
use hyperty_tests::harness::{Process, eventually};
use protocol::api::user_agent::Component;
use serde_json::{Value, json};

use crate::Scale;
use crate::bare::Bare;
use crate::numbers::{DEPTH, median, microseconds, nanoseconds_since, number, percentile};
use crate::ours::{private_kib, rollup_kib};
use crate::quiet::Place;
use crate::table::{Table, Target};
use crate::turns::take_turns;

const GAUGE: &str = "example.org/hyperty/Gauge";

/// Everything over NATS.
pub(crate) fn measure(table: &mut Table, scale: Scale) {
    let Some(program) = reachable() else {
        let why = "nats-server is not installed, or this runtime cannot dial";
        return table.absent("runtime → NATS → runtime", "", Target::None, why);
    };
    Place::Free.enter();
    beside_bare_clients(table, scale, &program);
    let crowds: &[usize] = if scale.swarm < 1000 {
        &[10, 50]
    } else {
        &[10, 50, 100]
    };
    for runtimes in crowds {
        crowd(table, scale, &program, *runtimes);
    }
}

/// Two runtimes, with a component each that the other one knows.
struct Two {
    a: Member,
    gauge: Component,
    b: Member,
    peer: Component,
}

impl Two {
    fn start(servers: &[NatsServer]) -> Self {
        let (a, b) = (member(servers), member(servers));
        let (gauge, peer) = (a.runtime.deploy(GAUGE), b.runtime.deploy(GAUGE));
        let two = Self { a, gauge, b, peer };
        let reaches = |from: &Member, to: &Component| {
            let answer = from.runtime.operator().ask("read", &to.address, &json!({}));
            answer.code == 200
        };
        eventually("one is known", || reaches(&two.a, &two.peer));
        eventually("the other one is known", || reaches(&two.b, &two.gauge));
        two
    }

    fn order(&self, order: &Value) -> Vec<u64> {
        self.a.order(&self.gauge, &self.peer, order)
    }

    fn round_trip(&self, samples: usize) -> f64 {
        microseconds(percentile(&self.order(&json!({ "samples": samples })), 50))
    }

    // Of one message with many in flight.
    fn pipelined(&self, samples: usize) -> f64 {
        let taken = self.order(&json!({ "samples": samples, "depth": DEPTH }));
        microseconds(taken.first().copied().unwrap_or_default()) / number(samples as u64)
    }
}

trait Orders {
    fn order(&self, from: &Component, to: &Component, order: &Value) -> Vec<u64>;
}

impl Orders for Member {
    fn order(&self, from: &Component, to: &Component, order: &Value) -> Vec<u64> {
        let mut order = order.clone();
        order["peer"] = json!(to.address);
        let answer = self
            .runtime
            .operator()
            .ask("execute", &from.address, &order);
        assert_eq!(answer.code, 200, "{answer:?}\n{}", self.runtime.log());
        let numbers = answer.value()["nanoseconds"].as_array();
        let numbers = numbers.into_iter().flatten();
        numbers.filter_map(Value::as_u64).collect()
    }
}

fn member(servers: &[NatsServer]) -> Member {
    let catalogue = hyperty_tests::harness::Catalogue::new();
    Member::start(
        catalogue.program(DOMAIN, "Gauge", "gauge", &json!({})),
        servers,
    )
}

fn beside_bare_clients(table: &mut Table, scale: Scale, program: &std::path::Path) {
    let servers = [NatsServer::start(program, "")];
    let two = Two::start(&servers);
    let bare = Bare::start(&servers[0].url());
    let samples = scale.samples;
    let turns = take_turns(table, Place::Free, scale.rounds, 2, |side| {
        if side == 0 {
            (two.round_trip(samples), two.pipelined(samples))
        } else {
            (bare.round_trip(samples), bare.pipelined(samples))
        }
    });
    let of = |side: usize, what: fn(&(f64, f64)) -> f64| {
        median(&turns[side].iter().map(what).collect::<Vec<_>>())
    };
    let (ours, theirs) = (of(0, |turn| turn.0), of(1, |turn| turn.0));
    let detail = format!("{ours:.1} µs, {theirs:.1} µs");
    let what = "round trip p50 over NATS ÷ two bare clients";
    let place = Place::Free.name();
    table.add(
        what,
        place,
        (ours / theirs, "x"),
        Target::AtMost(1.5),
        detail,
    );
    let (ours, theirs) = (1e6 / of(0, |turn| turn.1), 1e6 / of(1, |turn| turn.1));
    let detail = format!("{ours:.0}/s, {theirs:.0}/s with {DEPTH} in flight");
    let what = "messages/s over NATS ÷ two bare clients";
    table.add(
        what,
        place,
        (ours / theirs, "x"),
        Target::AtLeast(0.6),
        detail,
    );
}

// So many runtimes without components, and two that talk, on one server.
fn crowd(table: &mut Table, scale: Scale, program: &std::path::Path, runtimes: usize) {
    let mut servers = [NatsServer::start(program, "")];
    let (mut members, mut starts) = (Vec::new(), Vec::new());
    for _ in 0..runtimes {
        let begin = Instant::now();
        members.push(Member::start(
            hyperty_tests::harness::Catalogue::new(),
            &servers,
        ));
        starts.push(microseconds(nanoseconds_since(begin)) / 1e3);
    }
    let what = format!("up to live, beside {runtimes} runtimes");
    let last = starts.last().copied().unwrap_or_default();
    let detail = format!("median; the last one {last:.0} ms");
    table.add(&what, "", (median(&starts), " ms"), Target::None, detail);

    let stub = |member: &Member| number(private_kib(member.runtime.process_of(&member.stub)));
    let sizes: Vec<f64> = members.iter().map(stub).collect();
    let server = rollup_kib(Process::of(servers[0].pid()), "Pss:");
    let detail = format!("the server has {server} KiB for {runtimes}");
    let what = format!("a stub's own memory, {runtimes} runtimes");
    table.add(&what, "", (median(&sizes), " KiB"), Target::None, detail);

    let two = Two::start(&servers);
    let (trip, rate) = (two.round_trip(scale.samples), two.pipelined(scale.samples));
    let detail = format!("{:.0}/s with {DEPTH} in flight", 1e6 / rate);
    let what = format!("round trip p50 beside {runtimes} runtimes");
    table.add(
        &what,
        Place::Free.name(),
        (trip, " µs"),
        Target::None,
        detail,
    );

    servers[0].kill();
    std::thread::park_timeout(Duration::from_secs(1));
    let begin = Instant::now();
    servers[0].start_again();
    for member in &members {
        eventually("everybody is back", || lives(member) >= 2);
    }
    let seconds = microseconds(nanoseconds_since(begin)) / 1e6;
    let what = format!("a storm: {runtimes} runtimes live again");
    let detail = "after their only server came back".to_owned();
    table.add(&what, "", (seconds, " s"), Target::None, detail);
}

// How often the domain was reached.
fn lives(member: &Member) -> usize {
    let lines = member.runtime.log_lines();
    let is_live = |text: &str| text.contains("live: the domain");
    lines.iter().filter(|line| is_live(&line.text)).count()
}
