//! Headers and datagrams ⇄ bytes: the only use of the header codec.

use bincode::config::{self, Configuration, Limit};

use super::fault::{Malformed, TooLarge};
use super::prefix::MAGIC;
use crate::limits::{BODY_BYTES_MAX, HEADER_BYTES_MAX, PREFIX_BYTES};
use crate::nursery::DATAGRAM_BYTES_MAX;

/// Encodes a datagram of the nursery.
pub fn datagram<T: bincode::Encode>(value: &T) -> Result<Vec<u8>, TooLarge> {
    match bincode::encode_to_vec(value, config()) {
        Ok(bytes) if bytes.len() <= DATAGRAM_BYTES_MAX => Ok(bytes),
        _ => Err(TooLarge::Datagram),
    }
}

/// Decodes a datagram of the nursery; every byte of it must be used.
pub fn read_datagram<'a, T: bincode::BorrowDecode<'a, ()>>(
    bytes: &'a [u8],
) -> Result<T, Malformed> {
    read(bytes)
}

// The codec counts each integer with its full width, not with the bytes it takes
// on the wire: without this slack a header just inside the bound could be written
// but not read. No header has more than 16 integers, lengths included.
const COUNTED_BYTES_MAX: usize = HEADER_BYTES_MAX + 16 * size_of::<u64>();

const fn config() -> Configuration<config::LittleEndian, config::Varint, Limit<COUNTED_BYTES_MAX>> {
    config::standard().with_limit::<COUNTED_BYTES_MAX>()
}

// The codec leaves bytes behind without a word, so their number is checked here.
pub(super) fn read<'a, T: bincode::BorrowDecode<'a, ()>>(header: &'a [u8]) -> Result<T, Malformed> {
    match bincode::borrow_decode_from_slice(header, config()) {
        Ok((value, used)) if used == header.len() => Ok(value),
        _ => Err(Malformed::Header),
    }
}

pub(super) fn write<T: bincode::Encode>(
    out: &mut Vec<u8>,
    tag: u8,
    header: &T,
    body: &[u8],
) -> Result<(), TooLarge> {
    if body.len() > BODY_BYTES_MAX {
        return Err(TooLarge::Body(body.len()));
    }
    let start = out.len();
    out.extend_from_slice(&[MAGIC, tag, 0, 0, 0, 0, 0, 0]);
    let encoded = encode_header(out, header).and_then(|bytes| u16::try_from(bytes).ok());
    let (Some(header_bytes), Ok(body_bytes)) = (encoded, u32::try_from(body.len())) else {
        out.truncate(start);
        return Err(TooLarge::Header);
    };
    if let Some(prefix) = out.get_mut(start + 2..start + PREFIX_BYTES) {
        let (header_length, body_length) = prefix.split_at_mut(2);
        header_length.copy_from_slice(&header_bytes.to_le_bytes());
        body_length.copy_from_slice(&body_bytes.to_le_bytes());
    }
    out.extend_from_slice(body);
    Ok(())
}

// `None` when the header is longer than a header may be.
fn encode_header<T: bincode::Encode>(out: &mut Vec<u8>, header: &T) -> Option<usize> {
    struct Appender<'v>(&'v mut Vec<u8>);

    impl bincode::enc::write::Writer for Appender<'_> {
        fn write(&mut self, bytes: &[u8]) -> Result<(), bincode::error::EncodeError> {
            self.0.extend_from_slice(bytes);
            Ok(())
        }
    }

    let start = out.len();
    bincode::encode_into_writer(header, Appender(out), config()).ok()?;
    let written = out.len() - start;
    (written <= HEADER_BYTES_MAX).then_some(written)
}
