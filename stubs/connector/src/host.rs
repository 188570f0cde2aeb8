//! What a host's text is.
//!
//! An address has one spelling here: `127.1`, `0177.0.0.1`, `0x7f000001` and
//! `2130706433` are addresses to a C library and names to others, so that a check
//! by one is no check for the other. They are no names either: the last label of a
//! name is never a number (WHATWG URL §3.5), and nothing that begins with `0x`.

use std::net::{IpAddr, Ipv6Addr};

/// A host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    /// An address.
    Address(IpAddr),
    /// A name, in small letters, without a dot at its end.
    Name(String),
}

/// Reads a host; the error says what is wrong with it.
pub(crate) fn read(text: &str) -> Result<Host, &'static str> {
    if let Ok(ip) = text.parse::<IpAddr>() {
        return Ok(Host::Address(ip));
    }
    if text.contains([':', '%', '[', ']']) {
        return Err(match text.split_once('%') {
            Some((ip, _)) if ip.parse::<Ipv6Addr>().is_ok() => {
                "an address with a zone is not dialled"
            }
            _ => "it is neither a name nor an address",
        });
    }
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    if name.is_empty() || name.len() > 253 || !name.split('.').all(is_label) {
        return Err("it is neither a name nor an address");
    }
    let last = name.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) || is_hexadecimal(last) {
        return Err("it is an odd spelling of an address: write four numbers");
    }
    Ok(Host::Name(name))
}

// Underscores are no part of a host's name, and of many hosts' names all the same.
fn is_label(label: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !label.is_empty() && label.len() <= 63 && label.bytes().all(is_plain)
}

fn is_hexadecimal(label: &str) -> bool {
    let digits = label.strip_prefix("0x");
    digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_small_and_has_no_dot_at_its_end() {
        let name = |text: &str| Ok(Host::Name(text.to_owned()));

        assert_eq!(read("Example.ORG."), name("example.org"));
        assert_eq!(read("localhost"), name("localhost"));
        assert_eq!(
            read("_sip.xn--bcher-kva.example"),
            name("_sip.xn--bcher-kva.example")
        );
        assert_eq!(read("1.example"), name("1.example"));
    }

    #[test]
    fn an_address_has_one_spelling() {
        let address = |text: &str| Ok(Host::Address(text.parse().unwrap()));

        assert_eq!(read("192.0.2.1"), address("192.0.2.1"));
        assert_eq!(read("2001:DB8::1"), address("2001:db8::1"));
        for odd in [
            "127.1",
            "0177.0.0.1",
            "017700000001",
            "0x7f.0.0.1",
            "0x7f000001",
            "0x7F.1",
            "2130706433",
            "127.0.0.1.",
            "127.0.0.01",
            "1.2.3.4.5",
            "0x",
        ] {
            assert!(read(odd).is_err(), "{odd} was taken for {:?}", read(odd));
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for bad in [
            "",
            ".",
            "a..b",
            "a b",
            "a/b",
            "a@b",
            "fe80::1%eth0",
            "[::1]",
            "host:80",
            "ex\u{e4}mple.org",
            "a\0.org",
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
        assert!(read(&"a".repeat(63)).is_ok());
        assert!(read(&"a".repeat(64)).is_err());
    }
}
