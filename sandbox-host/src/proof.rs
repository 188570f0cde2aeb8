//! Step 9 of the lock: the process tries the forbidden on itself.
//!
//! One act per layer; a refusal must come from the layer that is being tried,
//! so the answer is compared with the one that the filter gives. What needs the
//! file system is tried while the lock is being built: an empty root in
//! `lockdown::namespaces`, Landlock in `lockdown::landlock`.

use std::fs::File;
use std::io;

use fork::Fork;
use memmap2::MmapMut;
use nix::sched::{CloneFlags, unshare};
use nix::sys::ptrace;
use nix::unistd::{Uid, execv, setresuid};
use protocol::frame::Level;
use rustix::net::{AddressFamily, SocketType, socket};
use rustix::process::{
    Pid, Resource, Rlimit, getpid, getppid, prlimit, setrlimit, test_kill_process,
};

use crate::lockdown::{Missing, Primitive};

/// An act: its name, the level from which on it is refused, and how it is tried.
type Act = (&'static str, Level, fn() -> io::Result<()>);

const ACTS: &[Act] = &[
    ("become-root", Level::L1, become_root),
    ("raise-limit", Level::L1, raise_limit),
    ("open-file", Level::L2, open_file),
    ("open-socket", Level::L2, open_socket),
    ("start-process", Level::L2, start_process),
    ("execute-file", Level::L2, execute_file),
    ("execute-memory", Level::L2, execute_memory),
    ("signal-process", Level::L2, signal_process),
    ("trace-process", Level::L2, trace_process),
    ("limit-process", Level::L2, limit_process),
    ("enter-namespace", Level::L2, enter_namespace),
    ("see-processes", Level::L3, see_processes),
];

/// Tries what the level forbids; the names of what was tried.
pub(crate) fn try_the_forbidden(level: Level) -> Result<String, Missing> {
    let mut proofs = String::new();
    for (name, from, act) in ACTS.iter().filter(|(_, from, _)| *from <= level) {
        match act() {
            Err(e) if e.raw_os_error() == Some(PERMITTED_NOT) => {}
            Err(e) => {
                return Err(Missing::new(
                    Primitive::Proof,
                    &format!("trying to {name} ({from})"),
                    e,
                ));
            }
            Ok(()) => {
                return Err(Missing::new(
                    Primitive::Proof,
                    &format!("trying to {name}"),
                    "it was permitted",
                ));
            }
        }
        if !proofs.is_empty() {
            proofs.push(',');
        }
        proofs.push_str(name);
    }
    if level >= Level::L2 {
        proofs.push_str(",list-root");
    }
    if level >= Level::L3 {
        proofs.push_str(",empty-root");
    }
    Ok(proofs)
}

const PERMITTED_NOT: i32 = nix::libc::EPERM;

fn become_root() -> io::Result<()> {
    let root = Uid::from_raw(0);
    match setresuid(root, root, root) {
        // In a user namespace of one's own there is no root to become.
        Err(nix::Error::EINVAL) => Err(io::Error::from_raw_os_error(PERMITTED_NOT)),
        other => Ok(other?),
    }
}

fn raise_limit() -> io::Result<()> {
    let wish = Rlimit {
        current: Some(1),
        maximum: Some(1),
    };
    Ok(setrlimit(Resource::Core, wish)?)
}

fn open_file() -> io::Result<()> {
    File::open("/").map(drop)
}

fn open_socket() -> io::Result<()> {
    Ok(socket(AddressFamily::UNIX, SocketType::STREAM, None).map(drop)?)
}

fn start_process() -> io::Result<()> {
    match fork::fork()? {
        Fork::Child => std::process::exit(0),
        Fork::Parent(_) => Ok(()),
    }
}

fn execute_file() -> io::Result<()> {
    match execv::<&std::ffi::CStr>(c"/", &[]) {
        Err(e) => Err(e.into()),
        Ok(never) => match never {},
    }
}

fn execute_memory() -> io::Result<()> {
    MmapMut::map_anon(1)?.make_exec().map(drop)
}

// The parent; at L3 it is out of sight and the first process stands in for it.
fn other() -> Pid {
    getppid().unwrap_or(Pid::INIT)
}

fn signal_process() -> io::Result<()> {
    Ok(test_kill_process(other())?)
}

fn trace_process() -> io::Result<()> {
    Ok(ptrace::attach(nix::unistd::Pid::from_raw(
        other().as_raw_nonzero().get(),
    ))?)
}

fn limit_process() -> io::Result<()> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    Ok(prlimit(Some(other()), Resource::Core, none).map(drop)?)
}

fn enter_namespace() -> io::Result<()> {
    Ok(unshare(CloneFlags::CLONE_NEWUSER)?)
}

fn see_processes() -> io::Result<()> {
    if getpid().is_init() {
        Err(io::Error::from_raw_os_error(PERMITTED_NOT))
    } else {
        Ok(())
    }
}
