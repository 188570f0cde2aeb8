//! The client without threads and without an async runtime.
//!
//! Its system calls are `recvfrom`, `sendto` and, with a deadline or a full
//! socket, `ppoll`; once a large body was sent or came, `recvmsg`, `pread64` and
//! `pwrite64` as well: what a locked sandbox permits. A `recv` reads before it
//! waits, and takes as many frames as one read brings.

mod dial;
mod hyperty;
mod rooms;
mod socket;

use std::io::{self, Stdin};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::RecvFlags;

pub use self::hyperty::Hyperty;
use self::socket::{Limit, deadline, dial};
use super::error::Error;
use super::outbox::Outbox;
use super::room;
use super::session::{Incoming, Next, Response, Session};
use crate::frame::{LogLevel, Role};
use crate::message::MessageKind;

/// A link of an application or of the operator, by the endpoint's path.
pub type Client = Link<UnixStream>;

/// The link of a native component: its descriptor 0.
pub type Component = Link<Stdin>;

/// How long [`Client::connect`] waits for the supervisor.
pub const CONNECT_WAIT: Duration = Duration::from_secs(5);

/// A link to the core over any stream socket.
#[derive(Debug)]
pub struct Link<S> {
    socket: S,
    session: Session,
    // Whether a request waits without a deadline of its own; see `request`.
    trusts_core: bool,
}

impl Client {
    /// Connects to a supervisor's endpoint and says who is there.
    pub fn connect(path: impl AsRef<Path>, role: Role<'_>) -> Result<Self, Error> {
        Self::connect_within(path, role, CONNECT_WAIT)
    }

    /// The same with another time limit.
    pub fn connect_within(
        path: impl AsRef<Path>,
        role: Role<'_>,
        within: Duration,
    ) -> Result<Self, Error> {
        let deadline = deadline(within);
        let path = path.as_ref();
        let socket = dial(path, within).map_err(|errno| match errno {
            Errno::AGAIN => Error::TimedOut("connection"),
            errno => Error::Connect {
                path: path.to_owned(),
                source: errno.into(),
            },
        })?;
        Self::greet(socket, role, deadline)
    }
}

impl Component {
    /// Reads who this component is from descriptor 0, and reports it as loaded.
    pub fn attach() -> Result<Self, Error> {
        Self::attach_to(io::stdin())
    }
}

impl<S: AsFd> Link<S> {
    /// Says `Hello` on a connected socket, and waits for `Start`.
    pub fn greet(socket: S, role: Role<'_>, deadline: Instant) -> Result<Self, Error> {
        let mut link = Self::over(socket, false);
        while !link.session.greet(role)? {
            link.fill(Some((deadline, "`Start`")))?;
        }
        link.flush()?;
        Ok(link)
    }

    /// Waits for `Start` as a native component does, and answers `Loaded`.
    pub fn attach_to(socket: S) -> Result<Self, Error> {
        let mut link = Self::over(socket, true);
        while !link.session.attach()? {
            link.fill(None)?;
        }
        link.flush()?;
        Ok(link)
    }

    /// The own address.
    pub fn address(&self) -> &str {
        self.session.out.address()
    }

    /// The runtime's address; rooms live below it.
    pub fn runtime(&self) -> &str {
        self.session.runtime()
    }

    /// The configuration of the descriptor: JSON object text.
    pub fn config(&self) -> &str {
        self.session.config()
    }

    /// What was said and is not written yet; to say more without a flush.
    pub fn out(&mut self) -> &mut Outbox {
        &mut self.session.out
    }

    /// Waits for the next frame. Writes first what was said, if it has to wait.
    pub fn recv(&mut self) -> Result<(Incoming<'_>, &mut Outbox), Error> {
        match self.next(None)? {
            Some(frame) => self.session.event(frame),
            None => Ok((Incoming::Closed, &mut self.session.out)),
        }
    }

    /// The same for a limited time; [`Error::TimedOut`] when nothing came.
    pub fn recv_within(&mut self, within: Duration) -> Result<(Incoming<'_>, &mut Outbox), Error> {
        match self.next(Some((deadline(within), "message")))? {
            Some(frame) => self.session.event(frame),
            None => Ok((Incoming::Closed, &mut self.session.out)),
        }
    }

    /// Sends a request and waits for its final answer.
    ///
    /// What else arrives meanwhile stays in line for [`Self::recv`]. When nobody
    /// answers, the core does, with 408; [`Error::TimedOut`] means that the core
    /// itself does not answer. A native component lives no longer than its core and
    /// waits for it without a second deadline, which saves a system call.
    pub fn request(
        &mut self,
        kind: MessageKind<'_>,
        to: &str,
        body: &[u8],
        within: Duration,
    ) -> Result<Response<'_>, Error> {
        let id = self.session.out.ask(kind, to, body, within)?;
        let limit = (!self.trusts_core)
            .then(|| (deadline(within.saturating_add(room::CORE_GRACE)), "answer"));
        let found = loop {
            if let Some(found) = self.session.find(id)? {
                break found;
            }
            if self.session.has_ended {
                return Err(Error::Closed);
            }
            if let Err(error) = self.fill(limit) {
                self.session.out.settle(id);
                return Err(error);
            }
        };
        self.session.answer(found)
    }

    /// Shows the core a sign of life in the middle of long work: writes what was
    /// said and answers pings, without waiting and without taking anything.
    ///
    /// A component that neither waits nor tends its link for four seconds is taken
    /// for hung, and is ended.
    pub fn tend(&mut self) -> Result<(), Error> {
        if self.session.inbox.has_room() {
            self.read(RecvFlags::DONTWAIT)?;
        }
        self.session.tend()?;
        self.write().map(|_| ())
    }

    /// Sends a message that wants no answer.
    pub fn send(&mut self, kind: MessageKind<'_>, to: &str, body: &[u8]) -> Result<(), Error> {
        self.session.out.send(kind, to, body)?;
        self.flush_when_full()
    }

    /// Sends a request whose answer comes by [`Self::recv`]; returns its number.
    pub fn ask(
        &mut self,
        kind: MessageKind<'_>,
        to: &str,
        body: &[u8],
        within: Duration,
    ) -> Result<u64, Error> {
        let id = self.session.out.ask(kind, to, body, within)?;
        self.flush_when_full()?;
        Ok(id)
    }

    /// Asks for the messages to `address` as well.
    pub fn listen(&mut self, address: &str) -> Result<(), Error> {
        self.session.out.listen(address)?;
        self.flush_when_full()
    }

    /// Takes a `listen` back.
    pub fn unlisten(&mut self, address: &str) -> Result<(), Error> {
        self.session.out.unlisten(address)?;
        self.flush_when_full()
    }

    /// Writes a line to the component's log.
    pub fn log(&mut self, level: LogLevel, text: &str) -> Result<(), Error> {
        self.session.out.log(level, text)?;
        self.flush_when_full()
    }

    /// Writes everything that was said.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.write()?;
        if self.session.is_severed {
            return Err(Error::Closed);
        }
        Ok(())
    }

    fn over(socket: S, trusts_core: bool) -> Self {
        Self {
            socket,
            session: Session::default(),
            trusts_core,
        }
    }

    // What is next; `None` when the link has ended.
    fn next(&mut self, limit: Option<Limit>) -> Result<Option<Next>, Error> {
        loop {
            // What is full leaves, even when the next frame is here already.
            if self.session.out.is_full() {
                self.write()?;
            }
            if let Some(frame) = self.session.next()? {
                return Ok(Some(frame));
            }
            if self.session.has_ended {
                return Ok(None);
            }
            self.fill(limit)?;
        }
    }

    fn flush_when_full(&mut self) -> Result<(), Error> {
        if self.session.out.is_full() {
            return self.flush();
        }
        Ok(())
    }
}
