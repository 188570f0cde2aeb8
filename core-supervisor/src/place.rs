//! A place of the network, in the one spelling that grants and rules see.

use core::net::{IpAddr, Ipv6Addr};

use protocol::Address;
use protocol::api::connections::Pattern;
use protocol::dial::Transport;
use protocol::limits::HOST_BYTES_MAX;

/// A host, a port, and the kind of socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The name in small letters without a dot at its end, or the address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// What kind of socket.
    pub transport: Transport,
    /// Whether addresses that are not public may be reached.
    pub private: bool,
}

impl Place {
    /// Reads what a component asks for; the error says what is wrong with it.
    pub fn read(host: &str, port: u16, transport: Transport) -> Result<Self, String> {
        if host.len() > HOST_BYTES_MAX {
            return Err(format!(
                "a host's name of {} bytes is longer than {HOST_BYTES_MAX}",
                host.len()
            ));
        }
        if port == 0 && transport != Transport::Listen {
            return Err("port 0 cannot be dialled".to_owned());
        }
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
        let is_host = host.bytes().all(is_plain);
        let place = Self {
            host: canonical(host),
            port,
            transport,
            private: false,
        };
        match place.address() {
            Some(_) if is_host => Ok(place),
            _ => Err(format!(
                "`{}` is neither a name nor an address",
                host.escape_debug()
            )),
        }
    }

    /// Reads a URL of a host, as people write it: `https://example.org:8443/x`,
    /// `tcp://nas.lan:445`. `None` when it is no such URL.
    pub fn of_url(text: &str) -> Option<Result<Self, String>> {
        let (scheme, rest) = text.split_once("://")?;
        let (transport, usual) = match scheme {
            "https" | "wss" => (Transport::Tcp, 443),
            "http" | "ws" => (Transport::Tcp, 80),
            "tcp" => (Transport::Tcp, 0),
            "udp" => (Transport::Udp, 0),
            "listen" => (Transport::Listen, 0),
            _ => return None,
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let read = host_and_port(authority, usual);
        let bad = || format!("`{}` is not `{scheme}://HOST:PORT`", text.escape_debug());
        Some(
            read.ok_or_else(bad)
                .and_then(|(host, port)| Self::read(host, port, transport)),
        )
    }

    /// The same with or without addresses that are not public.
    #[must_use]
    pub fn with_private(&self, private: bool) -> Self {
        Self {
            private,
            ..self.clone()
        }
    }

    /// How rules name it: `tcp://example.org/443`, and `/private` behind it.
    pub fn address(&self) -> Option<Address> {
        let private = if self.private { "/private" } else { "" };
        let host = match self.host.parse() {
            Ok(IpAddr::V6(ip)) => ip6_name(ip),
            _ => self.host.clone(),
        };
        let transport = self.transport;
        format!("{transport}://{host}/{}{private}", self.port)
            .parse()
            .ok()
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Reads a pattern as it is written; the error says what is wrong with it.
pub(crate) fn checked(mut pattern: Pattern) -> Result<Pattern, String> {
    let (below, host) = match pattern.host.strip_prefix("*.") {
        Some(host) => ("*.", host),
        None => ("", pattern.host.as_str()),
    };
    let port = match (pattern.port, pattern.protocol) {
        (0, Transport::Tcp | Transport::Udp) => 1,
        (port, _) => port,
    };
    if below == "*." && host.parse::<IpAddr>().is_ok() {
        return Err("an address has nothing below it".to_owned());
    }
    let host = if pattern.host == "*" {
        "*".to_owned()
    } else {
        format!("{below}{}", Place::read(host, port, pattern.protocol)?.host)
    };
    pattern.host = host;
    Ok(pattern)
}

// `HOST`, `HOST:PORT`, `[IPV6]` or `[IPV6]:PORT`.
fn host_and_port(authority: &str, usual: u16) -> Option<(&str, u16)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = match port.strip_prefix(':') {
        Some(port) => port.parse().ok()?,
        None => port.is_empty().then_some(usual)?,
    };
    Some((host, port))
}

/// A host in its one spelling.
pub(crate) fn canonical(host: &str) -> String {
    match host.parse::<IpAddr>() {
        Ok(ip) => ip.to_string(),
        Err(_) => host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase(),
    }
}

// Addresses of ours have no colons in their domain: all eight groups, with dashes.
fn ip6_name(ip: Ipv6Addr) -> String {
    let groups: Vec<String> = ip
        .segments()
        .iter()
        .map(|part| format!("{part:x}"))
        .collect();
    format!("{}.ip6", groups.join("-"))
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_host_is_read_off_a_url() {
        let read = |text: &str| Some(Place::of_url(text)?.ok()?.address()?.as_str().to_owned());
        let is = |text: &str| Some(text.to_owned());

        assert_eq!(read("https://Example.org/x?y"), is("tcp://example.org/443"));
        assert_eq!(read("ws://10.0.0.1:8080/ws"), is("tcp://10.0.0.1/8080"));
        assert_eq!(read("udp://[::1]:53"), is("udp://0-0-0-0-0-0-0-1.ip6/53"));
        assert_eq!(read("listen://0.0.0.0"), is("listen://0.0.0.0/0"));
        for wrong in [
            "tcp://nas.lan",
            "https://",
            "https://a:99999",
            "https://u@a",
            "https://[::1",
            "hyperty://a.example/1",
            "example.org:443",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
