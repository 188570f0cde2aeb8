//! The receive buffer: many frames from one read, none of them copied.

use std::ops::Range;

use crate::codec::{self, Malformed, Prefix, RawFrame};
use crate::limits::{FRAME_BYTES_MAX, PREFIX_BYTES, READ_BYTES};

/// Bytes that may wait while one response is awaited.
///
/// The core charges what it queues for a link to that link and cuts it long
/// before this; the bound only keeps a client from growing without end.
pub(super) const INBOX_BYTES_MAX: usize = 16 * FRAME_BYTES_MAX;

// Less room than this would cut one batch of the core into several reads.
const SPARE_BYTES_MIN: usize = READ_BYTES / 4;

// A buffer that grew behind one awaited response is not kept for ever.
const KEPT_BYTES_MAX: usize = 4 * FRAME_BYTES_MAX;

// Written over the tag of a frame that was taken out of order. Only looked at
// before `seen`, where every frame has been checked: a peer cannot send it.
const TAKEN: u8 = 0;

/// The bytes that came and are not done with.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    bytes: Vec<u8>,
    // INVARIANT: start <= seen <= bytes.len(), all at frame borders except len.
    // Frames between `start` and `seen` were looked at by `look` already.
    start: usize,
    seen: usize,
}

impl Inbox {
    /// The buffer to append what the socket has; its spare room is not zero.
    ///
    /// Memory is asked for once and reused; pages that no read touched cost nothing.
    pub(super) fn space(&mut self) -> &mut Vec<u8> {
        if self.start > 0 {
            // What remains is less than one frame, or was kept behind an awaited
            // response; in the steady state it is nothing.
            self.bytes.drain(..self.start);
            self.seen -= self.start;
            self.start = 0;
        }
        let missing = match Prefix::read(self.bytes.get(self.seen..).unwrap_or_default()) {
            Ok(Some(prefix)) => (self.seen + prefix.frame_bytes()).saturating_sub(self.bytes.len()),
            _ => PREFIX_BYTES,
        };
        if self.bytes.is_empty() && self.bytes.capacity() > KEPT_BYTES_MAX {
            self.bytes.shrink_to(READ_BYTES);
        }
        if self.bytes.capacity() < READ_BYTES {
            self.bytes.reserve_exact(READ_BYTES);
        }
        self.grow(missing.max(SPARE_BYTES_MIN));
        &mut self.bytes
    }

    // Doubles, so that a long line is not copied for every read; but not beyond the
    // bound, since one read takes as much as there is room for.
    fn grow(&mut self, spare: usize) {
        let (len, capacity) = (self.bytes.len(), self.bytes.capacity());
        if capacity - len < spare {
            let doubled = (2 * capacity).min(INBOX_BYTES_MAX + SPARE_BYTES_MIN);
            self.bytes
                .reserve_exact(spare.max(doubled.saturating_sub(len)));
        }
    }

    /// Whether more may be read while a response is awaited.
    pub(super) fn has_room(&self) -> bool {
        self.bytes.len() - self.start < INBOX_BYTES_MAX
    }

    /// Takes the next frame in order.
    pub(super) fn next(&mut self) -> Result<Option<Range<usize>>, Malformed> {
        loop {
            let Some(raw) = codec::split(self.bytes.get(self.start..).unwrap_or_default())? else {
                return Ok(None);
            };
            let is_taken = raw.tag == TAKEN && self.start < self.seen;
            let frame = self.start..self.start + raw.bytes.len();
            self.start = frame.end;
            self.seen = self.seen.max(frame.end);
            if !is_taken {
                return Ok(Some(frame));
            }
        }
    }

    /// Looks at the next frame that was not looked at, and leaves it in line.
    pub(super) fn look(&mut self) -> Result<Option<Range<usize>>, Malformed> {
        let Some(raw) = codec::split(self.bytes.get(self.seen..).unwrap_or_default())? else {
            return Ok(None);
        };
        if raw.tag == TAKEN {
            return Err(Malformed::Tag(TAKEN));
        }
        let frame = self.seen..self.seen + raw.bytes.len();
        self.seen = frame.end;
        Ok(Some(frame))
    }

    /// Takes a frame out of line that [`Self::look`] has just shown.
    pub(super) fn take(&mut self, frame: &Range<usize>) {
        if frame.start == self.start {
            self.start = frame.end;
        } else if let Some(tag) = self.bytes.get_mut(frame.start + 1) {
            *tag = TAKEN;
        }
    }

    /// The bytes of a frame that was cut out of the stream.
    pub(super) fn frame(&self, frame: Range<usize>) -> Result<RawFrame<'_>, Malformed> {
        let bytes = self.bytes.get(frame).unwrap_or_default();
        // It was cut out by `next` or `look`, so it is whole.
        codec::split(bytes)?.ok_or(Malformed::Header)
    }
}
