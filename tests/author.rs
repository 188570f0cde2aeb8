//! A component author's loop: what is written is built, run, tested, changed and run again.
//!
//! TypeScript needs npm and what it fetches, Rust needs cargo and what it fetches:
//! a test that cannot have them says so and passes.

// A test may end with the reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use hyperty_tests::harness::{
    Catalogue, Outcome, Runtime, TempDir, eventually, hyperty, script, some_time, source_dir,
};
use protocol::api::user_agent::Component;
use serde_json::{Value, json};

const KINDS: [&str; 3] = ["hyperty", "protostub", "idp-proxy"];

/// The tools of whoever runs the tests: npm and cargo have their caches at home.
fn environment(home: &TempDir) -> Vec<(String, String)> {
    let own = |name: &str| Some((name.to_owned(), std::env::var(name).ok()?));
    let mut environment: Vec<_> = ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME"]
        .into_iter()
        .filter_map(own)
        .collect();
    let folder = |name: &str| home.join(name).display().to_string();
    environment.extend([
        (
            "TMPDIR".to_owned(),
            std::env::temp_dir().display().to_string(),
        ),
        ("HYPERTY_RUNTIME_DIR".to_owned(), folder("run")),
        ("XDG_CONFIG_HOME".to_owned(), folder("config")),
        // One place for what the projects of this test have in common.
        ("CARGO_TARGET_DIR".to_owned(), folder("target")),
    ]);
    environment
}

fn run(home: &TempDir, arguments: &[&str]) -> Outcome {
    hyperty(arguments, environment(home))
}

fn new(home: &TempDir, kind: &str, language: &str) -> PathBuf {
    let project = home.join(kind);
    let folder = project.display().to_string();
    let mut arguments = vec!["new", kind, "My-Part", "--lang", language, "--dir", &folder];
    arguments.extend(["--provider", "part.example"]);
    let _ = run(home, &arguments).succeeded();
    // Installed once for all projects of a test.
    let modules = home.join("npm/node_modules");
    if modules.is_dir() {
        std::os::unix::fs::symlink(modules, project.join("node_modules")).unwrap();
    }
    project
}

/// Whether cargo has, or can fetch, what projects in Rust need; what it has is enough.
fn can_fetch(home: &TempDir, project: &Path) -> bool {
    if lacks("cargo", &["fetch", "--offline"], project) {
        return !lacks("cargo", &["fetch"], project);
    }
    fs::create_dir(home.join(".cargo")).unwrap();
    fs::write(home.join(".cargo/config.toml"), "[net]\noffline = true\n").unwrap();
    true
}

/// Every test of what was written for each kind holds.
fn every_kind_holds(home: &TempDir, language: &str) {
    for kind in KINDS {
        let project = new(home, kind, language);
        let outcome = run(home, &["test", &project.display().to_string()]);
        assert_eq!(outcome.status, 0, "{kind} in {language}: {outcome:#?}");
        assert!(outcome.stdout.contains(" 0 failed"), "{outcome:#?}");
    }
}

/// Says why a test is left out, when the tool is not here or cannot do this.
fn lacks(tool: &str, arguments: &[&str], folder: &Path) -> bool {
    let run = Command::new(tool)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output();
    match run {
        Ok(output) if output.status.success() => false,
        Ok(output) => {
            let why = String::from_utf8_lossy(&output.stderr);
            eprintln!("left out: `{tool} {}` fails: {why}", arguments.join(" "));
            true
        }
        Err(error) => {
            eprintln!("left out: `{tool}` cannot be had: {error}");
            true
        }
    }
}

/// A folder whose `node_modules` has what the projects in TypeScript need.
fn with_npm(home: &TempDir) -> bool {
    let project = new(home, "hyperty", "ts");
    fs::rename(project, home.join("npm")).unwrap();
    let install = ["install", "--no-audit", "--no-fund"];
    !lacks("npm", &install, &home.join("npm"))
}

fn deployed(runtime: &Runtime, name: &str) -> Component {
    some_time("the component runs", || {
        let mut components = runtime.components().into_iter();
        components.rfind(|component| component.name == name && component.state == "running")
    })
}

fn edit(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(file, text.replace(from, to)).unwrap();
}

#[test]
fn what_is_written_in_javascript_runs_as_it_is() {
    let home = TempDir::new();

    every_kind_holds(&home, "js");
}

#[test]
fn what_is_written_in_typescript_builds_runs_and_is_typed() {
    let home = TempDir::new();
    if !with_npm(&home) {
        return;
    }

    every_kind_holds(&home, "ts");

    for kind in KINDS {
        let check = Command::new("npm")
            .args(["run", "--silent", "check"])
            .current_dir(home.join(kind))
            .output()
            .unwrap();
        assert!(check.status.success(), "{kind}: {check:?}");
    }
}

#[test]
fn what_is_written_in_rust_builds_and_runs() {
    let home = TempDir::new();
    let project = new(&home, "hyperty", "rust");
    let manifest = fs::read_to_string(project.join("Cargo.toml")).unwrap();
    if !can_fetch(&home, &project) {
        return;
    }
    fs::remove_dir_all(project).unwrap();

    // What is needed of this runtime is in the project, wherever the runtime is.
    assert!(
        manifest.contains("protocol = { path = \"protocol\" }"),
        "{manifest}"
    );

    every_kind_holds(&home, "rust");
}

#[test]
fn a_project_is_never_written_over_another() {
    let home = TempDir::new();
    let project = new(&home, "hyperty", "js").display().to_string();

    let again = run(&home, &["new", "hyperty", "Other", "--dir", &project]).failed_with(1);
    let bad = run(&home, &["new", "hyperty", "../Other"]).failed_with(2);

    assert!(
        again.stderr.contains("is not empty: nothing was written"),
        "{again:#?}"
    );
    assert!(bad.stderr.contains("cannot be the name"), "{bad:#?}");
    assert!(!home.join("hyperty/Other.test.json").exists());
}

#[test]
fn a_changed_file_is_reloaded_at_its_address_and_a_broken_one_is_not() {
    let home = TempDir::new();
    let project = new(&home, "hyperty", "js");
    let code = project.join("part.example/.well-known/hyperty/My-Part.hy.js");
    let runtime = Runtime::with(Catalogue::new()).start();
    runtime.watch();
    let dev = runtime.start_hyperty(&["dev", &project.display().to_string()]);
    let before = deployed(&runtime, "My-Part");
    let greets = || {
        let to = &before.address;
        let answer = runtime
            .operator()
            .ask("read", to, &json!({ "value": "Ann" }));
        answer.value().as_str().unwrap_or_default().to_owned()
    };

    edit(&code, "`hello ${", "`good day ${");
    eventually("the new code answers", || greets() == "good day Ann");
    edit(&code, "class My", "clas My");
    eventually("the broken code is told", || {
        runtime.log_says(&before, "does not parse")
    });

    let after = deployed(&runtime, "My-Part");
    assert_eq!(greets(), "good day Ann");
    assert_eq!(
        (after.address, after.sandbox),
        (before.address.clone(), before.sandbox)
    );
    dev.interrupt();
    let outcome = dev.outcome().succeeded();
    assert!(
        outcome.stderr.contains("the old code goes on"),
        "{outcome:#?}"
    );
    assert!(
        outcome.stderr.contains("My-Part runs its new code"),
        "{outcome:#?}"
    );
}

#[test]
fn the_declarations_pack_compile_and_refuse_what_is_not_there() {
    let home = TempDir::new();
    if !with_npm(&home) {
        return;
    }
    let project = new(&home, "hyperty", "ts");
    let used = project.join("src/use.ts");
    fs::copy(
        source_dir().join("tests/fixtures/declarations/use.ts"),
        &used,
    )
    .unwrap();
    let npm = |folder: &Path, arguments: &[&str]| {
        let mut command = Command::new("npm");
        command
            .args(arguments)
            .current_dir(folder)
            .output()
            .unwrap()
    };
    let check = || npm(&project, &["run", "--silent", "check"]);

    let compiled = check();
    edit(
        &used,
        "reporter.data.list.push(1)",
        "reporter.data.lists.push(1)",
    );
    let refused = check();
    let packed = npm(&project.join("types"), &["pack", "--json"]);

    assert!(compiled.status.success(), "{compiled:#?}");
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(said.contains("Property 'lists' does not exist"), "{said}");
    assert!(packed.status.success(), "{packed:#?}");
    let packed: Value = serde_json::from_slice(&packed.stdout).unwrap();
    let files = packed.to_string();
    for file in [
        "index.d.ts",
        "objects.d.ts",
        "services.d.ts",
        "globals.d.ts",
        "README.md",
    ] {
        assert!(
            files.contains(&format!("\"{file}\"")),
            "{file} is not packed: {files}"
        );
    }
}

#[test]
fn a_stack_names_the_lines_of_the_author() {
    let home = TempDir::new();
    if !with_npm(&home) {
        return;
    }
    let project = new(&home, "hyperty", "ts");
    edit(
        &project.join("src/My-Part.ts"),
        "return `hello",
        "if (!message.body.value) throw new RangeError(\"nobody\");\n  return `hello",
    );
    let folder = project.display().to_string();
    let _ = run(&home, &["build", &folder]).succeeded();
    let runtime = Runtime::with(Catalogue::new()).start();
    let _ = runtime
        .hyperty(&["deploy", "My-Part", "--catalogue", &folder])
        .succeeded();

    runtime.hyperty(&["send", "My-Part", "{}", "--type", "read"]);
    let log = some_time("it threw", || {
        let log = runtime.hyperty(&["logs"]).stdout;
        log.contains("RangeError").then_some(log)
    });

    assert!(log.contains("(src/My-Part.ts:18:"), "{log}");
    assert!(log.contains("at greeting (src/My-Part.ts:18:"), "{log}");
}

#[test]
fn a_test_that_fails_shows_what_was_seen_instead() {
    let home = TempDir::new();
    let project = new(&home, "hyperty", "js");
    edit(&project.join("My-Part.test.json"), "hello Ann", "bye Ann");
    edit(
        &project.join("My-Part.test.json"),
        "\"tests\"",
        "\"timeout\": \"3s\", \"tests\"",
    );
    let folder = project.display().to_string();

    let people = run(&home, &["test", &folder]).failed_with(1);
    let program = run(&home, &["test", &folder, "--json"]).failed_with(1);

    assert!(
        people.stdout.contains("then 1: expect  not seen within"),
        "{people:#?}"
    );
    let differs = "body.value is \"hello Ann\", wanted \"bye Ann\"";
    assert!(people.stdout.contains(differs), "{people:#?}");
    let lines: Vec<Value> = program
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines[0]["schema"], "hyperty.test/1");
    assert_eq!(lines[0]["failure"]["differences"][0]["path"], "body.value");
    assert_eq!(lines[1]["failed"], 1);
}

#[test]
fn recorded_traffic_is_a_test_and_fails_when_the_component_changes() {
    let home = TempDir::new();
    let answers = |word: &str| {
        script(&format!(
            "bus.addListener(url, (m) => m.type === 'read' && bus.postMessage({{ id: m.id,
                type: 'response', from: url, to: m.from, body: {{ code: 200, value: '{word}' }} }}));"
        ))
    };
    let asks = script(
        "setInterval(() => bus.postMessage({ type: 'read', from: url, to: config.echo,
            body: { secret: 's', me: url } }), 20);",
    );
    let catalogue = Catalogue::new()
        .script("echo.example", "Echo", &answers("hello"))
        .script("asker.example", "Asker", &asks)
        .permissive();
    let runtime = Runtime::with(catalogue).start();
    let echo = runtime.deploy("echo.example/hyperty/Echo");
    runtime.deploy_with(
        "asker.example/hyperty/Asker",
        &json!({ "echo": echo.address }),
    );
    let tape = home.join("talk.jsonl").display().to_string();

    let _ = runtime
        .hyperty(&["record", "Echo", &tape, "-n", "4"])
        .succeeded();
    let folder = runtime.catalogue().path().display().to_string();
    let play = ["test", &tape, "--catalogue", &folder];
    let same = run(&home, &play);
    let code = runtime
        .catalogue()
        .path()
        .join("echo.example/.well-known/hyperty/Echo.hy.js");
    fs::write(code, answers("something else")).unwrap();
    let other = run(&home, &play);

    assert_eq!(
        same.status,
        0,
        "{same:#?}\n{}",
        fs::read_to_string(&tape).unwrap()
    );
    assert_eq!(other.status, 1, "{other:#?}");
    assert!(other.stdout.contains("\"something else\""), "{other:#?}");
}
