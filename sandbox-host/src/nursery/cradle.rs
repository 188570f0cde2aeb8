//! What ties a child to the nursery until it is locked: descriptor 2.
//!
//! One `SOCK_SEQPACKET` pair per child. The child says [`born`](Cradle::born),
//! then, if it must, why it cannot lock itself; whatever else a library writes
//! to its standard error arrives as well. The nursery says once that it watches.
//! When the lock holds, descriptor 2 becomes `/dev/null`.

use nix::sys::prctl;
use nix::sys::signal::Signal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::stdio::{dup2_stderr, stderr, stdout};

use crate::lockdown::{Missing, Primitive};
use crate::profile::Watch;

/// The first byte of a birth; text never begins with it.
pub(crate) const BORN: u8 = 0;

/// What the nursery says when it has become the tracer.
pub(crate) const WATCHED: u8 = b'w';

/// What the nursery says when it may not trace here.
pub(crate) const UNWATCHED: u8 = b'u';

/// A child's side of it.
#[derive(Debug)]
pub struct Cradle {
    nursed: bool,
}

impl Cradle {
    /// Descriptor 2 leads to the nursery.
    pub(crate) const fn nursed() -> Self {
        Self { nursed: true }
    }

    /// Nobody nurses this process: descriptor 2 is an ordinary standard error.
    pub(crate) const fn none() -> Self {
        Self { nursed: false }
    }

    /// Says which process will be the sandbox.
    #[allow(
        clippy::unused_self,
        reason = "only one who has a cradle is born into it"
    )]
    pub(crate) fn born(&self, pid: i32) {
        let mut datagram = [BORN; 5];
        if let Some(number) = datagram.get_mut(1..) {
            number.copy_from_slice(&pid.to_le_bytes());
        }
        say(&datagram);
    }

    /// Says why this process cannot lock itself.
    pub(crate) fn lament(&self, reason: &str) {
        say(reason.as_bytes());
        if !self.nursed {
            say(b"\n");
        }
    }

    /// Waits for the word of the nursery.
    pub(crate) fn wait_until_watched(&self) -> Result<Watch, Missing> {
        if !self.nursed {
            return Ok(Watch::Unwatched);
        }
        let mut word = [0];
        loop {
            return match rustix::io::read(stderr(), &mut word) {
                Ok(1) if word == [WATCHED] => Ok(Watch::Traced),
                Ok(1) => Ok(Watch::Unwatched),
                Ok(_) => Err(Missing::new(
                    Primitive::Watch,
                    "waiting for the nursery",
                    "it is gone",
                )),
                Err(Errno::INTR) => continue,
                Err(e) => Err(Missing::new(Primitive::Watch, "waiting for the nursery", e)),
            };
        }
    }

    /// Asks to be killed when the parent dies, then looks whether it is alive.
    ///
    /// Not by `getppid`: in a process namespace of one's own it is always 0.
    /// The other end of the cradle closes with the nursery, wherever we are.
    pub(crate) fn die_with_parent(&self) -> Result<(), Missing> {
        prctl::set_pdeathsig(Signal::SIGKILL)
            .map_err(|e| Missing::new(Primitive::Watch, "asking to die with the parent", e))?;
        let descriptor = stderr();
        let mut polled = [PollFd::new(&descriptor, PollFlags::empty())];
        let looked = poll(
            &mut polled,
            Some(&Timespec {
                tv_sec: 0,
                tv_nsec: 0,
            }),
        );
        let gone = polled
            .iter()
            .any(|fd| fd.revents().contains(PollFlags::HUP));
        match looked {
            Ok(_) if self.nursed && gone => Err(Missing::new(
                Primitive::Watch,
                "looking for the nursery",
                "it is gone",
            )),
            _ => Ok(()),
        }
    }

    /// Lets go: descriptor 2 becomes `/dev/null`, as descriptor 1 is.
    pub(crate) fn close(&self) -> Result<(), Missing> {
        if !self.nursed {
            return Ok(());
        }
        dup2_stderr(stdout()).map_err(|e| Missing::new(Primitive::Watch, "closing the cradle", e))
    }
}

fn say(bytes: &[u8]) {
    // The nursery is the only one who could be told that it cannot be told.
    let _ = rustix::io::write(stderr(), bytes);
}
