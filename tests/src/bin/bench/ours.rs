//! The runtime: components of one provider, locked, policy on.

use std::fs;
use std::time::Duration;

use hyperty_tests::harness::{Catalogue, Process, Runtime, script};
use protocol::api::user_agent::Component;
use serde_json::{Value, json};

use crate::numbers::DEPTH;

/// Where every component of the bench comes from.
pub(crate) const GAUGE: &str = "bench.example/hyperty/Gauge";

/// The same in JavaScript.
pub(crate) const SCRIPT: &str = "bench.example/hyperty/Script";

/// Spares of native and of script sandboxes.
pub(crate) const NO_SPARES: &str = "spare-natives = 0\nspare-scripts = 0\n";

// Answers what it is asked, and measures when it is told to.
const SCRIPT_SOURCE: &str = r#"
    const text = "x".repeat(900);
    function measure(order, done) {
        let asked = 0, answered = 0;
        const body = { resource: url, value: { text, list: [1, 2, 3, 4], flag: true } };
        function ask() {
            asked += 1;
            bus.postMessage({ type: "read", from: url, to: order.peer, body }, heard);
        }
        function heard(answer) {
            // Whatever else comes is no answer, and nobody is told that all is done.
            if (answer.body.code !== 200) return;
            answered += 1;
            if (answered === order.samples) done();
            else if (asked < order.samples) ask();
        }
        const first = Math.min(order.depth, order.samples);
        for (let i = 0; i < first; i += 1) ask();
    }
    function reply(m, value) {
        bus.postMessage({ id: m.id, type: "response", from: url, to: m.from, body: { code: 200, value } });
    }
    bus.addListener(url, (m) => {
        if (m.type === "read") reply(m, m.body.value);
        else if (m.type === "execute") measure(m.body, () => reply(m, {}));
    });
"#;

/// A catalogue with all that is measured.
pub(crate) fn catalogue() -> Catalogue {
    Catalogue::new()
        .program("bench.example", "Gauge", "gauge", &json!({}))
        .script("bench.example", "Idle", &script(""))
        .script("other.example", "OtherIdle", &script(""))
        .script("bench.example", "Script", &script(SCRIPT_SOURCE))
}

/// Starts a runtime with these arguments and lines of configuration.
pub(crate) fn start(catalogue: Catalogue, arguments: &[&str], configuration: &str) -> Runtime {
    let file = catalogue.path().join("bench.toml");
    fs::write(&file, configuration).expect("a file can be written");
    let file = file.display().to_string();
    let mut all = vec!["--config", &file, "--log", "error", "--leash-fd", "0"];
    all.extend(arguments);
    Runtime::with(catalogue).arguments(&all).start()
}

/// Waits until programs are known by their files, as installed ones are: a file
/// that was changed within two seconds is hashed anew for each deployment.
pub(crate) fn let_files_settle() {
    std::thread::park_timeout(Duration::from_secs(4));
}

/// Two components, the first of which measures.
pub(crate) struct Pair {
    pub(crate) runtime: Runtime,
    pub(crate) asker: Component,
    pub(crate) peer: Component,
}

impl Pair {
    /// Two native components in a runtime of their own.
    pub(crate) fn native(arguments: &[&str]) -> Self {
        Self::of(start(catalogue(), arguments, ""), GAUGE)
    }

    /// Two components of this name.
    pub(crate) fn of(runtime: Runtime, name: &str) -> Self {
        let asker = runtime.deploy(name);
        let peer = runtime.deploy(name);
        Self {
            runtime,
            asker,
            peer,
        }
    }

    /// One after the other; how long each took.
    pub(crate) fn round_trips(&self, samples: usize) -> Vec<u64> {
        self.order(&json!({ "samples": samples }))
    }

    /// 64 in flight; how long all of them took.
    pub(crate) fn pipelined(&self, samples: usize) -> u64 {
        let taken = self.order(&json!({ "samples": samples, "depth": DEPTH }));
        taken.first().copied().unwrap_or_default()
    }

    /// Has the first component measure.
    pub(crate) fn order(&self, order: &Value) -> Vec<u64> {
        let mut order = order.clone();
        order["peer"] = json!(self.peer.address);
        let operator = self.runtime.operator();
        let answer = operator.ask("execute", &self.asker.address, &order);
        assert_eq!(answer.code, 200, "{answer:?}\n{}", self.runtime.log());
        let numbers = answer.value()["nanoseconds"].as_array();
        numbers
            .into_iter()
            .flatten()
            .filter_map(Value::as_u64)
            .collect()
    }

    /// The level that the first one reached.
    pub(crate) fn level(&self) -> String {
        self.asker
            .level
            .map(|level| level.to_string())
            .unwrap_or_default()
    }
}

/// KiB of a process that are its own alone.
pub(crate) fn private_kib(process: Process) -> u64 {
    rollup_kib(process, "Private_Clean:") + rollup_kib(process, "Private_Dirty:")
}

/// KiB of a process, by a line of `/proc/<pid>/smaps_rollup`.
pub(crate) fn rollup_kib(process: Process, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{}/smaps_rollup", process.pid));
    let text = text.unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}

/// The component that measures in JavaScript.
pub(crate) fn script_source() -> String {
    script(SCRIPT_SOURCE)
}
