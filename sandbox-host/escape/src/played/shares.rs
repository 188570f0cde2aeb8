//! RS: taking more than one's share of the disk, and of starts.

use std::fs;

use anyhow::Result;
use serde_json::json;

use super::{Play, Stage, answered, code, escaped, growth, heard, held, player, twin, until};
use crate::process;
use crate::runtime::PROVIDER;
use crate::verdict::Verdict;

/// Id, title and play of each.
pub(super) const CASES: &[(&str, &str, Play)] = &[
    ("RS-08", "fill the disk by what the core keeps for it", disk),
    ("RS-10", "start and stop without end", churn),
    ("RS-12", "write to the disk without end", thrash),
];

/// What one component may add to the store: its share, and what the store keeps free beside it.
const DISK_MAX: u64 = 96 << 20;

fn disk(stage: &mut Stage<'_>) -> Result<Verdict> {
    // What is kept stays when a component goes: not in the core that everybody shares.
    let mut own = stage.own("// Nothing besides what is shipped.\n")?;
    let own = &mut own;
    let hog = player(own, PROVIDER, json!({}))?;
    let storage = format!("{}/storage", own.address());
    let store = own.store.clone();
    let before = fs::metadata(&store)?.len();
    let content = "x".repeat(500_000);
    let mut first = None;
    let mut kept = 0_u64;
    for _ in 0..60 {
        let file = json!({ "content": content, "size": content.len() });
        let create = json!({ "type": "create", "to": storage, "body": { "value": file } });
        let answers = answered(own, &hog, &[create])?;
        match answers.iter().map(code).find(|it| *it >= 200) {
            Some(200) => kept += 1,
            Some(429) | None => {}
            Some(other) => {
                first = Some((other, answers));
                break;
            }
        }
    }
    let other = player(own, crate::runtime::VICTIM, json!({}))?;
    let small = json!({ "type": "create", "to": storage, "body": { "value": { "content": "y", "size": 1 } } });
    let others = answered(own, &other, &[small])?;
    let grown = fs::metadata(&store)?.len().saturating_sub(before);
    for who in [&hog, &other] {
        own.remove(who)?;
    }
    twin(kept > 0, "it may keep some")?;
    if !others.iter().any(|it| code(it) == 200) {
        return escaped(format!("others cannot keep anything any more: {others:?}"));
    }
    if grown > DISK_MAX {
        return escaped(format!("it keeps {} MiB, and could more", grown >> 20));
    }
    let why = first.and_then(|(_, answers)| {
        Some(
            answers
                .iter()
                .find_map(|it| it.pointer("/body/desc")?.as_str())?
                .to_owned(),
        )
    });
    let why = why.unwrap_or_else(|| "its oldest files give way to its newest".to_owned());
    held(format!(
        "{kept} files of 500 kB, {} MiB on the disk: {why}",
        grown >> 20
    ))
}

fn churn(stage: &mut Stage<'_>) -> Result<Verdict> {
    let core = stage.runtime.core();
    let (before, descriptors) = process::size(core);
    let mut started = 0;
    for _ in 0..150 {
        let config = json!({ "attempt": "nothing-of-the-kind" });
        if let Ok(short) = stage.runtime.deploy_of(PROVIDER, "Attempts", config) {
            started += 1;
            stage.runtime.remove(&short.address)?;
        }
        if let Ok(brief) = player(stage.runtime, PROVIDER, json!({})) {
            stage.runtime.remove(&brief)?;
        }
    }
    twin(started > 0, "components start")?;
    until("the core holds no more descriptors", || {
        Ok(process::size(core).1 <= descriptors + 8)
    })?;
    match growth(core, before) {
        Some(grown) => escaped(grown),
        None => held(format!(
            "{started} starts and stops; nothing of them is left"
        )),
    }
}

fn thrash(stage: &mut Stage<'_>) -> Result<Verdict> {
    let writer = player(stage.runtime, PROVIDER, json!({}))?;
    let storage = format!("{}/storage", stage.runtime.address());
    let before = process::size(stage.runtime.core()).0;
    let content = "x".repeat(1000);
    let url = {
        let create = json!({ "type": "create", "to": storage, "body": { "value": { "content": "x", "size": 1 } } });
        let answers = answered(stage.runtime, &writer, &[create])?;
        answers
            .iter()
            .find_map(|it| it.pointer("/body/value").cloned())
            .unwrap_or_default()
    };
    let again = json!({ "type": "create", "to": storage, "body": { "value": { "content": content, "size": 1000, "contentURL": [url] } } });
    // A turn of a script that takes long is interrupted.
    for _ in 0..30 {
        stage
            .runtime
            .tell(&writer, &json!({ "play": [again], "repeat": 100 }))?;
    }
    let (mut done, mut busy) = (0, 0);
    let (runtime, who) = (&mut *stage.runtime, writer.as_str());
    until("each is answered", || {
        for answer in heard(runtime, who)?.1 {
            match code(&answer) {
                429 => busy += 1,
                _ => done += 1,
            }
        }
        Ok(done + busy >= 3000)
    })?;
    twin(done > 0, "it may write")?;
    stage.runtime.remove(&writer)?;
    match growth(stage.runtime.core(), before) {
        Some(grown) => escaped(grown),
        None => held(format!("{done} written, {busy} told to come back later")),
    }
}
