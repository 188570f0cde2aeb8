//! Reading from a link on which descriptors may come.
//!
//! A plain read would throw them away, so this is for links that asked for slots
//! only: the others keep the shorter call, which reads to where the bytes stay.

use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::AsFd;

use rustix::io::Result;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, RecvMsg, ReturnFlags, recvmsg,
};

use super::session::Session;
use crate::limits::READ_BYTES;

/// Where such a read goes first: a call for descriptors takes no unwritten memory.
#[derive(Debug, Default)]
pub(super) struct Landing(Vec<u8>);

/// Reads once; says how many bytes came.
pub(super) fn receive(socket: impl AsFd, session: &mut Session, flags: RecvFlags) -> Result<usize> {
    let Session {
        inbox,
        arrived,
        landing: Landing(landing),
        ..
    } = session;
    if landing.is_empty() {
        // Zeroes from the system: pages that no read touches cost nothing.
        *landing = vec![0; READ_BYTES];
    }
    let space = inbox.space();
    let room = space.capacity() - space.len();
    let target = landing.get_mut(..room.min(READ_BYTES)).unwrap_or_default();
    let mut ancillary = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut ancillary);
    let flags = flags | RecvFlags::CMSG_CLOEXEC;
    let RecvMsg {
        bytes,
        flags: returned,
        ..
    } = recvmsg(socket, &mut [IoSliceMut::new(target)], &mut control, flags)?;
    let before = arrived.0.len();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            arrived.0.extend(descriptors.map(Some));
        }
    }
    if returned.contains(ReturnFlags::CTRUNC) && arrived.0.len() == before {
        arrived.0.push_back(None);
    }
    space.extend_from_slice(target.get(..bytes).unwrap_or_default());
    Ok(bytes)
}
