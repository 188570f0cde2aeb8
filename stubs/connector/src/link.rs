//! The connection to the core: descriptor 0.
//!
//! A frame with a descriptor goes by a call of its own, as the core expects it.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use protocol::HostFrame;
use protocol::codec::{self, RawFrame};
use protocol::limits::{FRAME_BYTES_MAX, READ_BYTES};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, recv, sendmsg};
use tokio::io::Interest;
use tokio::net::UnixStream;

/// Bytes of frames that wait for the core: it reads at once, or is gone.
const OUT_BYTES_MAX: usize = 1024 * 1024;

/// The link.
pub(crate) struct Link {
    // The same socket under another number, to wait on: the filter lets descriptors
    // go by number 0 only.
    waiter: UnixStream,
    came: Vec<u8>,
    used: usize,
    out: VecDeque<(Vec<u8>, Option<OwnedFd>)>,
    queued: usize,
}

impl Link {
    pub(crate) fn on_descriptor_0() -> io::Result<Self> {
        let waiter =
            std::os::unix::net::UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        waiter.set_nonblocking(true)?;
        Ok(Self {
            waiter: UnixStream::from_std(waiter)?,
            came: Vec::new(),
            used: 0,
            out: VecDeque::new(),
            queued: 0,
        })
    }

    /// Puts a frame behind those that wait; an error when the core reads nothing.
    pub(crate) fn say(&mut self, frame: &HostFrame<'_>, socket: Option<OwnedFd>) -> io::Result<()> {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes).map_err(io::Error::other)?;
        self.queued += bytes.len();
        if self.queued > OUT_BYTES_MAX {
            return Err(io::Error::other("the core does not read"));
        }
        self.out.push_back((bytes, socket));
        Ok(())
    }

    /// The next whole frame of those that came.
    pub(crate) fn next(&mut self) -> io::Result<Option<RawFrame<'_>>> {
        let rest = self.came.get(self.used..).unwrap_or_default();
        let Some(raw) = codec::split(rest).map_err(io::Error::other)? else {
            return Ok(None);
        };
        self.used += raw.bytes.len();
        Ok(Some(raw))
    }

    /// Writes what waits and waits until more came; false at the end.
    ///
    /// May be dropped before it is done: nothing is lost.
    pub(crate) async fn turn(&mut self) -> io::Result<bool> {
        loop {
            let interest = if self.write()? {
                Interest::READABLE
            } else {
                Interest::READABLE | Interest::WRITABLE
            };
            if !self.waiter.ready(interest).await?.is_readable() {
                continue;
            }
            let (came, used) = (&mut self.came, &mut self.used);
            let got = self
                .waiter
                .try_io(Interest::READABLE, || Ok(read(came, used)?));
            match got {
                Ok(0) => return Ok(false),
                Ok(_) => return Ok(true),
                Err(error) if is_passing(&error) => {}
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }

    // True when nothing is left; what is left waits for room.
    fn write(&mut self) -> io::Result<bool> {
        while let Some((bytes, socket)) = self.out.front_mut() {
            let sent = self
                .waiter
                .try_io(Interest::WRITABLE, || Ok(send(bytes, socket.as_ref())?));
            match sent {
                Ok(sent) => {
                    self.queued = self.queued.saturating_sub(sent);
                    // It went along with the first byte.
                    *socket = None;
                    bytes.drain(..sent);
                    if bytes.is_empty() {
                        self.out.pop_front();
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

fn read(came: &mut Vec<u8>, used: &mut usize) -> Result<usize, Errno> {
    came.drain(..*used);
    *used = 0;
    let room = FRAME_BYTES_MAX.saturating_sub(came.len());
    came.reserve(room.min(READ_BYTES));
    let space = rustix::buffer::spare_capacity(came);
    recv(io::stdin(), space, RecvFlags::DONTWAIT).map(|(_, bytes)| bytes)
}

fn send(bytes: &[u8], socket: Option<&OwnedFd>) -> Result<usize, Errno> {
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = socket.map(AsFd::as_fd);
    if let Some(descriptor) = &descriptors {
        control.push(SendAncillaryMessage::ScmRights(std::slice::from_ref(
            descriptor,
        )));
    }
    sendmsg(io::stdin(), &[IoSlice::new(bytes)], &mut control, flags)
}
