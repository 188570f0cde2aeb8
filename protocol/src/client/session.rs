//! The shared core of the clients: bytes in, events out, no socket.

use std::ops::Range;

use super::dials::{self, Network, Told};
use super::error::Error;
use super::inbox::{INBOX_BYTES_MAX, Inbox};
use super::outbox::Outbox;
use super::receive::Landing;
use super::rpc;
use super::slots::{self, Arrived, Borrowed};
use crate::code::Code;
use crate::codec::{self, DELIVER, DELIVER_BY, PING};
use crate::frame::{CoreFrame, Hello, HostFrame, Role, Start};
use crate::message::{Header, Message, MessageKind};
use crate::version;

/// What a link brings, borrowed from its receive buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// Somebody's message, also a late answer to a request that has ended.
    Message(Message<'a>),
    /// The answer to a request of this link.
    Response(Response<'a>),
    /// What became of a `listen`.
    Listening(Listening<'a>),
    /// Something about sockets; comes only to who has dialled.
    Network(Network<'a>),
    /// The core wants an end: tidy up and return.
    Stop {
        /// After so many milliseconds the process is killed.
        grace_ms: u32,
    },
    /// The link has ended; nothing will come any more.
    Closed,
}

/// The answer to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Response<'a> {
    /// The number that `ask` returned.
    pub id: u64,
    /// The number of the answer; below 200 another one follows.
    pub code: Code,
    /// Who answered.
    pub from: &'a str,
    /// JSON text.
    pub body: &'a [u8],
}

/// What became of a `listen`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listening<'a> {
    /// The address that was asked for.
    pub address: &'a str,
    /// 200 when it is listened to now.
    pub code: Code,
    /// Why not, or empty.
    pub reason: &'a str,
}

/// Where an awaited answer stands in the inbox.
#[derive(Debug, Clone)]
pub(super) struct Found {
    frame: Range<usize>,
    // What its tag was: it may have been written over.
    tag: u8,
}

/// What is next for the caller.
#[derive(Debug, Clone)]
pub(super) enum Next {
    /// A frame.
    Frame(Range<usize>),
    /// Something about sockets that was taken out of line.
    Told,
}

/// Everything about a link but its socket.
#[derive(Debug, Default)]
pub(super) struct Session {
    pub(super) inbox: Inbox,
    pub(super) out: Outbox,
    /// Nothing comes any more.
    pub(super) has_ended: bool,
    /// Nothing that is written is read any more.
    pub(super) is_severed: bool,
    pub(super) arrived: Arrived,
    pub(super) landing: Landing,
    borrowed: Borrowed,
    is_welcomed: bool,
    runtime: String,
    config: String,
    // Why a socket was shut that `recv` is telling of.
    hungup: String,
}

impl Session {
    pub(super) fn runtime(&self) -> &str {
        &self.runtime
    }

    pub(super) fn config(&self) -> &str {
        &self.config
    }

    /// Answers `Welcome` with `Hello` and waits for `Start`; true once it came.
    pub(super) fn greet(&mut self, role: Role<'_>) -> Result<bool, Error> {
        while let Some(frame) = self.inbox.next()? {
            match CoreFrame::decode(self.inbox.frame(frame)?)? {
                CoreFrame::Welcome { version, nonce } if !self.is_welcomed => {
                    if !version::is_spoken(version) {
                        return Err(Error::Version(version));
                    }
                    self.is_welcomed = true;
                    let hello = Hello {
                        version: version::PROTOCOL,
                        nonce,
                        role,
                        build: version::BUILD,
                    };
                    self.out.say_frame(&HostFrame::Hello(hello))?;
                }
                CoreFrame::Start(start) if self.is_welcomed => {
                    begin(&mut self.out, &mut self.runtime, &mut self.config, start);
                    return Ok(true);
                }
                CoreFrame::Ping { token } => self.out.say_frame(&HostFrame::Pong { token })?,
                CoreFrame::Stop { .. } => return Err(Error::Refused),
                _ => return Err(Error::Unexpected("before `Start`")),
            }
        }
        if !self.has_ended {
            return Ok(false);
        }
        Err(if self.is_welcomed {
            Error::Refused
        } else {
            Error::Closed
        })
    }

    /// Waits for the `Start` of a native component, whose `Hello` its host said;
    /// answers `Loaded`.
    pub(super) fn attach(&mut self) -> Result<bool, Error> {
        while let Some(frame) = self.inbox.next()? {
            match CoreFrame::decode(self.inbox.frame(frame)?)? {
                CoreFrame::Start(start) => {
                    begin(&mut self.out, &mut self.runtime, &mut self.config, start);
                    self.out.become_component();
                    let component = start.address;
                    self.out.say_frame(&HostFrame::Loaded { component })?;
                    return Ok(true);
                }
                CoreFrame::Ping { token } => self.out.say_frame(&HostFrame::Pong { token })?,
                CoreFrame::Stop { .. } => return Err(Error::Refused),
                _ => return Err(Error::Unexpected("before `Start`")),
            }
        }
        if self.has_ended {
            return Err(Error::Closed);
        }
        Ok(false)
    }

    /// What concerns the caller next; the rest is dealt with on the way.
    pub(super) fn next(&mut self) -> Result<Option<Next>, Error> {
        // Nobody took it: what it holds is closed.
        self.out.dials.current = None;
        loop {
            if !self.out.dials.told.is_empty() {
                return Ok(Some(Next::Told));
            }
            let Some(frame) = self.inbox.next()? else {
                return Ok(None);
            };
            if !self.deal_with(&frame)? {
                return Ok(Some(Next::Frame(frame)));
            }
        }
    }

    // False when it concerns the caller.
    fn deal_with(&mut self, frame: &Range<usize>) -> Result<bool, Error> {
        let raw = self.inbox.frame(frame.clone())?;
        if raw.tag == PING {
            pong(&mut self.out, raw)?;
        } else if slots::is_about_slots(raw.tag) {
            let told = CoreFrame::decode(raw)?;
            slots::act(&told, &mut self.arrived, &mut self.borrowed, &mut self.out)?;
        } else if dials::is_about_dials(raw.tag) {
            let told = CoreFrame::decode(raw)?;
            dials::act(&told, &mut self.arrived, &mut self.out.dials)?;
        } else {
            // What goes by a slot is long, and no library says it for itself.
            return rpc::is_housekeeping(&mut self.out, raw);
        }
        Ok(true)
    }

    /// What [`Self::next`] has found means, and the outbox to answer it with.
    pub(super) fn event(&mut self, next: Next) -> Result<(Incoming<'_>, &mut Outbox), Error> {
        let Next::Frame(frame) = next else {
            return Ok(self.told());
        };
        let incoming = match CoreFrame::decode(self.inbox.frame(frame)?)? {
            CoreFrame::Deliver(message) => {
                self.out.saw_body(message.body.len());
                delivered(message, &mut self.out)
            }
            CoreFrame::DeliverBy(sent) => {
                let body = self.borrowed.read(&sent, &mut self.out)?;
                let header = sent.header;
                delivered(Message { header, body }, &mut self.out)
            }
            CoreFrame::Listening {
                address,
                code,
                reason,
            } => Incoming::Listening(Listening {
                address,
                code,
                reason,
            }),
            CoreFrame::Stop { grace_ms } => Incoming::Stop { grace_ms },
            CoreFrame::Welcome { .. }
            | CoreFrame::Load(..)
            | CoreFrame::Exec(_)
            | CoreFrame::Start(_)
            | CoreFrame::Unload { .. }
            | CoreFrame::Seed { .. }
            | CoreFrame::Ping { .. }
            | CoreFrame::Borrow { .. }
            | CoreFrame::Lend(_)
            | CoreFrame::Returned { .. }
            | CoreFrame::Unsent { .. }
            | CoreFrame::Revoke { .. }
            | CoreFrame::Socket { .. }
            | CoreFrame::NotDialled(_)
            | CoreFrame::Bound { .. }
            | CoreFrame::Accepted { .. }
            | CoreFrame::Hungup { .. }
            | CoreFrame::Roots { .. }
            | CoreFrame::NoRoots { .. }
            | CoreFrame::Connect(_)
            | CoreFrame::Disconnect { .. } => return Err(Error::Unexpected("on a running link")),
        };
        Ok((incoming, &mut self.out))
    }

    // The oldest news about sockets, whose payload waits in the outbox.
    fn told(&mut self) -> (Incoming<'_>, &mut Outbox) {
        let told = self.out.dials.told.pop_front();
        let news = match &told {
            Some(Told::Dialled(request, _)) => Network::Dialled { request: *request },
            Some(Told::Accepted(listener, _)) => Network::Accepted {
                listener: *listener,
            },
            Some(Told::Hungup(socket, reason)) => {
                self.hungup.clone_from(reason);
                Network::Hungup {
                    socket: *socket,
                    reason: &self.hungup,
                }
            }
            // `next` has seen that there is one.
            Some(Told::Roots(_)) | None => Network::Roots,
        };
        self.out.dials.current = told;
        (Incoming::Network(news), &mut self.out)
    }

    /// Answers the pings that are here; everything stays in line.
    pub(super) fn tend(&mut self) -> Result<(), Error> {
        if self.inbox.has_room() {
            self.look_through()?;
        }
        Ok(())
    }

    /// Deals with all that came and concerns no caller; the rest stays in line.
    pub(super) fn look_through(&mut self) -> Result<(), Error> {
        // No request has this number.
        const NOBODY: u64 = 0;
        self.find(NOBODY).map(|_| ())
    }

    /// Looks for the final answer to `id`; everything else stays in line.
    pub(super) fn find(&mut self, id: u64) -> Result<Option<Found>, Error> {
        while let Some(frame) = self.inbox.look()? {
            if self.deal_with(&frame)? {
                self.inbox.take(&frame);
                continue;
            }
            let raw = self.inbox.frame(frame.clone())?;
            let tag = raw.tag;
            if !matches!(tag, DELIVER | DELIVER_BY) {
                continue;
            }
            let Some(is_final) = self.is_answer(&frame, id)? else {
                continue;
            };
            self.inbox.take(&frame);
            if is_final {
                self.out.settle(id);
                return Ok(Some(Found { frame, tag }));
            }
        }
        if !self.inbox.has_room() {
            return Err(Error::Backlog(INBOX_BYTES_MAX));
        }
        Ok(None)
    }

    // Whether a delivery answers the request `id`, and for good. The body of an
    // answer is taken out of its slot; that of another message waits in it.
    fn is_answer(&mut self, frame: &Range<usize>, id: u64) -> Result<Option<bool>, Error> {
        let is_it = |header: &Header<'_>| header.kind == MessageKind::Response && header.id == id;
        match CoreFrame::decode(self.inbox.frame(frame.clone())?)? {
            CoreFrame::Deliver(message) if is_it(&message.header) => {
                self.out.saw_body(message.body.len());
                Ok(Some(message.header.code.is_final()))
            }
            CoreFrame::DeliverBy(sent) if is_it(&sent.header) => {
                self.borrowed.read(&sent, &mut self.out)?;
                Ok(Some(sent.header.code.is_final()))
            }
            CoreFrame::DeliverBy(sent) => {
                self.borrowed.stays_in_line(sent.slot);
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// The answer that [`Self::find`] found.
    pub(super) fn answer(&self, found: Found) -> Result<Response<'_>, Error> {
        let bytes = self.inbox.frame(found.frame)?;
        let raw = codec::RawFrame {
            tag: found.tag,
            ..bytes
        };
        match CoreFrame::decode(raw)? {
            CoreFrame::Deliver(message) => Ok(as_response(&message)),
            CoreFrame::DeliverBy(sent) => Ok(as_response(&Message {
                header: sent.header,
                body: self.borrowed.body(sent.bytes),
            })),
            _ => Err(Error::Unexpected("as an answer")),
        }
    }
}

fn begin(out: &mut Outbox, runtime: &mut String, config: &mut String, start: Start<'_>) {
    out.become_address(start.address);
    start.runtime.clone_into(runtime);
    start.config.clone_into(config);
}

fn pong(out: &mut Outbox, raw: codec::RawFrame<'_>) -> Result<(), Error> {
    match CoreFrame::decode(raw)? {
        CoreFrame::Ping { token } => out.say_frame(&HostFrame::Pong { token }),
        _ => Ok(()),
    }
}

fn delivered<'a>(message: Message<'a>, out: &mut Outbox) -> Incoming<'a> {
    let header = &message.header;
    if header.kind != MessageKind::Response || !out.is_pending(header.id) {
        return Incoming::Message(message);
    }
    if header.code.is_final() {
        out.settle(header.id);
    }
    Incoming::Response(as_response(&message))
}

const fn as_response<'a>(message: &Message<'a>) -> Response<'a> {
    Response {
        id: message.header.id,
        code: message.header.code,
        from: message.header.from,
        body: message.body,
    }
}
