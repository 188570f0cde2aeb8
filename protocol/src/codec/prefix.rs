//! Cutting frames out of a stream, before anything of them is decoded.

use super::fault::Malformed;
use crate::limits::{BODY_BYTES_MAX, HEADER_BYTES_MAX, PREFIX_BYTES};

/// The first byte of every frame.
pub const MAGIC: u8 = 0xB7;

/// The prefix of a frame, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    /// What the frame is.
    pub tag: u8,
    /// Bytes of its header.
    pub header: usize,
    /// Bytes of its body.
    pub body: usize,
}

impl Prefix {
    /// Reads the first bytes of a frame; `None` until all of them are there.
    ///
    /// The magic is checked as soon as one byte is there, the lengths before
    /// anything is kept for them.
    pub fn read(bytes: &[u8]) -> Result<Option<Self>, Malformed> {
        let Some(&[magic, tag, h0, h1, b0, b1, b2, b3]) = bytes.first_chunk::<PREFIX_BYTES>()
        else {
            return match bytes.first() {
                Some(&first) if first != MAGIC => Err(Malformed::Magic(first)),
                _ => Ok(None),
            };
        };
        if magic != MAGIC {
            return Err(Malformed::Magic(magic));
        }
        let header = usize::from(u16::from_le_bytes([h0, h1]));
        let body = u32::from_le_bytes([b0, b1, b2, b3]) as usize;
        if header > HEADER_BYTES_MAX {
            return Err(Malformed::HeaderLength(header));
        }
        if body > BODY_BYTES_MAX {
            return Err(Malformed::BodyLength(body));
        }
        Ok(Some(Self { tag, header, body }))
    }

    /// Bytes of the whole frame.
    pub const fn frame_bytes(&self) -> usize {
        PREFIX_BYTES + self.header + self.body
    }
}

/// The bytes of one frame, cut out of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawFrame<'a> {
    /// What the frame is.
    pub tag: u8,
    /// Its encoded header.
    pub header: &'a [u8],
    /// Its body.
    pub body: &'a [u8],
    /// All of it, prefix included.
    pub bytes: &'a [u8],
}

impl RawFrame<'_> {
    /// Whether this is a `Ping` or a `Stop`, which do not wait for what came first.
    pub const fn is_urgent(&self) -> bool {
        matches!(self.tag, super::PING | super::STOP)
    }
}

/// Cuts the first whole frame off `bytes`; `None` until it is complete.
pub fn split(bytes: &[u8]) -> Result<Option<RawFrame<'_>>, Malformed> {
    let Some(prefix) = Prefix::read(bytes)? else {
        return Ok(None);
    };
    let Some(frame) = bytes.get(..prefix.frame_bytes()) else {
        return Ok(None);
    };
    let (header, body) = frame.split_at(PREFIX_BYTES).1.split_at(prefix.header);
    Ok(Some(RawFrame {
        tag: prefix.tag,
        header,
        body,
        bytes: frame,
    }))
}
