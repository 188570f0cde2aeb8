//! Frames ⇄ bytes.
//!
//! ```text
//! 0      1     2             4             8              8+H          8+H+B
//! │ 0xB7 │ tag │ H: u16 (LE) │ B: u32 (LE) │ header (H)   │ body (B)   │
//! ```
//!
//! The magic is no ASCII character, so a component that prints to its link is
//! recognised as such. The tags of the two directions are disjoint: a frame sent
//! the wrong way is told apart from an unknown one. `Send` and `Deliver` have the
//! same header, so the core forwards the bytes and changes the tag.

mod fault;
mod header;
mod prefix;

pub use self::fault::{Malformed, TooLarge};
pub use self::header::{datagram, read_datagram};
use self::header::{read, write};
pub use self::prefix::{MAGIC, Prefix, RawFrame, split};
use crate::dial::{Connect, Dial, NotDialled};
use crate::frame::{Confined, CoreFrame, Exec, Hello, HostFrame, Load, LoadFailed, Log, Start};
use crate::limits::SLOT_BYTES;
use crate::message::{Header, Message};
use crate::slot::{InSlot, Lend};

// Hosts say 0x01…0x7f, the core says 0x81…0xff.
const HELLO: u8 = 0x01;
const CONFINED: u8 = 0x02;
const LOADED: u8 = 0x03;
const LOAD_FAILED: u8 = 0x04;
const UNLOADED: u8 = 0x05;
const SEND: u8 = 0x06;
const LISTEN: u8 = 0x07;
const UNLISTEN: u8 = 0x08;
const LOG: u8 = 0x09;
const PONG: u8 = 0x0a;
const TAKE_SLOTS: u8 = 0x0b;
const SEND_BY: u8 = 0x0c;
const RETURN: u8 = 0x0d;
const DIAL: u8 = 0x0e;
const HANGUP: u8 = 0x0f;
const TAKE_ROOTS: u8 = 0x10;
const CONNECTED: u8 = 0x11;
const BOUND: u8 = 0x12;
const ACCEPTED: u8 = 0x13;
const NOT_CONNECTED: u8 = 0x14;

const WELCOME: u8 = 0x81;
const LOAD: u8 = 0x82;
const EXEC: u8 = 0x83;
const START: u8 = 0x84;
const UNLOAD: u8 = 0x85;
pub(crate) const DELIVER: u8 = 0x86;
const LISTENING: u8 = 0x87;
pub(crate) const PING: u8 = 0x88;
const STOP: u8 = 0x89;
pub(crate) const BORROW: u8 = 0x8a;
pub(crate) const LEND: u8 = 0x8b;
pub(crate) const DELIVER_BY: u8 = 0x8c;
pub(crate) const RETURNED: u8 = 0x8d;
pub(crate) const UNSENT: u8 = 0x8e;
pub(crate) const REVOKE: u8 = 0x8f;
const SEED: u8 = 0x90;
pub(crate) const SOCKET: u8 = 0x91;
const NOT_DIALLED: u8 = 0x92;
const BOUND_TOLD: u8 = 0x93;
const ACCEPTED_TOLD: u8 = 0x94;
const HUNGUP: u8 = 0x95;
const ROOTS: u8 = 0x96;
pub(crate) const NO_ROOTS: u8 = 0x97;
const CONNECT: u8 = 0x98;
const DISCONNECT: u8 = 0x99;

// What turns the tag of a `Send` into that of a `Deliver`, and a `SendBy` into a `DeliverBy`.
const OF_CORE: u8 = 0x80;

impl<'a> HostFrame<'a> {
    /// Decodes a frame that came from a host.
    pub fn decode(raw: RawFrame<'a>) -> Result<Self, Malformed> {
        let RawFrame {
            tag, header, body, ..
        } = raw;
        if matches!(tag, HELLO..=NOT_CONNECTED) && !matches!(tag, SEND | LOG) && !body.is_empty() {
            return Err(Malformed::Body(tag));
        }
        Ok(match tag {
            SEND => Self::Send(message(header, body)?),
            HELLO => Self::Hello(read(header)?),
            CONFINED => Self::Confined(read(header)?),
            LOADED => Self::Loaded {
                component: read(header)?,
            },
            LOAD_FAILED => Self::LoadFailed(read(header)?),
            UNLOADED => Self::Unloaded {
                component: read(header)?,
            },
            LISTEN => {
                let (component, address) = read(header)?;
                Self::Listen { component, address }
            }
            UNLISTEN => {
                let (component, address) = read(header)?;
                Self::Unlisten { component, address }
            }
            LOG => Self::Log(read(header)?, body),
            PONG => Self::Pong {
                token: read(header)?,
            },
            TAKE_SLOTS => Self::TakeSlots {
                most: read(header)?,
            },
            SEND_BY => Self::SendBy(in_slot(header)?),
            RETURN => Self::Return {
                slot: read(header)?,
            },
            DIAL => Self::Dial(read(header)?),
            HANGUP => Self::Hangup {
                socket: read(header)?,
            },
            TAKE_ROOTS => {
                let () = read(header)?;
                Self::TakeRoots
            }
            CONNECTED => {
                let (job, peer) = read(header)?;
                Self::Connected { job, peer }
            }
            BOUND => {
                let (job, local) = read(header)?;
                Self::Bound { job, local }
            }
            ACCEPTED => {
                let (job, peer) = read(header)?;
                Self::Accepted { job, peer }
            }
            NOT_CONNECTED => {
                let (job, code, reason) = read(header)?;
                Self::NotConnected { job, code, reason }
            }
            WELCOME..=DISCONNECT => return Err(Malformed::Direction(tag)),
            other => return Err(Malformed::Tag(other)),
        })
    }

    /// Appends the frame to `out`; leaves `out` as it was when it is too large.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), TooLarge> {
        match self {
            Self::Send(message) => write(out, SEND, &message.header, message.body),
            Self::Hello(hello) => write::<Hello<'_>>(out, HELLO, hello, &[]),
            Self::Confined(confined) => write::<Confined<'_>>(out, CONFINED, confined, &[]),
            Self::Loaded { component } => write(out, LOADED, component, &[]),
            Self::LoadFailed(failed) => write::<LoadFailed<'_>>(out, LOAD_FAILED, failed, &[]),
            Self::Unloaded { component } => write(out, UNLOADED, component, &[]),
            Self::Listen { component, address } => write(out, LISTEN, &(component, address), &[]),
            Self::Unlisten { component, address } => {
                write(out, UNLISTEN, &(component, address), &[])
            }
            Self::Log(log, text) => write::<Log<'_>>(out, LOG, log, text),
            Self::Pong { token } => write(out, PONG, token, &[]),
            Self::TakeSlots { most } => write(out, TAKE_SLOTS, most, &[]),
            Self::SendBy(sent) => write::<InSlot<'_>>(out, SEND_BY, sent, &[]),
            Self::Return { slot } => write(out, RETURN, slot, &[]),
            Self::Dial(dial) => write::<Dial<'_>>(out, DIAL, dial, &[]),
            Self::Hangup { socket } => write(out, HANGUP, socket, &[]),
            Self::TakeRoots => write(out, TAKE_ROOTS, &(), &[]),
            Self::Connected { job, peer } => write(out, CONNECTED, &(job, peer), &[]),
            Self::Bound { job, local } => write(out, BOUND, &(job, local), &[]),
            Self::Accepted { job, peer } => write(out, ACCEPTED, &(job, peer), &[]),
            Self::NotConnected { job, code, reason } => {
                write(out, NOT_CONNECTED, &(job, code, reason), &[])
            }
        }
    }
}

impl<'a> CoreFrame<'a> {
    /// Decodes a frame that came from the core.
    pub fn decode(raw: RawFrame<'a>) -> Result<Self, Malformed> {
        let RawFrame {
            tag, header, body, ..
        } = raw;
        let may_have_body = matches!(tag, DELIVER | LOAD | SEED);
        if matches!(tag, WELCOME..=DISCONNECT) && !may_have_body && !body.is_empty() {
            return Err(Malformed::Body(tag));
        }
        Ok(match tag {
            DELIVER => Self::Deliver(message(header, body)?),
            WELCOME => {
                let (version, nonce) = read(header)?;
                Self::Welcome { version, nonce }
            }
            LOAD => Self::Load(read(header)?, body),
            EXEC => Self::Exec(read(header)?),
            START => Self::Start(read(header)?),
            UNLOAD => Self::Unload {
                component: read(header)?,
            },
            LISTENING => {
                let (address, code, reason) = read(header)?;
                Self::Listening {
                    address,
                    code,
                    reason,
                }
            }
            PING => Self::Ping {
                token: read(header)?,
            },
            STOP => Self::Stop {
                grace_ms: read(header)?,
            },
            BORROW => {
                let (slot, bytes) = read(header)?;
                Self::Borrow { slot, bytes }
            }
            LEND => Self::Lend(read(header)?),
            DELIVER_BY => Self::DeliverBy(in_slot(header)?),
            RETURNED => Self::Returned {
                slot: read(header)?,
            },
            UNSENT => Self::Unsent {
                slot: read(header)?,
            },
            REVOKE => Self::Revoke {
                slot: read(header)?,
            },
            SEED => Self::Seed {
                component: read(header)?,
                items: body,
            },
            SOCKET => {
                let (request, socket, peer) = read(header)?;
                Self::Socket {
                    request,
                    socket,
                    peer,
                }
            }
            NOT_DIALLED => Self::NotDialled(read(header)?),
            BOUND_TOLD => {
                let (request, socket, local) = read(header)?;
                Self::Bound {
                    request,
                    socket,
                    local,
                }
            }
            ACCEPTED_TOLD => {
                let (listener, socket, peer) = read(header)?;
                Self::Accepted {
                    listener,
                    socket,
                    peer,
                }
            }
            HUNGUP => {
                let (socket, reason) = read(header)?;
                Self::Hungup { socket, reason }
            }
            ROOTS => Self::Roots {
                bytes: read(header)?,
            },
            NO_ROOTS => Self::NoRoots {
                reason: read(header)?,
            },
            CONNECT => Self::Connect(read(header)?),
            DISCONNECT => Self::Disconnect { job: read(header)? },
            HELLO..=NOT_CONNECTED => return Err(Malformed::Direction(tag)),
            other => return Err(Malformed::Tag(other)),
        })
    }

    /// Appends the frame to `out`; leaves `out` as it was when it is too large.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), TooLarge> {
        match self {
            Self::Deliver(message) => write(out, DELIVER, &message.header, message.body),
            Self::Welcome { version, nonce } => write(out, WELCOME, &(version, nonce), &[]),
            Self::Load(load, source) => write::<Load<'_>>(out, LOAD, load, source),
            Self::Exec(exec) => write::<Exec<'_>>(out, EXEC, exec, &[]),
            Self::Start(start) => write::<Start<'_>>(out, START, start, &[]),
            Self::Unload { component } => write(out, UNLOAD, component, &[]),
            Self::Listening {
                address,
                code,
                reason,
            } => write(out, LISTENING, &(address, code, reason), &[]),
            Self::Ping { token } => write(out, PING, token, &[]),
            Self::Stop { grace_ms } => write(out, STOP, grace_ms, &[]),
            Self::Borrow { slot, bytes } => write(out, BORROW, &(slot, bytes), &[]),
            Self::Lend(lend) => write::<Lend<'_>>(out, LEND, lend, &[]),
            Self::DeliverBy(sent) => write::<InSlot<'_>>(out, DELIVER_BY, sent, &[]),
            Self::Returned { slot } => write(out, RETURNED, slot, &[]),
            Self::Unsent { slot } => write(out, UNSENT, slot, &[]),
            Self::Revoke { slot } => write(out, REVOKE, slot, &[]),
            Self::Seed { component, items } => write(out, SEED, component, items),
            Self::Socket {
                request,
                socket,
                peer,
            } => write(out, SOCKET, &(request, socket, peer), &[]),
            Self::NotDialled(told) => write::<NotDialled<'_>>(out, NOT_DIALLED, told, &[]),
            Self::Bound {
                request,
                socket,
                local,
            } => write(out, BOUND_TOLD, &(request, socket, local), &[]),
            Self::Accepted {
                listener,
                socket,
                peer,
            } => write(out, ACCEPTED_TOLD, &(listener, socket, peer), &[]),
            Self::Hungup { socket, reason } => write(out, HUNGUP, &(socket, reason), &[]),
            Self::Roots { bytes } => write(out, ROOTS, bytes, &[]),
            Self::NoRoots { reason } => write(out, NO_ROOTS, reason, &[]),
            Self::Connect(connect) => write::<Connect<'_>>(out, CONNECT, connect, &[]),
            Self::Disconnect { job } => write(out, DISCONNECT, job, &[]),
        }
    }
}

/// Turns the bytes of a `Send` into those of a `Deliver`, and those of a `SendBy`
/// into those of a `DeliverBy`, appended to `out`.
///
/// The header and body are the sender's, byte for byte: forwarding allocates
/// nothing and encodes nothing.
pub fn forward(send: RawFrame<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(send.bytes);
    if let Some(tag) = out.get_mut(start + 1) {
        *tag |= OF_CORE;
    }
}

fn in_slot(header: &[u8]) -> Result<InSlot<'_>, Malformed> {
    let sent: InSlot<'_> = read(header)?;
    let bytes = sent.bytes as usize;
    if bytes > SLOT_BYTES {
        return Err(Malformed::BodyLength(bytes));
    }
    if !sent.header.kind.is_well_formed() {
        return Err(Malformed::Kind);
    }
    Ok(sent)
}

fn message<'a>(header: &'a [u8], body: &'a [u8]) -> Result<Message<'a>, Malformed> {
    let header: Header<'a> = read(header)?;
    if !header.kind.is_well_formed() {
        return Err(Malformed::Kind);
    }
    Ok(Message { header, body })
}
