//! What components may have: asked for in a descriptor, bounded by the operator, felt by
//! the kernel and the core, and deleted with `hyperty rm --purge`.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;

use hyperty_tests::harness::{Catalogue, Member, Runtime, TempDir, class, eventually};
use serde_json::{Value, json};

const ANN: &str = "ann@idp.example";

const METHODS: &str = "
function Component() {}
Component.prototype._start = function () {};
Component.prototype.put = function (key, value) {
    try { localStorage.setItem(key, value); return 'kept'; } catch (e) { return e.name + ': ' + e.message; }
};
Component.prototype.get = function (key) { return localStorage.getItem(key); };
Component.prototype.hold = function (mebibytes) {
    var all = [];
    for (var n = 0; n < mebibytes; n++) all.push(new Uint8Array(1048576).fill(n));
    return all.length;
};
Component.prototype.arm = function (count) {
    for (var n = 0; n < count; n++) setTimeout(function () {}, 3600000);
    return count;
};
";

/// A script of a provider of its own, with these limits in its descriptor.
fn script(catalogue: Catalogue, name: &str, limits: &Value) -> Catalogue {
    let base = format!("{name}.example/.well-known/hyperty/{name}.hy");
    let descriptor = json!({"name": name, "language": "javascript", "limits": limits});
    catalogue
        .file(&format!("{base}.js"), &class(METHODS))
        .file(&format!("{base}.json"), &descriptor.to_string())
}

fn item(name: &str) -> String {
    format!("{name}.example/hyperty/{name}")
}

fn catalogue() -> Catalogue {
    let mib = |number: u64| number << 20;
    let puppet = json!({"name": "puppet", "language": "native", "configuration": {"act": "echo"},
        "limits": {"descriptors": 32, "memory": mib(32)}});
    let scripts = [
        ("plain", json!({})),
        (
            "small",
            json!({"memory": mib(16), "timers": 10, "storage": 2000}),
        ),
        ("greedy", json!({"memory": mib(512)})),
        ("misspelt", json!({"memroy": 1})),
    ];
    let catalogue = Catalogue::new()
        .puppet("puppet.example", "puppet", &json!({}))
        .file(
            "puppet.example/.well-known/hyperty/puppet.hy.json",
            &puppet.to_string(),
        );
    scripts.iter().fold(catalogue, |catalogue, (name, limits)| {
        script(catalogue, name, limits)
    })
}

/// A runtime whose operator has a ceiling, and its file.
fn under(over: &str) -> (Runtime, String) {
    let home = TempDir::new();
    let file = home.join("hyperty.toml").display().to_string();
    let text = format!(
        "[limits]\nover-ceiling = \"{over}\"\nmemory = {}\n",
        96 << 20
    );
    fs::write(&file, text).unwrap();
    let options = Runtime::with(catalogue()).arguments(&["--config", &file]);
    (options.home(home).start(), file)
}

/// One limit, as `hyperty inspect` shows it.
fn shown(runtime: &Runtime, component: &str, name: &str) -> Value {
    let inspected = runtime
        .hyperty(&["inspect", component, "--json"])
        .succeeded()
        .json();
    let limits = inspected["component"]["limits"].as_array().unwrap();
    limits
        .iter()
        .find(|limit| limit["name"] == name)
        .unwrap()
        .clone()
}

#[test]
fn where_the_operator_refuses_who_asks_for_too_much_is_told_what_whose_and_how_to_mend_it() {
    let (runtime, file) = under("refuse");

    let refused = runtime.try_deploy(&item("greedy"));
    let misspelt = runtime.try_deploy(&item("misspelt"));
    let plain = runtime.deploy(&item("plain"));

    let told = refused.reason();
    for part in [
        "`limits.memory` 536870912",
        "100663296",
        &format!("{file}:3"),
        "clip",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let told = misspelt.reason();
    assert!(
        told.contains("misspelt.hy.json:1: `limits.memroy` is no limit"),
        "{told}"
    );
    assert_eq!(
        shown(&runtime, &plain.address, "memory")["origin"],
        "default"
    );
    let inspected = runtime.hyperty(&["inspect", &plain.address]).succeeded();
    let memory = inspected
        .stdout
        .lines()
        .find(|line| line.contains("memory 67108864 bytes"));
    assert!(
        memory.is_some_and(|line| line.trim_end().ends_with("in use")),
        "{memory:?}"
    );
}

#[test]
fn where_the_operator_clips_it_runs_with_the_ceiling_and_feels_it() {
    let (runtime, file) = under("clip");
    let greedy = Member::deploy(&runtime, &item("greedy"), ANN);
    let small = Member::deploy(&runtime, &item("small"), ANN);

    let memory = shown(&runtime, greedy.address(), "memory");
    assert_eq!(memory["most"], 96 << 20);
    let origin = memory["origin"].as_str().unwrap();
    let expected = format!("{file}:3, clipped: its descriptor asks for 536870912");
    assert_eq!(origin, expected);
    assert_eq!(greedy.call("hold", &json!([80])), 80);
    let told = greedy.try_call("hold", &json!([200])).unwrap_err();
    assert!(told.contains("out of memory"), "{told}");
    assert_eq!(small.call("hold", &json!([8])), 8);
    let told = small.try_call("hold", &json!([40])).unwrap_err();
    assert!(told.contains("out of memory"), "{told}");
    let told = small.try_call("arm", &json!([11])).unwrap_err();
    assert!(told.contains("more than 10 timers"), "{told}");
}

#[test]
fn a_program_has_the_limits_that_its_descriptor_asks_for() {
    let runtime = Runtime::with(catalogue()).start();

    let puppet = runtime.deploy(&item("puppet"));

    let pid = runtime.component(&puppet.address).pid.unwrap();
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let of = |name: &str| {
        let line = limits.lines().find(|line| line.starts_with(name)).unwrap();
        let rest = line.trim_start_matches(name).split_whitespace();
        rest.take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(of("Max open files"), ["32", "32"]);
    assert_eq!(of("Max data size"), ["33554432", "33554432"]);
    let descriptors = shown(&runtime, &puppet.address, "descriptors");
    assert_eq!(
        (&descriptors["most"], &descriptors["origin"]),
        (&json!(32), &json!("descriptor"))
    );
}

#[test]
fn what_a_script_keeps_is_bounded_stays_after_rm_and_goes_with_purge() {
    let runtime = Runtime::with(catalogue()).start();
    let small = Member::deploy(&runtime, &item("small"), ANN);
    small.call("put", &json!(["name", "a value of Ann's"]));
    runtime.keeps("a value of Ann's");

    small.call("put", &json!(["more", "x".repeat(3000)]));
    eventually("the script is refused by name", || {
        let refused = small.call("put", &json!(["one", "more"]));
        refused
            .as_str()
            .is_some_and(|it| it.contains("limits.storage"))
    });
    let used = shown(&runtime, small.address(), "storage");
    assert!(used["used"].as_u64().unwrap() <= 2000, "{used}");
    let address = small.address().to_owned();
    let _ = runtime.hyperty(&["rm", &address]).succeeded();
    let again = Member::deploy(&runtime, &item("small"), ANN);
    assert_eq!(again.address(), address);
    assert_eq!(again.call("get", &json!(["name"])), "a value of Ann's");
    let purged = runtime
        .hyperty(&["rm", "--purge", &address, "--json"])
        .succeeded()
        .json();
    assert!(
        purged["components"][0]["purged_bytes"].as_u64().unwrap() > 0,
        "{purged}"
    );
    let again = Member::deploy(&runtime, &item("small"), ANN);
    assert_eq!(again.call("get", &json!(["name"])), Value::Null);
}
