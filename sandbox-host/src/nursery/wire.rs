//! Datagrams to and from the supervisor, on descriptor 0.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};

use protocol::codec::datagram;
use protocol::nursery::Report;
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use rustix::stdio::stdin;

/// What the socket had.
#[derive(Debug)]
pub(super) enum Came {
    /// So many bytes, and a descriptor.
    Datagram(usize, Option<OwnedFd>),
    /// Nothing yet.
    Nothing,
    /// The supervisor is gone.
    End,
}

/// Reads one datagram; does not wait.
pub(super) fn receive(bytes: &mut [u8]) -> rustix::io::Result<Came> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let count = match recvmsg(stdin(), &mut [IoSliceMut::new(bytes)], &mut control, flags) {
        Ok(message) => message.bytes,
        Err(Errno::AGAIN | Errno::INTR) => return Ok(Came::Nothing),
        Err(Errno::CONNRESET) => 0,
        Err(e) => return Err(e),
    };
    if count == 0 {
        return Ok(Came::End);
    }
    let descriptors = control.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    Ok(Came::Datagram(count, descriptors.flatten().next()))
}

/// Tells something; waits until the supervisor has room for it, which it always makes.
pub(super) fn report(
    report: &Report<'_>,
    descriptor: Option<BorrowedFd<'_>>,
) -> rustix::io::Result<()> {
    let bytes = datagram(report).map_err(|_| Errno::MSGSIZE)?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = descriptor.map(|fd| [fd]);
    if let Some(descriptors) = &descriptors {
        control.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    sendmsg(
        stdin(),
        &[IoSlice::new(&bytes)],
        &mut control,
        SendFlags::NOSIGNAL,
    )
    .map(drop)
}
