//! Tracing: how the nursery learns the name of a forbidden call.
//!
//! The filter answers a call that is never legitimate with `RET_TRACE` and the
//! call's number. The kernel stops the process and tells its tracer, the
//! nursery, which notes the number and kills. Nothing else of the process is
//! traced: no other system call, no exec, no page.
//!
//! A process that is traced stops for its tracer at every signal as well; the
//! signal is passed on at once. A process that is *stopped* (SIGSTOP) is let go:
//! the tracer would otherwise have to hold it. Its forbidden calls then answer
//! ENOSYS without a name. A signal that would end the process ends it by our
//! hand: the kernel spares the first process of a namespace from its own
//! signals, and an aborting one would abort for ever. Realtime signals are not passed on: the safe wrapper
//! knows no names for them, and the C libraries use them only for `setuid` and
//! for cancelling threads.

use std::io::Read;
use std::os::fd::OwnedFd;

use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use rustix::fs::{Mode, OFlags, openat};
use rustix::process::WaitStatus;

// The kernel's `PTRACE_EVENT_*`, in the second byte of a stop.
const EVENT_CLONE: i32 = 3;
const EVENT_SECCOMP: i32 = 7;
const EVENT_STOP: i32 = 128;

/// Becomes the tracer of a process, without stopping it; false where that is not to be had.
///
/// `EXITKILL`: when the nursery dies, the kernel kills everything it traces.
pub(crate) fn begin(pid: i32) -> bool {
    let options =
        Options::PTRACE_O_TRACESECCOMP | Options::PTRACE_O_TRACECLONE | Options::PTRACE_O_EXITKILL;
    ptrace::seize(Pid::from_raw(pid), options).is_ok()
}

/// What a stop was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Nothing that matters; it goes on.
    Passing,
    /// It started this thread, which is traced like itself.
    Thread(i32),
    /// It made this call, which is never legitimate; it stays stopped until it is killed.
    Forbidden(i64),
    /// This signal is to end it, and it has no handler; it stays stopped until it is killed.
    Fatal {
        /// The signal.
        signal: i32,
        /// Whether it had used up the memory it may have.
        starved: bool,
    },
}

/// Understands a stop, and lets the process go on unless it is to be killed.
pub(super) fn answer(pid: i32, status: WaitStatus, processes: &OwnedFd) -> Stop {
    let pid = Pid::from_raw(pid);
    let (signal, event) = ((status.as_raw() >> 8) & 0xff, status.as_raw() >> 16);
    let signal = Signal::try_from(signal).ok();
    let detail = || ptrace::getevent(pid).unwrap_or_default();
    let mut stop = Stop::Passing;
    match event {
        EVENT_SECCOMP => return Stop::Forbidden(detail()),
        0 if signal.is_some_and(|signal| is_fatal(pid, signal, processes)) => {
            return Stop::Fatal {
                signal: signal.map_or(0, |signal| signal as i32),
                starved: is_starved(pid, processes),
            };
        }
        EVENT_CLONE => stop = i32::try_from(detail()).map_or(stop, Stop::Thread),
        _ => {}
    }
    // Errors mean that it has died meanwhile; its end is reported by itself.
    let _ = match event {
        EVENT_STOP if is_stop(signal) => ptrace::detach(pid, None),
        0 => ptrace::cont(pid, signal),
        _ => ptrace::cont(pid, None),
    };
    stop
}

fn is_stop(signal: Option<Signal>) -> bool {
    matches!(
        signal,
        Some(Signal::SIGSTOP | Signal::SIGTSTP | Signal::SIGTTIN | Signal::SIGTTOU)
    )
}

// Whether a signal ends a process by default, and the process leaves it at that.
fn is_fatal(pid: Pid, signal: Signal, processes: &OwnedFd) -> bool {
    let is_harmless = matches!(
        signal,
        Signal::SIGCHLD | Signal::SIGCONT | Signal::SIGURG | Signal::SIGWINCH
    );
    !is_harmless && !is_stop(Some(signal)) && !is_handled(pid, signal, processes)
}

// Whether nearly all of the memory it may have is in use: an allocator that is
// refused more aborts, and only the limits tell why.
fn is_starved(pid: Pid, processes: &OwnedFd) -> bool {
    let status = about(pid, "status", processes);
    let limits = about(pid, "limits", processes);
    let number = |text: &str, name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let is_full = |used: &str, limit: &str| match (number(&status, used), number(&limits, limit)) {
        // A tenth is what a large last request may have wanted in vain.
        (Some(kib), Some(limit)) => kib.saturating_mul(1024) >= limit - limit / 10,
        _ => false,
    };
    is_full("VmData:", "Max data size") || is_full("VmPeak:", "Max address space")
}

// Through the descriptor: the nursery itself may live in an empty root by now.
fn about(pid: Pid, file: &str, processes: &OwnedFd) -> String {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let mut text = String::new();
    let opened = openat(processes, format!("{pid}/{file}"), flags, Mode::empty());
    // Unread, it is empty, and counts as if nothing were known.
    let _ = opened.map(|file| std::fs::File::from(file).read_to_string(&mut text));
    text
}

// Unread, a signal counts as unhandled: the sandbox ends where it would have ended.
fn is_handled(pid: Pid, signal: Signal, processes: &OwnedFd) -> bool {
    let status = about(pid, "status", processes);
    let bit = 1_u64 << (signal as i32 - 1);
    ["SigCgt:", "SigIgn:"].iter().any(|name| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let mask = line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask & bit != 0)
    })
}
