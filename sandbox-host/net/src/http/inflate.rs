//! Bodies that come compressed (RFC 9110 §8.4.1.3).

use std::io::{self, Write as _};

use bytes::{Buf as _, Bytes};
use flate2::write::MultiGzDecoder;
use hyper::header::{self, HeaderMap, HeaderValue};

use crate::limits::INFLATED_AT_ONCE_BYTES;

/// What is asked for when the caller asks for nothing.
pub(super) const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// Undoes `gzip`, no more of it at once than the reader can hold.
pub(super) struct Inflate {
    decoder: MultiGzDecoder<Vec<u8>>,
    waiting: Bytes,
    has_begun: bool,
}

impl Inflate {
    /// For an answer whose head says that it is compressed; the head then says no more
    /// of that, nor of a length that is not the body's.
    pub(super) fn of(headers: &mut HeaderMap) -> Option<Self> {
        let coding = headers.get(header::CONTENT_ENCODING)?.as_bytes();
        if !(coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip")) {
            return None;
        }
        headers.remove(header::CONTENT_ENCODING);
        headers.remove(header::CONTENT_LENGTH);
        Some(Self {
            decoder: MultiGzDecoder::new(Vec::new()),
            waiting: Bytes::new(),
            has_begun: false,
        })
    }

    /// Takes what came; everything before it has been read out.
    pub(super) fn put(&mut self, piece: Bytes) {
        self.has_begun |= !piece.is_empty();
        self.waiting = piece;
    }

    /// The next piece of what came.
    pub(super) fn next(&mut self) -> io::Result<Option<Bytes>> {
        while self.waiting.has_remaining() {
            let some = self.waiting.len().min(INFLATED_AT_ONCE_BYTES);
            self.decoder.write_all(&self.waiting.split_to(some))?;
            if let Some(piece) = self.written() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }

    /// The last piece, once everything has come: an error when it is not all.
    pub(super) fn finish(&mut self) -> io::Result<Option<Bytes>> {
        if self.has_begun {
            self.decoder.try_finish()?;
        }
        Ok(self.written())
    }

    fn written(&mut self) -> Option<Bytes> {
        let piece = std::mem::take(self.decoder.get_mut());
        (!piece.is_empty()).then(|| piece.into())
    }
}
