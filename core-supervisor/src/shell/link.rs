//! One socket to a peer of the core, and what waits on either side of it.
//!
//! Received bytes meet the core in the loop's shared buffer; only the beginning
//! of a frame whose end has not come yet is kept here. What is to go out waits
//! here until its turn. Both buffers are borrowed from a pool, so an idle link
//! keeps none.
//!
//! Plain `recv` takes no descriptors (the connector's link alone is read otherwise): the kernel closes whatever a peer sends
//! beside its bytes before the call returns (see the test). Nothing needs to be
//! counted or closed by us, and a peer cannot grow our descriptor table.

use std::collections::VecDeque;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use protocol::codec::Prefix;
use protocol::limits::{FRAME_BYTES_MAX, READ_BYTES};
use rustix::buffer::spare_capacity;
use rustix::io::{Errno, Result};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recv, recvmsg, send, sendmsg,
};

use super::buffers::Buffers;
use super::placement::Pulse;
use crate::ids::SandboxId;

/// The beginning of a frame that is still copied in front of the next read.
///
/// Below it, copying costs less than a read of its own; above it, the rest of
/// the frame is read to where its beginning is.
const SMALL_REST_BYTES: usize = 16 * 1024;

/// Bytes that one read takes, unless they are the rest of a large frame.
///
/// The quantum of the loop's round robin: some fifty small messages. A link that
/// has more waits for its next turn, and others come first.
pub(super) const QUANTUM_BYTES: usize = 32 * 1024;

/// A link whose last read brought no more than this is served before the others.
///
/// A few messages, or one with a long body: what somebody says who waits for answers.
const LIGHT_BYTES: usize = 8 * 1024;

/// Where received bytes are when the core looks at them; one for all links.
pub(super) struct Intake {
    shared: Box<[u8]>,
    filled: usize,
    large: Vec<u8>,
}

impl Intake {
    pub(super) fn new() -> Self {
        Self {
            shared: vec![0; SMALL_REST_BYTES + QUANTUM_BYTES].into_boxed_slice(),
            filled: 0,
            large: Vec::new(),
        }
    }

    /// Everything of the link that is not done with.
    pub(super) fn bytes(&self) -> &[u8] {
        if self.large.is_empty() {
            self.shared.get(..self.filled).unwrap_or_default()
        } else {
            &self.large
        }
    }
}

/// Descriptors that may wait for their frames: the core reads each frame at once.
const ARRIVED_MAX: usize = 64;

// A read that brings a descriptor ends with it, so they are in the order of their frames.
fn receive_with(
    socket: &OwnedFd,
    space: &mut [u8],
    arrived: &mut VecDeque<OwnedFd>,
) -> Result<usize> {
    let mut rights = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut rights);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let got = recvmsg(socket, &mut [IoSliceMut::new(space)], &mut control, flags)?.bytes;
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            arrived.extend(descriptors);
        }
    }
    if arrived.len() > ARRIVED_MAX {
        return Err(Errno::TOOMANYREFS);
    }
    Ok(got)
}

/// What one read brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// New bytes; they stand in the intake.
    Some,
    /// Nothing yet.
    None,
    /// The peer is gone.
    End,
}

/// One connection.
#[allow(clippy::struct_excessive_bools)] // four facts, any of which may hold with any other
pub(super) struct Link {
    socket: OwnedFd,
    /// Whether it is served before the others: applications and the operator.
    pub(super) control: bool,
    /// Whether it is on the list of those with something to send.
    pub(super) is_dirty: bool,
    /// Whether the socket took no more when it was last tried.
    pub(super) is_blocked: bool,
    /// Whether the loop waits for room in the socket.
    pub(super) is_waiting: bool,
    /// Whether it ends as soon as everything is out.
    pub(super) is_draining: bool,
    /// Whose it is, when it is a sandbox's.
    pub(super) sandbox: Option<SandboxId>,
    /// What it did lately.
    pub(super) pulse: Pulse,
    /// The turn in which it was last heard.
    pub(super) heard_in: u64,
    // Bytes of the last read.
    appetite: usize,
    rest: Vec<u8>,
    out: Vec<u8>,
    sent: usize,
    // What came beside the bytes, for frames that are still to be read; only the
    // connector's link takes any.
    arrived: Option<VecDeque<OwnedFd>>,
    // Which frames in `out` a descriptor goes along with, in order.
    descriptors: Vec<(Range<usize>, Arc<OwnedFd>)>,
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Link {
    pub(super) fn new(socket: OwnedFd, control: bool) -> Self {
        Self {
            socket,
            control,
            is_dirty: false,
            is_blocked: false,
            is_waiting: false,
            is_draining: false,
            sandbox: None,
            pulse: Pulse::default(),
            heard_in: 0,
            appetite: 0,
            rest: Vec::new(),
            out: Vec::new(),
            sent: 0,
            arrived: None,
            descriptors: Vec::new(),
        }
    }

    /// From now on descriptors are taken that come beside the bytes.
    pub(super) fn takes_descriptors(&mut self) {
        self.arrived.get_or_insert_default();
    }

    /// The descriptor of the oldest frame that came with one.
    pub(super) fn take_descriptor(&mut self) -> Option<OwnedFd> {
        self.arrived.as_mut()?.pop_front()
    }

    /// Reads once what the socket has.
    pub(super) fn receive(&mut self, intake: &mut Intake) -> Input {
        let outcome = if self.rest.len() <= SMALL_REST_BYTES {
            self.receive_shared(intake)
        } else {
            self.receive_large(intake)
        };
        self.appetite = outcome.unwrap_or(0);
        match outcome {
            Ok(0) => Input::End,
            Ok(_) => Input::Some,
            Err(Errno::AGAIN | Errno::INTR) => Input::None,
            Err(_) => Input::End,
        }
    }

    /// Whether it says so much at once that others are served before it.
    pub(super) const fn is_heavy(&self) -> bool {
        self.appetite > LIGHT_BYTES
    }

    fn receive_shared(&mut self, intake: &mut Intake) -> Result<usize> {
        let (front, space) = intake.shared.split_at_mut(self.rest.len());
        front.copy_from_slice(&self.rest);
        let (space, _) = space.split_at_mut(QUANTUM_BYTES.min(space.len()));
        let got = match &mut self.arrived {
            None => recv(&self.socket, space, RecvFlags::DONTWAIT)?.1,
            Some(arrived) => receive_with(&self.socket, space, arrived)?,
        };
        intake.filled = self.rest.len() + got;
        Ok(got)
    }

    fn receive_large(&mut self, intake: &mut Intake) -> Result<usize> {
        let missing = match Prefix::read(&self.rest) {
            Ok(Some(prefix)) => prefix.frame_bytes().saturating_sub(self.rest.len()),
            _ => 0,
        };
        self.rest.reserve(missing.clamp(1, READ_BYTES));
        let (_, got) = recv(
            &self.socket,
            spare_capacity(&mut self.rest),
            RecvFlags::DONTWAIT,
        )?;
        if got > 0 {
            intake.large = std::mem::take(&mut self.rest);
        }
        Ok(got)
    }

    /// Keeps what the core did not consume. `false` when that is more than a
    /// frame can have: nobody would ever consume it.
    pub(super) fn keep(
        &mut self,
        intake: &mut Intake,
        consumed: usize,
        buffers: &mut Buffers,
    ) -> bool {
        if consumed == 0 && !intake.large.is_empty() {
            self.rest = std::mem::take(&mut intake.large);
            return self.rest.len() <= FRAME_BYTES_MAX;
        }
        self.rest.clear();
        let left = intake.bytes().get(consumed..).unwrap_or_default();
        if !left.is_empty() {
            if self.rest.capacity() == 0 {
                self.rest = buffers.take();
            }
            self.rest.extend_from_slice(left);
        }
        intake.filled = 0;
        buffers.give(&mut intake.large);
        if self.rest.is_empty() {
            buffers.give(&mut self.rest);
        }
        self.rest.len() <= FRAME_BYTES_MAX
    }

    /// Puts bytes behind those that wait.
    pub(super) fn queue(&mut self, bytes: &[u8], buffers: &mut Buffers) {
        if self.out.capacity() == 0 {
            self.out = buffers.take();
        }
        self.out.extend_from_slice(bytes);
    }

    /// Puts one frame behind those that wait, and a descriptor beside it.
    pub(super) fn queue_with(
        &mut self,
        frame: &[u8],
        descriptor: Arc<OwnedFd>,
        buffers: &mut Buffers,
    ) {
        let start = self.out.len();
        self.queue(frame, buffers);
        self.descriptors.push((start..self.out.len(), descriptor));
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Sends as much as the socket takes; says how many bytes that was.
    pub(super) fn flush(&mut self, buffers: &mut Buffers) -> Result<usize> {
        let start = self.sent;
        self.is_blocked = false;
        while self.sent < self.out.len() {
            match self.send_some() {
                Ok(0) | Err(Errno::AGAIN) => {
                    self.is_blocked = true;
                    break;
                }
                Ok(bytes) => self.sent += bytes,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        let written = self.sent - start;
        self.tidy(buffers);
        Ok(written)
    }

    // A descriptor goes along with exactly its own frame: a reader that gets it
    // has read no byte of what follows: the next frame may come with another one,
    // or be for the program that this one is.
    fn send_some(&mut self) -> Result<usize> {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let Some((frame, descriptor)) = self.descriptors.first() else {
            let bytes = self.out.get(self.sent..).unwrap_or_default();
            return send(&self.socket, bytes, flags);
        };
        if self.sent < frame.start {
            let bytes = self.out.get(self.sent..frame.start).unwrap_or_default();
            return send(&self.socket, bytes, flags);
        }
        let bytes = self.out.get(frame.clone()).unwrap_or_default();
        let descriptors = [descriptor.as_fd()];
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&descriptors));
        let sent = sendmsg(&self.socket, &[IoSlice::new(bytes)], &mut control, flags)?;
        self.descriptors.remove(0);
        Ok(sent)
    }

    // Sent bytes go when all are out, or when they are most of a large buffer.
    fn tidy(&mut self, buffers: &mut Buffers) {
        if self.sent == self.out.len() {
            self.sent = 0;
            buffers.give(&mut self.out);
        } else if self.sent > READ_BYTES && self.sent > self.out.len() / 2 {
            self.out.drain(..self.sent);
            for (frame, _) in &mut self.descriptors {
                *frame = frame.start - self.sent..frame.end - self.sent;
            }
            self.sent = 0;
        }
    }
}
