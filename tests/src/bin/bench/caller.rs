//! Any peer that is spoken to over a stream: requests out, answers in.

use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::io::Errno;

use crate::numbers::nanoseconds_since;

const READ_BYTES: usize = 256 * 1024;

/// How a peer's bytes are written and read.
pub(crate) trait Wire {
    /// Writes the next request.
    fn ask(&mut self, out: &mut Vec<u8>);
    /// The size of the first whole unit, and whether it is a message.
    fn split(&self, bytes: &[u8]) -> Option<(usize, bool)>;
    /// Writes the answer to a message.
    fn answer(&mut self, message: &[u8], out: &mut Vec<u8>);
}

/// How several requests are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writes {
    /// Each by a call of its own, as a client without a buffer does.
    Single,
    /// Together, when there is room for several.
    Gathered,
}

/// A stream, or one for each direction, and what is read and not looked at yet.
pub(crate) struct Caller {
    input: OwnedFd,
    output: OwnedFd,
    wire: Box<dyn Wire>,
    received: Vec<u8>,
    filled: usize,
}

impl Caller {
    /// Speaks like this over these.
    pub(crate) fn over(input: OwnedFd, output: OwnedFd, wire: Box<dyn Wire>) -> Self {
        Self {
            input,
            output,
            wire,
            received: vec![0; READ_BYTES],
            filled: 0,
        }
    }

    /// One after the other; how long each took.
    pub(crate) fn round_trips(&mut self, count: usize) -> Vec<u64> {
        let mut out = Vec::new();
        let once = |_| {
            out.clear();
            let start = Instant::now();
            self.wire.ask(&mut out);
            self.write(&out);
            while self.take(|_, _| {}) == 0 {}
            nanoseconds_since(start)
        };
        (0..count).map(once).collect()
    }

    /// So many in flight; how long it took.
    pub(crate) fn pipelined(&mut self, depth: usize, count: usize, writes: Writes) -> u64 {
        let (mut out, mut asked, mut answered) = (Vec::new(), 0, 0);
        let start = Instant::now();
        while answered < count {
            out.clear();
            while asked < count && asked - answered < depth {
                self.wire.ask(&mut out);
                asked += 1;
                if writes == Writes::Single {
                    self.write(&out);
                    out.clear();
                }
            }
            self.write(&out);
            answered += self.take(|_, _| {});
        }
        nanoseconds_since(start)
    }

    /// Answers every message until the stream ends.
    pub(crate) fn echo(&mut self) {
        let mut out = Vec::new();
        loop {
            out.clear();
            self.take(|wire, message| wire.answer(message, &mut out));
            self.write(&out);
        }
    }

    // One read, and every whole unit in it; how many of them were messages.
    fn take(&mut self, mut act: impl FnMut(&mut dyn Wire, &[u8])) -> usize {
        if self.filled == self.received.len() {
            self.received.resize(self.filled * 2, 0);
        }
        let space = self.received.get_mut(self.filled..).unwrap_or_default();
        match rustix::io::read(&self.input, space) {
            Ok(0) => std::process::exit(0),
            Ok(bytes) => self.filled += bytes,
            Err(Errno::INTR) => {}
            Err(error) => panic!("the peer is gone: {error}"),
        }
        let (mut at, mut messages) = (0, 0);
        while let Some(rest) = self.received.get(at..self.filled) {
            let Some((size, is_message)) = self
                .wire
                .split(rest)
                .filter(|(size, _)| *size <= rest.len())
            else {
                break;
            };
            if is_message {
                messages += 1;
                act(self.wire.as_mut(), &rest[..size]);
            }
            at += size;
        }
        self.received.copy_within(at..self.filled, 0);
        self.filled -= at;
        messages
    }

    fn write(&self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            match rustix::io::write(&self.output, bytes) {
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(_) => std::process::exit(0),
            }
        }
    }
}
