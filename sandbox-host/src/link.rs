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

use std::collections::VecDeque;
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::Duration;

use protocol::codec::{self, Malformed, Prefix, TooLarge};
use protocol::frame::{Confined, CoreFrame, Hello, HostFrame, Role};
use protocol::limits::{PREFIX_BYTES, READ_BYTES};
use protocol::version::{BUILD, PROTOCOL, is_spoken};
use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, RecvMsg, ReturnFlags, SendFlags, recv,
    recvmsg, send,
};

use crate::lockdown::Locked;
use crate::script::Wanted;

/// Bytes of frames that may wait for a busy sandbox while it looks for pings.
///
/// Beyond that the core's own queue for the sandbox fills, and it decides.
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;

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

/// The bytes that came and have not been understood yet.
#[derive(Debug, Default)]
pub struct Inbox {
    buffer: Vec<u8>,
    read: usize,
    // Up to here, frames have been searched for urgent ones.
    searched: usize,
    // Urgent ones that were taken before their turn.
    taken: usize,
}

impl Inbox {
    /// Takes the next whole frame, if one is there; makes no system call.
    pub fn next_frame(&mut self) -> Result<Option<CoreFrame<'_>>, LinkError> {
        loop {
            let bytes = self.buffer.get(self.read..).unwrap_or_default();
            let Some(raw) = codec::split(bytes)? else {
                return Ok(None);
            };
            self.read += raw.bytes.len();
            if self.taken > 0 && raw.is_urgent() {
                self.taken -= 1;
                continue;
            }
            return Ok(Some(CoreFrame::decode(raw)?));
        }
    }

    /// Takes a ping or a stop from behind frames that wait; it does not come again.
    pub fn take_urgent(&mut self) -> Result<Option<CoreFrame<'_>>, LinkError> {
        self.searched = self.searched.max(self.read);
        loop {
            let bytes = self.buffer.get(self.searched..).unwrap_or_default();
            let Some(raw) = codec::split(bytes)? else {
                return Ok(None);
            };
            self.searched += raw.bytes.len();
            if raw.is_urgent() {
                self.taken += 1;
                return Ok(Some(CoreFrame::decode(raw)?));
            }
        }
    }

    // Reads what the socket has, up to the room there is; false when it has nothing.
    fn fill(&mut self, descriptors: &mut Descriptors) -> Result<bool, LinkError> {
        if self.buffer.len() - self.read > WAITING_BYTES_MAX {
            return Ok(false);
        }
        self.make_room()?;
        let result = if descriptors.are_expected {
            descriptors.receive(&mut self.buffer)
        } else {
            let spare = spare_capacity(&mut self.buffer);
            recv(link(), spare, RecvFlags::DONTWAIT).map(|(_, count)| count)
        };
        match result {
            Ok(0) => Err(LinkError::Ended),
            Ok(_) => Ok(true),
            Err(Errno::AGAIN | Errno::INTR) => Ok(false),
            Err(error) => Err(ended_or(error)),
        }
    }

    fn fill_one_frame(&mut self) -> Result<(), LinkError> {
        self.fill_exactly(PREFIX_BYTES)?;
        if let Some(prefix) = Prefix::read(&self.buffer)? {
            self.fill_exactly(prefix.frame_bytes())?;
        }
        Ok(())
    }

    fn fill_exactly(&mut self, bytes: usize) -> Result<(), LinkError> {
        while self.buffer.len() < bytes {
            let start = self.buffer.len();
            self.buffer.resize(bytes, 0);
            let target = self.buffer.get_mut(start..).unwrap_or_default();
            let result = recv(link(), target, RecvFlags::empty());
            let count = result.as_ref().map_or(0, |(count, _)| *count);
            self.buffer.truncate(start + count);
            match result {
                Ok((0, _)) => return Err(LinkError::Ended),
                // A supervisor may have set the socket to non-blocking.
                Err(Errno::AGAIN) => {
                    sleep_until(PollFlags::IN, None)?;
                }
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(ended_or(error)),
            }
        }
        Ok(())
    }

    fn make_room(&mut self) -> Result<(), LinkError> {
        self.buffer.drain(..self.read);
        self.searched = self.searched.saturating_sub(self.read);
        self.read = 0;
        let wanted = match Prefix::read(&self.buffer)? {
            Some(prefix) => prefix.frame_bytes().max(READ_BYTES),
            None => READ_BYTES,
        };
        // Room is needed behind whole frames too, when a ping is looked for.
        let wanted = wanted.max(self.buffer.len() + READ_BYTES / 4);
        // One long frame must not hold a megabyte for ever.
        if self.buffer.is_empty() && self.buffer.capacity() > 2 * READ_BYTES {
            self.buffer = Vec::new();
        }
        self.buffer
            .reserve_exact(wanted.saturating_sub(self.buffer.len()));
        Ok(())
    }
}

/// The descriptors that came along with frames, in the order of those.
#[derive(Debug, Default)]
pub struct Descriptors {
    are_expected: bool,
    arrived: VecDeque<Option<OwnedFd>>,
    // A call for descriptors takes no unwritten memory; pages that no read
    // touches cost nothing.
    landing: Vec<u8>,
}

impl Descriptors {
    /// From now on the link is read by a call that receives them.
    pub const fn expect(&mut self) {
        self.are_expected = true;
    }

    /// The one that belongs to a frame that brings one; `None` when it got lost on the
    /// way, because this process has as many as it may.
    pub fn take(&mut self) -> Option<OwnedFd> {
        self.arrived.pop_front().flatten()
    }

    fn receive(&mut self, buffer: &mut Vec<u8>) -> Result<usize, Errno> {
        if self.landing.is_empty() {
            self.landing = vec![0; READ_BYTES];
        }
        let room = buffer.capacity() - buffer.len();
        let target = self
            .landing
            .get_mut(..room.min(READ_BYTES))
            .unwrap_or_default();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        let mut slices = [IoSliceMut::new(target)];
        let RecvMsg {
            bytes,
            flags: returned,
            ..
        } = recvmsg(link(), &mut slices, &mut control, flags)?;
        let before = self.arrived.len();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(some) = message {
                self.arrived.extend(some.map(Some));
            }
        }
        if returned.contains(ReturnFlags::CTRUNC) && self.arrived.len() == before {
            self.arrived.push_back(None);
        }
        buffer.extend_from_slice(self.landing.get(..bytes).unwrap_or_default());
        Ok(bytes)
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

// Whether the link can be read; what is there of the others stands in their flags.
fn poll_all(timeout: Option<Duration>, others: &mut [Wanted]) -> Result<bool, LinkError> {
    let descriptor = link();
    let mut all = vec![PollFd::new(&descriptor, PollFlags::IN)];
    let fds = others
        .iter()
        .map(|other| PollFd::new(&*other.descriptor, other.flags));
    all.extend(fds);
    let polled = poll(&mut all, timespec(timeout).as_ref());
    let found: Vec<PollFlags> = all.iter().map(PollFd::revents).collect();
    match polled {
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let none = polled.is_err();
    let mut found = found
        .into_iter()
        .map(|flags| if none { PollFlags::empty() } else { flags });
    let link_came = found.next().is_some_and(|flags| !flags.is_empty());
    for (other, flags) in others.iter_mut().zip(found) {
        other.flags = flags;
    }
    Ok(link_came)
}

fn timespec(timeout: Option<Duration>) -> Option<Timespec> {
    timeout.map(|time| Timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(time.subsec_nanos()),
    })
}

// `false` when the time is over; an interruption counts as that.
fn sleep_until(flags: PollFlags, timeout: Option<Duration>) -> Result<bool, LinkError> {
    let descriptor = link();
    let timeout = timespec(timeout);
    match poll(&mut [PollFd::new(&descriptor, flags)], timeout.as_ref()) {
        Ok(count) => Ok(count > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn ended_or(error: Errno) -> LinkError {
    match error {
        Errno::PIPE | Errno::CONNRESET => LinkError::Ended,
        other => LinkError::System(other),
    }
}
