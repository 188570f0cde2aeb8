//! The sockets of a link, as its client uses them (see [`crate::dial`]).

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::error::{Error, Failure};
use super::outbox::Outbox;
use super::slots::{Arrived, read_all};
use crate::code::Code;
use crate::codec::{NO_ROOTS, SOCKET};
use crate::dial::{Dial, NotDialled, Transport};
use crate::frame::{CoreFrame, HostFrame};
use crate::limits::{DIAL_WAIT_MS_MAX, HOST_BYTES_MAX, ROOTS_BYTES_MAX};

/// The number of a socket, as `hyperty inspect` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u64);

/// Keeps a socket counted as open; dropped, the core is told that it is closed.
///
/// The core is told when the link is used next. To be dropped after the socket
/// itself: what is counted must not be less than what is open.
#[derive(Debug)]
pub struct Lease {
    id: SocketId,
    dropped: Arc<Mutex<Vec<SocketId>>>,
}

impl Lease {
    /// The number of the socket, by which `Hungup` names it.
    pub const fn id(&self) -> SocketId {
        self.id
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // A panic elsewhere leaves the list whole: it is only pushed to and taken.
        let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        dropped.push(self.id);
    }
}

/// A connected socket. It does not block, and its options are set.
#[derive(Debug)]
pub struct Connection {
    /// The socket.
    pub socket: OwnedFd,
    /// The address at its other end.
    pub peer: SocketAddr,
    /// To be kept as long as the socket.
    pub lease: Lease,
}

/// A place where others may connect to; each comes as a [`Network::Accepted`].
#[derive(Debug)]
pub struct Listener {
    /// Where.
    pub local: SocketAddr,
    /// Dropped, the listener is closed.
    pub lease: Lease,
}

/// What a dial came to.
#[derive(Debug)]
pub enum Dialled {
    /// A connection.
    Connection(Connection),
    /// A listener, as was asked for.
    Listener(Listener),
}

/// What is new about the sockets of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network<'a> {
    /// What a dial came to: [`Outbox::dialled`] has it.
    Dialled {
        /// The number that [`Outbox::dial`] returned.
        request: u64,
    },
    /// Somebody called a listener: [`Outbox::accepted`] has the connection.
    Accepted {
        /// Which one.
        listener: SocketId,
    },
    /// The core has shut this socket, or closed this listener.
    Hungup {
        /// Which one.
        socket: SocketId,
        /// Why.
        reason: &'a str,
    },
    /// The authorities' certificates, or why there are none: [`Outbox::roots`] has them.
    Roots,
}

/// What is to be dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// A name or an address, without brackets.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// What kind of socket.
    pub transport: Transport,
}

impl<'a> Place<'a> {
    /// A stream to a host.
    pub const fn tcp(host: &'a str, port: u16) -> Self {
        let transport = Transport::Tcp;
        Self {
            host,
            port,
            transport,
        }
    }
}

/// Whether a frame is about sockets.
pub(super) const fn is_about_dials(tag: u8) -> bool {
    matches!(tag, SOCKET..=NO_ROOTS)
}

/// What came and was not told yet.
#[derive(Debug)]
pub(super) enum Told {
    Dialled(u64, Result<Dialled, Failure>),
    Accepted(SocketId, Connection),
    Hungup(SocketId, String),
    Roots(Result<Vec<u8>, Failure>),
}

/// The dials of one link. A link that never dials has an empty one.
#[derive(Debug, Default)]
pub(super) struct Dials {
    is_used: bool,
    last_request: u64,
    pub(super) told: VecDeque<Told>,
    /// What `recv` is telling; what is not taken until the next one is closed.
    pub(super) current: Option<Told>,
    dropped: Arc<Mutex<Vec<SocketId>>>,
}

impl Dials {
    /// Whether descriptors may come.
    pub(super) const fn is_used(&self) -> bool {
        self.is_used
    }

    /// What the dial `request` came to, if that is known.
    pub(super) fn take(&mut self, request: u64) -> Option<Result<Dialled, Failure>> {
        let is_it = |told: &Told| matches!(told, Told::Dialled(of, _) if *of == request);
        match self.told.remove(self.told.iter().position(is_it)?) {
            Some(Told::Dialled(_, outcome)) => Some(outcome),
            _ => None,
        }
    }

    /// The certificates, if they came.
    pub(super) fn take_roots(&mut self) -> Option<Result<Vec<u8>, Failure>> {
        let is_it = |told: &Told| matches!(told, Told::Roots(_));
        match self.told.remove(self.told.iter().position(is_it)?) {
            Some(Told::Roots(outcome)) => Some(outcome),
            _ => None,
        }
    }

    fn lease(&self, socket: u64) -> Lease {
        Lease {
            id: SocketId(socket),
            dropped: Arc::clone(&self.dropped),
        }
    }

    // A lease that is dropped here says `Hangup`.
    fn connection(
        &self,
        socket: u64,
        peer: &str,
        descriptor: Option<OwnedFd>,
    ) -> Result<Connection, Failure> {
        let lease = self.lease(socket);
        let Some(socket) = descriptor else {
            return Err(failure(
                Code::FAILED,
                "the socket did not arrive: this process has as many open descriptors as it may",
            ));
        };
        Ok(Connection {
            socket,
            peer: address(peer)?,
            lease,
        })
    }
}

/// Takes what a frame about sockets says.
pub(super) fn act(
    frame: &CoreFrame<'_>,
    arrived: &mut Arrived,
    dials: &mut Dials,
) -> Result<(), Error> {
    if !dials.is_used {
        return Err(Error::Unexpected("about sockets, which nobody asked for"));
    }
    let told = match frame {
        CoreFrame::Socket {
            request,
            socket,
            peer,
        } => {
            let connection = dials.connection(*socket, peer, arrived.next());
            Told::Dialled(*request, connection.map(Dialled::Connection))
        }
        CoreFrame::Bound {
            request,
            socket,
            local,
        } => {
            let lease = dials.lease(*socket);
            let listener = address(local).map(|local| Listener { local, lease });
            Told::Dialled(*request, listener.map(Dialled::Listener))
        }
        CoreFrame::NotDialled(told) => Told::Dialled(told.request, Err(refused(told))),
        CoreFrame::Accepted {
            listener,
            socket,
            peer,
        } => match dials.connection(*socket, peer, arrived.next()) {
            Ok(connection) => Told::Accepted(SocketId(*listener), connection),
            // It is closed already, and its caller sees that.
            Err(_) => return Ok(()),
        },
        CoreFrame::Hungup { socket, reason } => {
            Told::Hungup(SocketId(*socket), (*reason).to_owned())
        }
        CoreFrame::Roots { bytes } => Told::Roots(roots(*bytes, arrived.next())?),
        CoreFrame::NoRoots { reason } => Told::Roots(Err(failure(Code::UNAVAILABLE, reason))),
        _ => return Err(Error::Unexpected("among those about sockets")),
    };
    dials.told.push_back(told);
    Ok(())
}

impl Outbox {
    /// Asks for a socket; [`Network::Dialled`] with this number tells what became of it.
    ///
    /// Any number of dials may be under way, up to what the policy allows. The
    /// core itself answers 408 when the time is over.
    pub fn dial(&mut self, place: Place<'_>, within: Duration) -> Result<u64, Error> {
        let Place {
            host,
            port,
            transport,
        } = place;
        if host.len() > HOST_BYTES_MAX {
            return Err(Error::Host(host.len()));
        }
        let wait = u32::try_from(within.as_millis()).unwrap_or(DIAL_WAIT_MS_MAX);
        let request = self.dials.last_request + 1;
        let component = self.address().to_owned();
        self.say_frame(&HostFrame::Dial(Dial {
            component: &component,
            request,
            host,
            port,
            transport,
            wait_ms: wait.clamp(1, DIAL_WAIT_MS_MAX),
        }))?;
        self.dials.last_request = request;
        self.dials.is_used = true;
        Ok(request)
    }

    /// Asks for the authorities that this machine trusts; [`Network::Roots`] follows.
    pub fn take_roots(&mut self) -> Result<(), Error> {
        self.dials.is_used = true;
        self.say_frame(&HostFrame::TakeRoots)
    }

    /// What the dial that [`Network::Dialled`] has just told of came to.
    ///
    /// What is not taken before the next `recv` is closed.
    pub fn dialled(&mut self) -> Option<Result<Dialled, Failure>> {
        match self.dials.current.take() {
            Some(Told::Dialled(_, outcome)) => Some(outcome),
            _ => None,
        }
    }

    /// The connection that [`Network::Accepted`] has just told of.
    pub fn accepted(&mut self) -> Option<Connection> {
        match self.dials.current.take() {
            Some(Told::Accepted(_, connection)) => Some(connection),
            _ => None,
        }
    }

    /// The certificates that [`Network::Roots`] has just told of: PEM text.
    pub fn roots(&mut self) -> Option<Result<Vec<u8>, Failure>> {
        match self.dials.current.take() {
            Some(Told::Roots(outcome)) => Some(outcome),
            _ => None,
        }
    }

    /// Says which sockets were closed since it was said last.
    pub(super) fn tell_closed(&mut self) -> Result<(), Error> {
        if !self.dials.is_used {
            return Ok(());
        }
        let closed = {
            let dropped = self.dials.dropped.lock();
            std::mem::take(&mut *dropped.unwrap_or_else(PoisonError::into_inner))
        };
        for SocketId(socket) in closed {
            self.say_frame(&HostFrame::Hangup { socket })?;
        }
        Ok(())
    }
}

fn roots(bytes: u32, memory: Option<OwnedFd>) -> Result<Result<Vec<u8>, Failure>, Error> {
    let Some(memory) = memory else {
        let reason =
            "the certificates did not arrive: this process has as many open descriptors as it may";
        return Ok(Err(failure(Code::FAILED, reason)));
    };
    if bytes as usize > ROOTS_BYTES_MAX {
        return Err(Error::Unexpected("certificates beyond their limit"));
    }
    let mut pem = Vec::new();
    read_all(&memory, bytes, &mut pem)?;
    Ok(Ok(pem))
}

fn refused(told: &NotDialled<'_>) -> Failure {
    Failure {
        decision: told.decision.to_owned(),
        ..failure(told.code, told.reason)
    }
}

fn failure(code: Code, reason: &str) -> Failure {
    Failure {
        code,
        reason: reason.to_owned(),
        decision: String::new(),
        body: Vec::new(),
    }
}

fn address(text: &str) -> Result<SocketAddr, Failure> {
    text.parse()
        .map_err(|_| failure(Code::FAILED, "the supervisor told no address of the peer"))
}
