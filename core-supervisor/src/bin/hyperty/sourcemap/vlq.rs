//! The numbers of a source map: base 64, five bits a digit, the sign in the lowest bit.

/// Bits of a number beyond which no file can reach.
const BITS_MAX: u32 = 31;

/// What is wrong with a map's `mappings`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotVlq {
    /// Where, in bytes.
    pub(super) at: usize,
}

/// The numbers of one segment, at most five.
pub(super) fn segment(text: &[u8], offset: usize) -> Result<Vec<i64>, NotVlq> {
    let mut numbers = Vec::with_capacity(5);
    let (mut value, mut shift) = (0_i64, 0_u32);
    for (at, byte) in text.iter().enumerate() {
        let wrong = NotVlq { at: offset + at };
        let digit = digit(*byte).ok_or(wrong)?;
        if shift > BITS_MAX || numbers.len() == 5 {
            return Err(wrong);
        }
        value |= i64::from(digit & 31) << shift;
        shift += 5;
        if digit & 32 == 0 {
            let sign = if value & 1 == 1 { -1 } else { 1 };
            numbers.push(sign * (value >> 1));
            (value, shift) = (0, 0);
        }
    }
    if shift > 0 {
        return Err(NotVlq {
            at: offset + text.len(),
        });
    }
    Ok(numbers)
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

/// Base 64 as a `data:` address has it; `None` when it is not.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 3);
    for chunk in digits.chunks(4) {
        let mut bits = 0_u32;
        for byte in chunk {
            bits = bits << 6 | u32::from(digit(*byte)?);
        }
        let whole = match chunk.len() {
            4 => 3,
            3 => 2,
            2 => 1,
            _ => return None,
        };
        bits <<= 6 * (4 - chunk.len());
        bytes.extend(bits.to_be_bytes().iter().skip(1).take(whole));
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_the_format_writes_them() {
        assert_eq!(segment(b"AAAA", 0), Ok(vec![0, 0, 0, 0]));
        assert_eq!(segment(b"CAAD", 0), Ok(vec![1, 0, 0, -1]));
        assert_eq!(segment(b"2H", 0), Ok(vec![123]));
        assert_eq!(segment(b"w+Bx+B", 0), Ok(vec![1_000, -1_000]));
        assert_eq!(segment(b"", 0), Ok(vec![]));
    }

    #[test]
    fn what_is_no_number_says_where() {
        assert_eq!(segment(b"AA!A", 7), Err(NotVlq { at: 9 }));
        assert_eq!(segment(b"g", 3), Err(NotVlq { at: 4 }));
        assert!(segment(b"ggggggggggggA", 0).is_err());
        assert!(segment(b"AAAAAA", 0).is_err());
    }

    #[test]
    fn base_64_is_read_with_and_without_its_filling() {
        assert_eq!(base64("aHlwZXJ0eQ==").as_deref(), Some(&b"hyperty"[..]));
        assert_eq!(base64("aHlwZXJ0eQ").as_deref(), Some(&b"hyperty"[..]));
        assert_eq!(base64("aHlw").as_deref(), Some(&b"hyp"[..]));
        assert_eq!(base64("a"), None);
        assert_eq!(base64("a-b_"), None);
    }
}
