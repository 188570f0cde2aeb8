//! Each primitive on its own, in a child that is thrown away.

use std::io::{Read, Write};

use fork::Fork;
use rustix::fs::MemfdFlags;

use super::{Check, Status};
use crate::lockdown::namespaces::{Network, Rooms};
use crate::lockdown::{Missing, Primitive, Without, landlock, privileges, seccomp};
use crate::nursery::watch;

/// Tries them all.
pub(super) fn check(without: Without) -> Vec<Check> {
    vec![
        line(
            "sandbox.landlock",
            Status::Fail,
            in_child(|| landlock(without)),
        ),
        line(
            "sandbox.seccomp",
            Status::Fail,
            in_child(|| seccomp(without)),
        ),
        line(
            "sandbox.userns",
            Status::Warn,
            in_child(|| namespaces(without)),
        ),
        line("sandbox.watch", Status::Warn, in_child(trace)),
        line("sandbox.memfd", Status::Fail, in_child(memory_file)),
    ]
}

fn line(id: &'static str, otherwise: Status, found: Result<String, (String, String)>) -> Check {
    match found {
        Ok(detail) => Check {
            id,
            status: Status::Pass,
            detail,
            remedy: String::new(),
        },
        Err((detail, remedy)) => Check {
            id,
            status: otherwise,
            detail,
            remedy,
        },
    }
}

fn landlock(without: Without) -> Result<String, Missing> {
    privileges::no_new()?;
    landlock::apply(without, false).map(|abi| format!("ABI {abi} in force"))
}

fn seccomp(without: Without) -> Result<String, Missing> {
    seccomp::try_out(without).map(|()| "filters can be installed".into())
}

fn namespaces(without: Without) -> Result<String, Missing> {
    let rooms = Rooms::move_in(without, Network::Empty)?;
    privileges::leave_root()?;
    rooms
        .move_out()
        .map(|()| "own user, process, mount, network, IPC and host name".into())
}

// Without it a sandbox that makes a forbidden call is killed all the same, but without a name.
fn trace() -> Result<String, Missing> {
    let failed = |e: std::io::Error| Missing::new(Primitive::Watch, "forking a child to trace", e);
    match fork::fork().map_err(failed)? {
        Fork::Child => loop {
            nix::unistd::pause();
        },
        Fork::Parent(child) => {
            let traced = watch::begin(child);
            let _ = nix::sys::signal::kill(
                nix::unistd::Pid::from_raw(child),
                nix::sys::signal::SIGKILL,
            );
            if traced {
                Ok("forbidden calls are named".into())
            } else {
                Err(Missing::new(
                    Primitive::Watch,
                    "tracing a child",
                    "refused: forbidden calls are killed without a name",
                ))
            }
        }
    }
}

fn memory_file() -> Result<String, Missing> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING | MemfdFlags::EXEC;
    match rustix::fs::memfd_create("probe", flags) {
        Ok(_) => Ok("native programs can be handed over".into()),
        Err(e) => Err(Missing {
            primitive: Primitive::Privileges,
            cause: format!(
                "an executable memory file is refused ({e}): native components cannot start"
            ),
            remedy: "sysctl vm.memfd_noexec=0 or 1, on Linux 6.3 or later",
        }),
    }
}

// Runs it in a child; what it says comes back over a pipe.
fn in_child(act: impl FnOnce() -> Result<String, Missing>) -> Result<String, (String, String)> {
    let broken = |e: std::io::Error| (format!("cannot try it: {e}"), String::new());
    let (mut reader, mut writer) = std::io::pipe().map_err(broken)?;
    match fork::fork().map_err(broken)? {
        Fork::Child => {
            let (mark, detail, remedy) = match act() {
                Ok(detail) => ('+', detail, ""),
                Err(missing) => (
                    '-',
                    format!("{}: {}", missing.primitive.name(), missing.cause),
                    missing.remedy,
                ),
            };
            let _ = write!(writer, "{mark}{detail}\n{remedy}");
            std::process::exit(0);
        }
        Fork::Parent(child) => {
            drop(writer);
            let mut said = String::new();
            reader.read_to_string(&mut said).map_err(broken)?;
            let _ = fork::waitpid(child);
            understand(&said)
        }
    }
}

fn understand(said: &str) -> Result<String, (String, String)> {
    let (detail, remedy) = said.split_once('\n').unwrap_or((said, ""));
    match detail.split_at_checked(1) {
        Some(("+", detail)) => Ok(detail.to_owned()),
        Some(("-", detail)) => Err((detail.to_owned(), remedy.to_owned())),
        _ => Err(("the child died while it tried".into(), String::new())),
    }
}
