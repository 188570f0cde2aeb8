//! Starting: from the request to the first message.

use std::process::Command;
use std::time::Instant;

use hyperty_tests::harness::{Runtime, program, some_time};
use serde_json::json;

use crate::Scale;
use crate::numbers::{microseconds, nanoseconds_since, percentile};
use crate::ours::{GAUGE, NO_SPARES, catalogue, let_files_settle, start};
use crate::peers::have;
use crate::quiet::Place;
use crate::raw::start_and_hear;
use crate::table::{Table, Target};

/// Cold, warm, plain, and in bubblewrap.
pub(crate) fn measure(table: &mut Table, scale: Scale) {
    Place::Free.enter();
    let cold = start(catalogue(), &[], NO_SPARES);
    let warm = start(catalogue(), &[], "spare-natives = 1\nspare-scripts = 0\n");
    let_files_settle();
    let mut times: [Vec<u64>; 4] = Default::default();
    let bwrap = have("bwrap");
    for _ in 0..scale.starts {
        times[0].extend(start_and_hear(&mut Command::new(program("gauge"))));
        times[1].push(deploy(&cold));
        wait_for_spare(&warm);
        times[2].push(deploy(&warm));
        times[3].extend(
            bwrap
                .as_ref()
                .ok()
                .and_then(|_| start_and_hear(&mut wrapped())),
        );
    }
    let [plain, cold, warm, bwrap] = times.map(|times| microseconds(percentile(&times, 50)));
    let mut tell = |what: &str, (ours, theirs): (f64, f64), limit: f64| {
        let detail = format!("{ours:.0} µs, {theirs:.0} µs");
        let target = Target::AtMost(limit);
        table.add(
            what,
            Place::Free.name(),
            (ours / theirs, "x"),
            target,
            detail,
        );
    };
    tell(
        "native start, cold ÷ posix_spawn unlocked",
        (cold, plain),
        1.25,
    );
    tell(
        "native start, warm ÷ posix_spawn unlocked",
        (warm, plain),
        0.50,
    );
    if bwrap > 0.0 {
        tell("native start, cold ÷ bwrap", (cold, bwrap), 0.06);
        tell("native start, warm ÷ bwrap", (warm, bwrap), 0.06);
    } else {
        let why = "bwrap is not installed or cannot make its namespaces here";
        let target = Target::AtMost(0.06);
        table.absent("native start ÷ bwrap", Place::Free.name(), target, why);
    }
}

/// Deploys one, waits until it has spoken, and takes it away again.
fn deploy(runtime: &Runtime) -> u64 {
    deploy_named(runtime, GAUGE)
}

/// The same with another component.
pub(crate) fn deploy_named(runtime: &Runtime, name: &str) -> u64 {
    let start = Instant::now();
    let one = runtime.deploy(name);
    let took = nanoseconds_since(start);
    let select = json!({ "resource": one.address });
    runtime.operator().ask_room("delete", "ua", &select);
    took
}

/// Waits until a spare sandbox is ready.
pub(crate) fn wait_for_spare(runtime: &Runtime) {
    let is_ready = || runtime.sandboxes().iter().any(|one| one.phase == "spare");
    some_time("a spare sandbox is ready", || is_ready().then_some(()));
}

fn wrapped() -> Command {
    let gauge = program("gauge").display().to_string();
    let mut command = Command::new("bwrap");
    command.args([
        "--unshare-all",
        "--die-with-parent",
        "--ro-bind",
        &gauge,
        "/gauge",
        "/gauge",
    ]);
    command
}
