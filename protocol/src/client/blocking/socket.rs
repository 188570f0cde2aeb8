//! The system calls of a blocking link.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, recv,
};

use super::Link;
use crate::client::Error;
use crate::client::receive::receive;

/// Until when to wait, and for what: the words of [`Error::TimedOut`].
pub(super) type Limit = (Instant, &'static str);

impl<S: AsFd> Link<S> {
    // Writes what was said, then waits until more bytes are there, or the end.
    pub(super) fn fill(&mut self, limit: Option<Limit>) -> Result<(), Error> {
        // What came while there was no room may be all that comes: it is looked at first.
        if self.write()? {
            return Ok(());
        }
        match limit {
            None => self.read(RecvFlags::empty()),
            Some((deadline, what)) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if !self.wait(PollFlags::IN, Some(left))? {
                    return Err(Error::TimedOut(what));
                }
                self.read(RecvFlags::DONTWAIT)
            }
        }
    }

    pub(super) fn read(&mut self, flags: RecvFlags) -> Result<(), Error> {
        let read = if self.session.out.awaits_descriptors() {
            receive(&self.socket, &mut self.session, flags)
        } else {
            let space = spare_capacity(self.session.inbox.space());
            recv(&self.socket, space, flags).map(|(_, bytes)| bytes)
        };
        match read {
            Ok(0) | Err(Errno::CONNRESET | Errno::PIPE) => self.session.has_ended = true,
            // A socket that its owner made non-blocking is waited for.
            Err(Errno::AGAIN) if !flags.contains(RecvFlags::DONTWAIT) => {
                self.wait(PollFlags::IN, None)?;
            }
            Ok(_) | Err(Errno::INTR | Errno::AGAIN) => {}
            Err(errno) => return Err(failed("read from the link", errno)),
        }
        Ok(())
    }

    // Never waits for room alone: a core that waits for us to read would wait for ever.
    // Whether something may have been read meanwhile.
    pub(super) fn write(&mut self) -> Result<bool, Error> {
        const FLAGS: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);
        let mut has_read = false;
        self.session.out.tell_dropped()?;
        while !self.session.out.unsent().is_empty() {
            match rustix::net::send(&self.socket, self.session.out.unsent(), FLAGS) {
                Ok(bytes) => self.session.out.mark_sent(bytes),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => has_read |= self.wait_for_room()?,
                // Nobody will read it; what the core said last may still be there.
                Err(Errno::PIPE | Errno::CONNRESET) => {
                    self.session.is_severed = true;
                    self.session.out.clear();
                }
                Err(errno) => return Err(failed("write to the link", errno)),
            }
        }
        Ok(has_read)
    }

    fn wait_for_room(&mut self) -> Result<bool, Error> {
        let may_read = self.session.inbox.has_room() && !self.session.has_ended;
        if may_read {
            self.wait(PollFlags::IN | PollFlags::OUT, None)?;
            return self.read(RecvFlags::DONTWAIT).map(|()| true);
        }
        self.wait(PollFlags::OUT, None).map(|_| false)
    }

    // False when the time is over.
    fn wait(&self, flags: PollFlags, limit: Option<Duration>) -> Result<bool, Error> {
        let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
        let mut fds = [PollFd::new(&self.socket, flags)];
        match rustix::event::poll(&mut fds, limit.as_ref()) {
            Ok(ready) => Ok(ready > 0),
            Err(Errno::INTR) => Ok(true),
            Err(errno) => Err(failed("wait for the link", errno)),
        }
    }
}

fn failed(doing: &'static str, errno: Errno) -> Error {
    Error::Socket {
        doing,
        source: errno.into(),
    }
}

// A time too far away to be written down is a year.
pub(super) fn deadline(within: Duration) -> Instant {
    const YEAR: Duration = Duration::from_hours(365 * 24);
    let now = Instant::now();
    now.checked_add(within.min(YEAR)).unwrap_or(now)
}

// A full backlog makes connect(2) wait as long as a write would, so the limit is
// set as that of writing, and taken away again.
pub(super) fn dial(path: &Path, within: Duration) -> Result<UnixStream, Errno> {
    let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
    let socket = rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, None)?;
    set_socket_timeout(
        &socket,
        Timeout::Send,
        Some(within.max(Duration::from_millis(1))),
    )?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    set_socket_timeout(&socket, Timeout::Send, None)?;
    Ok(socket.into())
}
