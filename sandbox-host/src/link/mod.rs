//! The link to the core: descriptor 0, blocking, framed.
//!
//! A sandbox waits in one place, [`Link::wait`]. It first writes what gathered
//! in the [`Outbox`], then reads what is there, and only then sleeps: many
//! small frames cost one system call each way.
//!
//! The parts are public fields, so that a frame that borrows from the inbox can
//! be answered into the outbox:
//!
//! ```ignore
//! while let Some(frame) = link.inbox.next_frame()? {
//!     answer(frame, &mut link.outbox)?;
//! }
//! link.wait(Some(timeout))?;
//! ```
//!
//! Descriptors come only to a host whose scripts have asked for connections; until
//! then the link is read by a call that receives none.

mod descriptors;
mod inbox;
mod wait;

use std::os::fd::BorrowedFd;
use std::time::Duration;

use protocol::codec::{Malformed, TooLarge};
use protocol::frame::{Confined, CoreFrame, Hello, HostFrame, Role};
use protocol::limits::READ_BYTES;
use protocol::version::{BUILD, PROTOCOL, is_spoken};
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{SendFlags, send};

pub use self::descriptors::Descriptors;
pub use self::inbox::Inbox;
use self::wait::{poll_all, sleep_until};
use crate::lockdown::Locked;
use crate::script::Wanted;

/// Why a link can no longer be used; the sandbox ends.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The core has closed it, or is gone.
    #[error("the core has closed the link")]
    Ended,
    /// The system refused to read or write.
    #[error("cannot use the link: {0}")]
    System(#[from] Errno),
    /// The core wrote something that is not a frame.
    #[error("the core wrote something else than frames: {0}")]
    Malformed(#[from] Malformed),
    /// A frame of ours is too large to be written.
    #[error("cannot write a frame: {0}")]
    TooLarge(#[from] TooLarge),
    /// The core speaks another version, or out of turn.
    #[error("cannot understand the core: {0}")]
    Greeting(&'static str),
}

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Bytes arrived.
    Received,
    /// The time is over.
    TimedOut,
}

/// The connection of a sandbox to the core.
#[derive(Debug, Default)]
pub struct Link {
    /// What the core says.
    pub inbox: Inbox,
    /// What the sandbox says.
    pub outbox: Outbox,
    /// What came along with frames.
    pub descriptors: Descriptors,
}

impl Link {
    /// Takes descriptor 0, the link by convention, as inetd's programs do.
    pub fn on_descriptor_0() -> Self {
        Self::default()
    }

    /// Reads `Welcome`, then says `Hello` and `Confined`.
    ///
    /// Reads exactly one frame: what follows it may carry a descriptor, which a
    /// plain read would throw away.
    pub fn greet(&mut self, locked: &Locked) -> Result<(), LinkError> {
        self.inbox.fill_one_frame()?;
        let Some(CoreFrame::Welcome { version, nonce }) = self.inbox.next_frame()? else {
            return Err(LinkError::Greeting("it does not begin with a welcome"));
        };
        if !is_spoken(version) {
            return Err(LinkError::Greeting("it speaks another version"));
        }
        let hello = Hello {
            version: PROTOCOL,
            nonce,
            role: Role::Sandbox,
            build: BUILD,
        };
        self.outbox.push(&HostFrame::Hello(hello))?;
        self.outbox.push(&HostFrame::Confined(Confined {
            level: locked.level(),
            landlock_abi: locked.landlock_abi(),
            profile: locked.profile().name,
            proofs: locked.proofs(),
        }))?;
        self.outbox.flush()
    }

    /// Writes what gathered, then waits until bytes arrive or the time is over.
    ///
    /// `None` waits for ever; zero only looks.
    pub fn wait(&mut self, timeout: Option<Duration>) -> Result<Wake, LinkError> {
        self.outbox.flush()?;
        // Trying to read first saves a system call whenever the core was quicker.
        if self.fill()? {
            return Ok(Wake::Received);
        }
        if timeout.is_some_and(|time| time.is_zero()) || !sleep_until(PollFlags::IN, timeout)? {
            return Ok(Wake::TimedOut);
        }
        self.received()
    }

    /// As [`Self::wait`], and also until one of the others can go on.
    ///
    /// They are looked at in any case: a talkative core must not starve them.
    pub fn wait_beside(
        &mut self,
        timeout: Option<Duration>,
        others: &mut [Wanted],
    ) -> Result<Wake, LinkError> {
        self.outbox.flush()?;
        let has_read = self.fill()?;
        let timeout = if has_read {
            Some(Duration::ZERO)
        } else {
            timeout
        };
        let link_came = poll_all(timeout, others)?;
        if has_read {
            return Ok(Wake::Received);
        }
        if !link_came {
            return Ok(Wake::TimedOut);
        }
        self.received()
    }

    /// Reads what is there behind the frames that still wait, without sleeping.
    pub fn look(&mut self) -> Result<(), LinkError> {
        self.fill().map(|_| ())
    }

    fn fill(&mut self) -> Result<bool, LinkError> {
        self.inbox.fill(&mut self.descriptors)
    }

    fn received(&mut self) -> Result<Wake, LinkError> {
        Ok(if self.fill()? {
            Wake::Received
        } else {
            Wake::TimedOut
        })
    }
}

/// The frames that wait to be written.
#[derive(Debug, Default)]
pub struct Outbox {
    buffer: Vec<u8>,
}

impl Outbox {
    /// Adds a frame; it is written by the next [`Link::wait`] or [`Outbox::flush`].
    pub fn push(&mut self, frame: &HostFrame<'_>) -> Result<(), TooLarge> {
        frame.encode(&mut self.buffer)
    }

    /// How many bytes wait, so that a talkative loop knows when to flush.
    pub fn bytes(&self) -> usize {
        self.buffer.len()
    }

    /// What waits, for whoever writes it elsewhere.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    /// Writes all of it, waiting for room where there is none.
    ///
    /// It cannot deadlock: the core never waits for a sandbox; it reads, or it
    /// closes the link of one that takes more than its allowance.
    pub fn flush(&mut self) -> Result<(), LinkError> {
        let mut written = 0;
        while let Some(rest) = self.buffer.get(written..).filter(|rest| !rest.is_empty()) {
            match send(link(), rest, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                Ok(count) => written += count,
                Err(Errno::AGAIN) => {
                    sleep_until(PollFlags::OUT, None)?;
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(ended_or(error)),
            }
        }
        self.buffer.clear();
        self.buffer.shrink_to(READ_BYTES);
        Ok(())
    }
}

fn link() -> BorrowedFd<'static> {
    rustix::stdio::stdin()
}

fn ended_or(error: Errno) -> LinkError {
    match error {
        Errno::PIPE | Errno::CONNRESET => LinkError::Ended,
        other => LinkError::System(other),
    }
}
