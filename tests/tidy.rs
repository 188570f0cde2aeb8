//! The house rules that no other tool checks.

#![allow(clippy::expect_used, clippy::indexing_slicing)] // a test may end with the reason

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Lines of a file, and of the files of tests, which are read from the middle.
const FILE_LINES_MAX: usize = 400;
const TEST_FILE_LINES_MAX: usize = 500;

/// What the trusted core must never link, in any depth (invariant I1).
const NOT_IN_THE_CORE: [&str; 14] = [
    "sandbox-host",
    "stub-loopback",
    "rquickjs",
    "rquickjs-core",
    "wasmtime",
    "hyper",
    "reqwest",
    "ureq",
    "rustls",
    "openssl",
    "native-tls",
    "tungstenite",
    "quinn",
    "hickory-resolver",
];

/// Names that say nothing (STYLE, Names).
const EMPTY_NAMES: [&str; 6] = ["Manager", "Handler", "Helper", "Util", "Common", "Misc"];

#[test]
fn no_file_is_too_long_to_be_one_idea() {
    let long: Vec<_> = sources()
        .filter_map(|file| {
            let lines = read(&file).lines().count();
            (lines > lines_max(&file)).then(|| format!("{}: {lines} lines", file.display()))
        })
        .collect();

    assert!(long.is_empty(), "files to be split:\n{}", long.join("\n"));
}

#[test]
fn every_case_that_the_security_page_names_is_tried() {
    let listed = Command::new(hyperty_tests::harness::program("hyperty-escape"))
        .arg("--list")
        .output()
        .expect("hyperty-escape runs");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let page = read(&root().join("SECURITY.md"));

    let is_case = |word: &&str| word.len() == 5 && word.as_bytes()[2] == b'-';
    let named: BTreeSet<_> = page.split('`').filter(is_case).collect();
    let untried: Vec<_> = named
        .iter()
        .filter(|id| !listed.lines().any(|line| line.starts_with(**id)))
        .collect();

    assert!(named.len() > 30, "{named:?}");
    assert!(
        untried.is_empty(),
        "named in SECURITY.md and not tried: {untried:?}"
    );
}

#[test]
fn no_crate_takes_back_the_lint_against_unsafe_code() {
    let manifests = files_named("Cargo.toml").filter(|file| !is_in(file, "fuzz"));
    let without: Vec<_> = manifests
        .filter(|file| !read(file).contains("[lints]\nworkspace = true"))
        .filter(|file| !read(file).contains("[lints.rust]\nunsafe_code = \"forbid\""))
        .filter(|file| !read(file).starts_with("[workspace]"))
        .collect();
    let forbidden = ["un", "safe "].concat();
    let taken = find(sources(), |line| line.trim_start().starts_with(&forbidden));

    assert!(read(&root().join("Cargo.toml")).contains("unsafe_code = \"forbid\""));
    assert!(without.is_empty(), "crates without the lints: {without:?}");
    assert!(taken.is_empty(), "{}", taken.join("\n"));
}

#[test]
fn the_core_links_no_engine_no_stub_and_no_network_library() {
    let metadata = metadata();

    let linked = linked_by(&metadata, "core-supervisor");
    let wrong: Vec<_> = NOT_IN_THE_CORE
        .iter()
        .filter(|name| linked.contains(**name))
        .collect();

    assert!(
        linked.contains("protocol"),
        "the dependencies were not found: {linked:?}"
    );
    assert!(wrong.is_empty(), "core-supervisor links {wrong:?}");
}

#[test]
fn the_sandbox_host_does_not_link_the_core() {
    let metadata = metadata();

    let linked = linked_by(&metadata, "sandbox-host");

    assert!(!linked.contains("core-supervisor"));
}

#[test]
fn outside_the_shell_the_core_touches_no_world() {
    let worlds = [
        "std::fs",
        "std::net",
        "std::process",
        "std::thread",
        "SystemTime",
        "Instant::now",
    ];
    let inside = sources_under("core-supervisor/src")
        .filter(|file| !is_in(file, "shell") && !is_in(file, "bin"))
        .filter(|file| !file.ends_with("core-supervisor/src/main.rs"));

    let found = find(inside, |line| {
        worlds.iter().any(|world| line.contains(world))
    });

    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn rooms_do_not_know_rooms() {
    let rooms: Vec<_> = folders("core-supervisor/src/rooms");
    let mut found = Vec::new();
    for room in &rooms {
        let others: Vec<_> = rooms.iter().filter(|other| *other != room).collect();
        let files = sources_under(&format!("core-supervisor/src/rooms/{room}"));
        found.extend(find(files, |line| {
            others
                .iter()
                .any(|other| line.contains(&format!("rooms::{other}")))
        }));
    }

    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_system_call_of_a_profile_says_why() {
    let profiles: Vec<_> = files_under("policies/sandbox")
        .filter(|file| has_extension(file, "toml"))
        .collect();

    let silent: Vec<_> = profiles
        .iter()
        .flat_map(|file| entries_without_why(file))
        .collect();

    assert!(!profiles.is_empty(), "no profile was found");
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}

#[test]
fn every_message_rule_says_why() {
    let rules: Vec<_> = files_under("policies/message")
        .filter(|file| has_extension(file, "cedar"))
        .collect();

    let silent: Vec<_> = rules
        .iter()
        .filter(|file| {
            let text = read(file);
            let count = |word: &str| text.lines().filter(|line| line.starts_with(word)).count();
            count("permit") + count("forbid") != count("@why")
        })
        .collect();

    assert!(!rules.is_empty(), "no rule was found");
    assert!(silent.is_empty(), "rules without @why in {silent:?}");
}

#[test]
fn names_say_something_and_nothing_is_left_for_later() {
    let later = ["TO", "DO"].concat();
    let named = |line: &str| {
        EMPTY_NAMES.iter().any(|name| {
            ["struct ", "enum ", "trait ", "type "]
                .iter()
                .any(|word| declares(line, word, name))
        })
    };

    let empty = find(sources(), named);
    let open = find(sources(), |line| {
        line.contains(&later) && !line.contains(&format!("{later}(#"))
    });

    assert!(empty.is_empty(), "{}", empty.join("\n"));
    assert!(open.is_empty(), "{}", open.join("\n"));
}

fn declares(line: &str, word: &str, suffix: &str) -> bool {
    line.split_once(word)
        .and_then(|(_, rest)| rest.split(|c: char| !c.is_alphanumeric()).next())
        .is_some_and(|name| name.ends_with(suffix) && name != "SyncManager")
}

fn entries_without_why(file: &Path) -> Vec<String> {
    let table: toml::Table = read(file).parse().expect("a profile is TOML");
    let mut silent = Vec::new();
    collect_without_why("", &toml::Value::Table(table), &mut silent);
    silent
        .iter()
        .map(|path| format!("{}: {path}", file.display()))
        .collect()
}

// An entry is any table that names system calls.
fn collect_without_why(path: &str, value: &toml::Value, silent: &mut Vec<String>) {
    match value {
        toml::Value::Table(table) => {
            let names = ["syscall", "syscalls", "call", "calls"];
            let is_entry = names
                .iter()
                .any(|name| table.get(*name).is_some_and(is_text));
            let why = table
                .get("why")
                .and_then(toml::Value::as_str)
                .unwrap_or_default();
            if is_entry && why.trim().is_empty() {
                silent.push(path.to_owned());
            }
            for (key, inner) in table {
                collect_without_why(&format!("{path}.{key}"), inner, silent);
            }
        }
        toml::Value::Array(list) => {
            for (at, inner) in list.iter().enumerate() {
                collect_without_why(&format!("{path}[{at}]"), inner, silent);
            }
        }
        _ => {}
    }
}

fn is_text(value: &toml::Value) -> bool {
    let texts = |list: &Vec<toml::Value>| list.iter().all(toml::Value::is_str);
    value.is_str() || value.as_array().is_some_and(texts)
}

fn metadata() -> Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", &platform])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("cargo writes JSON")
}

// Names of everything a package links, in any depth; not what builds or tests it.
fn linked_by(metadata: &Value, package: &str) -> BTreeSet<String> {
    let nodes = metadata["resolve"]["nodes"].as_array().expect("resolved");
    let name_of = |id: &Value| {
        let packages = metadata["packages"].as_array().expect("packages");
        let found = packages
            .iter()
            .find(|package| package["id"] == *id)
            .expect("known");
        found["name"].as_str().expect("a name").to_owned()
    };
    let start = nodes
        .iter()
        .find(|node| name_of(&node["id"]) == package)
        .expect("a member");
    let mut waiting = vec![start["id"].clone()];
    let mut linked = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        let node = nodes
            .iter()
            .find(|node| node["id"] == id)
            .expect("resolved");
        for dependency in node["deps"].as_array().expect("dependencies") {
            let kinds = dependency["dep_kinds"].as_array().expect("kinds");
            let is_linked = kinds.iter().any(|kind| kind["kind"].is_null());
            if is_linked && linked.insert(name_of(&dependency["pkg"])) {
                waiting.push(dependency["pkg"].clone());
            }
        }
    }
    linked
}

fn find(files: impl Iterator<Item = PathBuf>, wrong: impl Fn(&str) -> bool) -> Vec<String> {
    let this = Path::new(file!()).file_name();
    files
        .filter(|file| file.file_name() != this)
        .flat_map(|file| {
            let text = read(&file);
            let hits = text.lines().enumerate().filter(|(_, line)| wrong(line));
            hits.map(|(at, line)| format!("{}:{}: {}", file.display(), at + 1, line.trim()))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn lines_max(file: &Path) -> usize {
    if file.ends_with("tests.rs") || is_in(file, "tests") {
        TEST_FILE_LINES_MAX
    } else {
        FILE_LINES_MAX
    }
}

fn sources() -> impl Iterator<Item = PathBuf> {
    sources_under("")
}

fn sources_under(folder: &str) -> impl Iterator<Item = PathBuf> + use<> {
    files_under(folder).filter(|file| has_extension(file, "rs"))
}

fn files_named(name: &'static str) -> impl Iterator<Item = PathBuf> {
    files_under("").filter(move |file| file.file_name().is_some_and(|file| file == name))
}

fn files_under(folder: &str) -> impl Iterator<Item = PathBuf> + use<> {
    let mut files = Vec::new();
    collect_files(&root().join(folder), &mut files);
    files.sort();
    files.into_iter()
}

fn folders(folder: &str) -> Vec<String> {
    let Ok(entries) = fs::read_dir(root().join(folder)) else {
        return Vec::new();
    };
    let folders = entries.flatten().filter(|entry| entry.path().is_dir());
    folders
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

fn collect_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() && name != "target" && name != ".git" {
            collect_files(&path, files);
        } else if path.is_file() {
            files.push(path);
        }
    }
}

fn is_in(file: &Path, folder: &str) -> bool {
    file.strip_prefix(root())
        .unwrap_or(file)
        .components()
        .any(|part| part.as_os_str() == folder)
}

fn has_extension(file: &Path, extension: &str) -> bool {
    file.extension().is_some_and(|found| found == extension)
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .to_path_buf()
}
