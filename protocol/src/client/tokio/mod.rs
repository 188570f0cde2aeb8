//! The client for applications that live in tokio.
//!
//! The same as [`super::blocking`], except that what waits is `async`. Every
//! `recv` may be dropped before it is done, and nothing is lost: it can stand
//! in a `select!`.

mod component;
mod dial;
mod dialler;
mod hyperty;
mod rooms;

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use rustix::net::RecvFlags;
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::runtime::Builder;
use tokio::time::timeout;

pub use self::component::Component;
use self::dialler::Asks;
pub use self::dialler::{Dialler, Revocation};
pub use self::hyperty::Hyperty;
use super::error::Error;
use super::outbox::Outbox;
use super::receive::receive;
use super::room;
use super::session::{Found, Incoming, Response, Session};
use crate::frame::Role;
use crate::message::MessageKind;

/// How long [`Client::connect`] waits for the supervisor.
pub const CONNECT_WAIT: Duration = super::blocking::CONNECT_WAIT;

/// Runs a component on one thread until its core, or itself, ends it: what its `main` does.
///
/// Nobody reads what it would print; the core sees its status, which is a failure for
/// every error but [`Error::Closed`].
pub fn run(component: impl Future<Output = Result<(), Error>>) -> ExitCode {
    let runtime = Builder::new_current_thread().enable_all().build();
    match runtime.map(|runtime| runtime.block_on(component)) {
        Ok(Ok(()) | Err(Error::Closed)) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

/// A link of an application or of the operator.
#[derive(Debug)]
pub struct Client {
    socket: UnixStream,
    session: Session,
    // What other tasks ask of the link; made with the first `Dialler`.
    asks: Option<Box<Asks>>,
}

impl Client {
    /// Connects to a supervisor's endpoint and says who is there.
    pub async fn connect(path: impl AsRef<Path>, role: Role<'_>) -> Result<Self, Error> {
        let path = path.as_ref();
        let dialled = async {
            let socket = UnixStream::connect(path).await;
            let socket = socket.map_err(|source| Error::Connect {
                path: path.to_owned(),
                source,
            })?;
            Self::greet(socket, role).await
        };
        match timeout(CONNECT_WAIT, dialled).await {
            Ok(client) => client,
            Err(_) => Err(Error::TimedOut("`Start`")),
        }
    }

    /// Says `Hello` on a connected socket, and waits for `Start`.
    pub async fn greet(socket: UnixStream, role: Role<'_>) -> Result<Self, Error> {
        let session = Session::default();
        let mut client = Self::over(socket, session);
        while !client.session.greet(role)? {
            client.fill().await?;
        }
        client.flush().await?;
        Ok(client)
    }

    const fn over(socket: UnixStream, session: Session) -> Self {
        let asks = None;
        Self {
            socket,
            session,
            asks,
        }
    }

    /// The own address.
    pub fn address(&self) -> &str {
        self.session.out.address()
    }

    /// The runtime's address; rooms live below it.
    pub fn runtime(&self) -> &str {
        self.session.runtime()
    }

    /// The configuration that the core gave: JSON object text.
    pub fn config(&self) -> &str {
        self.session.config()
    }

    /// What was said and is not written yet; to say more without a flush.
    pub const fn out(&mut self) -> &mut Outbox {
        &mut self.session.out
    }

    /// Waits for the next frame. Writes first what was said, if it has to wait.
    pub async fn recv(&mut self) -> Result<(Incoming<'_>, &mut Outbox), Error> {
        let frame = loop {
            if self.session.out.is_full() {
                self.write().await?;
            }
            if self.asks.is_some() {
                self.session.look_through()?;
                self.settle_asks();
            }
            if let Some(frame) = self.session.next()? {
                break frame;
            }
            if self.session.has_ended {
                return Ok((Incoming::Closed, &mut self.session.out));
            }
            self.fill().await?;
        };
        self.session.event(frame)
    }

    /// Sends a request and waits for its final answer.
    ///
    /// What else arrives meanwhile stays in line for [`Self::recv`]. When nobody
    /// answers, the core does, with 408; [`Error::TimedOut`] means that the core
    /// itself does not answer.
    pub async fn request(
        &mut self,
        kind: MessageKind<'_>,
        to: &str,
        body: &[u8],
        within: Duration,
    ) -> Result<Response<'_>, Error> {
        let id = self.session.out.ask(kind, to, body, within)?;
        let limit = within.saturating_add(room::CORE_GRACE);
        let found = match timeout(limit, self.find(id)).await {
            Ok(found) => found,
            Err(_) => Err(Error::TimedOut("answer")),
        };
        match found {
            Ok(found) => self.session.answer(found),
            Err(error) => {
                self.session.out.settle(id);
                Err(error)
            }
        }
    }

    /// Sends a message that wants no answer.
    pub async fn send(
        &mut self,
        kind: MessageKind<'_>,
        to: &str,
        body: &[u8],
    ) -> Result<(), Error> {
        self.session.out.send(kind, to, body)?;
        self.flush_when_full().await
    }

    /// Sends a request whose answer comes by [`Self::recv`]; returns its number.
    pub async fn ask(
        &mut self,
        kind: MessageKind<'_>,
        to: &str,
        body: &[u8],
        within: Duration,
    ) -> Result<u64, Error> {
        let id = self.session.out.ask(kind, to, body, within)?;
        self.flush_when_full().await?;
        Ok(id)
    }

    /// Asks for the messages to `address` as well.
    pub async fn listen(&mut self, address: &str) -> Result<(), Error> {
        self.session.out.listen(address)?;
        self.flush_when_full().await
    }

    /// Takes a `listen` back.
    pub async fn unlisten(&mut self, address: &str) -> Result<(), Error> {
        self.session.out.unlisten(address)?;
        self.flush_when_full().await
    }

    /// Writes everything that was said.
    pub async fn flush(&mut self) -> Result<(), Error> {
        self.write().await?;
        if self.session.is_severed {
            return Err(Error::Closed);
        }
        Ok(())
    }

    async fn flush_when_full(&mut self) -> Result<(), Error> {
        if self.session.out.is_full() {
            return self.flush().await;
        }
        Ok(())
    }
}

// The socket.
impl Client {
    async fn find(&mut self, id: u64) -> Result<Found, Error> {
        loop {
            if let Some(found) = self.session.find(id)? {
                return Ok(found);
            }
            if self.session.has_ended {
                return Err(Error::Closed);
            }
            self.fill().await?;
        }
    }

    // Writes what was said, then waits until more bytes are there, or the end.
    async fn fill(&mut self) -> Result<(), Error> {
        // Whoever comes here has looked at everything that came.
        self.settle_asks();
        self.write().await?;
        self.wait(Interest::READABLE).await
    }

    // Never waits for room alone: a core that waits for us to read would wait for ever.
    async fn write(&mut self) -> Result<(), Error> {
        self.session.out.tell_dropped()?;
        while !self.session.out.unsent().is_empty() {
            match self.socket.try_write(self.session.out.unsent()) {
                Ok(bytes) => self.session.out.mark_sent(bytes),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let may_read = self.session.inbox.has_room() && !self.session.has_ended;
                    let wanted = if may_read {
                        Interest::READABLE | Interest::WRITABLE
                    } else {
                        Interest::WRITABLE
                    };
                    self.wait(wanted).await?;
                }
                // Nobody will read it; what the core said last may still be there.
                Err(error) if is_end(&error) => {
                    self.session.is_severed = true;
                    self.session.out.clear();
                }
                Err(source) => return Err(failed("write to the link", source)),
            }
        }
        Ok(())
    }

    async fn wait(&mut self, wanted: Interest) -> Result<(), Error> {
        let ready = match &mut self.asks {
            None => self.socket.ready(wanted).await,
            Some(asks) => tokio::select! {
                ready = self.socket.ready(wanted) => ready,
                // Written by whoever waits next.
                ask = asks.next() => return asks.pass(ask, &mut self.session.out),
            },
        };
        let ready = ready.map_err(|source| failed("wait for the link", source))?;
        if !ready.is_readable() || !wanted.is_readable() {
            return Ok(());
        }
        match self.read() {
            Ok(0) => self.session.has_ended = true,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if is_end(&error) => self.session.has_ended = true,
            Err(source) => return Err(failed("read from the link", source)),
        }
        Ok(())
    }

    fn settle_asks(&mut self) {
        if let Some(asks) = &mut self.asks {
            asks.settle(&mut self.session.out.dials);
        }
    }

    fn read(&mut self) -> io::Result<usize> {
        let Self {
            socket, session, ..
        } = self;
        if !session.out.awaits_descriptors() {
            return socket.try_read_buf(session.inbox.space());
        }
        socket.try_io(Interest::READABLE, || {
            Ok(receive(&*socket, session, RecvFlags::DONTWAIT)?)
        })
    }
}

fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
    )
}

const fn failed(doing: &'static str, source: io::Error) -> Error {
    Error::Socket { doing, source }
}
