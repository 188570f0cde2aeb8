//! Lets `sandbox-host` try its primitives, and bounds how long that may take.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use serde::Deserialize;

use super::{Check, Status};
use crate::paths::program;

/// A probe starts a child per level; a second is long.
const PROBE_WITHIN: Duration = Duration::from_secs(20);

#[derive(Debug, Deserialize)]
struct Probed {
    checks: Vec<Check>,
    #[serde(default)]
    level: Option<String>,
}

/// The level that sandboxes reach, and what was tried for it.
pub(super) fn run(pretend_without: &[String]) -> (Option<String>, Vec<Check>) {
    let failed = |detail: String| {
        let check = Check::new("sandbox.probe", Status::Fail, detail);
        (
            None,
            vec![check.remedy("make build, then run `hyperty doctor` again")],
        )
    };
    let host = match program("sandbox-host") {
        Ok(host) => host,
        Err(failure) => return failed(failure.what().to_owned()),
    };
    let mut command = Command::new(host);
    command.args(["probe", "--json"]);
    for what in pretend_without {
        command.args(["--pretend-without", what]);
    }
    match output_within(command, PROBE_WITHIN) {
        Ok(output) => match serde_json::from_str::<Probed>(&output) {
            Ok(probed) => (probed.level, probed.checks),
            Err(error) => failed(format!("the probe's report cannot be read: {error}")),
        },
        Err(reason) => failed(reason),
    }
}

/// What a program writes, if it ends in time.
pub(super) fn output_within(mut command: Command, within: Duration) -> Result<String, String> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = crate::signals::spawn(&mut command)
        .map_err(|error| format!("cannot execute it: {error}"))?;
    let stdout = child.stdout.take();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = stdout.map(|mut stdout| stdout.read_to_string(&mut text));
        let _ = sender.send((read, text));
    });
    let answer = receiver.recv_timeout(within);
    // It has closed its output, or it hangs: either way it is not needed any more.
    if answer.is_err() {
        let _ = child.kill();
    }
    let _ = child.wait();
    match answer {
        Ok((Some(Ok(_)), text)) => Ok(text),
        Ok(_) => Err("its output cannot be read".to_owned()),
        Err(_) => Err(format!("it did not end within {within:?}")),
    }
}
