//! Measures the runtime against a bare relay, other brokers and other ways to
//! start a program; prints a table of ratios beside what was to be reached.
//!
//! `bench [--quick] [--json] [GROUP…]` measures all groups, or those named. All
//! sides of a ratio take turns, so that a busy or a slow machine shifts them
//! alike. The methods are told in `tests/README.md`.

// A bench that cannot measure ends with the reason.
#![allow(clippy::expect_used, clippy::indexing_slicing)]

use std::env;
use std::process::ExitCode;
use std::time::{Duration, Instant};

mod bare;
mod bodies;
mod caller;
mod dbus;
mod dialling;
mod domain;
mod locking;
mod nats;
mod numbers;
mod objects;
mod ours;
mod peers;
mod quiet;
mod raw;
mod redis;
mod relaying;
mod rules;
mod scripts;
mod spread;
mod starting;
mod swarm;
mod table;
mod turns;
mod unfriendly;
mod yjs;

use table::Table;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// How often all sides take turns.
    pub(crate) rounds: usize,
    /// Round trips of one turn.
    pub(crate) samples: usize,
    /// Starts of each side.
    pub(crate) starts: usize,
    /// Components that are deployed at once.
    pub(crate) swarm: usize,
}

const QUICK: Scale = Scale {
    rounds: 3,
    samples: 1500,
    starts: 8,
    swarm: 100,
};

const FULL: Scale = Scale {
    rounds: 9,
    samples: 4000,
    starts: 40,
    swarm: 1000,
};

type Group = (&'static str, fn(&mut Table, Scale));

const GROUPS: [Group; 11] = [
    ("relay", relaying::measure),
    ("bodies", bodies::measure),
    ("rules", rules::measure),
    ("start", starting::measure),
    ("lock", locking::measure),
    ("scripts", scripts::measure),
    ("objects", objects::measure),
    ("swarm", swarm::measure),
    ("flood", unfriendly::measure),
    ("nats", domain::measure),
    ("dial", dialling::measure),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["pass"] => raw::relay(),
        ["spread", path, others] => spread::relay(path, others.parse().unwrap_or(1)),
        ["bare-echo", url] => bare::answer(url),
        ["leashed", ref words @ ..] => peers::leashed(words),
        ["echo", wire, address] => peers::echo(wire, address),
        ref words => return measure(words),
    }
    ExitCode::SUCCESS
}

fn measure(words: &[&str]) -> ExitCode {
    let has = |flag: &str| words.contains(&flag);
    let named: Vec<_> = words
        .iter()
        .filter(|word| !word.starts_with("--"))
        .collect();
    let is_known = |word: &&str| match *word {
        "--quick" | "--json" => true,
        name => GROUPS.iter().any(|(group, _)| *group == name),
    };
    if let Some(unknown) = words.iter().find(|word| !is_known(word)) {
        let names = GROUPS.map(|(name, _)| name).join(" ");
        eprintln!("`{unknown}` is no group of the bench; there are: {names}");
        return ExitCode::from(2);
    }
    let scale = if has("--quick") { QUICK } else { FULL };
    if !quiet::wait_for_quiet(Duration::from_secs(5)) {
        eprintln!("the machine is busy with other things: the numbers will be rough");
    }
    let mut table = Table::default();
    let start = Instant::now();
    for (name, group) in GROUPS {
        if named.is_empty() || named.contains(&&name) {
            eprintln!("{name} …");
            group(&mut table, scale);
            quiet::Place::Free.enter();
        }
    }
    if has("--json") {
        println!("{}", table.json());
    } else {
        table.print();
    }
    eprintln!("measured for {} s", start.elapsed().as_secs());
    ExitCode::SUCCESS
}
