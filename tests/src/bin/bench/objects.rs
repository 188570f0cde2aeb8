//! Data objects: how changes travel, what objects cost, and the framework they need.

use std::process::{Command, Stdio};

use hyperty_tests::harness::{Catalogue, Process, Runtime, TempDir, script};
use protocol::api::user_agent::Component;
use serde_json::{Value, json};

use crate::Scale;
use crate::numbers::{DEPTH, median, microseconds, number, percentile};
use crate::ours::{GAUGE, NO_SPARES, Pair, SCRIPT, catalogue, rollup_kib, start};
use crate::peers::have;
use crate::quiet::Place;
use crate::table::{Table, Target};
use crate::turns::take_turns;
use crate::yjs::{self, Yjs};

const SCHEMA: &str = "hyperty-catalogue://bench.example/.well-known/dataschema/Context";
const REPORTER: &str = "reporter.example/hyperty/Reporter";
const LOADER: &str = "bench.example/hyperty/Loader";

/// All of them.
pub(crate) fn measure(table: &mut Table, scale: Scale) {
    Place::Pinned.enter();
    changes(table, scale, 1);
    Place::Free.enter();
    changes(table, scale, scale.swarm / 10);
    loading(table, scale);
    many(table, scale);
    Place::Pinned.enter();
    intake(table, scale);
}

// A reporter and its observers, each of a provider and so in a sandbox of its own.
struct Scene {
    runtime: Runtime,
    reporter: Component,
    observers: usize,
}

impl Scene {
    fn start(observers: usize) -> Self {
        let rule = "@id(\"bench\")\n@why(\"the bench observes across providers\")\n\
                    permit (principal is Hyperty, action in Action::\"message\", resource is Hyperty);\n";
        let mut catalogue = Catalogue::new().rules("50-bench.cedar", rule).script(
            "reporter.example",
            "Reporter",
            &script(include_str!("objects/reporter.js")),
        );
        let source = script(include_str!("objects/observer.js"));
        for at in 0..observers {
            catalogue = catalogue.script(&format!("o{at}.example"), "Observer", &source);
        }
        let runtime = start(catalogue, &[], NO_SPARES);
        let schema = json!({ "schema": SCHEMA });
        let reporter = runtime.deploy_with(REPORTER, &schema);
        let scene = Self {
            runtime,
            reporter,
            observers,
        };
        let created = scene.order(&json!({ "op": "create", "count": 1 }));
        for at in 0..observers {
            let name = format!("o{at}.example/hyperty/Observer");
            let observer = scene.runtime.deploy_with(&name, &schema);
            let wish =
                json!({ "resource": created["urls"][0], "reporter": scene.reporter.address });
            scene.ask(&observer.address, &wish);
        }
        scene
    }

    fn order(&self, order: &Value) -> Value {
        self.ask(&self.reporter.address, order)
    }

    fn ask(&self, to: &str, order: &Value) -> Value {
        let answer = self.runtime.operator().ask("read", to, order);
        assert_eq!(answer.code, 200, "{answer:?}\n{}", self.runtime.log());
        answer.value().clone()
    }

    fn changes(&self, samples: usize, depth: usize) -> Vec<u64> {
        let observers = self.observers;
        let order =
            json!({ "op": "measure", "samples": samples, "observers": observers, "depth": depth });
        let measured = self.order(&order);
        let numbers = measured["nanoseconds"].as_array();
        numbers
            .into_iter()
            .flatten()
            .filter_map(Value::as_u64)
            .collect()
    }
}

fn changes(table: &mut Table, scale: Scale, observers: usize) {
    let place = if observers == 1 {
        Place::Pinned
    } else {
        Place::Free
    };
    let samples = (scale.samples / observers).max(50);
    let scene = Scene::start(observers);
    let mut yjs = Yjs::start(observers);
    let sides = if yjs.is_ok() { 4 } else { 2 };
    let turns = take_turns(table, place, scale.rounds, sides, |side| {
        let depth = if side % 2 == 0 { 1 } else { DEPTH };
        let began = std::time::Instant::now();
        let times = match &mut yjs {
            Ok(yjs) if side >= 2 => yjs.changes(samples, depth),
            _ => scene.changes(samples, depth),
        };
        let all = crate::numbers::nanoseconds_since(began);
        if depth == 1 {
            microseconds(percentile(&times, 50))
        } else {
            number(samples as u64) * 1e9 / number(all)
        }
    });
    let of = |side: usize| turns.get(side).map_or(f64::NAN, |samples| median(samples));
    let why = yjs.err().unwrap_or_default();
    let who = if observers == 1 {
        "1 observer".to_owned()
    } else {
        format!("{observers} observers")
    };
    let (ours, theirs) = (of(0), of(2));
    let detail = format!("p50 until all have said so {ours:.0} µs, {theirs:.0} µs {why}");
    let what = format!("one attribute → {who}, ÷ Yjs over RAW");
    table.add(
        &what,
        place.name(),
        (ours / theirs, "x"),
        Target::None,
        detail,
    );
    let (ours, theirs) = (of(1), of(3));
    let detail = format!("{ours:.0}/s, {theirs:.0}/s {why}");
    let what = format!("changes/s → {who}, 64 under way, ÷ Yjs over RAW");
    table.add(
        &what,
        place.name(),
        (ours / theirs, "x"),
        Target::None,
        detail,
    );
}

fn loading(table: &mut Table, scale: Scale) {
    let source = script(include_str!("objects/loader.js"));
    let runtime = start(
        catalogue().script("bench.example", "Loader", &source),
        &[],
        NO_SPARES,
    );
    let mut times = Vec::new();
    for _ in 0..scale.starts {
        let loader = runtime.deploy(LOADER);
        let answer = runtime.operator().ask("read", &loader.address, &json!({}));
        times.extend(answer.value()["milliseconds"].as_f64());
        runtime
            .operator()
            .ask_room("delete", "ua", &json!({ "resource": loader.address }));
    }
    let detail = format!(
        "median of {} sandboxes, every service of the factory",
        times.len()
    );
    let value = (median(&times), " ms");
    table.add(
        "framework loaded from bytecode",
        Place::Free.name(),
        value,
        Target::AtMost(5.0),
        detail,
    );
}

fn many(table: &mut Table, scale: Scale) {
    let count = scale.swarm;
    let scene = Scene::start(0);
    let processes = [
        scene.runtime.supervisor(),
        scene.runtime.process_of(&scene.reporter),
    ];
    let sizes = || processes.map(|process: Process| number(rollup_kib(process, "Pss:")));
    let before = sizes();
    scene.order(&json!({ "op": "create", "count": count }));
    let after = sizes();
    for (what, at) in [("core", 0), ("script", 1)] {
        let each = (after[at] - before[at]) / number(count as u64);
        let what = format!("a data object in the {what}, Pss");
        let detail = format!("of {count}, 0.3 KB of data each");
        table.add(&what, "", (each, " KiB"), Target::None, detail);
    }
    let restart = json!({ "method": "restart", "resource": scene.reporter.address });
    scene.runtime.operator().ask_room("execute", "ua", &restart);
    let resumed = scene.order(&json!({ "op": "resume" }));
    let what = format!("resume of {} objects", resumed["count"]);
    let milliseconds = resumed["milliseconds"].as_f64().unwrap_or(f64::NAN);
    table.add(
        &what,
        Place::Free.name(),
        (milliseconds, " ms"),
        Target::None,
        String::new(),
    );
}

fn intake(table: &mut Table, scale: Scale) {
    let runtime = start(catalogue(), &[], NO_SPARES);
    let (asker, peer) = (runtime.deploy(GAUGE), runtime.deploy(SCRIPT));
    let pair = Pair {
        runtime,
        asker,
        peer,
    };
    let order = json!({ "samples": scale.samples, "depth": DEPTH, "bytes": 1000 });
    let turns = take_turns(table, Place::Pinned, scale.rounds, 2, |side| {
        if side == 0 {
            let all = pair.order(&order).first().copied().unwrap_or_default();
            number(scale.samples as u64) * 1e9 / number(all)
        } else {
            worker(scale.samples).unwrap_or(f64::NAN)
        }
    });
    let (ours, theirs) = (median(&turns[0]), median(&turns[1]));
    let detail = format!("{ours:.0}/s, {theirs:.0}/s; both answer each");
    let what = "1 KB JSON into a script ÷ Node's postMessage to a worker";
    table.add(
        what,
        Place::Pinned.name(),
        (ours / theirs, "x"),
        Target::None,
        detail,
    );
}

fn worker(samples: usize) -> Option<f64> {
    let home = TempDir::new();
    let file = yjs::script(
        home.path(),
        "worker.mjs",
        include_str!("objects/worker.mjs"),
    )
    .ok()?;
    let node = have("node").ok()?;
    let mut command = Command::new(node);
    command
        .arg(file)
        .arg(samples.to_string())
        .arg(DEPTH.to_string());
    let output = command.stderr(Stdio::null()).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
