//! The example application, as a process that can be killed.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::Value;

use super::catalogue::Catalogue;
use super::place::{TempDir, program};
use super::process::Process;
use super::wait::{WAIT_MAX, some_time};

/// A running example application and the sidecar that it spawned.
#[derive(Debug)]
pub struct Application {
    child: Child,
    lines: Receiver<Value>,
    _stdin: Option<ChildStdin>,
}

impl Application {
    /// Starts it with this catalogue and these directories.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn start(catalogue: &Catalogue, home: &TempDir) -> Self {
        let mut child = Command::new(program("example-app"))
            .arg(program("core-supervisor"))
            .arg(catalogue.path())
            .arg(home.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the application can be started");
        let stdout = child.stdout.take().expect("its output is piped");
        let (told, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = told.send(serde_json::from_str(&line).unwrap_or_default());
            }
        });
        Self {
            _stdin: child.stdin.take(),
            child,
            lines,
        }
    }

    /// Waits until it tells of this, and returns what it tells.
    ///
    /// # Panics
    ///
    /// When it ends or says nothing of the kind.
    #[track_caller]
    pub fn tells(&self, what: &str) -> Value {
        loop {
            let line = self.lines.recv_timeout(WAIT_MAX);
            let line = line.unwrap_or_else(|error| panic!("it does not tell `{what}`: {error}"));
            if let Some(value) = line.get(what) {
                return value.clone();
            }
        }
    }

    /// Waits for so many lines or the end, whatever they say.
    pub fn tells_lines(&self, count: usize) {
        for _ in 0..count {
            if self.lines.recv_timeout(WAIT_MAX).is_err() {
                return;
            }
        }
    }

    /// Its process.
    pub fn process(&self) -> Process {
        Process::of(self.child.id())
    }

    /// Kills it and waits until the system has noticed.
    ///
    /// # Panics
    ///
    /// When the system does not.
    #[track_caller]
    pub fn kill(&mut self) {
        self.process().kill();
        some_time("the application is gone", || {
            self.child.try_wait().ok().flatten()
        });
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
