//! What the core says: bytes as they come, and the frames in them.

use protocol::codec::{self, Prefix};
use protocol::frame::CoreFrame;
use protocol::limits::{PREFIX_BYTES, READ_BYTES};
use rustix::buffer::spare_capacity;
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

use super::descriptors::Descriptors;
use super::wait::sleep_until;
use super::{LinkError, ended_or, link};

/// Bytes of frames that may wait for a busy sandbox while it looks for pings.
///
/// Beyond that the core's own queue for the sandbox fills, and it decides.
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The bytes that came and have not been understood yet.
#[derive(Debug, Default)]
pub struct Inbox {
    buffer: Vec<u8>,
    read: usize,
    // Up to here, frames have been searched for urgent ones.
    searched: usize,
    // Urgent ones that were taken before their turn.
    taken: usize,
}

impl Inbox {
    /// Takes the next whole frame, if one is there; makes no system call.
    pub fn next_frame(&mut self) -> Result<Option<CoreFrame<'_>>, LinkError> {
        loop {
            let bytes = self.buffer.get(self.read..).unwrap_or_default();
            let Some(raw) = codec::split(bytes)? else {
                return Ok(None);
            };
            self.read += raw.bytes.len();
            if self.taken > 0 && raw.is_urgent() {
                self.taken -= 1;
                continue;
            }
            return Ok(Some(CoreFrame::decode(raw)?));
        }
    }

    /// Takes a ping or a stop from behind frames that wait; it does not come again.
    pub fn take_urgent(&mut self) -> Result<Option<CoreFrame<'_>>, LinkError> {
        self.searched = self.searched.max(self.read);
        loop {
            let bytes = self.buffer.get(self.searched..).unwrap_or_default();
            let Some(raw) = codec::split(bytes)? else {
                return Ok(None);
            };
            self.searched += raw.bytes.len();
            if raw.is_urgent() {
                self.taken += 1;
                return Ok(Some(CoreFrame::decode(raw)?));
            }
        }
    }

    // Reads what the socket has, up to the room there is; false when it has nothing.
    pub(super) fn fill(&mut self, descriptors: &mut Descriptors) -> Result<bool, LinkError> {
        if self.buffer.len() - self.read > WAITING_BYTES_MAX {
            return Ok(false);
        }
        self.make_room()?;
        let result = if descriptors.are_expected {
            descriptors.receive(&mut self.buffer)
        } else {
            let spare = spare_capacity(&mut self.buffer);
            recv(link(), spare, RecvFlags::DONTWAIT).map(|(_, count)| count)
        };
        match result {
            Ok(0) => Err(LinkError::Ended),
            Ok(_) => Ok(true),
            Err(Errno::AGAIN | Errno::INTR) => Ok(false),
            Err(error) => Err(ended_or(error)),
        }
    }

    pub(super) fn fill_one_frame(&mut self) -> Result<(), LinkError> {
        self.fill_exactly(PREFIX_BYTES)?;
        if let Some(prefix) = Prefix::read(&self.buffer)? {
            self.fill_exactly(prefix.frame_bytes())?;
        }
        Ok(())
    }

    fn fill_exactly(&mut self, bytes: usize) -> Result<(), LinkError> {
        while self.buffer.len() < bytes {
            let start = self.buffer.len();
            self.buffer.resize(bytes, 0);
            let target = self.buffer.get_mut(start..).unwrap_or_default();
            let result = recv(link(), target, RecvFlags::empty());
            let count = result.as_ref().map_or(0, |(count, _)| *count);
            self.buffer.truncate(start + count);
            match result {
                Ok((0, _)) => return Err(LinkError::Ended),
                // A supervisor may have set the socket to non-blocking.
                Err(Errno::AGAIN) => {
                    sleep_until(PollFlags::IN, None)?;
                }
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(ended_or(error)),
            }
        }
        Ok(())
    }

    fn make_room(&mut self) -> Result<(), LinkError> {
        self.buffer.drain(..self.read);
        self.searched = self.searched.saturating_sub(self.read);
        self.read = 0;
        let wanted = match Prefix::read(&self.buffer)? {
            Some(prefix) => prefix.frame_bytes().max(READ_BYTES),
            None => READ_BYTES,
        };
        // Room is needed behind whole frames too, when a ping is looked for.
        let wanted = wanted.max(self.buffer.len() + READ_BYTES / 4);
        // One long frame must not hold a megabyte for ever.
        if self.buffer.is_empty() && self.buffer.capacity() > 2 * READ_BYTES {
            self.buffer = Vec::new();
        }
        self.buffer
            .reserve_exact(wanted.saturating_sub(self.buffer.len()));
        Ok(())
    }
}
