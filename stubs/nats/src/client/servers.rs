//! The servers of a cluster: those of the configuration, and those that it tells of.

use std::fmt;

use super::limits::SERVERS_LEARNED_MAX;
use super::pace::chance;

/// The port that NATS servers listen at unless told otherwise.
const PORT: u16 = 4222;

/// One server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its name or IP address, without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether it must speak TLS: `tls://…`.
    pub tls: bool,
}

/// Why a text is no server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadServer {
    /// Not of the form.
    #[error("`{}` is not a server: write `nats://host:4222` or `tls://host:4222`", .0.escape_default())]
    Form(String),
    /// None at all.
    #[error("no server is named: write `\"servers\": [\"nats://host:4222\"]`")]
    None,
}

impl std::str::FromStr for Server {
    type Err = BadServer;

    fn from_str(text: &str) -> Result<Self, BadServer> {
        let bad = || BadServer::Form(text.chars().take(128).collect());
        let (tls, rest) = match text.split_once("://") {
            Some(("nats", rest)) => (false, rest),
            Some(("tls", rest)) => (true, rest),
            Some(_) => return Err(bad()),
            None => (false, text),
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once(']').ok_or_else(bad)?,
            None => rest.split_at(rest.find(':').unwrap_or(rest.len())),
        };
        let port = match port.strip_prefix(':') {
            Some(port) => port.parse().map_err(|_| bad())?,
            None if port.is_empty() => PORT,
            None => return Err(bad()),
        };
        let is_letter = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        // Credentials in a URL end up in logs; they have a place of their own.
        if host.is_empty() || host.len() > 253 || !host.chars().all(is_letter) {
            return Err(bad());
        }
        let host = host.to_ascii_lowercase();
        Ok(Self { host, port, tls })
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "tls" } else { "nats" };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

/// All servers, in the order in which they are tried.
#[derive(Debug)]
pub struct Servers {
    all: Vec<Server>,
    configured: usize,
    at: usize,
    current: String,
}

impl Servers {
    /// Those of the configuration; the first try is any of them.
    pub fn new<T: AsRef<str>>(texts: &[T]) -> Result<Self, BadServer> {
        let servers: Result<Vec<Server>, _> = texts.iter().map(|t| t.as_ref().parse()).collect();
        let servers = servers?;
        if servers.is_empty() {
            return Err(BadServer::None);
        }
        let count = u32::try_from(servers.len()).unwrap_or(1);
        let any = (chance() * f64::from(count)).floor();
        let at = (0..count)
            .find(|n| f64::from(*n) >= any)
            .unwrap_or_default();
        Ok(Self {
            configured: servers.len(),
            all: servers,
            at: at as usize,
            current: String::new(),
        })
    }

    /// The one that was tried last.
    pub(super) fn current(&self) -> &str {
        &self.current
    }

    /// The next one to try.
    pub(super) fn next(&mut self) -> Server {
        self.at = (self.at + 1) % self.all.len();
        let next = self.all.get(self.at).or_else(|| self.all.first());
        let next = next.cloned().unwrap_or_else(|| Server {
            host: String::new(),
            port: PORT,
            tls: false,
        });
        self.current = next.to_string();
        next
    }

    /// The cluster told of these; they must be as safe as those of the configuration.
    pub(super) fn learn(&mut self, urls: &[String]) {
        let tls = self
            .all
            .iter()
            .take(self.configured)
            .any(|server| server.tls);
        for url in urls.iter().take(SERVERS_LEARNED_MAX) {
            let Ok(server) = url.parse::<Server>() else {
                continue;
            };
            let is_known = |known: &Server| known.host == server.host && known.port == server.port;
            let has_room = self.all.len() < self.configured + SERVERS_LEARNED_MAX;
            if has_room && !self.all.iter().any(is_known) {
                self.all.push(Server { tls, ..server });
            }
        }
    }

    /// The one that was tried last may not be reached; those of the configuration stay.
    pub(super) fn forget(&mut self) {
        if self.at >= self.configured && self.at < self.all.len() {
            self.all.remove(self.at);
            self.at = self.at.saturating_sub(1);
        }
    }
}
