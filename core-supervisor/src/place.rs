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
