//! Which processes belong to a supervisor, by what the kernel says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// A process that cannot be mistaken for a later one of the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Process {
    pid: u32,
    // Clock ticks from boot to its start.
    born: u64,
}

/// A process and everything that descends from it.
pub(super) fn tree(root: u32) -> BTreeSet<Process> {
    let mut children = BTreeMap::<u32, Vec<Process>>::new();
    let mut found = BTreeSet::new();
    for pid in numbers() {
        if let Some((parent, born)) = stat(pid) {
            let process = Process { pid, born };
            children.entry(parent).or_default().push(process);
            if pid == root {
                found.insert(process);
            }
        }
    }
    let mut next = vec![root];
    while let Some(parent) = next.pop() {
        for process in children.remove(&parent).unwrap_or_default() {
            next.push(process.pid);
            found.insert(process);
        }
    }
    found
}

/// Those of the processes that still exist, zombies included.
pub(super) fn alive(processes: &BTreeSet<Process>) -> Vec<u32> {
    let is_alive =
        |process: &&Process| stat(process.pid).is_some_and(|(_, born)| born == process.born);
    processes
        .iter()
        .filter(is_alive)
        .map(|process| process.pid)
        .collect()
}

fn numbers() -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

// Parent and time of birth. The name in parentheses may hold anything, so the
// fields are counted from the last parenthesis.
fn stat(pid: u32) -> Option<(u32, u64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let parent = fields.nth(1)?.parse().ok()?;
    let born = fields.nth(17)?.parse().ok()?;
    Some((parent, born))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_child_is_found_while_it_lives_and_not_after() {
        let mut command = Command::new("cat");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();

        let tree = tree(std::process::id());
        let of_child: BTreeSet<_> = tree.into_iter().filter(|p| p.pid == child.id()).collect();

        assert_eq!(alive(&of_child), [child.id()]);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(alive(&of_child), [0; 0]);
    }
}
