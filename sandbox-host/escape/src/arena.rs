//! Where a program tries its attempts: our sandbox, the sandbox of another command, or none.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::runtime::{PATIENCE, Runtime};
use crate::verdict::{Ended, Report, read};

/// Between two looks at what became of an attempt.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// How long what an ended attempt said may still be on its way.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Tries an attempt as a component of `runtime`.
pub(crate) fn in_runtime(
    runtime: &mut Runtime,
    name: &str,
    configuration: Value,
) -> Result<Report> {
    runtime.forget();
    let attacker = runtime.deploy(name, configuration)?;
    let report = await_end(runtime, &attacker.address);
    runtime.remove(&attacker.address)?;
    report
}

/// Waits until an attempt came back, or its process ended.
pub(crate) fn await_end(runtime: &mut Runtime, address: &str) -> Result<Report> {
    let deadline = Instant::now() + PATIENCE;
    let mut last_words = deadline;
    loop {
        // Looked at before its lines are read: what it said last is then among them.
        let now = runtime.component(address)?;
        let mut report = read(&runtime.said(address));
        let has_ended = now
            .as_ref()
            .is_none_or(|it| it.state != "running" || it.restarts > 0);
        if report.end.is_some() {
            return Ok(report);
        }
        if has_ended {
            last_words = last_words.min(Instant::now() + LAST_WORDS);
        }
        // Its last words come over another link, and may be later than the news of its end.
        if has_ended && (report.began || Instant::now() > last_words) {
            let why = now.map(|it| it.reason).unwrap_or_default();
            report.ended = Some(match why.as_str() {
                // Its own last word, or the kernel's and the core's.
                why if why.contains("exited with status") => Ended::Itself(why.to_owned()),
                why => Ended::Killed(why.to_owned()),
            });
            return Ok(report);
        }
        if Instant::now() > deadline {
            report.ended = Some(Ended::Hung);
            return Ok(report);
        }
        thread::sleep(LOOK_AGAIN);
    }
}

/// Tries an attempt with `prefix` in front of it: another sandbox, or nothing at all.
pub(crate) fn in_command(
    prefix: &[String],
    attempts: &Path,
    configuration: &Value,
) -> Result<Report> {
    let mut words = prefix.iter().map(String::as_str);
    let mut command = match words.next() {
        Some(first) => {
            let mut command = Command::new(first);
            command.args(words).arg(attempts);
            command
        }
        None => Command::new(attempts),
    };
    let child = command
        .arg(configuration.to_string())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("executing {command:?}"))?;
    watch(child)
}

fn watch(mut child: Child) -> Result<Report> {
    let mut stdout = child.stdout.take().context("its output is piped")?;
    let said = thread::spawn(move || {
        let mut text = Vec::new();
        let _ = stdout.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    });
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            break None;
        }
        thread::sleep(LOOK_AGAIN);
    };
    let lines: Vec<String> = said
        .join()
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect();
    let mut report = read(&lines);
    report.ended = match status {
        _ if report.end.is_some() => None,
        None => Some(Ended::Hung),
        Some(status) if status.success() => Some(Ended::Itself("ended in order".to_owned())),
        Some(status) => Some(Ended::Killed(status.to_string())),
    };
    Ok(report)
}
