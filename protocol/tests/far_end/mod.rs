//! The core's end of a link, played by the test.

#![allow(dead_code)] // each test program uses a part of it

use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;

use protocol::client::blocking::Link;
use protocol::frame::Start;
use protocol::limits::SLOT_BYTES;
use protocol::{Code, CoreFrame, HostFrame, Message, MessageKind, Reply, codec};
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

pub(crate) const ME: &str = "hyperty://a.example/1";
pub(crate) const THEM: &str = "hyperty://b.example/2";
pub(crate) const RUNTIME: &str = "hyperty-runtime://local/r1";

/// The far end of a link.
pub(crate) struct Core {
    pub(crate) socket: UnixStream,
    came: Vec<u8>,
}

impl Core {
    pub(crate) const fn over(socket: UnixStream) -> Self {
        let came = Vec::new();
        Self { socket, came }
    }

    pub(crate) fn say(&mut self, frames: &[CoreFrame<'_>]) {
        let mut bytes = Vec::new();
        for frame in frames {
            frame.encode(&mut bytes).unwrap();
        }
        self.socket.write_all(&bytes).unwrap();
    }

    /// Says one frame, and sends a descriptor along with it.
    pub(crate) fn say_with(&mut self, frame: &CoreFrame<'_>, descriptor: &OwnedFd) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes).unwrap();
        let descriptors = [descriptor.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&descriptors));
        let sent = sendmsg(
            &self.socket,
            &[IoSlice::new(&bytes)],
            &mut control,
            SendFlags::empty(),
        );
        assert_eq!(sent, Ok(bytes.len()));
    }

    /// Reads one frame and shows it to `look`.
    pub(crate) fn hear<T>(&mut self, look: impl FnOnce(HostFrame<'_>) -> T) -> T {
        let used = loop {
            if let Some(raw) = codec::split(&self.came).unwrap() {
                break raw.bytes.len();
            }
            let mut some = [0; 4096];
            let read = self.socket.read(&mut some).unwrap();
            assert_ne!(read, 0, "the client hung up");
            self.came.extend_from_slice(some.get(..read).unwrap());
        };
        let raw = codec::split(&self.came).unwrap().unwrap();
        let seen = look(HostFrame::decode(raw).unwrap());
        self.came.drain(..used);
        seen
    }

    pub(crate) fn hears_nothing_more(&mut self) {
        self.socket.set_nonblocking(true).unwrap();
        let error = self.socket.read(&mut [0; 1]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
        assert!(self.came.is_empty());
    }
}

pub(crate) fn pair() -> (UnixStream, Core) {
    let (socket, ours) = UnixStream::pair().unwrap();
    (ours, Core::over(socket))
}

/// A native component that has attached.
pub(crate) fn component() -> (Link<UnixStream>, Core) {
    let (socket, mut core) = pair();
    core.say(&[start()]);
    let link = Link::attach_to(socket).unwrap();
    core.hear(|frame| assert_eq!(frame, HostFrame::Loaded { component: ME }));
    (link, core)
}

pub(crate) const fn start() -> CoreFrame<'static> {
    CoreFrame::Start(Start {
        address: ME,
        runtime: RUNTIME,
        config: r#"{"n":1}"#,
    })
}

pub(crate) fn deliver(body: &[u8]) -> CoreFrame<'_> {
    let message = Message::new(MessageKind::Update, THEM, ME, body);
    CoreFrame::Deliver(message.expecting(Reply::Within(10)).with_id(7))
}

pub(crate) fn answer(id: u64, code: u16, body: &[u8]) -> CoreFrame<'_> {
    let question = Message::new(MessageKind::Read, ME, THEM, b"").with_id(id);
    CoreFrame::Deliver(question.answer(Code(code), body))
}

/// What the core says first on every link.
pub(crate) const fn welcome(version: u16) -> CoreFrame<'static> {
    let nonce = [9; 16];
    CoreFrame::Welcome { version, nonce }
}

/// The memory of a slot.
pub(crate) fn memory() -> OwnedFd {
    let memory = memfd_create("slot", MemfdFlags::CLOEXEC).unwrap();
    ftruncate(&memory, SLOT_BYTES as u64).unwrap();
    memory
}
