//! FS: the operator's folders, prepared by an attacker for the core to walk into.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::{Play, Stage, answered, code, escaped, heard, held, player, twin};
use crate::runtime::{PROVIDER, folder, script};
use crate::verdict::Verdict;

/// Id, title and play of each.
pub(super) const CASES: &[(&str, &str, Play)] = &[
    (
        "FS-05a",
        "played: code that is a link to a secret",
        |stage| linked(stage, "js"),
    ),
    (
        "FS-05b",
        "played: a descriptor that is a link to a secret",
        |stage| linked(stage, "json"),
    ),
    (
        "FS-05c",
        "played: a provider's folder that is a link",
        linked_folder,
    ),
    (
        "FS-06",
        "played: swap a folder while the core walks it",
        swapped,
    ),
    (
        "FS-16",
        "ask for LD_PRELOAD and others by configuration",
        environment,
    ),
    ("FS-17a", "deploy by names that lead elsewhere", names),
    ("FS-17b", "keep files under names that lead elsewhere", kept),
    (
        "FS-17c",
        "names in messages and logs: control, right to left, 4 KiB",
        spoken,
    ),
];

const SECRET: &str = "the user's own words";

// A file of the catalogue leads out of it: the core must not read what is there.
fn linked(stage: &mut Stage<'_>, what: &str) -> Result<Verdict> {
    let folder = folder(&stage.runtime.catalogue, PROVIDER)?;
    let secret = stage.home.join("secret");
    let descriptor = json!({ "name": "Linked", "language": "javascript" }).to_string();
    let source = include_str!("../../attempts/player.js");
    let (json, js) = (folder.join("Linked.hy.json"), folder.join("Linked.hy.js"));
    fs::write(&json, &descriptor)?;
    fs::write(&js, source)?;
    let sound = stage.runtime.deploy_of(PROVIDER, "Linked", json!({}));
    twin(sound.is_ok(), "the same without a link is deployed")?;
    stage.runtime.remove(&sound?.address)?;
    // What is behind the link is sound in itself: only the link keeps it from being taken.
    let link = if what == "js" { &js } else { &json };
    fs::rename(link, &secret)?;
    symlink(&secret, link)?;

    let deployed = stage.runtime.deploy_of(PROVIDER, "Linked", json!({}));

    let told = deployed
        .as_ref()
        .map_or_else(|error| format!("{error:#}"), |_| String::new());
    if let Ok(component) = deployed {
        stage.runtime.remove(&component.address)?;
    }
    fs::remove_file(&json)?;
    fs::remove_file(&js)?;
    if told.is_empty() {
        return escaped("what is behind the link was taken");
    }
    held(told)
}

fn linked_folder(stage: &mut Stage<'_>) -> Result<Verdict> {
    let outside = stage.place("outside");
    let source = include_str!("../../attempts/player.js");
    script(&outside, ("linked.example", "Linked"), source, &json!([]))?;
    let link = stage.runtime.catalogue.join("linked.example");
    symlink(outside.join("linked.example"), &link)?;
    let deployed = stage
        .runtime
        .deploy_of("linked.example", "Linked", json!({}));
    fs::remove_file(&link)?;
    match deployed {
        Ok(component) => {
            stage.runtime.remove(&component.address)?;
            escaped("the folder behind the link was taken")
        }
        Err(error) => held(format!("{error:#}")),
    }
}

// The folder is what it should be at one moment, and a link to another the next.
fn swapped(stage: &mut Stage<'_>) -> Result<Verdict> {
    const MARK: &str = "// inside";
    let source = include_str!("../../attempts/player.js");
    let outside = stage.place("outside");
    script(
        &outside,
        ("swapped.example", "Swapped"),
        &format!("{source}\n// outside"),
        &json!([]),
    )?;
    let catalogue = stage.runtime.catalogue.clone();
    script(
        &catalogue,
        ("swapped.example", "Swapped"),
        &format!("{source}\n{MARK}"),
        &json!([]),
    )?;
    let inside = stage
        .runtime
        .deploy_of("swapped.example", "Swapped", json!({}))?;
    stage.runtime.remove(&inside.address)?;
    let (real, away) = (
        catalogue.join("swapped.example"),
        catalogue.join("swapped-away"),
    );
    let is_over = Arc::new(AtomicBool::new(false));
    let turning = thread::spawn({
        let is_over = Arc::clone(&is_over);
        let there = outside.join("swapped.example");
        move || {
            while !is_over.load(Ordering::Relaxed) {
                let _ = fs::rename(&real, &away);
                let _ = symlink(&there, &real);
                thread::yield_now();
                let _ = fs::remove_file(&real);
                let _ = fs::rename(&away, &real);
                thread::yield_now();
            }
        }
    });
    let mut taken = (0, 0, 0);
    for _ in 0..200 {
        match stage
            .runtime
            .deploy_of("swapped.example", "Swapped", json!({}))
        {
            Ok(component) => {
                if component.digest == inside.digest {
                    taken.0 += 1;
                } else {
                    taken.1 += 1;
                }
                stage.runtime.remove(&component.address)?;
            }
            Err(_) => taken.2 += 1,
        }
    }
    is_over.store(true, Ordering::Relaxed);
    let _ = turning.join();
    let _ = fs::remove_dir_all(catalogue.join("swapped.example"));
    let _ = fs::remove_dir_all(catalogue.join("swapped-away"));
    match taken {
        (_, outside, _) if outside > 0 => escaped(format!("{outside} times what is outside ran")),
        (inside, _, refused) => held(format!(
            "{inside} times what is inside, {refused} times refused"
        )),
    }
}

fn environment(stage: &mut Stage<'_>) -> Result<Verdict> {
    let wanted = json!({
        "attempt": "FD-08",
        "LD_PRELOAD": "/nowhere/taken.so", "LD_LIBRARY_PATH": "/nowhere", "GCONV_PATH": "/nowhere",
        "PYTHONPATH": "/nowhere", "NODE_OPTIONS": "--require /nowhere",
        "env": { "LD_PRELOAD": "/nowhere/taken.so" }, "environment": ["LD_PRELOAD=/nowhere/taken.so"],
    });
    let report = crate::arena::in_runtime(stage.runtime, "Attempts", wanted)?;
    twin(
        report.twin == Some(0) && report.began,
        "it runs with any configuration",
    )?;
    match report.end {
        Some(0) => escaped(format!("its environment has {}", report.said.join(", "))),
        _ => held("configuration is data: its environment is empty"),
    }
}

const NAMES: &[&str] = &[
    "../../../../etc/passwd",
    "hyperty/../../../../../etc/passwd",
    "hyperty/..",
    "hyperty/.",
    "hyperty/",
    "hyperty//etc/passwd",
    "hyperty/Player\0.hy.json",
    "hyperty/Player\n",
    "hyperty/\u{1b}[2JPlayer",
    "hyperty/\u{202e}reyalP",
    "hyperty/Player.hy.json/..",
];

fn names(stage: &mut Stage<'_>) -> Result<Verdict> {
    let long = format!("hyperty/{}", "x".repeat(4096));
    let names = NAMES.iter().copied().chain([long.as_str()]);
    let mut tried = 0;
    let sound = stage.runtime.deploy_of(PROVIDER, "Player", json!({}))?;
    stage.runtime.remove(&sound.address)?;
    for name in names {
        for (provider, component) in [(PROVIDER, name), (name, "hyperty/Player")] {
            let deploy = json!({ "catalogue": "", "component": component, "provider": provider });
            let (number, body) =
                stage
                    .runtime
                    .room(protocol::MessageKind::Create, "ua", &deploy)?;
            if number == 200 {
                return escaped(format!("{provider:?} {component:?} was deployed: {body}"));
            }
            let text = body.to_string();
            if text.contains("root:") || text.contains(SECRET) {
                return escaped(format!("the answer tells what is in a file: {text:.200}"));
            }
            tried += 1;
        }
    }
    held(format!("{tried} names refused"))
}

fn kept(stage: &mut Stage<'_>) -> Result<Verdict> {
    let attacker = player(stage.runtime, PROVIDER, json!({}))?;
    let storage = format!("{}/storage", stage.runtime.address());
    let before = entries(stage)?;
    let create = |url: &str, name: &str| {
        json!({ "type": "create", "to": storage, "body": { "value": {
            "content": "x", "name": name, "mimetype": "text/plain", "size": 1, "contentURL": [url],
        } } })
    };
    let sound = json!({ "type": "create", "to": storage, "body": { "value": { "content": "x", "size": 1 } } });
    let answers = answered(stage.runtime, &attacker, &[sound])?;
    twin(
        answers.iter().any(|it| code(it) == 200),
        &format!("it may keep a file: {answers:?}"),
    )?;
    let elsewhere = [
        format!("{storage}/../../../../etc/hyperty-escape"),
        "file:///etc/hyperty-escape".to_owned(),
        "../../../../etc/hyperty-escape".to_owned(),
        format!("{}/storage/x", stage.witness),
        stage.runtime.address(),
    ];
    let messages: Vec<Value> = elsewhere.iter().map(|url| create(url, "x")).collect();
    let answers = answered(stage.runtime, &attacker, &messages)?;
    let names: Vec<Value> = NAMES
        .iter()
        .map(|name| {
            json!({
                "type": "read", "to": storage, "body": { "resource": format!("{storage}/{name}") },
            })
        })
        .collect();
    let read = answered(stage.runtime, &attacker, &names)?;
    stage.runtime.remove(&attacker)?;
    let now = entries(stage)?;
    if now != before || fs::exists("/etc/hyperty-escape")? {
        return escaped(format!("files were made: {now:?}"));
    }
    if let Some(got) = read.iter().find(|it| code(it) == 200) {
        return escaped(format!("read by such a name: {got:.200}"));
    }
    // An address elsewhere is not obeyed: the file gets one of its own, or none.
    let is_elsewhere = |it: &&Value| {
        let at = it
            .pointer("/body/value")
            .map(ToString::to_string)
            .unwrap_or_default();
        elsewhere.iter().any(|url| at.contains(url.as_str()))
    };
    match answers.iter().find(is_elsewhere) {
        Some(got) => escaped(format!("kept at somebody else's address: {got}")),
        None => held("no name leads to a file; addresses are the runtime's choice"),
    }
}

fn entries(stage: &Stage<'_>) -> Result<Vec<String>> {
    let data = stage
        .runtime
        .store
        .parent()
        .context("the store is in a folder")?;
    let mut names = Vec::new();
    for entry in fs::read_dir(data)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

fn spoken(stage: &mut Stage<'_>) -> Result<Verdict> {
    let attacker = player(stage.runtime, PROVIDER, json!({}))?;
    let mut messages = Vec::new();
    for name in NAMES
        .iter()
        .copied()
        .map(str::to_owned)
        .chain(["x".repeat(4096)])
    {
        messages.push(json!({ "type": "read", "to": format!("hyperty://{name}/x"), "body": {} }));
        messages.push(json!({ "type": "read", "to": name, "body": {} }));
    }
    let answers = answered(stage.runtime, &attacker, &messages)?;
    heard(stage.runtime, &attacker)?;
    stage.runtime.remove(&attacker)?;
    let raw = |text: &str| {
        text.chars()
            .any(|it| it.is_control() || "\u{202e}\u{202d}".contains(it))
    };
    for answer in &answers {
        if code(answer) == 200 {
            return escaped(format!("answered: {answer:.200}"));
        }
        // JSON escapes what is quoted; the reason itself must not bring it to a terminal.
        let desc = answer
            .pointer("/body/desc")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if raw(desc) {
            return escaped(format!("the reason has control characters: {desc:?}"));
        }
    }
    held(format!(
        "{} refused, each with a reason that can be printed",
        answers.len()
    ))
}
