//! The slots of a link, as its client uses them (see [`crate::slot`]).
//!
//! A body is written into its slot and copied out of it by `pwrite` and `pread`:
//! two copies, where the stream makes four and the core two more. Nothing is
//! mapped, so a sender that changes the memory changes what is read, never what
//! was read.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;

use rustix::io::{Errno, pread, pwrite};
use rustix::process::{Resource, getrlimit};

use super::error::Error;
use super::outbox::Outbox;
use crate::codec::{self, BORROW, DELIVER_BY, REVOKE};
use crate::frame::{CoreFrame, HostFrame};
use crate::limits::{SLOT_BYTES, SLOTS_TAKEN};
use crate::message::Message;
use crate::slot::{InSlot, Lend};

/// Whether a frame is about slots themselves, and no message.
pub(super) const fn is_about_slots(tag: u8) -> bool {
    matches!(tag, BORROW..=REVOKE) && tag != DELIVER_BY
}

/// The descriptors that came, each for one frame that is still to be read.
///
/// The core writes a frame with a descriptor by a call of its own, and a read
/// that brings the descriptor ends with that frame: so they are in the order of
/// their frames. One that could not be taken leaves its place empty, or the next
/// would be taken for it.
#[derive(Debug, Default)]
pub(super) struct Arrived(pub(super) VecDeque<Option<OwnedFd>>);

impl Arrived {
    /// The descriptor of the frame that is being read, if it could be taken.
    pub(super) fn next(&mut self) -> Option<OwnedFd> {
        self.0.pop_front().flatten()
    }
}

/// The slots that may be written.
#[derive(Debug, Default)]
pub(super) struct Lent {
    mode: Mode,
    slots: Vec<LentSlot>,
    // A body on its way back out of a slot, into the stream.
    body: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Mode {
    /// No large body was seen yet: most links never need a slot.
    #[default]
    Untold,
    /// The core knows that slots are welcome.
    Told,
    /// They were welcome, and are not any more.
    Declined,
    /// They never were: this process may not write so much.
    Unable,
}

#[derive(Debug)]
struct LentSlot {
    slot: u64,
    bytes: usize,
    to: String,
    memory: OwnedFd,
    is_out: bool,
    is_revoked: bool,
    // The frame that named it last, in case it must go by stream after all.
    sent: Vec<u8>,
}

impl Lent {
    /// Tells the core that slots are welcome, once.
    pub(super) fn tell(&mut self, out: &mut Vec<u8>) {
        if self.mode != Mode::Untold {
            return;
        }
        // To write beyond the limit of files would end the process by a signal.
        let most = getrlimit(Resource::Fsize).current;
        let is_able = most.is_none_or(|most| most >= SLOT_BYTES as u64);
        let most = SLOTS_TAKEN;
        let is_told = is_able && HostFrame::TakeSlots { most }.encode(out).is_ok();
        self.mode = if is_told { Mode::Told } else { Mode::Unable };
    }

    /// Whether descriptors may come with what is read.
    pub(super) const fn is_told(&self) -> bool {
        matches!(self.mode, Mode::Told | Mode::Declined)
    }

    /// Puts a message into a slot; false when it has to go by stream.
    pub(super) fn put(&mut self, message: &Message<'_>, out: &mut Vec<u8>) -> bool {
        let Ok(bytes) = u32::try_from(message.body.len()) else {
            return false;
        };
        let fits = |slot: &&mut LentSlot| {
            let is_free = !slot.is_out && !slot.is_revoked && slot.bytes >= message.body.len();
            is_free && slot.to == message.header.to
        };
        if self.mode != Mode::Told {
            return false;
        }
        // The first, so that the memory which was used last is used again.
        let Some(slot) = self.slots.iter_mut().find(fits) else {
            return false;
        };
        // It may have been sealed, and the news be on its way.
        if write_all(&slot.memory, message.body).is_err() {
            return false;
        }
        let start = out.len();
        let sent = InSlot {
            slot: slot.slot,
            bytes,
            header: message.header,
        };
        if HostFrame::SendBy(sent).encode(out).is_err() {
            return false;
        }
        slot.sent.clear();
        slot.sent
            .extend_from_slice(out.get(start..).unwrap_or_default());
        slot.is_out = true;
        true
    }

    fn decline(&mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        if self.mode == Mode::Told {
            self.mode = Mode::Declined;
            HostFrame::TakeSlots { most: 0 }.encode(out)?;
        }
        Ok(())
    }

    fn add(&mut self, lend: &Lend<'_>, memory: OwnedFd) {
        self.slots.push(LentSlot {
            slot: lend.slot,
            bytes: lend.bytes as usize,
            to: lend.to.to_owned(),
            memory,
            is_out: false,
            is_revoked: false,
            sent: Vec::new(),
        });
    }

    fn returned(&mut self, slot: u64) {
        if let Some(slot) = self.slots.iter_mut().find(|lent| lent.slot == slot) {
            slot.is_out = false;
        }
        self.slots.retain(|lent| lent.is_out || !lent.is_revoked);
    }

    // Nobody has seen the message: the same goes by stream.
    fn unsent(&mut self, slot: u64, out: &mut Vec<u8>) -> Result<(), Error> {
        let is_it = |lent: &&LentSlot| lent.slot == slot && lent.is_out;
        if let Some(lent) = self.slots.iter().find(is_it)
            && let Some(raw) = codec::split(&lent.sent)?
            && let HostFrame::SendBy(sent) = HostFrame::decode(raw)?
        {
            let body = read_all(&lent.memory, sent.bytes, &mut self.body)?;
            let header = sent.header;
            HostFrame::Send(Message { header, body }).encode(out)?;
            self.body = Vec::new();
        }
        self.returned(slot);
        Ok(())
    }

    fn revoke(&mut self, slot: u64) {
        if let Some(slot) = self.slots.iter_mut().find(|lent| lent.slot == slot) {
            slot.is_revoked = true;
        }
        self.slots.retain(|lent| lent.is_out || !lent.is_revoked);
    }
}

/// The slots that may be read.
#[derive(Debug, Default)]
pub(super) struct Borrowed {
    slots: Vec<BorrowedSlot>,
    // The body of the message that is being looked at; longer than the others were.
    body: Vec<u8>,
}

#[derive(Debug)]
struct BorrowedSlot {
    slot: u64,
    memory: OwnedFd,
    // Whether a message in it was left in line behind an awaited answer.
    is_in_line: bool,
    is_revoked: bool,
}

impl Borrowed {
    /// Copies the body of a message out of its slot, and gives the slot back.
    pub(super) fn read(&mut self, sent: &InSlot<'_>, out: &mut Outbox) -> Result<&[u8], Error> {
        let Some(at) = self.slots.iter().position(|held| held.slot == sent.slot) else {
            return Err(Error::Unexpected("a body in a slot that was not borrowed"));
        };
        if let Some(held) = self.slots.get_mut(at) {
            held.is_in_line = false;
            read_all(&held.memory, sent.bytes, &mut self.body)?;
            if held.is_revoked {
                self.slots.remove(at);
            }
        }
        out.say_frame(&HostFrame::Return { slot: sent.slot })?;
        Ok(self.body(sent.bytes))
    }

    /// The body that was read last.
    pub(super) fn body(&self, bytes: u32) -> &[u8] {
        self.body.get(..bytes as usize).unwrap_or_default()
    }

    /// A message in this slot was seen, and stays in line.
    pub(super) fn stays_in_line(&mut self, slot: u64) {
        if let Some(held) = self.slots.iter_mut().find(|held| held.slot == slot) {
            held.is_in_line = true;
        }
    }

    fn revoke(&mut self, slot: u64) {
        if let Some(held) = self.slots.iter_mut().find(|held| held.slot == slot) {
            held.is_revoked = true;
        }
        self.slots
            .retain(|held| held.is_in_line || !held.is_revoked);
        if self.slots.is_empty() {
            self.body = Vec::new();
        }
    }
}

/// Does what a frame about slots says.
pub(super) fn act(
    frame: &CoreFrame<'_>,
    arrived: &mut Arrived,
    borrowed: &mut Borrowed,
    out: &mut Outbox,
) -> Result<(), Error> {
    let (lent, bytes) = out.slots();
    if !lent.is_told() {
        return Err(Error::Unexpected("about slots, which nobody asked for"));
    }
    match frame {
        // A descriptor that did not arrive, through a proxy or for want of room,
        // would not the next time: without slots everything works as well.
        CoreFrame::Borrow { slot, .. } => match arrived.next() {
            Some(memory) => {
                borrowed.slots.push(BorrowedSlot {
                    slot: *slot,
                    memory,
                    is_in_line: false,
                    is_revoked: false,
                });
                out.say_frame(&HostFrame::Return { slot: *slot })
            }
            None => lent.decline(bytes),
        },
        CoreFrame::Lend(lend) => match arrived.next() {
            Some(memory) => {
                lent.add(lend, memory);
                Ok(())
            }
            None => lent.decline(bytes),
        },
        CoreFrame::Returned { slot } => {
            lent.returned(*slot);
            Ok(())
        }
        CoreFrame::Unsent { slot } => lent.unsent(*slot, bytes),
        CoreFrame::Revoke { slot } => {
            lent.revoke(*slot);
            borrowed.revoke(*slot);
            Ok(())
        }
        _ => Err(Error::Unexpected("among those about slots")),
    }
}

fn write_all(memory: &OwnedFd, mut bytes: &[u8]) -> Result<(), Errno> {
    let mut at = 0;
    while !bytes.is_empty() {
        match pwrite(memory, bytes, at) {
            Ok(0) => return Err(Errno::NOSPC),
            Ok(written) => {
                at += written as u64;
                bytes = bytes.get(written..).unwrap_or_default();
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

// The buffer only grows: what was written over needs no zeroes.
pub(super) fn read_all<'b>(
    memory: &OwnedFd,
    bytes: u32,
    into: &'b mut Vec<u8>,
) -> Result<&'b [u8], Error> {
    let length = bytes as usize;
    if into.len() < length {
        into.resize(length, 0);
    }
    let body = into.get_mut(..length).unwrap_or_default();
    let mut filled = 0;
    while let Some(rest) = body.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match pread(memory, rest, filled as u64) {
            Ok(0) => return Err(Error::Unexpected("a body beyond the end of its memory")),
            Ok(read) => filled += read,
            Err(Errno::INTR) => {}
            Err(errno) => {
                return Err(Error::Socket {
                    doing: "read from shared memory",
                    source: errno.into(),
                });
            }
        }
    }
    Ok(body)
}
