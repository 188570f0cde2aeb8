//! BU, PO: bytes on the link of a component, and what comes of them.

use std::fmt::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::arena::await_end;
use crate::case::{By, Case};
use crate::frames::{self, Frames, Parties};
use crate::process;
use crate::runtime::{PATIENCE, Runtime};
use crate::verdict::{Report, Verdict};

/// The attempt that writes what it is told to.
pub(crate) const ATTEMPT: &str = "frames";

/// Attempts that are the means of other cases.
pub(crate) const MEANS: &[&str] = &[ATTEMPT, "threads"];

/// How often a flood says the same.
const FLOOD: u32 = 100_000;

fn times(id: &str) -> u32 {
    match id.get(..5) {
        Some("BU-14" | "BU-15") => FLOOD,
        _ => 1,
    }
}

/// What the core may grow by while one component floods it: the bounds of that component's
/// queues, and what the allocator keeps of them.
const GROWTH_MAX: u64 = 32 << 20;

/// The cases of this file.
pub(crate) fn cases() -> impl Iterator<Item = Case> {
    frames::CASES.iter().map(|(id, title, frames)| Case {
        id: (*id).to_owned(),
        title: (*title).to_owned(),
        by: By::Frames(*frames, times(id)),
    })
}

/// Lets an attacker write the bytes, and finds what came of it.
pub(crate) fn attempt(
    runtime: &mut Runtime,
    (frames, repeat): (Frames, u32),
    witness: &str,
) -> Result<(Report, Vec<String>)> {
    runtime.forget();
    let attacker = runtime
        .deploy("Attempts", json!({ "attempt": ATTEMPT }))?
        .address;
    let parties = Parties {
        own: attacker.clone(),
        witness: witness.to_owned(),
        runtime: runtime.address(),
    };
    wait_for(runtime, &attacker, "waiting for frames")?;
    let (bytes_before, _) = process::size(runtime.core());
    let mut bytes = String::new();
    for byte in frames(&parties) {
        write!(bytes, "{byte:02x}")?;
    }
    runtime.tell(&attacker, &json!({ "frames": bytes, "repeat": repeat }))?;
    let mut report = await_end(runtime, &attacker)?;
    let mut harm = Vec::new();
    // What it hears between the two was not meant for it.
    runtime.tell(witness, &json!({ "secret": "for the witness" }))?;
    if report.ended.is_none() && runtime.tell(&attacker, &json!({ "marker": true })).is_ok() {
        wait_for(runtime, &attacker, "marker").ok();
    }
    let said = runtime.said(&attacker);
    for line in &said {
        if line.contains("for the witness") {
            harm.push("it overheard what the witness was told".to_owned());
        }
        // A flood is made of questions that it may ask.
        if repeat == 1 && line.contains(r#""code":200"#) {
            harm.push(format!("it was answered: {line}"));
        }
    }
    harm.extend(harm_to(runtime, witness)?);
    let (bytes_now, _) = process::size(runtime.core());
    if bytes_now > bytes_before + GROWTH_MAX {
        harm.push(format!(
            "the core grew by {} MiB",
            (bytes_now - bytes_before) >> 20
        ));
    }
    let now = runtime.component(&attacker)?;
    if let Some(now) = now.filter(|_| report.ended.is_none()) {
        if now.state != "running" || now.restarts > 0 {
            report.ended = Some(crate::verdict::Ended::Killed(now.reason));
        } else if now.refused > 0 {
            report.said.push(format!("{} refused", now.refused));
        }
    }
    runtime.remove(&attacker)?;
    Ok((report, harm))
}

/// What the witness heard that was not for it.
pub(crate) fn harm_to(runtime: &mut Runtime, witness: &str) -> Result<Vec<String>> {
    let answer = runtime.ask(witness, &json!({ "what": "heard" }))?;
    let heard = answer.get("value").and_then(|it| it.as_array());
    let heard = heard.context("the witness does not answer any more")?;
    Ok(heard
        .iter()
        .map(|it| format!("the witness heard: {it}"))
        .collect())
}

/// Bytes that were written are no success; what came of them is.
pub(crate) fn judge(report: &Report, harm: &[String]) -> Verdict {
    use crate::verdict::Ended;
    if !harm.is_empty() {
        return Verdict::Escaped(harm.join("; "));
    }
    match &report.ended {
        Some(Ended::Killed(why) | Ended::Itself(why)) => Verdict::Held(why.clone()),
        Some(Ended::Hung) => Verdict::Broken("it did not come back".to_owned()),
        None => Verdict::Held(
            report
                .said
                .iter()
                .rev()
                .find(|line| line.ends_with("refused"))
                .map_or_else(
                    || "ignored".to_owned(),
                    |line| format!("{line}, each with a reason"),
                ),
        ),
    }
}

fn wait_for(runtime: &Runtime, address: &str, text: &str) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !runtime.said(address).iter().any(|line| line.contains(text)) {
        anyhow::ensure!(Instant::now() < deadline, "`{text}` was never said");
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}
