//! `hyperty catalogue serve`, started for one test.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use hyperty_tests::harness::{Catalogue, TempDir, program};
use serde_json::Value;

use crate::https::{Reply, Trust, get};

/// A server of a catalogue, and what it said when it was ready.
pub(crate) struct Served {
    child: Child,
    pub(crate) said: Value,
    lines: BufReader<std::process::ChildStdout>,
    pub(crate) catalogue: Catalogue,
    _state: Arc<TempDir>,
}

impl Served {
    pub(crate) fn start(catalogue: Catalogue, options: &[&str]) -> Self {
        Self::start_in(&Arc::new(TempDir::new()), catalogue, options)
    }

    pub(crate) fn start_in(state: &Arc<TempDir>, catalogue: Catalogue, options: &[&str]) -> Self {
        let mut child = Command::new(program("hyperty"))
            .args(["catalogue", "serve", "--json", "--listen", "127.0.0.1:0"])
            .arg("--state")
            .arg(state.path())
            .args(options)
            .arg(catalogue.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("hyperty runs");
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let said = line(&mut lines);
        assert_eq!(said["schema"], "hyperty.serving/1", "{said}");
        Self {
            child,
            said,
            lines,
            catalogue,
            _state: Arc::clone(state),
        }
    }

    pub(crate) fn address(&self) -> &str {
        self.said["address"].as_str().unwrap()
    }

    pub(crate) fn trust(&self) -> Trust {
        let file = self.said["certificate"].as_str().unwrap();
        Trust::pem(&fs::read(file).unwrap())
    }

    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        get(self.address(), "localhost", path, headers, &self.trust()).expect("an answer")
    }

    pub(crate) fn text(&self, path: &str) -> String {
        let reply = self.get(path, &[]);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply.text()
    }

    /// The next request that it tells about.
    pub(crate) fn told(&mut self) -> Value {
        line(&mut self.lines)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line(lines: &mut impl BufRead) -> Value {
    let mut line = String::new();
    lines.read_line(&mut line).expect("it can be read");
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in `{line}`"))
}
