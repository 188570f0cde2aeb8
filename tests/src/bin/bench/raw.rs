//! The bare relay: A → S → B and back, the same bytes, nothing decided, nothing locked.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Instant;

use protocol::frame::{CoreFrame, HostFrame, Start};
use protocol::message::{Message, MessageKind, Reply};

use crate::caller;
use crate::numbers::nanoseconds_since;
use crate::peers::Started;

const READ_BYTES: usize = 256 * 1024;

/// One frame, over and over.
pub(crate) struct Wire {
    frame: Vec<u8>,
}

impl Wire {
    /// The frame that a component would send with a body of this size.
    pub(crate) fn new(body_bytes: usize) -> Self {
        let (from, to) = (
            "hyperty://bench.example/0123456789abcdef",
            "hyperty://bench.example/fedcba9876543210",
        );
        let body = vec![b' '; body_bytes];
        let message = Message::new(MessageKind::Read, from, to, &body).with_id(1);
        let mut frame = Vec::new();
        HostFrame::Send(message.expecting(Reply::Within(10_000)))
            .encode(&mut frame)
            .expect("a frame of a permitted size");
        Self { frame }
    }
}

impl caller::Wire for Wire {
    fn ask(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.frame);
    }

    fn split(&self, _: &[u8]) -> Option<(usize, bool)> {
        Some((self.frame.len(), true))
    }

    fn answer(&mut self, message: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(message);
    }
}

/// Starts the native component by such a command and waits for its first frame.
pub(crate) fn start_and_hear(command: &mut Command) -> Option<u64> {
    let mut told = Vec::new();
    let start = Start {
        address: "hyperty://bench.example/1",
        runtime: "hyperty-runtime://bench.example/1",
        config: "{}",
    };
    CoreFrame::Start(start)
        .encode(&mut told)
        .expect("a small frame");
    let start = Instant::now();
    let (near, far) = UnixStream::pair().ok()?;
    let far = std::os::fd::OwnedFd::from(far);
    let quiet = command.stdin(Stdio::from(far)).stderr(Stdio::null());
    let child = Started(quiet.spawn().ok()?);
    // The command holds the far end, and would keep the link open.
    command.stdin(Stdio::null());
    rustix::io::write(&near, &told).ok()?;
    let heard = rustix::io::read(&near, &mut [0; 64]).ok()?;
    let took = nanoseconds_since(start);
    drop(child);
    (heard > 0).then_some(took)
}

/// Passes on whatever comes on either side: descriptor 0 is the near one, 1 the far one.
pub(crate) fn relay() {
    use rustix::event::{PollFd, PollFlags, poll};

    let (near, far) = (io::stdin(), io::stdout());
    let mut buffer = vec![0; READ_BYTES];
    loop {
        let mut ready = [
            PollFd::new(&near, PollFlags::IN),
            PollFd::new(&far, PollFlags::IN),
        ];
        if poll(&mut ready, None).is_err() {
            return;
        }
        let [from_near, from_far] = ready.each_ref().map(|side| !side.revents().is_empty());
        if (from_near && !pass(near.as_fd(), far.as_fd(), &mut buffer))
            || (from_far && !pass(far.as_fd(), near.as_fd(), &mut buffer))
        {
            return;
        }
    }
}

fn pass(from: impl AsFd, to: impl AsFd, buffer: &mut [u8]) -> bool {
    let Ok(count) = rustix::io::read(from, &mut *buffer) else {
        return false;
    };
    let mut rest = buffer.get(..count).unwrap_or_default();
    while !rest.is_empty() {
        let Ok(written) = rustix::io::write(&to, rest) else {
            return false;
        };
        rest = rest.get(written..).unwrap_or_default();
    }
    count > 0
}
