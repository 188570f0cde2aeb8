//! Manners with slots: one that keeps what it borrows, one that writes what it lent.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use protocol::Code;
use protocol::frame::{CoreFrame, HostFrame, LogLevel};
use protocol::limits::{SLOT_BYTES, SLOT_FROM_BYTES};
use protocol::message::{Header, Message, MessageKind};
use protocol::slot::InSlot;
use rustix::fs::{Mode, OFlags, SealFlags};
use serde_json::{Value, json};

use crate::manners::answer;
use crate::part::{Delivered, Part};

enum Told {
    Borrow(u64),
    Lend(u64),
    Revoke,
    Came(Delivered, Option<u64>),
    Ping(u64),
    End,
    Other,
}

/// Borrows every slot, keeps every descriptor, and gives back only with `"returns": true`.
///
/// A small request is answered with what it has seen: how many messages came in
/// which way, the letters in all its slots, and what became of its attempts.
pub(crate) fn hoard(part: &mut Part) {
    part.ready();
    part.say(&HostFrame::TakeSlots { most: 64 });
    let returns = part.config().get("returns").and_then(Value::as_bool);
    let (mut held, mut by_slot, mut by_stream) = (Vec::new(), 0, 0);
    loop {
        match told(part) {
            Told::Borrow(slot) => {
                held.extend(part.descriptor());
                part.say(&HostFrame::Return { slot });
            }
            Told::Came(_, Some(slot)) => {
                by_slot += 1;
                if returns == Some(true) {
                    part.say(&HostFrame::Return { slot });
                }
            }
            Told::Came(message, None) if message.body.len() > SLOT_FROM_BYTES => {
                by_stream += 1;
                let _ = message;
            }
            Told::Came(message, None) => {
                let value = json!({
                    "by_slot": by_slot, "by_stream": by_stream, "slots": held.len(),
                    "letters": held.iter().map(letters).collect::<Vec<_>>(),
                    "attempts": held.first().map(attempts),
                });
                let body = json!({ "code": 200, "value": value }).to_string();
                answer(part, &message, Code::OK, body.as_bytes());
            }
            Told::Ping(token) => part.say(&HostFrame::Pong { token }),
            Told::End => return,
            Told::Lend(_) | Told::Revoke | Told::Other => {}
        }
    }
}

/// Sends a large body to `peer`, writes the slot that it is lent, and once more
/// when the slot was taken back; with `"outside": true` beyond its end.
pub(crate) fn scribble(part: &mut Part) {
    part.ready();
    part.say(&HostFrame::TakeSlots { most: 1 });
    let (from, to) = (part.address().to_owned(), part.text("peer").to_owned());
    let body = vec![b'1'; SLOT_FROM_BYTES + 1];
    part.send(Message::new(MessageKind::Update, &from, &to, &body));
    let outside = part.config().get("outside").and_then(Value::as_bool) == Some(true);
    let mut kept = None;
    loop {
        match told(part) {
            Told::Lend(slot) => {
                let Some(memory) = part.descriptor() else {
                    continue;
                };
                let at = if outside { SLOT_BYTES as u64 } else { 0 };
                let wrote = rustix::io::pwrite(&memory, &vec![b'2'; SLOT_FROM_BYTES], at);
                part.log(LogLevel::Info, &format!("lent, wrote {}", word(&wrote)));
                kept = Some(memory);
                let header: Header<'_> = Message::new(MessageKind::Update, &from, &to, b"").header;
                let bytes = u32::try_from(SLOT_FROM_BYTES).unwrap_or_default();
                part.say(&HostFrame::SendBy(InSlot {
                    slot,
                    bytes,
                    header,
                }));
            }
            Told::Revoke => {
                let wrote = kept.as_ref().map(|it| rustix::io::pwrite(it, b"3", 0));
                let wrote = wrote.as_ref().map(word).unwrap_or_default();
                part.log(LogLevel::Info, &format!("revoked, wrote {wrote}"));
            }
            Told::Ping(token) => part.say(&HostFrame::Pong { token }),
            Told::End => return,
            Told::Borrow(_) | Told::Came(..) | Told::Other => {}
        }
    }
}

fn told(part: &mut Part) -> Told {
    let heard = part.hear_frame(|frame| match frame {
        CoreFrame::Borrow { slot, .. } => Told::Borrow(slot),
        CoreFrame::Lend(lend) => Told::Lend(lend.slot),
        CoreFrame::Revoke { .. } => Told::Revoke,
        CoreFrame::Deliver(message) => Told::Came(delivered(&message.header, message.body), None),
        CoreFrame::DeliverBy(sent) => Told::Came(delivered(&sent.header, &[]), Some(sent.slot)),
        CoreFrame::Ping { token } => Told::Ping(token),
        CoreFrame::Stop { .. } => Told::End,
        _ => Told::Other,
    });
    heard.unwrap_or(Told::End)
}

fn delivered(header: &Header<'_>, body: &[u8]) -> Delivered {
    Delivered {
        id: header.id,
        from: header.from.to_owned(),
        to: header.to.to_owned(),
        is_request: header.kind.is_request(),
        body: body.to_vec(),
        code: header.code,
    }
}

// The different bytes in a slot, as text.
fn letters(memory: &OwnedFd) -> String {
    let mut bytes = vec![0; SLOT_BYTES];
    let read = rustix::io::pread(memory, &mut bytes, 0).unwrap_or_default();
    let seen: BTreeSet<u8> = bytes.iter().take(read).copied().collect();
    let seen = seen.into_iter().filter(|byte| *byte != 0);
    seen.map(char::from).collect()
}

fn attempts(memory: &OwnedFd) -> Value {
    let path = format!("/proc/self/fd/{}", memory.as_raw_fd());
    let again = rustix::fs::open(path, OFlags::RDWR, Mode::empty());
    json!({
        "write": word(&rustix::io::pwrite(memory, b"x", 0)),
        "cut": word(&rustix::fs::ftruncate(memory, 0)),
        "seal": word(&rustix::fs::fcntl_add_seals(memory, SealFlags::WRITE)),
        "open again": word(&again),
    })
}

fn word<T>(result: &rustix::io::Result<T>) -> String {
    match result {
        Ok(_) => "done".to_owned(),
        Err(errno) => {
            let error = io::Error::from(*errno);
            let name = nix::errno::Errno::from_raw(error.raw_os_error().unwrap_or_default());
            format!("{name:?}")
        }
    }
}
