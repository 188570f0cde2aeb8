//! BU, RS: taking more than one's share from the core.

use anyhow::{Context as _, Result};
use protocol::client::blocking::Client;
use protocol::frame::Role;
use protocol::message::{Header, Message};
use protocol::{Code, HostFrame, MessageKind, Reply};
use serde_json::{Value, json};
use std::fmt::Write as _;

use super::{Play, Stage, escaped, growth, heard, held, play, player, twin, until};
use crate::process;
use crate::runtime::PROVIDER;
use crate::verdict::Verdict;

/// Id, title and play of each.
pub(super) const CASES: &[(&str, &str, Play)] = &[
    (
        "BU-11",
        "one message of a mebibyte to many that never read",
        amplified,
    ),
    ("BU-18a", "fill the table of requests that wait", waiting),
    ("BU-18b", "fill the table of listeners", listeners),
    ("BU-22", "starve the operator by a flood of data", starved),
    (
        "RS-07",
        "make the core hold descriptors and links",
        descriptors,
    ),
];

// Listeners of the attacker's own provider that do not read, and one loud component.
fn amplified(stage: &mut Stage<'_>) -> Result<Verdict> {
    let loud = player(stage.runtime, PROVIDER, json!({}))?;
    let before = process::size(stage.runtime.core()).0;
    let rules = "@id(\"apps-listen\")\n@why(\"a case of the suite\")\npermit (principal is Application, action, resource);\n";
    let mut own = stage.own(rules)?;
    stage.runtime.remove(&loud)?;
    let loud = player(&mut own, PROVIDER, json!({}))?;
    let core = own.core();
    let mut deaf = Vec::new();
    for _ in 0..48 {
        let role = Role::Application {
            provider: PROVIDER,
            name: "deaf",
            token: "",
        };
        let mut client = Client::connect(&own.endpoint, role)?;
        client.listen(&loud)?;
        client.flush()?;
        client.recv()?;
        deaf.push(client);
    }
    let at_first = process::size(core).0;
    let body = json!({ "text": "x".repeat(900_000) });
    let shout = json!({ "type": "update", "to": loud, "body": body });
    let mut refused = 0;
    for _ in 0..12 {
        play(&mut own, &loud, std::slice::from_ref(&shout))?;
        // It is a receiver, too: while it has much to read, it may be told so.
        refused += usize::from(heard(&mut own, &loud).is_err());
        twin(
            own.component(&loud)?.is_some(),
            "the operator is answered meanwhile",
        )?;
    }
    let now = process::size(core).0;
    let _ = before;
    drop(deaf);
    // Twelve of them at one listener each would be eleven mebibytes.
    let most = 96 << 20;
    if now > at_first + most {
        return escaped(format!("the core grew by {} MiB", (now - at_first) >> 20));
    }
    held(format!(
        "the core grew by {} MiB; {refused} times it was told to wait",
        now.saturating_sub(at_first) >> 20
    ))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

// Deploys the program that writes what it is told to.
pub(super) fn writer(stage: &mut Stage<'_>) -> Result<String> {
    let config = json!({ "attempt": crate::bus::ATTEMPT });
    let attacker = stage.runtime.deploy("Attempts", config)?.address;
    await_line(stage, &attacker, "waiting for frames")?;
    Ok(attacker)
}

pub(super) fn await_line(stage: &mut Stage<'_>, who: &str, text: &str) -> Result<()> {
    let runtime = &mut *stage.runtime;
    until(&format!("it says `{text}`"), || {
        Ok(runtime.said(who).iter().any(|line| line.contains(text)))
    })
}

pub(super) fn write_all(stage: &mut Stage<'_>, who: &str, bytes: &[u8], repeat: u32) -> Result<()> {
    stage
        .runtime
        .tell(who, &json!({ "frames": hex(bytes), "repeat": repeat }))
}

fn waiting(stage: &mut Stage<'_>) -> Result<Verdict> {
    let before = process::size(stage.runtime.core()).0;
    // One of its own provider, which never answers.
    let silent = player(stage.runtime, PROVIDER, json!({}))?;
    let attacker = writer(stage)?;
    let mut bytes = Vec::new();
    for id in 1..=256_u64 {
        let header = Header {
            id,
            kind: MessageKind::Read,
            from: &attacker,
            to: &silent,
            code: Code::NONE,
            reply: Reply::Within(600_000),
            members: "",
        };
        HostFrame::Send(Message {
            header,
            body: b"{}",
        })
        .encode(&mut bytes)?;
    }
    write_all(stage, &attacker, &bytes, 1)?;
    let runtime = &mut *stage.runtime;
    until("its requests wait", || {
        let (_, numbers) = runtime.room(MessageKind::Read, "bus", &json!({}))?;
        Ok(numbers.pointer("/value/pending").and_then(Value::as_u64) >= Some(200))
    })?;
    // Scripts number their own; four of them ask without end.
    let ask = json!({ "type": "read", "to": silent, "body": { "n": 1 } });
    let asker = player(stage.runtime, PROVIDER, json!({}))?;
    // A turn of a script that takes long is interrupted.
    for _ in 0..60 {
        stage
            .runtime
            .tell(&asker, &json!({ "play": [ask], "repeat": 100 }))?;
    }
    let mut pending = 0;
    let runtime = &mut *stage.runtime;
    until("its share and the other one's wait", || {
        let (_, numbers) = runtime.room(MessageKind::Read, "bus", &json!({}))?;
        let waits = numbers.pointer("/value/pending").and_then(Value::as_u64);
        pending = waits.unwrap_or(0).max(pending);
        Ok(pending >= 4096)
    })?;
    twin(
        stage.runtime.component(&silent)?.is_some(),
        "the operator's requests are answered",
    )?;
    for who in [&silent, &attacker, &asker] {
        stage.runtime.remove(who)?;
    }
    if pending > 4096 * 3 {
        return escaped(format!("{pending} requests wait"));
    }
    if let Some(grown) = growth(stage.runtime.core(), before) {
        return escaped(grown);
    }
    held(format!(
        "{pending} requests waited at most; each link has a share of its own"
    ))
}

fn listeners(stage: &mut Stage<'_>) -> Result<Verdict> {
    let before = process::size(stage.runtime.core()).0;
    let other = player(stage.runtime, PROVIDER, json!({}))?;
    let attacker = writer(stage)?;
    let mut bytes = Vec::new();
    for number in 0..400 {
        let address = format!("{other}/{number}");
        HostFrame::Listen {
            component: &attacker,
            address: &address,
        }
        .encode(&mut bytes)?;
    }
    write_all(stage, &attacker, &bytes, 1)?;
    let (runtime, who) = (&mut *stage.runtime, attacker.as_str());
    until("it is told that it has its share", || {
        Ok(runtime
            .said(who)
            .iter()
            .any(|line| line.contains("its share"))
            || {
                let now = runtime.component(who)?;
                now.is_none_or(|it| it.state != "running" || it.refused > 0)
            })
    })
    .ok();
    let said = stage.runtime.said(&attacker);
    let share = said.iter().find(|line| line.contains("its share")).cloned();
    let lines = stage.runtime.said_by_core(&attacker);
    for who in [&other, &attacker] {
        stage.runtime.remove(who)?;
    }
    if let Some(grown) = growth(stage.runtime.core(), before) {
        return escaped(grown);
    }
    held(share.unwrap_or(lines))
}

fn starved(stage: &mut Stage<'_>) -> Result<Verdict> {
    let attacker = writer(stage)?;
    let header = Header {
        id: 7,
        kind: MessageKind::Read,
        from: &attacker,
        to: stage.witness,
        code: Code::NONE,
        reply: Reply::Unwanted,
        members: "",
    };
    let mut bytes = Vec::new();
    for _ in 0..64 {
        HostFrame::Send(Message {
            header,
            body: b"{}",
        })
        .encode(&mut bytes)?;
    }
    write_all(stage, &attacker, &bytes, 100_000)?;
    let mut answered = 0;
    for _ in 0..200 {
        let now = stage
            .runtime
            .component(&attacker)?
            .context("it is listed")?;
        answered += 1;
        // Cut off for its flood: that is an answer, too.
        if now.state != "running" || now.restarts > 0 {
            break;
        }
    }
    let how = stage
        .runtime
        .component(&attacker)?
        .map(|it| it.reason)
        .unwrap_or_default();
    stage.runtime.remove(&attacker)?;
    let ended = if how.is_empty() {
        "while it went on".to_owned()
    } else {
        how
    };
    held(format!(
        "the operator was answered {answered} times: {ended}"
    ))
}

fn descriptors(stage: &mut Stage<'_>) -> Result<Verdict> {
    let core = stage.runtime.core();
    let (_, before) = process::size(core);
    let attacker = writer(stage)?;
    let mut bytes = Vec::new();
    for _ in 0..500 {
        HostFrame::TakeSlots { most: u16::MAX }.encode(&mut bytes)?;
    }
    write_all(stage, &attacker, &bytes, 10)?;
    let mut links = Vec::new();
    // Links to the endpoint that never greet, as many as can be had.
    for _ in 0..600 {
        match std::os::unix::net::UnixStream::connect(&stage.runtime.endpoint) {
            Ok(link) => links.push(link),
            Err(_) => break,
        }
    }
    let made = links.len();
    let answered = stage.runtime.component(&attacker)?;
    drop(links);
    twin(answered.is_some(), "the operator is answered meanwhile")?;
    stage.runtime.remove(&attacker)?;
    until("the core has given them back", || {
        Ok(process::size(core).1 <= before + 8)
    })?;
    twin(
        stage
            .runtime
            .deploy_of(PROVIDER, "Player", json!({}))
            .is_ok(),
        "components still start",
    )?;
    held(format!("{made} links without a greeting, all given back"))
}
