//! Packages that cannot run: each is refused with a typed error that names the place.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;

use hyperty_tests::harness::{Catalogue, Runtime, class, eventually, script};
use serde_json::json;

const DESCRIPTOR: &str = "bad.example/.well-known/hyperty/Bad.hy.json";
const CODE: &str = "bad.example/.well-known/hyperty/Bad.hy.js";

const ANSWERS: &str = "bus.addListener(url, function (m) {
    if (m.type !== 'read') return;
    bus.postMessage({ id: m.id, type: 'response', from: m.to, to: m.from,
                      body: { code: 200, value: config } });
});";

/// A component that cannot be deployed: the answer's number, and a word of its reason.
#[track_caller]
fn check_deploy(catalogue: Catalogue, code: u16, word: &str) {
    let runtime = Runtime::with(catalogue.with_witness()).start();

    let answer = runtime.try_deploy("bad.example/hyperty/Bad");

    assert_eq!(answer.code, code, "{answer:?}");
    assert!(
        answer.reason().contains(word),
        "`{word}` is not in {answer:?}"
    );
    runtime.assert_unharmed();
}

fn descriptor(text: &str) -> Catalogue {
    Catalogue::new()
        .file(DESCRIPTOR, text)
        .file(CODE, &script(""))
}

fn code(source: &str) -> Catalogue {
    Catalogue::new().script("bad.example", "Bad", source)
}

// Descriptors

fn with_witness(catalogue: Catalogue) -> Runtime {
    Runtime::with(catalogue.with_witness()).start()
}

#[test]
fn a_descriptor_that_is_not_json() {
    check_deploy(descriptor("{ \"name\": Bad }"), 400, "Bad.hy.json:1");
}

#[test]
fn a_descriptor_that_is_not_an_object() {
    check_deploy(descriptor("[1, 2]"), 400, "Bad.hy.json:1");
}

#[test]
fn a_descriptor_that_lacks_its_language_is_of_a_script_as_published() {
    check_deploy(descriptor("{ \"name\": \"Bad\" }"), 200, "");
}

#[test]
fn a_descriptor_whose_language_is_no_text() {
    check_deploy(descriptor("{ \"language\": 7 }"), 400, "Bad.hy.json:1");
}

#[test]
fn a_descriptor_that_lacks_the_language_of_a_program() {
    let program = Catalogue::new()
        .file(DESCRIPTOR, "{ \"name\": \"Bad\" }")
        .file("bad.example/.well-known/hyperty/Bad.hy.elf", "\u{7f}ELF");

    check_deploy(program, 404, "Bad.hy.js");
}

#[test]
fn a_descriptor_of_an_unknown_language() {
    let text = json!({ "name": "Bad", "language": "cobol", "configuration": {} });

    check_deploy(descriptor(&text.to_string()), 400, "cobol");
}

#[test]
fn a_descriptor_whose_code_is_missing() {
    let text = json!({ "name": "Bad", "language": "javascript", "configuration": {} });
    let catalogue = Catalogue::new().file(DESCRIPTOR, &text.to_string());

    check_deploy(catalogue, 404, "Bad.hy.js");
}

#[test]
fn a_component_that_is_in_no_catalogue() {
    check_deploy(Catalogue::new(), 404, "Bad");
}

#[test]
fn a_descriptor_with_another_digest_than_its_code() {
    let digest = format!("sha256:{}", "0".repeat(64));
    let text = json!({ "name": "Bad", "language": "javascript", "digest": digest });

    check_deploy(descriptor(&text.to_string()), 400, "digest");
}

// messaging A.6 case 54
#[test]
fn a_configuration_as_json_text_is_accepted() {
    let text = json!({
        "name": "Bad",
        "language": "javascript",
        "configuration": "{\"place\":\"Lisbon\"}",
    });
    let catalogue = Catalogue::new().file(DESCRIPTOR, &text.to_string());
    let runtime = with_witness(catalogue.file(CODE, &script(ANSWERS)));

    let deployed = runtime.deploy("bad.example/hyperty/Bad");
    let answer = runtime
        .operator()
        .ask("read", &deployed.address, &json!({}));

    assert_eq!(answer.value()["place"], "Lisbon");
}

#[test]
fn a_name_that_climbs_out_of_the_catalogue() {
    let runtime = with_witness(Catalogue::new());

    let wish = json!({
        "catalogue": runtime.catalogue().path(),
        "provider": "good.example",
        "component": "hyperty/../../../../etc/passwd",
    });
    let answer = runtime.operator().ask_room("create", "ua", &wish);

    assert!((400..500).contains(&answer.code), "{answer:?}");
    runtime.assert_unharmed();
}

#[test]
fn a_catalogue_directory_that_vanishes() {
    let runtime = with_witness(code(&script("")));
    let running = runtime.deploy("good.example/hyperty/Witness");

    fs::remove_dir_all(runtime.catalogue().path()).unwrap();
    let answer = runtime.try_deploy("bad.example/hyperty/Bad");

    assert_eq!(answer.code, 404, "{answer:?}");
    assert_eq!(
        runtime
            .operator()
            .ask("read", &running.address, &json!({}))
            .code,
        200
    );
}

#[test]
fn a_program_that_is_no_elf_file() {
    let text = json!({ "name": "Bad", "language": "native", "configuration": {} });
    let catalogue = Catalogue::new().file(DESCRIPTOR, &text.to_string()).file(
        "bad.example/.well-known/hyperty/Bad.hy.elf",
        "#!/bin/sh\necho hello\n",
    );

    check_deploy(catalogue, 400, "ELF");
}

// Scripts

#[test]
fn code_that_does_not_parse() {
    check_deploy(
        code("System.register([], function (e) {\n  return {{\n"),
        500,
        "Bad.hy.js:",
    );
}

#[test]
fn code_that_registers_nothing() {
    check_deploy(code("var nothing = 1;"), 500, "component");
}

#[test]
fn a_constructor_that_throws() {
    let source = "function Component() { throw new Error('built on sand'); }
                  Component.prototype._start = function () {};";

    check_deploy(code(&class(source)), 500, "built on sand");
}

#[test]
fn a_start_that_throws() {
    check_deploy(code(&script("throw new Error('no go');")), 500, "no go");
}

#[test]
fn a_start_that_never_returns() {
    check_deploy(code(&script("while (true) {}")), 500, "");
}

#[test]
fn a_start_that_nothing_inside_the_engine_can_interrupt() {
    check_deploy(code(&script("Array(4294967295).join('');")), 500, "");
}

#[test]
fn a_listener_that_throws_reaches_the_log_with_its_place() {
    let source = script(&format!(
        "{ANSWERS} bus.addListener(url, function (m) {{ if (m.type === 'event') nowhere(); }});"
    ));
    let runtime = with_witness(code(&source));
    let bad = runtime.deploy("bad.example/hyperty/Bad");

    runtime.operator().tell("event", &bad.address, &json!({}));

    eventually("the error is in the log", || {
        runtime.log_says(&bad, "nowhere")
    });
    let line = runtime
        .log_lines()
        .into_iter()
        .find(|line| line.text.contains("nowhere"))
        .unwrap();
    assert!(
        format!("{} {}", line.place, line.text).contains("Bad.hy.js:"),
        "{line:?}"
    );
    assert_eq!(
        runtime
            .operator()
            .ask("read", &bad.address, &json!({}))
            .code,
        200
    );
}

#[test]
fn a_listener_that_never_returns() {
    let source = script(&format!(
        "{ANSWERS} bus.addListener(url, function (m) {{ if (m.type === 'event') while (true) {{}} }});"
    ));
    let runtime = with_witness(code(&source));
    let bad = runtime.deploy("bad.example/hyperty/Bad");

    runtime.operator().tell("event", &bad.address, &json!({}));

    eventually(
        "the component answers again, interrupted or restarted",
        || {
            runtime
                .operator()
                .ask("read", &bad.address, &json!({}))
                .code
                == 200
        },
    );
    runtime.assert_unharmed();
}

#[test]
fn a_script_that_takes_all_memory() {
    let source = script("var all = []; while (true) all.push(new Array(100000).fill(1));");

    check_deploy(code(&source), 500, "");
}
