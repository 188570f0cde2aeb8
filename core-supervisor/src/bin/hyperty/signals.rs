//! Ctrl-C, a polite kill and a closed terminal: in order first, at once when repeated.
//!
//! A thread waits for the signals, so no code runs in a signal handler. A
//! command that has something to put in order takes them ([`take`]) and asks
//! how often it was interrupted; every other command ends with status 130.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use nix::sys::signal::{SigSet, Signal};

use crate::error::Exit;

static TAKEN: AtomicBool = AtomicBool::new(false);
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// After so many the program ends even if the command does not react.
const PATIENCE: usize = 3;

/// Starts to wait for signals. To be called before any other thread exists,
/// because a new thread inherits which signals are blocked.
pub(crate) fn watch() {
    let set = set();
    // Without the mask the signals do what they always do, which is acceptable.
    if set.thread_block().is_ok() {
        std::thread::spawn(move || wait(&set));
    }
}

/// Starts a child that can be interrupted itself: it inherits the mask of the
/// thread that starts it, and one that blocks SIGTERM would never end in order.
pub(crate) fn spawn(command: &mut Command) -> io::Result<Child> {
    let set = set();
    let _ = set.thread_unblock();
    let child = command.spawn();
    let _ = set.thread_block();
    child
}

/// Becomes another program, which can be interrupted; returns only when it cannot.
pub(crate) fn become_program(command: &mut Command) -> io::Error {
    let set = set();
    let _ = set.thread_unblock();
    let error = command.exec();
    let _ = set.thread_block();
    error
}

fn set() -> SigSet {
    let mut set = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        set.add(signal);
    }
    set
}

fn wait(set: &SigSet) {
    while set.wait().is_ok() {
        let count = COUNT.fetch_add(1, Ordering::SeqCst) + 1;
        if !TAKEN.load(Ordering::SeqCst) || count >= PATIENCE {
            std::process::exit(Exit::Interrupted as i32);
        }
    }
}

/// Says that this command ends in order when it is interrupted.
pub(crate) fn take() {
    TAKEN.store(true, Ordering::SeqCst);
}

/// How often the program was interrupted.
pub(crate) fn count() -> usize {
    COUNT.load(Ordering::SeqCst)
}
