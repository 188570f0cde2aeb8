//! Messages: round trips, many in flight, processor time, the price of the lock.

use crate::Scale;
use crate::caller::Writes;
use crate::numbers::{DEPTH, median, microseconds, number, percentile};
use crate::ours::Pair;
use crate::peers::Peer;
use crate::quiet::{Place, cpu_ns};
use crate::table::{Table, Target};
use crate::turns::take_turns;

/// Both places.
pub(crate) fn measure(table: &mut Table, scale: Scale) {
    for place in [Place::Pinned, Place::Free] {
        place.enter();
        let bench = Bench::start();
        if place == Place::Pinned {
            for why in &bench.absent {
                table.absent("(a peer)", "", Target::None, why);
            }
        }
        bench.measure(table, scale, place);
    }
}

struct Bench {
    locked: Pair,
    landlocked: Pair,
    unlocked: Pair,
    // The bare relay is the first.
    peers: Vec<Peer>,
    absent: Vec<String>,
}

// What one turn showed.
struct Turn {
    p50: f64,
    p99: f64,
    // Of one message with many in flight.
    pipelined: f64,
    // The same, each written by a call of its own.
    single: f64,
    // The relaying process's, of one round trip.
    cpu: f64,
}

const OURS: usize = 3;

impl Bench {
    fn start() -> Self {
        let (brokers, absent) = Peer::brokers();
        let mut peers = vec![Peer::raw(crate::numbers::BODY_BYTES)];
        peers.extend(brokers);
        Self {
            locked: Pair::native(&[]),
            landlocked: Pair::native(&["--max-level", "L2"]),
            unlocked: Pair::native(&["--unsafe", "--max-level", "L0"]),
            peers,
            absent,
        }
    }

    fn measure(mut self, table: &mut Table, scale: Scale, place: Place) {
        let sides = OURS + self.peers.len();
        let turns = take_turns(table, place, scale.rounds, sides, |side| {
            self.turn(side, scale)
        });
        let names: Vec<_> = self.peers.iter().map(|peer| peer.name).collect();
        let of = |side: usize, what: fn(&Turn) -> f64| {
            median(&turns[side].iter().map(what).collect::<Vec<_>>())
        };
        let told = Told {
            table,
            place,
            names,
            of: &of,
        };
        told.all(&self);
    }

    fn turn(&mut self, side: usize, scale: Scale) -> Turn {
        let ours = [&self.locked, &self.landlocked, &self.unlocked];
        if let Some(pair) = ours.get(side) {
            let server = pair.runtime.supervisor().pid;
            let before = cpu_ns(server);
            let trips = pair.round_trips(scale.samples);
            let cpu = cpu_ns(server) - before;
            return Turn::of(&trips, cpu, pair.pipelined(scale.samples));
        }
        let peer = &mut self.peers[side - OURS];
        let before = cpu_ns(peer.server());
        let trips = peer.caller.round_trips(scale.samples);
        let cpu = cpu_ns(peer.server()) - before;
        let gathered = peer
            .caller
            .pipelined(DEPTH, scale.samples, Writes::Gathered);
        let mut turn = Turn::of(&trips, cpu, gathered);
        let single = peer.caller.pipelined(DEPTH, scale.samples, Writes::Single);
        turn.single = microseconds(single) / number(trips.len() as u64);
        turn
    }
}

impl Turn {
    fn of(trips: &[u64], cpu: u64, pipelined: u64) -> Self {
        let count = number(trips.len() as u64);
        Self {
            p50: microseconds(percentile(trips, 50)),
            p99: microseconds(percentile(trips, 99)),
            pipelined: microseconds(pipelined) / count,
            single: f64::NAN,
            cpu: microseconds(cpu) / count,
        }
    }
}

struct Told<'a> {
    table: &'a mut Table,
    place: Place,
    names: Vec<&'static str>,
    of: &'a dyn Fn(usize, fn(&Turn) -> f64) -> f64,
}

impl Told<'_> {
    fn all(mut self, bench: &Bench) {
        let raw_p50 = match self.place {
            Place::Pinned => Target::AtMost(1.10),
            Place::Free => Target::AtMost(0.60),
        };
        let raw_p99 = match self.place {
            Place::Pinned => Target::AtMost(1.25),
            Place::Free => Target::None,
        };
        self.time("round trip p50 ÷ RAW", OURS, |turn| turn.p50, raw_p50);
        self.time("round trip p99 ÷ RAW", OURS, |turn| turn.p99, raw_p99);
        if let Some(best) = self.best_broker() {
            let what = format!("round trip p50 ÷ best broker ({})", self.names[best - OURS]);
            self.time(&what, best, |turn| turn.p50, Target::AtMost(0.70));
        }
        for (name, target) in [
            ("RAW", 0.75),
            ("Redis", 3.0),
            ("NATS", 4.0),
            ("dbus-broker", 15.0),
        ] {
            self.throughput(name, Target::AtLeast(target));
        }
        for name in ["busd", "dbus-daemon"] {
            if self.names.contains(&name) {
                self.throughput(name, Target::None);
            }
        }
        self.processor_time();
        self.lock(bench);
    }

    // Ours divided by another's.
    fn time(&mut self, what: &str, other: usize, of: fn(&Turn) -> f64, target: Target) {
        let (ours, theirs) = ((self.of)(0, of), (self.of)(other, of));
        let detail = format!("{ours:.1} µs, {theirs:.1} µs");
        self.table.add(
            what,
            self.place.name(),
            (ours / theirs, "x"),
            target,
            detail,
        );
    }

    fn throughput(&mut self, name: &str, target: Target) {
        let what = format!("64 in flight, messages/s ÷ {name}");
        let Some(at) = self.names.iter().position(|known| *known == name) else {
            return self
                .table
                .absent(&what, self.place.name(), target, "not installed");
        };
        let ours = 1e6 / (self.of)(0, |turn| turn.pipelined);
        let gathered = 1e6 / (self.of)(OURS + at, |turn| turn.pipelined);
        let single = 1e6 / (self.of)(OURS + at, |turn| turn.single);
        let (theirs, detail) = if name == "RAW" {
            (gathered, format!("{ours:.0}/s, {gathered:.0}/s"))
        } else {
            let all = format!("{ours:.0}/s, {single:.0}/s; {gathered:.0}/s by gathered writes");
            (single, all)
        };
        self.table.add(
            &what,
            self.place.name(),
            (ours / theirs, "x"),
            target,
            detail,
        );
    }

    fn processor_time(&mut self) {
        let what = "supervisor's cpu per round trip ÷ NATS's";
        let target = Target::AtMost(0.15);
        match self.names.iter().position(|name| *name == "NATS") {
            Some(at) => self.time(what, OURS + at, |turn| turn.cpu, target),
            None => self
                .table
                .absent(what, self.place.name(), target, "not installed"),
        }
        self.time(
            "supervisor's cpu per round trip ÷ RAW's",
            OURS,
            |turn| turn.cpu,
            Target::None,
        );
    }

    fn lock(&mut self, bench: &Bench) {
        let locked = bench.locked.level();
        let levels = format!("{locked} ÷ {}", bench.unlocked.level());
        let what = format!("price of the lock: round trip p50 {levels}");
        self.time(&what, 2, |turn| turn.p50, Target::AtMost(1.05));
        let ours = (self.of)(0, |turn| turn.pipelined);
        let theirs = (self.of)(2, |turn| turn.pipelined);
        let what = format!("price of the lock: throughput {levels}");
        let detail = format!("{:.0}/s, {:.0}/s", 1e6 / ours, 1e6 / theirs);
        let target = Target::AtLeast(0.95);
        self.table.add(
            &what,
            self.place.name(),
            (theirs / ours, "x"),
            target,
            detail,
        );
        let levels = format!("{locked} ÷ {}", bench.landlocked.level());
        self.time(
            &format!("round trip p50 {levels}"),
            1,
            |turn| turn.p50,
            Target::None,
        );
    }

    fn best_broker(&self) -> Option<usize> {
        let brokers = OURS + 1..OURS + self.names.len();
        brokers.min_by(|a, b| {
            (self.of)(*a, |turn| turn.p50).total_cmp(&(self.of)(*b, |turn| turn.p50))
        })
    }
}
