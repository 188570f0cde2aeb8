//! What the core says before the program runs.
//!
//! Exactly one frame is read at a time, because the next one, `Start`, is for
//! the program; and always with room for a descriptor, because a plain read
//! would throw it away.

use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use protocol::codec::{Prefix, split};
use protocol::frame::CoreFrame;
use protocol::limits::{HEADER_BYTES_MAX, PREFIX_BYTES};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use rustix::stdio::stdin;

use crate::link::LinkError;

/// What the core wants.
#[derive(Debug)]
pub(super) enum Asked {
    /// Execute this.
    Execute {
        /// The component's address.
        component: String,
        /// `argv[0]`.
        name: String,
        /// The program.
        program: OwnedFd,
    },
    /// Execute, but no program came along.
    Nothing {
        /// The component's address.
        component: String,
    },
    /// Answer.
    Ping {
        /// To be sent back.
        token: u64,
    },
    /// End.
    Stop,
}

/// Reads the next frame, waiting for it.
pub(super) fn next() -> Result<Asked, LinkError> {
    let mut descriptor = None;
    let mut bytes = vec![0; PREFIX_BYTES];
    fill(&mut bytes, &mut descriptor)?;
    let prefix = Prefix::read(&bytes)?.ok_or(OUT_OF_TURN)?;
    if prefix.body > 0 || prefix.header > HEADER_BYTES_MAX {
        return Err(OUT_OF_TURN);
    }
    bytes.resize(prefix.frame_bytes(), 0);
    fill(
        bytes.get_mut(PREFIX_BYTES..).unwrap_or_default(),
        &mut descriptor,
    )?;
    let raw = split(&bytes)?.ok_or(OUT_OF_TURN)?;
    match CoreFrame::decode(raw)? {
        CoreFrame::Exec(exec) => {
            let component = exec.component.to_owned();
            let name = exec.name.to_owned();
            Ok(match descriptor {
                Some(program) => Asked::Execute {
                    component,
                    name,
                    program,
                },
                None => Asked::Nothing { component },
            })
        }
        CoreFrame::Ping { token } => Ok(Asked::Ping { token }),
        CoreFrame::Stop { .. } => Ok(Asked::Stop),
        CoreFrame::Welcome { .. }
        | CoreFrame::Load(..)
        | CoreFrame::Start(_)
        | CoreFrame::Unload { .. }
        | CoreFrame::Seed { .. }
        | CoreFrame::Deliver(_)
        | CoreFrame::Listening { .. }
        | CoreFrame::Borrow { .. }
        | CoreFrame::Lend(_)
        | CoreFrame::DeliverBy(_)
        | CoreFrame::Returned { .. }
        | CoreFrame::Unsent { .. }
        | CoreFrame::Revoke { .. }
        | CoreFrame::Socket { .. }
        | CoreFrame::NotDialled(_)
        | CoreFrame::Bound { .. }
        | CoreFrame::Accepted { .. }
        | CoreFrame::Hungup { .. }
        | CoreFrame::Roots { .. }
        | CoreFrame::NoRoots { .. }
        | CoreFrame::Connect(_)
        | CoreFrame::Disconnect { .. } => Err(OUT_OF_TURN),
    }
}

const OUT_OF_TURN: LinkError = LinkError::Greeting("it says what a waiting native host cannot do");

fn fill(target: &mut [u8], descriptor: &mut Option<OwnedFd>) -> Result<(), LinkError> {
    let mut filled = 0;
    while let Some(rest) = target.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        match recvmsg(
            stdin(),
            &mut [IoSliceMut::new(rest)],
            &mut control,
            RecvFlags::CMSG_CLOEXEC,
        ) {
            Ok(message) if message.bytes == 0 => return Err(LinkError::Ended),
            Ok(message) => filled += message.bytes,
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let link = stdin();
                poll(&mut [PollFd::new(&link, PollFlags::IN)], None)?;
            }
            Err(Errno::CONNRESET) => return Err(LinkError::Ended),
            Err(e) => return Err(e.into()),
        }
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                *descriptor = descriptors.last();
            }
        }
    }
    Ok(())
}
