//! Yjs in Node over the bare relay: one document that changes, and its observers.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use hyperty_tests::harness::TempDir;

use crate::peers::{Started, have, on_leash};

/// Where `.ci/bench` put the package.
const MODULES: &str = "HYPERTY_BENCH_MODULES";

/// A document here, and its observers each in a process of its own.
pub(crate) struct Yjs {
    orders: ChildStdin,
    results: BufReader<ChildStdout>,
    observers: usize,
    _processes: Vec<Started>,
    _home: TempDir,
}

impl Yjs {
    /// Starts everything; why not, when something is not to be had.
    pub(crate) fn start(observers: usize) -> Result<Self, String> {
        let node = have("node")?;
        let package = package()?;
        let home = TempDir::new();
        let socket = home.path().join("relay.sock");
        let script = script(home.path(), "yjs.mjs", include_str!("objects/yjs.mjs"))?;
        let this = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut relay = on_leash(&this);
        relay.arg("spread").arg(&socket).arg(observers.to_string());
        let mut processes = vec![said_ready(relay)?.0];
        let side = |side: &str| {
            let mut command = on_leash(&node);
            command.arg(&script).arg(&package).arg(&socket).arg(side);
            said_ready(command)
        };
        let (mut near, results) = side("near")?;
        let orders = near.0.stdin.take().ok_or("no input")?;
        processes.push(near);
        for _ in 0..observers {
            processes.push(side("far")?.0);
        }
        Ok(Self {
            orders,
            results,
            observers,
            _processes: processes,
            _home: home,
        })
    }

    /// So many changes, `depth` of them under way at once; how long each took to be seen by all.
    pub(crate) fn changes(&mut self, samples: usize, depth: usize) -> Vec<u64> {
        let observers = self.observers;
        writeln!(self.orders, "{samples} {depth} {observers}").expect("node reads");
        let mut line = String::new();
        self.results.read_line(&mut line).expect("node answers");
        serde_json::from_str(&line).expect("a list of numbers")
    }
}

/// Writes a script into a folder.
pub(crate) fn script(folder: &Path, name: &str, text: &str) -> Result<PathBuf, String> {
    let file = folder.join(name);
    std::fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(file)
}

fn package() -> Result<PathBuf, String> {
    let modules = std::env::var_os(MODULES).ok_or("Yjs is not installed (`npm install yjs`)")?;
    let package = PathBuf::from(modules).join("yjs");
    if package.is_dir() {
        return Ok(package);
    }
    Err("Yjs is not installed (`npm install yjs`)".to_owned())
}

fn said_ready(mut command: Command) -> Result<(Started, BufReader<ChildStdout>), String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = Started(command.spawn().map_err(|error| error.to_string())?);
    let stdout = child.0.stdout.take().ok_or("no output")?;
    let mut results = BufReader::new(stdout);
    let mut line = String::new();
    results
        .read_line(&mut line)
        .map_err(|error| error.to_string())?;
    if line == "ready\n" {
        return Ok((child, results));
    }
    Err(format!("a peer did not get ready: {}", line.trim_end()))
}
