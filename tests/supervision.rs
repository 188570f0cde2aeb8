//! What ends is noticed, told apart, tried again, and in the end leaves nothing behind.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::collections::BTreeSet;

use hyperty_tests::harness::{
    Catalogue, Runtime, children_of, class, eventually, running, script, some_time,
};
use protocol::api::user_agent::Component;
use serde_json::{Value, json};

#[track_caller]
fn check_reason(configuration: &Value, expected: &str) {
    let catalogue = Catalogue::new().puppet("crash.example", "Crasher", configuration);
    let runtime = Runtime::with(catalogue).start();

    let answer = runtime.try_deploy("crash.example/hyperty/Crasher");

    eventually(&format!("the reason says `{expected}`"), || {
        let told = [answer.reason().to_owned(), reasons(&runtime)].join("\n");
        told.contains(expected)
    });
}

fn reasons(runtime: &Runtime) -> String {
    let reasons: Vec<_> = runtime
        .components()
        .into_iter()
        .map(|it| it.reason)
        .collect();
    reasons.join("\n")
}

#[test]
fn an_exit_status_is_told() {
    check_reason(&json!({ "act": "exit", "code": 7 }), "7");
}

#[test]
fn an_end_before_being_ready_is_told() {
    check_reason(&json!({ "act": "exit-unready", "code": 9 }), "9");
}

#[test]
fn an_abort_is_told_as_its_signal() {
    check_reason(&json!({ "act": "abort" }), "SIG");
}

#[test]
fn a_panic_is_told_as_its_signal() {
    check_reason(&json!({ "act": "panic" }), "SIG");
}

#[test]
fn a_forbidden_call_is_told_by_name() {
    check_reason(&json!({ "act": "forbidden-call" }), "chroot");
}

#[test]
fn a_component_that_takes_all_memory_is_told_from_others() {
    check_reason(&json!({ "act": "hog" }), "limit:memory");
}

#[test]
fn a_component_that_only_computes_is_told_from_others() {
    // Nothing inside the engine ends this loop: it never looks at its interrupt.
    let source = script("bus.addListener(url, function () { Array(4294967295).join(''); });");
    let runtime = Runtime::with(Catalogue::new().script("crash.example", "Loop", &source)).start();
    let endless = runtime.deploy("crash.example/hyperty/Loop");

    runtime
        .operator()
        .tell("event", &endless.address, &json!({}));

    eventually("the reason is the processor", || {
        runtime
            .component(&endless.address)
            .reason
            .contains("limit:cpu")
    });
}

#[test]
fn a_component_that_never_gets_ready_is_told_from_others() {
    check_reason(&json!({ "act": "never-ready" }), "not-ready");
}

#[test]
fn a_component_that_breaks_the_protocol_is_told_from_others() {
    check_reason(&json!({ "act": "say-bytes", "hex": "2f686f6d" }), "cut off");
}

#[test]
fn a_killed_component_runs_again_under_its_address() {
    let catalogue = Catalogue::new().puppet("one.example", "Echo", &json!({ "act": "echo" }));
    let runtime = Runtime::with(catalogue).start();
    let echo = runtime.deploy("one.example/hyperty/Echo");
    let before = runtime.process_of(&echo);

    before.kill();

    let now = some_time("it runs again", || {
        let now = runtime.component(&echo.address);
        (now.state == "running" && now.pid != Some(before.pid)).then_some(now)
    });
    assert_eq!((now.restarts, now.address), (1, echo.address.clone()));
    assert_eq!(
        runtime
            .operator()
            .ask("read", &echo.address, &json!({}))
            .code,
        200
    );
}

#[test]
fn a_component_that_keeps_crashing_is_given_up_after_growing_pauses() {
    let catalogue = Catalogue::new().puppet(
        "crash.example",
        "Crasher",
        &json!({ "act": "exit", "code": 1 }),
    );
    let runtime = Runtime::with(catalogue).start();

    let crasher = runtime.deploy("crash.example/hyperty/Crasher");

    eventually("it waits to be tried again", || {
        runtime.component(&crasher.address).next_try_ms.is_some()
    });
    let given_up = some_time("it is given up", || {
        let now = runtime.component(&crasher.address);
        (now.state == "failed").then_some(now)
    });
    assert!(given_up.restarts >= 3, "{given_up:?}");
    assert!(given_up.reason.contains('1'), "{given_up:?}");
}

#[test]
fn a_request_to_a_component_that_is_down_is_answered_at_once() {
    let catalogue = Catalogue::new().puppet(
        "crash.example",
        "Crasher",
        &json!({ "act": "exit", "code": 1 }),
    );
    let runtime = Runtime::with(catalogue).start();
    let crasher = runtime.deploy("crash.example/hyperty/Crasher");
    eventually("it is given up", || {
        runtime.component(&crasher.address).state == "failed"
    });

    let answer = runtime.operator().ask("read", &crasher.address, &json!({}));

    assert_eq!(answer.code, 503, "{answer:?}");
}

#[test]
fn a_failing_script_does_not_take_its_neighbours_along() {
    let throws = class(
        "function Component() {}
         Component.prototype._start = function () { throw new Error('built on sand'); };",
    );
    let answers = "bus.addListener(url, function (m) { if (m.type === 'read')
        bus.postMessage({ id: m.id, type: 'response', from: url, to: m.from, body: { code: 200 } }); });";
    let catalogue = Catalogue::new()
        .script("one.example", "Good", &script(answers))
        .script("one.example", "Bad", &throws);
    let runtime = Runtime::with(catalogue).start();
    let good = runtime.deploy("one.example/hyperty/Good");

    let bad = runtime.try_deploy("one.example/hyperty/Bad");

    assert_eq!(bad.code, 500, "{bad:?}");
    assert!(bad.reason().contains("built on sand"), "{bad:?}");
    assert_eq!(
        runtime
            .operator()
            .ask("read", &good.address, &json!({}))
            .code,
        200
    );
    assert_eq!(runtime.component(&good.address).restarts, 0);
}

#[test]
fn stopped_means_gone_and_started_means_back() {
    let catalogue = Catalogue::new().puppet("one.example", "Echo", &json!({ "act": "echo" }));
    let runtime = Runtime::with(catalogue).start();
    let echo = runtime.deploy("one.example/hyperty/Echo");
    let process = runtime.process_of(&echo);
    let order = |method: &str| {
        let order = json!({ "method": method, "resource": echo.address });
        runtime.operator().ask_room("execute", "ua", &order).code
    };

    assert_eq!(order("stop"), 200);
    eventually("its process is gone", || !process.is_running());
    let while_stopped = runtime
        .operator()
        .ask("read", &echo.address, &json!({}))
        .code;
    assert_eq!(order("start"), 200);

    assert_eq!(while_stopped, 503);
    eventually("it answers again", || {
        runtime
            .operator()
            .ask("read", &echo.address, &json!({}))
            .code
            == 200
    });
}

#[test]
fn nothing_survives_when_the_supervisor_is_killed() {
    let mut runtime = busy();
    let all = runtime.descendants();
    assert!(all.len() >= 4, "{all:?}");

    runtime.supervisor().kill();

    runtime.ended();
    eventually("nothing runs any more", || running(&all).is_empty());
}

#[test]
fn the_supervisor_ends_in_order_when_asked() {
    let mut runtime = busy();
    let all = runtime.descendants();

    runtime.supervisor().terminate();
    let status = runtime.ended();

    assert_eq!(status.code(), Some(0), "{}", runtime.log());
    eventually("nothing runs any more", || running(&all).is_empty());
    assert!(!runtime.endpoint().exists(), "the endpoint was left behind");
}

#[test]
fn the_operator_can_end_everything() {
    let mut runtime = busy();
    let all = runtime.descendants();

    let answer =
        runtime
            .operator()
            .ask_room("execute", "sandboxes", &json!({ "method": "shutdown" }));

    assert_eq!(answer.code, 200);
    assert_eq!(runtime.ended().code(), Some(0));
    eventually("nothing runs any more", || running(&all).is_empty());
}

#[test]
fn when_the_nursery_dies_its_children_die_and_the_operator_is_told() {
    let runtime = busy();
    let supervisor = runtime.supervisor().pid;
    let nursery = children_of(supervisor)
        .into_iter()
        .find(|process| process.status_field("PPid") == Some(supervisor.to_string()))
        .expect("a nursery");
    let before: BTreeSet<_> = runtime.descendants();

    nursery.kill();

    eventually("its children are gone", || running(&before).is_empty());
    eventually("the runtime says so or ends", || {
        !runtime.supervisor().is_running() || runtime.log().contains("nursery")
    });
}

#[test]
fn a_data_directory_has_one_supervisor() {
    let runtime = busy();
    let data = runtime.home().join("data").display().to_string();
    let run = runtime.home().join("other-run").display().to_string();

    let second = Runtime::with(Catalogue::new())
        .arguments(&["--data-dir", &data, "--runtime-dir", &run])
        .try_start();

    let (status, log) = second.expect_err("a second supervisor started");
    assert_ne!(status.code(), Some(0));
    assert!(
        log.contains("in use") || log.contains("another supervisor"),
        "{log}"
    );
    assert!(log.contains(&data), "the directory is not named: {log}");
}

#[test]
fn many_components_may_be_asked_for_at_once() {
    let catalogue = Catalogue::new().puppet("crowd.example", "One", &json!({ "act": "echo" }));
    let runtime = Runtime::with(catalogue).start();

    let wish = runtime.wish("crowd.example/hyperty/One", &json!({}));
    let codes = runtime.operator().ask_room_many("create", "ua", &wish, 40);

    assert_eq!(codes, [(200, 40)].into());
    let states: BTreeSet<_> = runtime
        .components()
        .into_iter()
        .map(|it| it.state)
        .collect();
    assert_eq!(states, ["running".to_owned()].into());
}

fn busy() -> Runtime {
    let catalogue = Catalogue::demo().puppet("busy.example", "Echo", &json!({ "act": "echo" }));
    let runtime = Runtime::with(catalogue).start();
    let station: Component = runtime.deploy("weather.example/hyperty/Station");
    runtime.deploy_with(
        "family.example/hyperty/Board",
        &json!({ "station": station.address }),
    );
    runtime.deploy("busy.example/hyperty/Echo");
    runtime
}
