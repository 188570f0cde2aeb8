//! Why a sandbox ended, in words that tell the cases apart.

use crate::event::Exit;
use crate::rooms::sandboxes::{Cause, Sandbox};

pub(crate) fn of(sandbox: &Sandbox, exit: &Exit) -> String {
    match (&sandbox.cause, exit) {
        (_, Exit::NotLocked(reason)) => format!("could not be locked: {reason}"),
        (Some(Cause::Fault(fault)), _) => format!("was cut off: {fault}"),
        (Some(Cause::NotReady), _) => "was not ready in time (not-ready)".to_owned(),
        (Some(Cause::NotLoaded), _) => "did not start its component in time (not-ready)".to_owned(),
        (Some(Cause::Hung), _) => {
            "did not answer its heartbeat: an endless loop, or a hang (limit:cpu)".to_owned()
        }
        (Some(Cause::Dismissed), _) => "was dismissed".to_owned(),
        (Some(Cause::Unlinked), Exit::Signal(9)) => "closed its link to the core".to_owned(),
        (_, Exit::Memory(_)) => "used up the memory it may have (limit:memory)".to_owned(),
        (_, Exit::Code(status)) => format!("exited with status {status}"),
        (_, Exit::Syscall { number, name }) if name.is_empty() => {
            format!("was killed for system call {number}, which is never legitimate here (seccomp)")
        }
        (_, Exit::Syscall { name, .. }) => {
            format!("was killed for system call `{name}`, which is never legitimate here (seccomp)")
        }
        (_, Exit::Signal(signal)) => signal_reason(*signal),
    }
}

// Linux numbers, the same on every architecture that we build for.
fn signal_reason(signal: i32) -> String {
    match signal {
        4 => "was killed by SIGILL: an illegal instruction".to_owned(),
        6 => "was killed by SIGABRT: it aborted itself".to_owned(),
        7 => "was killed by SIGBUS".to_owned(),
        8 => "was killed by SIGFPE".to_owned(),
        9 => "was killed by SIGKILL from outside: by the system for want of memory, or by hand (limit:memory)".to_owned(),
        11 => "was killed by SIGSEGV: a memory fault".to_owned(),
        15 => "was killed by SIGTERM from outside".to_owned(),
        24 => "used up its processor time: SIGXCPU (limit:cpu)".to_owned(),
        25 => "tried to write a file: SIGXFSZ (limit:file)".to_owned(),
        31 => "was killed by SIGSYS: a system call that is never legitimate (seccomp)".to_owned(),
        other => format!("was killed by signal {other}"),
    }
}
