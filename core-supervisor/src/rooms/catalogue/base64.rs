//! Base64, as descriptors carry code in it. Strict: one text has one reading.

/// Decodes standard base64; line breaks and spaces are skipped, padding may be absent.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    let mut padding = 0;
    for (at, c) in text.bytes().enumerate() {
        if c.is_ascii_whitespace() {
            continue;
        }
        if c == b'=' {
            padding += 1;
            continue;
        }
        let value = value(c).filter(|_| padding == 0);
        let value = value.ok_or_else(|| format!("character {at} is not base64"))?;
        held = (held << 6) | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).unwrap_or_default());
        }
    }
    // A rest that is no whole byte must be zero, or two texts would mean the same.
    if padding > 2 || bits >= 6 || held & ((1 << bits) - 1) != 0 {
        return Err("the end of the base64 text is missing".to_owned());
    }
    Ok(bytes)
}

fn value(c: u8) -> Option<u8> {
    Some(match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_has_one_reading() {
        assert_eq!(decode("aGVsbG8="), Ok(b"hello".to_vec()));
        assert_eq!(decode("aGVs\nbG8"), Ok(b"hello".to_vec()));
        assert_eq!(decode(""), Ok(Vec::new()));
        assert!(decode("aGVsbG9").is_err()); // the same bytes with other unused bits
        assert!(decode("a").is_err());
        assert!(decode("aGV=sbG8").is_err());
        assert!(decode("aGVs!").is_err());
        assert!(decode("aGVs===").is_err());
    }
}
