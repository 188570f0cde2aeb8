//! Looking at processes from outside, through `/proc`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

/// One process, by its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    /// Its id.
    pub pid: u32,
}

impl Process {
    /// The process with this id.
    pub const fn of(pid: u32) -> Self {
        Self { pid }
    }

    /// Whether it runs; a zombie does not.
    pub fn is_running(self) -> bool {
        self.status_field("State")
            .is_some_and(|state| !state.starts_with(['Z', 'X']))
    }

    /// A line of `/proc/<pid>/status`.
    pub fn status_field(self, name: &str) -> Option<String> {
        let status = fs::read_to_string(self.file("status")).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        Some(line.trim().to_owned())
    }

    /// A line of the status of each of its threads.
    pub fn status_of_threads(self, name: &str) -> BTreeSet<String> {
        let tasks = fs::read_dir(self.file("task"))
            .into_iter()
            .flatten()
            .flatten();
        let ids = tasks.filter_map(|task| task.file_name().to_str()?.parse().ok());
        ids.filter_map(|id| Self::of(id).status_field(name))
            .collect()
    }

    /// What its descriptors are, by number.
    ///
    /// Only the superuser may look into a process that is not dumpable.
    pub fn descriptors(self) -> BTreeMap<u32, String> {
        let entries = fs::read_dir(self.file("fd"))
            .into_iter()
            .flatten()
            .flatten();
        entries
            .filter_map(|entry| {
                let target = fs::read_link(entry.path()).ok()?;
                let number = entry.file_name().to_str()?.parse().ok()?;
                Some((number, target.to_string_lossy().into_owned()))
            })
            .collect()
    }

    /// The soft and hard limit that `/proc/<pid>/limits` calls `name`.
    pub fn limit(self, name: &str) -> Option<(String, String)> {
        let limits = fs::read_to_string(self.file("limits")).ok()?;
        let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), words.next()?.to_owned()))
    }

    /// The namespace of this kind that it lives in.
    pub fn namespace(self, kind: &str) -> Option<String> {
        let link = fs::read_link(self.file(&format!("ns/{kind}"))).ok()?;
        Some(link.to_string_lossy().into_owned())
    }

    /// What it finds at `/`.
    pub fn root_entries(self) -> Option<Vec<String>> {
        let entries = fs::read_dir(self.file("root")).ok()?.flatten();
        Some(
            entries
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .collect(),
        )
    }

    /// Its environment, as it was given.
    pub fn environment(self) -> Option<String> {
        let bytes = fs::read(self.file("environ")).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Its argument list.
    pub fn arguments(self) -> Vec<String> {
        let bytes = fs::read(self.file("cmdline")).unwrap_or_default();
        let words = bytes
            .split(|byte| *byte == 0)
            .filter(|word| !word.is_empty());
        words
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect()
    }

    /// Whether one of its mappings can be both written and executed.
    pub fn has_writable_code(self) -> bool {
        let maps = fs::read_to_string(self.file("maps")).unwrap_or_default();
        maps.lines().any(|line| line.contains("rwx"))
    }

    /// A handle that never names another process, as an id may.
    pub fn handle(self) -> Option<OwnedFd> {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.pid).ok()?)?;
        rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()
    }

    /// Ends it as nothing else can.
    pub fn kill(self) {
        self.signal(rustix::process::Signal::KILL);
    }

    /// Asks it to end.
    pub fn terminate(self) {
        self.signal(rustix::process::Signal::TERM);
    }

    fn signal(self, signal: rustix::process::Signal) {
        if let Some(handle) = self.handle() {
            let _ = rustix::process::pidfd_send_signal(handle, signal);
        }
    }

    fn file(self, name: &str) -> String {
        format!("/proc/{}/{name}", self.pid)
    }
}

/// Every process that descends from this one, itself not included.
///
/// A process whose parent died is found no more: take the list before.
pub fn children_of(pid: u32) -> BTreeSet<Process> {
    let parents: Vec<_> = processes()
        .filter_map(|it| Some((it, parent_of(it)?)))
        .collect();
    let mut found = BTreeSet::new();
    let mut waiting = vec![pid];
    while let Some(parent) = waiting.pop() {
        for (child, _) in parents.iter().filter(|(_, of)| *of == parent) {
            if found.insert(*child) {
                waiting.push(child.pid);
            }
        }
    }
    found
}

/// Those of these processes that still run.
pub fn running(processes: &BTreeSet<Process>) -> Vec<Process> {
    processes
        .iter()
        .copied()
        .filter(|process| process.is_running())
        .collect()
}

fn processes() -> impl Iterator<Item = Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| Some(Process::of(entry.file_name().to_str()?.parse().ok()?)))
}

fn parent_of(process: Process) -> Option<u32> {
    process.status_field("PPid")?.parse().ok()
}

/// A harmless process of the test's own, for a hostile component to aim at.
#[derive(Debug)]
pub struct Victim {
    child: Child,
}

impl Victim {
    /// Starts one that waits for its standard input.
    ///
    /// # Panics
    ///
    /// When `cat` is not to be had.
    pub fn start() -> Self {
        let child = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("cat can be started");
        Self { child }
    }

    /// The process.
    pub fn process(&self) -> Process {
        Process::of(self.child.id())
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
