//! How many bytes a content has, by its encoding.

use protocol::api::storage::BASE64;

/// The bytes that a part stands for; `None` when it is not what it says.
pub(super) fn bytes(content: &str, encoding: &str) -> Option<u64> {
    match encoding {
        "" => Some(content.len() as u64),
        BASE64 => base64(content.as_bytes()),
        _ => None,
    }
}

// Counted, not decoded: the core has no use for the bytes.
fn base64(text: &[u8]) -> Option<u64> {
    let data = text
        .strip_suffix(b"==")
        .or(text.strip_suffix(b"="))
        .unwrap_or(text);
    let is_digit = |c: &u8| c.is_ascii_alphanumeric() || matches!(c, b'+' | b'/');
    let is_whole = text.len().is_multiple_of(4) && data.len() % 4 != 1;
    (is_whole && data.iter().all(is_digit)).then_some(data.len() as u64 * 3 / 4)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn a_part_has_as_many_bytes_as_its_text_stands_for() {
        let cases = [
            ("", 0),
            ("YQ==", 1),
            ("YWI=", 2),
            ("YWJj", 3),
            ("YWJjZA==", 4),
        ];

        for (text, expected) in cases {
            assert_eq!(bytes(text, "base64"), Some(expected), "{text}");
        }
        assert_eq!(bytes("é", ""), Some(2));
    }

    #[test]
    fn what_is_no_base64_has_no_bytes() {
        for text in ["Y", "YQ=", "YQ", "Y===", "Y Q=", "YWJjé", "=", "YQ==YQ=="] {
            assert_eq!(bytes(text, "base64"), None, "{text}");
        }
        assert_eq!(bytes("a", "gzip"), None);
    }
}
