//! D-Bus by hand: `dbus-broker` under our own control, and any bus as a client.
//!
//! `dbus-broker` is made to be started by a launcher that needs systemd. The
//! launcher's part is small: one call over the controlling socket that hands
//! over the listener and a policy that permits everything.

use std::io::{self, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Stdio};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use crate::caller;
use crate::numbers::BODY_BYTES;
use crate::peers::on_leash;

const MACHINE: &str = "0123456789abcdef0123456789abcdef";
const ECHO: &str = "bench.Echo";
const BUS: &str = "org.freedesktop.DBus";
const PRIVATE_MAX: &str = "1000000000";

const CALL: u8 = 1;
const RETURN: u8 = 2;

// Field codes of a header.
const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const REPLY_SERIAL: u8 = 5;
const DESTINATION: u8 = 6;
const SENDER: u8 = 7;
const SIGNATURE: u8 = 8;
const UNIX_FDS: u8 = 9;

/// What one side says.
pub(crate) struct Wire {
    serial: u32,
}

impl caller::Wire for Wire {
    fn ask(&mut self, out: &mut Vec<u8>) {
        self.serial += 1;
        let to = [
            (PATH, "o", "/bench"),
            (INTERFACE, "s", ECHO),
            (MEMBER, "s", "Read"),
            (DESTINATION, "s", ECHO),
            (SIGNATURE, "g", "ay"),
        ];
        out.extend(message(CALL, self.serial, &to, &[], &body()));
    }

    fn split(&self, bytes: &[u8]) -> Option<(usize, bool)> {
        let (body, fields) = (number_at(bytes, 4)?, number_at(bytes, 12)?);
        let size = (16 + fields).next_multiple_of(8) + body;
        let is_message = matches!(bytes.get(1), Some(&CALL | &RETURN));
        Some((size, is_message))
    }

    fn answer(&mut self, asked: &[u8], out: &mut Vec<u8>) {
        self.serial += 1;
        let serial = number_at(asked, 8).unwrap_or_default();
        let sender = sender(asked).unwrap_or_default();
        let to = [(DESTINATION, "s", sender), (SIGNATURE, "g", "ay")];
        let numbers = [(REPLY_SERIAL, u32::try_from(serial).unwrap_or_default())];
        out.extend(message(RETURN, self.serial, &to, &numbers, &body()));
    }
}

/// Says who is there; `b` takes the name that `a` calls.
pub(crate) fn greet(mut stream: &UnixStream, name: &str) -> io::Result<Wire> {
    authenticate(stream)?;
    let call = |member, signature| {
        [
            (PATH, "o", "/org/freedesktop/DBus"),
            (INTERFACE, "s", BUS),
            (MEMBER, "s", member),
            (DESTINATION, "s", BUS),
            (SIGNATURE, "g", signature),
        ]
    };
    stream.write_all(&message(CALL, 1, &call("Hello", "")[..4], &[], &[]))?;
    returned(stream)?;
    if name == "b" {
        let mut body = Marshal::default();
        body.text(ECHO);
        body.number(4);
        stream.write_all(&message(CALL, 2, &call("RequestName", "su"), &[], &body.0))?;
        returned(stream)?;
    }
    Ok(Wire { serial: 2 })
}

/// Starts `dbus-broker` with a listener at this path; its controlling socket must stay open.
pub(crate) fn start_broker(program: &Path, path: &Path) -> io::Result<(Child, OwnedFd)> {
    let listener = UnixListener::bind(path)?;
    listener.set_nonblocking(true)?;
    let (near, far) = UnixStream::pair()?;
    let limits = ["--max-bytes", PRIVATE_MAX, "--max-objects", PRIVATE_MAX];
    let child = on_leash(program)
        .args(["--controller", "0", "--machine-id", MACHINE])
        .args(limits)
        .stdin(Stdio::from(OwnedFd::from(far)))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    authenticate(&near)?;
    let call = [
        (PATH, "o", "/org/bus1/DBus/Broker"),
        (INTERFACE, "s", "org.bus1.DBus.Broker"),
        (MEMBER, "s", "AddListener"),
        (SIGNATURE, "g", "ohv"),
    ];
    let bytes = message(CALL, 1, &call, &[(UNIX_FDS, 1)], &listener_and_policy());
    let descriptors = [listener.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    control.push(SendAncillaryMessage::ScmRights(&descriptors));
    sendmsg(
        &near,
        &[IoSlice::new(&bytes)],
        &mut control,
        SendFlags::empty(),
    )?;
    returned(&near)?;
    Ok((child, near.into()))
}

fn authenticate(mut stream: &UnixStream) -> io::Result<()> {
    let uid: String = rustix::process::geteuid().as_raw().to_string();
    // Its decimal digits, each as the two hexadecimal digits of its character.
    let uid: String = uid.chars().flat_map(|digit| ['3', digit]).collect();
    stream.write_all(format!("\0AUTH EXTERNAL {uid}\r\n").as_bytes())?;
    line(stream)?;
    stream.write_all(b"NEGOTIATE_UNIX_FD\r\n")?;
    line(stream)?;
    stream.write_all(b"BEGIN\r\n")
}

fn line(mut stream: &UnixStream) -> io::Result<()> {
    let mut byte = [0];
    while byte != *b"\n" {
        stream.read_exact(&mut byte)?;
    }
    Ok(())
}

// Reads until the return of a call; signals are passed over.
fn returned(mut stream: &UnixStream) -> io::Result<()> {
    loop {
        let mut head = [0; 16];
        stream.read_exact(&mut head)?;
        let sizes = (number_at(&head, 4), number_at(&head, 12));
        let (Some(body), Some(fields)) = sizes else {
            continue;
        };
        let mut rest = vec![0; fields.next_multiple_of(8) + body];
        stream.read_exact(&mut rest)?;
        match head[1] {
            RETURN => return Ok(()),
            3 => {
                return Err(io::Error::other(
                    String::from_utf8_lossy(&rest).into_owned(),
                ));
            }
            _ => {}
        }
    }
}

fn sender(message: &[u8]) -> Option<&str> {
    let end = 16 + number_at(message, 12)?;
    let mut at: usize = 16;
    while at < end {
        at = at.next_multiple_of(8);
        let (code, kind) = (*message.get(at)?, *message.get(at + 2)?);
        let value = at + 4;
        let text = |size: usize, start: usize| message.get(start..start + size);
        at = match kind {
            b'u' => value + 4,
            b'g' => value + 2 + usize::from(*message.get(value)?),
            _ => {
                let size = number_at(message, value)?;
                if code == SENDER {
                    return std::str::from_utf8(text(size, value + 4)?).ok();
                }
                value + 4 + size + 1
            }
        };
    }
    None
}

fn number_at(bytes: &[u8], at: usize) -> Option<usize> {
    let four = bytes.get(at..at + 4)?.try_into().ok()?;
    usize::try_from(u32::from_le_bytes(four)).ok()
}

fn body() -> Vec<u8> {
    let mut body = Marshal::default();
    body.number(u32::try_from(BODY_BYTES).unwrap_or_default());
    body.0.resize(4 + BODY_BYTES, b' ');
    body.0
}

fn message(
    kind: u8,
    serial: u32,
    texts: &[(u8, &str, &str)],
    numbers: &[(u8, u32)],
    body: &[u8],
) -> Vec<u8> {
    let mut out = Marshal(vec![b'l', kind, 0, 1]);
    out.number(u32::try_from(body.len()).unwrap_or_default());
    out.number(serial);
    out.array(|fields| {
        for (code, kind, value) in texts {
            fields.align(8);
            fields.0.push(*code);
            fields.signature(kind);
            if *kind == "g" {
                fields.signature(value);
            } else {
                fields.text(value);
            }
        }
        for (code, value) in numbers {
            fields.align(8);
            fields.0.push(*code);
            fields.signature("u");
            fields.number(*value);
        }
    });
    out.align(8);
    out.0.extend_from_slice(body);
    out.0
}

// `ohv`: where the listener is called, which descriptor it is, and who may do what.
fn listener_and_policy() -> Vec<u8> {
    const BATCH: &str = "(bta(btbs)a(btssssuutt)a(btssssuutt))";
    let mut out = Marshal::default();
    out.text("/org/bus1/DBus/Listener/0");
    out.number(0);
    out.signature(&format!("(a(u{BATCH})a(buu{BATCH})a(ss)bs)"));
    out.align(8);
    out.array(everybody_everything);
    out.array(|_| {});
    out.array(|_| {});
    out.number(0);
    out.text("session");
    out.0
}

fn everybody_everything(out: &mut Marshal) {
    out.number(u32::MAX);
    out.align(8);
    out.number(1);
    out.long(1);
    out.array(|owned| {
        owned.number(1);
        owned.long(1);
        owned.number(1);
        owned.text("");
    });
    for _ in ["send", "receive"] {
        out.array(|rule| {
            rule.number(1);
            rule.long(1);
            (0..4).for_each(|_| rule.text(""));
            rule.number(0);
            rule.number(0);
            rule.long(0);
            rule.long(u64::MAX);
        });
    }
}

#[derive(Default)]
struct Marshal(Vec<u8>);

impl Marshal {
    fn align(&mut self, to: usize) {
        self.0.resize(self.0.len().next_multiple_of(to), 0);
    }

    fn number(&mut self, number: u32) {
        self.align(4);
        self.0.extend(number.to_le_bytes());
    }

    fn long(&mut self, number: u64) {
        self.align(8);
        self.0.extend(number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(u32::try_from(text.len()).unwrap_or_default());
        self.0.extend(text.bytes().chain([0]));
    }

    fn signature(&mut self, text: &str) {
        self.0.push(u8::try_from(text.len()).unwrap_or_default());
        self.0.extend(text.bytes().chain([0]));
    }

    // An array of structures: its size does not count the padding in front.
    fn array(&mut self, fill: impl FnOnce(&mut Self)) {
        self.number(0);
        let at = self.0.len() - 4;
        self.align(8);
        let start = self.0.len();
        fill(self);
        let size = u32::try_from(self.0.len() - start).unwrap_or_default();
        self.0[at..at + 4].copy_from_slice(&size.to_le_bytes());
    }
}
