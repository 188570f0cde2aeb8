//! Descriptors that come along with frames: connections, and root certificates.

use std::collections::VecDeque;
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use protocol::limits::READ_BYTES;
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, RecvMsg, ReturnFlags, recvmsg,
};

use super::link;

/// The descriptors that came along with frames, in the order of those.
#[derive(Debug, Default)]
pub struct Descriptors {
    pub(super) are_expected: bool,
    arrived: VecDeque<Option<OwnedFd>>,
    // A call for descriptors takes no unwritten memory; pages that no read
    // touches cost nothing.
    landing: Vec<u8>,
}

impl Descriptors {
    /// From now on the link is read by a call that receives them.
    pub const fn expect(&mut self) {
        self.are_expected = true;
    }

    /// The one that belongs to a frame that brings one; `None` when it got lost on the
    /// way, because this process has as many as it may.
    pub fn take(&mut self) -> Option<OwnedFd> {
        self.arrived.pop_front().flatten()
    }

    pub(super) fn receive(&mut self, buffer: &mut Vec<u8>) -> Result<usize, Errno> {
        if self.landing.is_empty() {
            self.landing = vec![0; READ_BYTES];
        }
        let room = buffer.capacity() - buffer.len();
        let target = self
            .landing
            .get_mut(..room.min(READ_BYTES))
            .unwrap_or_default();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        let mut slices = [IoSliceMut::new(target)];
        let RecvMsg {
            bytes,
            flags: returned,
            ..
        } = recvmsg(link(), &mut slices, &mut control, flags)?;
        let before = self.arrived.len();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(some) = message {
                self.arrived.extend(some.map(Some));
            }
        }
        if returned.contains(ReturnFlags::CTRUNC) && self.arrived.len() == before {
            self.arrived.push_back(None);
        }
        buffer.extend_from_slice(self.landing.get(..bytes).unwrap_or_default());
        Ok(bytes)
    }
}
