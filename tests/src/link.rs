//! A link frame by frame, so that a fixture or a test can also break its rules.
//!
//! Well-behaved components use `protocol::client`; this is what remains when a
//! test must decide about every byte.

use std::collections::VecDeque;
use std::io::{self, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use protocol::codec::{self, RawFrame};
use protocol::frame::{CoreFrame, HostFrame};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

/// The descriptor on which a sandboxed program finds its link.
#[derive(Debug, Default)]
pub struct Inherited {
    /// What came beside the bytes, in order.
    pub descriptors: VecDeque<OwnedFd>,
}

impl Read for Inherited {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::CMSG_CLOEXEC;
        let target = &mut [IoSliceMut::new(into)];
        let read = recvmsg(io::stdin().as_fd(), target, &mut control, flags)?;
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                self.descriptors.extend(descriptors);
            }
        }
        Ok(read.bytes)
    }
}

impl Write for Inherited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(io::stdin().as_fd(), bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// One end of a link.
#[derive(Debug)]
pub struct Link<S> {
    stream: S,
    received: Vec<u8>,
    seen: usize,
}

impl<S: Read + Write> Link<S> {
    /// A link over this stream.
    pub const fn over(stream: S) -> Self {
        Self {
            stream,
            received: Vec::new(),
            seen: 0,
        }
    }

    /// Writes one frame.
    pub fn say(&mut self, frame: &HostFrame<'_>) -> io::Result<()> {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes).map_err(io::Error::other)?;
        self.write(&bytes)
    }

    /// Writes bytes that need not be a frame.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Waits for the core's next frame and shows it to `look`; `None` when the link has ended.
    pub fn hear<T>(&mut self, look: impl FnOnce(CoreFrame<'_>) -> T) -> io::Result<Option<T>> {
        self.received.drain(..self.seen);
        self.seen = 0;
        loop {
            if let Some(raw) = codec::split(&self.received).map_err(io::Error::other)? {
                let frame = CoreFrame::decode(raw).map_err(io::Error::other)?;
                self.seen = bytes_of(&raw);
                return Ok(Some(look(frame)));
            }
            let mut chunk = [0; 16 * 1024];
            let count = self.stream.read(&mut chunk)?;
            if count == 0 {
                return Ok(None);
            }
            self.received.extend(chunk.iter().take(count));
        }
    }

    /// The stream itself.
    pub const fn stream(&self) -> &S {
        &self.stream
    }

    /// The same, to be changed.
    pub const fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
    }
}

const fn bytes_of(raw: &RawFrame<'_>) -> usize {
    raw.bytes.len()
}
