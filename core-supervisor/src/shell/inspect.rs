//! The look at a sandbox from outside: what the kernel says about its process.
//!
//! A host's own `Confined` is a claim; this is the check. It reads two small
//! files and six links of `/proc`, about 20 µs.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::BorrowedFd;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::event::Confinement;

const NAMESPACES: [&str; 6] = ["user", "mnt", "pid", "net", "ipc", "uts"];

/// Looks at the process `pid`, which `pidfd` holds on to.
///
/// A pid may be given to another process once its owner is reaped, so what was
/// read counts only if the owner still lives afterwards.
pub(super) fn inspect(pid: u32, pidfd: BorrowedFd<'_>) -> Result<Confinement, String> {
    let seen = look(Path::new("/proc"), pid)?;
    if has_ended(pidfd) {
        return Err(format!("process {pid} ended while it was looked at"));
    }
    Ok(seen)
}

/// Whether a process has ended; when it cannot be told, it counts as ended.
pub(super) fn has_ended(pidfd: BorrowedFd<'_>) -> bool {
    let mut waiting = [PollFd::new(&pidfd, PollFlags::IN)];
    !matches!(poll(&mut waiting, Some(&Timespec::default())), Ok(0))
}

fn look(proc: &Path, pid: u32) -> Result<Confinement, String> {
    let own = proc.join("self");
    let other = proc.join(pid.to_string());
    let status = read(&other.join("status"))?;
    let field = |name: &str| {
        field(&status, name).ok_or_else(|| format!("`{name}` is missing in /proc/{pid}/status"))
    };
    Ok(Confinement {
        no_new_privs: field("NoNewPrivs")? == "1",
        seccomp_filtered: field("Seccomp")? == "2",
        threads: field("Threads")?
            .parse()
            .map_err(|_| format!("`Threads` of /proc/{pid}/status is no number"))?,
        own_namespaces: own_namespaces(&own, &other, &status)?,
        no_capabilities: has_no_capabilities(&status),
    })
}

fn read(path: &Path) -> Result<String, String> {
    // A file of the kernel does not tell its size: with room for all of it, it
    // comes in two reads instead of eight.
    let mut text = String::with_capacity(8 * 1024);
    let read = File::open(path).and_then(|mut file| file.read_to_string(&mut text));
    match read {
        Ok(_) => Ok(text),
        Err(error) => Err(format!("cannot read `{}`: {error}", path.display())),
    }
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim)
}

fn has_no_capabilities(status: &str) -> bool {
    ["CapInh", "CapPrm", "CapEff", "CapAmb"]
        .iter()
        .all(|set| field(status, set).is_some_and(|bits| bits.bytes().all(|bit| bit == b'0')))
}

// The kernel shows the links of a process that has made itself undumpable to
// root only. An ordinary user still sees two of the six namespaces otherwise:
// the pid namespace by the numbers in it, the user namespace by its map. The
// others are made in the same call of the same process, or not at all.
fn own_namespaces(own: &Path, other: &Path, status: &str) -> Result<bool, String> {
    for name in NAMESPACES {
        let link = format!("ns/{name}");
        let ours = fs::read_link(own.join(&link));
        let theirs = fs::read_link(other.join(&link));
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) if ours == theirs => return Ok(false),
            (Ok(_), Ok(_)) => {}
            (Ok(_), Err(error)) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                return own_namespaces_by_effect(own, other, status);
            }
            (Err(error), _) | (_, Err(error)) => {
                return Err(format!("cannot read the namespace `{name}`: {error}"));
            }
        }
    }
    Ok(true)
}

fn own_namespaces_by_effect(own: &Path, other: &Path, status: &str) -> Result<bool, String> {
    let numbers = field(status, "NSpid").map_or(0, |pids| pids.split_whitespace().count());
    let here = read(&own.join("status"))?;
    let own_numbers = field(&here, "NSpid").map_or(0, |pids| pids.split_whitespace().count());
    let maps_differ = read(&own.join("uid_map"))? != read(&other.join("uid_map"))?;
    Ok(numbers > own_numbers && maps_differ)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Pid, PidfdFlags, pidfd_open};

    #[test]
    fn an_ordinary_process_is_seen_unconfined() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let pid = Pid::from_child(&child);
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).unwrap();

        let seen = inspect(child.id(), std::os::fd::AsFd::as_fd(&pidfd)).unwrap();

        assert!(!seen.seccomp_filtered && !seen.own_namespaces);
        assert_eq!(seen.threads, 1);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_process_that_has_ended_is_not_judged_by_its_number() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pidfd = pidfd_open(Pid::from_child(&child), PidfdFlags::empty()).unwrap();
        let mut ended = [PollFd::new(&pidfd, PollFlags::IN)];
        poll(&mut ended, None).unwrap();

        let seen = inspect(child.id(), std::os::fd::AsFd::as_fd(&pidfd));

        assert!(seen.is_err());
        child.wait().unwrap();
    }

    #[test]
    fn an_absent_proc_is_a_reason() {
        let seen = look(Path::new("/nowhere"), 1);

        assert!(
            seen.unwrap_err()
                .starts_with("cannot read `/nowhere/1/status`")
        );
    }

    #[test]
    fn every_capability_set_must_be_empty() {
        let empty = "CapInh:\t0000\nCapPrm:\t0000\nCapEff:\t0000\nCapAmb:\t0000\n";

        assert!(has_no_capabilities(empty));
        assert!(!has_no_capabilities(
            &empty.replace("CapPrm:\t0000", "CapPrm:\t0001")
        ));
        assert!(!has_no_capabilities("CapInh:\t0000\n"));
    }
}
