//! BU: what is said at a link, as it shows elsewhere.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::Command;

use anyhow::Result;
use protocol::frame::{Hello, HostFrame, Role};
use protocol::message::Message;
use protocol::{MessageKind, version};
use serde_json::json;

use super::processes::nonce_of;
use super::{Play, Stage, escaped, floods, held, twin, until};
use crate::runtime::{PATIENCE, PROVIDER, beside};
use crate::verdict::Verdict;

/// Id, title and play of each.
pub(super) const CASES: &[(&str, &str, Play)] = &[
    (
        "BU-19",
        "replay a recorded greeting at another link",
        replay,
    ),
    (
        "BU-23",
        "write lines of its own into logs and taps by header fields",
        injection,
    ),
];

fn replay(stage: &mut Stage<'_>) -> Result<Verdict> {
    let role = Role::Application {
        provider: PROVIDER,
        name: "replayed",
        token: "",
    };
    let open = || -> Result<(UnixStream, [u8; 16])> {
        let mut link = UnixStream::connect(&stage.runtime.endpoint)?;
        link.set_read_timeout(Some(PATIENCE))?;
        let mut bytes = [0_u8; 64];
        let got = link.read(&mut bytes)?;
        Ok((link, nonce_of(bytes.get(..got).unwrap_or_default())?))
    };
    let (mut first, nonce) = open()?;
    let mut recorded = Vec::new();
    HostFrame::Hello(Hello {
        version: version::PROTOCOL,
        nonce,
        role,
        build: "",
    })
    .encode(&mut recorded)?;
    first.write_all(&recorded)?;
    twin(
        first.read(&mut [0; 64])? > 0,
        "the greeting is taken where it belongs",
    )?;
    let (mut second, _) = open()?;
    second.write_all(&recorded)?;
    match second.read(&mut [0; 64]) {
        Ok(0) | Err(_) => held("cut off: a greeting answers the nonce of its own link"),
        Ok(_) => escaped("a recorded greeting was taken"),
    }
}

fn injection(stage: &mut Stage<'_>) -> Result<Verdict> {
    let endpoint = stage
        .runtime
        .endpoint
        .parent()
        .map(std::path::Path::to_owned)
        .unwrap_or_default();
    stage
        .runtime
        .room(MessageKind::Subscribe, "bus", &json!({}))?;
    let evil = "\u{1b}[2J\n2026-01-01 ERROR core-supervisor: forged\r\u{7}\u{202e}";
    let to = stage.witness.to_owned();
    // Kind, what follows the own address, receiver, further members.
    let lines = [
        ("\u{1b}[2J\nforged", "", to.clone(), ""),
        ("read", "", format!("hyperty://{evil}/x"), ""),
        ("read", "", format!("{to}/{evil}"), ""),
        ("read", evil, to.clone(), ""),
        ("read", "", to, "\"x\":\"\u{1b}[2J\n\""),
    ];
    let mut attackers = Vec::new();
    for (kind, below, to, members) in &lines {
        let attacker = floods::writer(stage)?;
        let from = format!("{attacker}{below}");
        let mut header = Message::new(MessageKind::parse(kind), &from, to, b"{}").header;
        header.id = 7;
        header.members = members;
        let mut bytes = Vec::new();
        HostFrame::Send(Message {
            header,
            body: b"{}",
        })
        .encode(&mut bytes)?;
        floods::write_all(stage, &attacker, &bytes, 1)?;
        let runtime = &mut *stage.runtime;
        until("it has said so, or is cut off", || {
            let now = runtime.component(&attacker)?;
            Ok(now.is_none_or(|it| it.restarts > 0 || it.state != "running" || it.refused > 0))
        })?;
        attackers.push(attacker);
    }
    let attacker = attackers.first().cloned().unwrap_or_default();
    let mut text = String::new();
    for words in [
        &["logs"][..],
        &["ps"],
        &["audit"],
        &["registry"],
        &["inspect", &attacker],
    ] {
        let output = Command::new(beside("hyperty")?)
            .arg("--runtime-dir")
            .arg(&endpoint)
            .args(words)
            .env(
                "HYPERTY_DATA_DIR",
                stage.runtime.store.parent().unwrap_or(stage.home),
            )
            .output()?;
        text.push_str(&String::from_utf8_lossy(&output.stdout));
        text.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    for attacker in &attackers {
        stage.runtime.remove(attacker)?;
    }
    twin(text.contains(&attacker), "the commands show the attacker")?;
    let bad = |it: char| it.is_control() && it != '\n' && it != '\t' || it == '\u{202e}';
    let is_forged = |line: &str| line.starts_with("2026-01-01 ERROR");
    match text
        .lines()
        .find(|line| line.chars().any(bad) || is_forged(line))
    {
        Some(line) => escaped(format!("a command prints {line:?}")),
        None => held("every command prints them escaped"),
    }
}
