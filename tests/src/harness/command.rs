//! Running the command line and reading what it said.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;

use serde_json::Value;

use super::place::program;

/// What a run of `hyperty` came to.
#[derive(Debug)]
pub struct Outcome {
    /// Its exit status.
    pub status: i32,
    /// What it printed.
    pub stdout: String,
    /// What it said about it.
    pub stderr: String,
}

impl Outcome {
    /// Its output as JSON.
    ///
    /// # Panics
    ///
    /// When it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error} in the output of {self:#?}"))
    }

    /// The same, after making sure that it succeeded.
    ///
    /// # Panics
    ///
    /// When it did not.
    #[track_caller]
    #[must_use]
    pub fn succeeded(self) -> Self {
        assert_eq!(self.status, 0, "{self:#?}");
        self
    }

    /// The same, after making sure that it failed like this.
    ///
    /// # Panics
    ///
    /// When it did not.
    #[track_caller]
    #[must_use]
    pub fn failed_with(self, status: i32) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        self
    }
}

/// A run of `hyperty` that goes on beside the test.
#[derive(Debug)]
pub struct Running {
    child: Mutex<Child>,
}

impl Running {
    /// Whether it has ended.
    ///
    /// # Panics
    ///
    /// When the system does not know.
    pub fn has_ended(&self) -> bool {
        self.child
            .lock()
            .unwrap()
            .try_wait()
            .expect("it is a child")
            .is_some()
    }

    /// Interrupts it, as Ctrl-C does.
    ///
    /// # Panics
    ///
    /// When it has ended already.
    pub fn interrupt(&self) {
        let pid = self.child.lock().unwrap().id();
        let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).expect("a process id"));
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).expect("it is a child");
    }

    /// Reads what it prints until a line contains this text, or it ends.
    ///
    /// # Panics
    ///
    /// When its output was read already.
    pub fn says(&self, text: &str) -> bool {
        let stdout = self.child.lock().unwrap().stdout.take();
        let lines = BufReader::new(stdout.expect("its output is piped")).lines();
        lines.map_while(Result::ok).any(|line| line.contains(text))
    }

    /// Kills it and waits until the system has noticed.
    ///
    /// # Panics
    ///
    /// When the system does not.
    pub fn kill(self) {
        let mut child = self.child.into_inner().unwrap();
        child.kill().expect("it is a child");
        child.wait().expect("it is a child");
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// When its output cannot be read.
    pub fn outcome(self) -> Outcome {
        let child = self.child.into_inner().unwrap();
        outcome_of(&child.wait_with_output().expect("its output can be read"))
    }
}

/// Runs `hyperty` with these arguments and environment and nothing to read.
///
/// # Panics
///
/// When it cannot be run.
pub fn hyperty<K: AsRef<OsStr>, V: AsRef<OsStr>>(
    arguments: &[&str],
    environment: impl IntoIterator<Item = (K, V)>,
) -> Outcome {
    start(arguments, environment).outcome()
}

/// Starts it and does not wait.
///
/// # Panics
///
/// When it cannot be run.
pub fn start<K: AsRef<OsStr>, V: AsRef<OsStr>>(
    arguments: &[&str],
    environment: impl IntoIterator<Item = (K, V)>,
) -> Running {
    let child = spawn(arguments, environment, Stdio::null());
    Running {
        child: Mutex::new(child),
    }
}

fn spawn<K: AsRef<OsStr>, V: AsRef<OsStr>>(
    arguments: &[&str],
    environment: impl IntoIterator<Item = (K, V)>,
    input: Stdio,
) -> Child {
    Command::new(program("hyperty"))
        .args(arguments)
        .env_clear()
        .envs(environment)
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("hyperty runs")
}

/// Runs it with this text to read; more than a pipe holds would wait for its reader.
pub(super) fn reading<K: AsRef<OsStr>, V: AsRef<OsStr>>(
    arguments: &[&str],
    environment: impl IntoIterator<Item = (K, V)>,
    text: &str,
) -> Outcome {
    let mut child = spawn(arguments, environment, Stdio::piped());
    let mut input = child.stdin.take().expect("its input");
    input
        .write_all(text.as_bytes())
        .expect("it takes its input");
    drop(input);
    outcome_of(&child.wait_with_output().expect("its output can be read"))
}

fn outcome_of(output: &Output) -> Outcome {
    Outcome {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
