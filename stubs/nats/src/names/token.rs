//! One word of a subject for any text, and back.
//!
//! | in the text | in the token |
//! |---|---|
//! | letters, digits, `-` | themselves |
//! | `/` | `_` |
//! | `.` `:` `@` `_` `=` | `=d` `=c` `=a` `=u` `==` |
//! | any other byte | `=x` and two hexadecimal digits |
//!
//! Injective: the table has one line for each byte, no token is the beginning of
//! two readings, and [`unescape`] refuses every spelling that the table does not
//! write. What a key-value table of JetStream allows in a key is a superset.

/// The token of one address.
///
/// The longest published address (140 bytes) takes 200. A subject has at most two
/// tokens of this length in a line of 4,096 bytes, beside two of runtimes.
pub const ADDRESS_TOKEN_BYTES_MAX: usize = 1536;

/// The token of one runtime.
///
/// Consumers have it as their name, which servers use as the name of a folder: 255
/// bytes. A domain of 60 characters and a UUID take 110.
pub const RUNTIME_TOKEN_BYTES_MAX: usize = 200;

/// Stands for an empty text; no escaped text looks like it.
pub(super) const EMPTY: &str = "=e";

/// Why something has no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotToken {
    /// Its token would be too long.
    #[error("`{0}…` is too long for a subject: {1} bytes, at most {2}")]
    Long(String, usize, usize),
    /// Not an address of a runtime.
    #[error("`{0}` is not the address of a runtime")]
    NotRuntime(String),
    /// Not a word that may stand in front of subjects.
    #[error("`{}` is not a prefix of subjects: 1 to 32 letters, digits and `-`", .0.escape_default())]
    Prefix(String),
}

/// The token of a text.
pub(super) fn escape(text: &str, most: usize) -> Result<String, NotToken> {
    let mut token = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        match byte {
            b'/' => token.push('_'),
            b'.' => token.push_str("=d"),
            b':' => token.push_str("=c"),
            b'@' => token.push_str("=a"),
            b'_' => token.push_str("=u"),
            b'=' => token.push_str("=="),
            b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => token.push(char::from(byte)),
            other => {
                token.push_str("=x");
                token.push(hexadecimal(other >> 4));
                token.push(hexadecimal(other & 0xf));
            }
        }
    }
    if token.len() > most {
        let begin = text.chars().take(64).collect();
        return Err(NotToken::Long(begin, token.len(), most));
    }
    Ok(token)
}

/// The text whose token this is; `None` for what is no token.
pub(super) fn unescape(token: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(token.len());
    let mut rest = token.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'_' => b'/',
            b'=' => match rest.next()? {
                b'd' => b'.',
                b'c' => b':',
                b'a' => b'@',
                b'u' => b'_',
                b'=' => b'=',
                b'x' => 16 * digit(rest.next()?)? + digit(rest.next()?)?,
                _ => return None,
            },
            b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => byte,
            _ => return None,
        });
    }
    let text = String::from_utf8(bytes).ok()?;
    // `=x41` would be a second spelling of `A`.
    (escape(&text, usize::MAX).ok()? == token).then_some(text)
}

fn hexadecimal(half: u8) -> char {
    char::from_digit(half.into(), 16).unwrap_or('0')
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}
