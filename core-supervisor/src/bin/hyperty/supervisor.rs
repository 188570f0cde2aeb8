//! Starts a `core-supervisor`, waits until it is ready, and ends it for good.
//!
//! It gets a process group of its own, so that Ctrl-C reaches only this program,
//! which then ends it in order; and a leash, the read end of a pipe that closes
//! when this program dies in whatever way, so that nothing is left behind.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::Deserialize;

use crate::args::Launch;
use crate::error::{Exit, Failure, Id};
use crate::paths::program;

/// How long a supervisor may take to become ready. It locks one sandbox to find
/// its level, and compiles the policy: a second on a slow machine.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// How long an orderly end may take before it is killed.
pub(crate) const END_WITHIN: Duration = Duration::from_secs(10);

/// Lines of its log kept for the report of a failed start.
const LAST_LINES: usize = 8;

/// What a supervisor says once its endpoint accepts.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Ready {
    /// Its process.
    pub(crate) pid: u32,
    /// Its build.
    #[serde(default)]
    pub(crate) build: String,
    /// Its socket.
    pub(crate) endpoint: PathBuf,
}

/// What is to be started.
#[derive(Debug, Clone, Default)]
pub(crate) struct Plan {
    /// The options of the command line.
    pub(crate) launch: Launch,
    /// Where its socket is to be; by its own configuration when absent.
    pub(crate) runtime_dir: Option<PathBuf>,
    /// Its catalogues.
    pub(crate) catalogues: Vec<PathBuf>,
    /// Its domain; by its own configuration when absent.
    pub(crate) domain: Option<String>,
    /// The message nodes it belongs to, as `--node` has them.
    pub(crate) nodes: Vec<String>,
    /// Files with secrets for them, as `--node-secret` has them.
    pub(crate) node_secrets: Vec<String>,
    /// For whom its components act; by its own configuration when absent.
    pub(crate) user: Option<String>,
}

/// A supervisor that this program started.
#[derive(Debug)]
pub(crate) struct Supervisor {
    child: Child,
    /// What it said when it became ready.
    pub(crate) ready: Ready,
    log: Receiver<String>,
    // Held, never written: when it closes, the supervisor ends.
    _leash: Option<ChildStdin>,
}

impl Supervisor {
    /// Starts one and waits until it is ready.
    pub(crate) fn start(plan: &Plan) -> Result<Self, Failure> {
        let program = program("core-supervisor")?;
        let mut command = command(&program, plan);
        let mut child = crate::signals::spawn(&mut command).map_err(|error| {
            Failure::new(
                Id::NotStarted,
                format!("cannot execute `{}`: {error}", program.display()),
            )
        })?;
        let leash = child.stdin.take();
        let log = lines(child.stderr.take());
        let said = lines(child.stdout.take());
        match said.recv_timeout(READY_WITHIN) {
            Ok(line) => match serde_json::from_str(&line) {
                Ok(ready) => Ok(Self {
                    child,
                    ready,
                    log,
                    _leash: leash,
                }),
                Err(error) => {
                    let _ = child.kill();
                    Err(Failure::new(
                        Id::NotStarted,
                        "the supervisor said something else than ready",
                    )
                    .fact("said", line)
                    .fact("because", error.to_string()))
                }
            },
            Err(why) => Err(not_ready(child, &log, why)),
        }
    }

    /// The next line of its log, if there is one now.
    pub(crate) fn log_line(&self) -> Option<String> {
        self.log.try_recv().ok()
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits so long for its end, and returns how it ended.
    pub(crate) fn wait(&mut self, within: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + within;
        loop {
            let ended = self.ended();
            if ended.is_some() || Instant::now() >= deadline {
                return ended;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asks it to end in order.
    pub(crate) fn ask_to_end(&self) {
        signal(&self.child, Signal::SIGTERM);
    }

    /// Kills it; its sandboxes die with it.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Ends it in order, or kills it when `impatient` says so or time is up.
    /// Returns whether the end was orderly.
    pub(crate) fn end(&mut self, impatient: impl Fn() -> bool) -> bool {
        self.ask_to_end();
        let deadline = Instant::now() + END_WITHIN;
        while Instant::now() < deadline && !impatient() {
            if let Some(status) = self.ended() {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.kill();
        false
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        if self.ended().is_none() {
            self.end(|| crate::signals::count() > 1);
        }
    }
}

fn command(program: &Path, plan: &Plan) -> Command {
    let launch = &plan.launch;
    let mut command = Command::new(program);
    let mut option = |name: &str, value: Option<std::ffi::OsString>| {
        if let Some(value) = value {
            command.arg(name).arg(value);
        }
    };
    option("--runtime-dir", plan.runtime_dir.clone().map(Into::into));
    option("--config", launch.config.clone().map(Into::into));
    option("--data-dir", launch.data_dir.clone().map(Into::into));
    option(
        "--min-level",
        launch.min_level.map(|level| level.to_string().into()),
    );
    option(
        "--max-level",
        launch.max_level.map(|level| level.to_string().into()),
    );
    option(
        "--sandbox-host",
        launch.sandbox_host.clone().map(Into::into),
    );
    option("--domain", plan.domain.clone().map(Into::into));
    option(
        "--resolver",
        launch.resolver.map(|server| server.to_string().into()),
    );
    option("--tls-roots", launch.tls_roots.clone().map(Into::into));
    option("--user", plan.user.clone().map(Into::into));
    option("--log", launch.log.clone().map(Into::into));
    for directory in &launch.policy {
        option("--policy", Some(directory.into()));
    }
    for directory in &plan.catalogues {
        option("--catalogue", Some(directory.into()));
    }
    for node in &plan.nodes {
        option("--node", Some(node.into()));
    }
    for secret in &plan.node_secrets {
        option("--node-secret", Some(secret.into()));
    }
    for what in &launch.pretend_without {
        option("--pretend-without", Some(what.into()));
    }
    if launch.no_sandbox {
        command.arg("--unsafe");
    }
    if launch.unsigned {
        command.arg("--unsigned");
    }
    command.args(["--leash-fd", "0"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.process_group(0);
    command
}

// Reads lines on a thread of their own until the stream ends or nobody wants them.
fn lines(stream: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, receiver) = channel();
    if let Some(stream) = stream {
        std::thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                // A log that nobody reads any more still has to be drained.
                let _ = sender.send(line);
            }
        });
    }
    receiver
}

fn not_ready(mut child: Child, log: &Receiver<String>, why: RecvTimeoutError) -> Failure {
    let status = match why {
        // Its stdout ended, so it is ending too.
        RecvTimeoutError::Disconnected => child.wait().ok(),
        RecvTimeoutError::Timeout => {
            let _ = child.kill();
            let _ = child.wait();
            None
        }
    };
    let mut last = VecDeque::new();
    while let Ok(line) = log.recv_timeout(Duration::from_millis(200)) {
        last.push_back(line);
        if last.len() > LAST_LINES {
            last.pop_front();
        }
    }
    let log = Vec::from(last).join("\n");
    failed_start(status.and_then(|status| status.code()), &log)
}

// The supervisor's exit statuses are the same as this program's.
fn failed_start(code: Option<i32>, log: &str) -> Failure {
    let doctor = "hyperty doctor";
    match code {
        Some(5) => Failure::new(
            Id::BelowFloor,
            "this machine cannot reach the sandbox floor",
        )
        .fact("log", log)
        .fix("to see what is missing and the remedy", doctor),
        Some(2) => Failure::new(Id::NotStarted, "the supervisor does not accept its options")
            .exit_as(Exit::Usage)
            .fact("log", log),
        Some(code) => Failure::new(
            Id::NotStarted,
            format!("the supervisor ended with status {code}"),
        )
        .fact("log", log)
        .fix("to look for the cause", doctor),
        None => Failure::new(Id::NotStarted, "the supervisor did not become ready")
            .fact("log", log)
            .fix("to look for the cause", doctor),
    }
}

fn signal(child: &Child, signal: Signal) {
    if let Ok(pid) = i32::try_from(child.id()) {
        // It may have ended by itself meanwhile; it is not reaped yet, so the
        // number is still its own.
        let _ = kill(Pid::from_raw(pid), signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_start_ends_with_the_status_that_tells_who_must_act() {
        let exit = |code| failed_start(code, "some line").exit();

        assert_eq!(exit(Some(5)), Exit::BelowFloor);
        assert_eq!(exit(Some(2)), Exit::Usage);
        assert_eq!(exit(Some(1)), Exit::Failed);
        assert_eq!(exit(None), Exit::Failed);
    }
}
