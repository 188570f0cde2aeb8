//! What `/proc` says about a process.

use std::collections::BTreeMap;
use std::fs;

/// What an attempt might change about a process; equal before and after when it did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen(BTreeMap<&'static str, String>);

/// The fields of `/proc/<pid>/status` that only somebody else can change.
const FIELDS: &[&str] = &["SigPnd", "ShdPnd", "Cpus_allowed", "TracerPid"];

/// Looks at a process.
pub(crate) fn look(pid: u32) -> Seen {
    let mut seen = BTreeMap::new();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let field = |name: &str| {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.map(|line| line.trim().to_owned()).unwrap_or_default()
    };
    let state = match field("State").chars().next() {
        None | Some('Z' | 'X') => "ended",
        Some('T' | 't') => "stopped",
        Some(_) => "running",
    };
    seen.insert("state", state.to_owned());
    for name in FIELDS {
        seen.insert(name, field(name));
    }
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap_or_default();
    seen.insert("limits", limits);
    let (nice, policy) = scheduling(pid).unwrap_or_default();
    seen.insert("nice value", nice);
    seen.insert("scheduling", policy);
    Seen(seen)
}

impl Seen {
    /// What is not as it was.
    pub(crate) fn changes(&self, before: &Self) -> Vec<String> {
        let changed = self
            .0
            .iter()
            .filter(|(name, value)| before.0.get(*name) != Some(*value));
        changed
            .map(|(name, value)| match *name {
                "limits" => "its limits".to_owned(),
                name => format!("its {name} is `{value}`"),
            })
            .collect()
    }
}

// Fields 19 and 41 of `/proc/<pid>/stat`; the name in front may hold anything.
fn scheduling(pid: u32) -> Option<(String, String)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let rest = stat.rsplit_once(')')?.1;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    Some(((*fields.get(16)?).to_owned(), (*fields.get(38)?).to_owned()))
}

/// Resident bytes and open descriptors of a process.
pub(crate) fn size(pid: u32) -> (u64, usize) {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    (kilobytes.unwrap_or(0) * 1024, descriptors)
}

/// Every process of this name.
pub(crate) fn named(name: &str) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let comm = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        comm.trim() == name && look(*pid).0.get("state").is_some_and(|it| it != "ended")
    })
    .collect()
}

/// Where in a process something is mapped that it can write.
pub(crate) fn writable_place(pid: u32) -> Option<u64> {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
    let line = maps.lines().find(|line| line.ends_with("[stack]"))?;
    let end = line.split_once('-')?.1.split_whitespace().next()?;
    Some(u64::from_str_radix(end, 16).ok()? - 64)
}
