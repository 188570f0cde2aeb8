//! Starting a supervisor in directories of its own, or seeing it refuse.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::Value;

use super::catalogue::Catalogue;
use super::hosts::Host;
use super::place::{TempDir, program};
use super::runtime::Runtime;
use super::wait::{WAIT_MAX, some_time};

/// How a runtime is to be started.
#[derive(Debug)]
pub struct Options {
    catalogue: Catalogue,
    arguments: Vec<String>,
    home: Option<TempDir>,
    host: Host,
}

impl Options {
    pub(super) fn with(catalogue: Catalogue) -> Self {
        Self {
            catalogue,
            arguments: Vec::new(),
            home: None,
            host: Host::here(),
        }
    }

    /// Adds arguments for the supervisor.
    #[must_use]
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.arguments
            .extend(arguments.iter().map(ToString::to_string));
        self
    }

    /// Uses directories that were used before.
    #[must_use]
    pub fn home(mut self, home: TempDir) -> Self {
        self.home = Some(home);
        self
    }

    /// Starts it on another machine.
    #[must_use]
    pub fn on(mut self, host: &Host) -> Self {
        self.host = host.clone();
        self
    }

    /// Starts it and waits until its endpoint accepts.
    ///
    /// # Panics
    ///
    /// When it does not get ready.
    #[track_caller]
    pub fn start(self) -> Runtime {
        match self.try_start() {
            Ok(runtime) => runtime,
            Err((status, log)) => panic!("the supervisor ended with {status}:\n{log}"),
        }
    }

    /// Starts it; its exit status and log when it ends instead of getting ready.
    ///
    /// # Panics
    ///
    /// When it neither gets ready nor ends.
    #[track_caller]
    pub fn try_start(self) -> Result<Runtime, (ExitStatus, String)> {
        let home = self.home.unwrap_or_default();
        let command = self.host.command(&program("core-supervisor"));
        let mut child = supervisor(command, &home, &self.catalogue, &self.arguments);
        let lines = read_lines(child.stdout.take().expect("its output is piped"));
        let ready = lines.recv_timeout(WAIT_MAX).ok();
        let Some(ready) = ready.and_then(|line| serde_json::from_str::<Value>(&line).ok()) else {
            let status = child_status(&mut child);
            let log = fs::read_to_string(home.join("log")).unwrap_or_default();
            return Err((status, log));
        };
        let endpoint = PathBuf::from(ready["endpoint"].as_str().expect("an endpoint"));
        Ok(Runtime::over(
            child,
            home,
            self.catalogue,
            endpoint,
            self.host,
        ))
    }
}

/// The environment in which everything of one home runs.
pub(super) fn environment(home: &TempDir) -> Vec<(String, String)> {
    let folder = |name: &str| home.join(name).display().to_string();
    vec![
        ("HOME".to_owned(), folder("home")),
        ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
        ("HYPERTY_DATA_DIR".to_owned(), folder("data")),
        ("HYPERTY_RUNTIME_DIR".to_owned(), folder("run")),
        ("XDG_CONFIG_HOME".to_owned(), folder("config")),
        (
            "TMPDIR".to_owned(),
            std::env::temp_dir().display().to_string(),
        ),
        ("TZ".to_owned(), "UTC".to_owned()),
    ]
}

fn supervisor(
    mut command: Command,
    home: &TempDir,
    catalogue: &Catalogue,
    arguments: &[String],
) -> Child {
    let log = File::create(home.join("log")).expect("a log file");
    // A leash must be a pipe that only this process holds the other end of.
    let is_leashed = arguments.iter().any(|word| word == "--leash-fd");
    let stdin = if is_leashed {
        Stdio::piped()
    } else {
        Stdio::null()
    };
    command.env_clear().envs(environment(home)).stdin(stdin);
    if let Some(rules) = catalogue.policy_dir() {
        command.arg("--policy").arg(rules);
    }
    command
        .arg("--catalogue")
        .arg(catalogue.path())
        .args(arguments);
    command
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("the supervisor can be started")
}

fn read_lines(stdout: impl Read + Send + 'static) -> Receiver<String> {
    let (lines, received) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                return;
            }
        }
    });
    received
}

// Waits for the end of a process that was asked to end, or is about to.
pub(super) fn child_status(child: &mut Child) -> ExitStatus {
    some_time("the supervisor has ended", || {
        child.try_wait().ok().flatten()
    })
}
