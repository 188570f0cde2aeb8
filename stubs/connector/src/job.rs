//! One connection, from its order to its outcome.
//!
//! read → resolve → check each address → dial those that may be
//!
//! The addresses that were checked are the ones that are dialled: nothing is
//! resolved a second time, so that an answer that changes in between changes nothing.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::time::Duration;

use protocol::Code;
use protocol::dial::{Connect, Transport};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::class;
use crate::host::{self, Host};
use crate::names::{ADDRESSES_MAX, Names};
use crate::race;

/// What is to be connected.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) number: u64,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) transport: Transport,
    pub(crate) allow_private: bool,
    pub(crate) within: Duration,
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) code: Code,
    pub(crate) reason: String,
}

impl Failed {
    pub(crate) fn new(code: Code, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
        }
    }

    pub(crate) fn of(doing: &str, error: &io::Error) -> Self {
        let code = match error.kind() {
            io::ErrorKind::PermissionDenied => Code::FAILED,
            io::ErrorKind::AddrInUse => Code::CONFLICT,
            io::ErrorKind::TimedOut => Code::TIMEOUT,
            _ => Code::UNAVAILABLE,
        };
        Self::new(code, format!("cannot {doing}: {error}"))
    }
}

impl Job {
    pub(crate) fn new(connect: &Connect<'_>) -> Self {
        Self {
            number: connect.job,
            host: connect.host.to_owned(),
            port: connect.port,
            transport: connect.transport,
            allow_private: connect.allow_private,
            within: Duration::from_millis(u64::from(connect.wait_ms)),
        }
    }

    /// How it is told of.
    pub(crate) fn place(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Connects, within its time.
    pub(crate) async fn connect(&self, names: &Names) -> Result<(OwnedFd, SocketAddr), Failed> {
        match timeout(self.within, self.connect_at_leisure(names)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failed::new(
                Code::TIMEOUT,
                format!(
                    "`{}` did not answer within {} ms",
                    self.place(),
                    self.within.as_millis()
                ),
            )),
        }
    }

    async fn connect_at_leisure(&self, names: &Names) -> Result<(OwnedFd, SocketAddr), Failed> {
        if self.port == 0 {
            return Err(Failed::new(Code::BAD_REQUEST, "port 0 cannot be dialled"));
        }
        let addresses = self.addresses(names).await?;
        let dialled = match self.transport {
            Transport::Udp => self.connect_udp(&addresses).await,
            Transport::Tcp | Transport::Listen => self.connect_tcp(&addresses).await,
        };
        dialled.map_err(|error| Failed::of(&format!("reach `{}`", self.place()), &error))
    }

    async fn addresses(&self, names: &Names) -> Result<Vec<IpAddr>, Failed> {
        let host = host::read(&self.host).map_err(|what| {
            Failed::new(Code::BAD_REQUEST, format!("host `{}`: {what}", self.host))
        })?;
        let all = match host {
            Host::Address(ip) => vec![ip],
            Host::Name(name) => {
                let found = names.resolve(&name).await;
                race::interleaved(found.map_err(|(code, reason)| Failed { code, reason })?)
            }
        };
        let mut refused = None;
        let mut permitted = Vec::new();
        for ip in all {
            match class::refusal(ip, self.allow_private) {
                None => permitted.push(ip),
                Some(word) => refused = Some((ip, word)),
            }
        }
        permitted.truncate(ADDRESSES_MAX);
        match refused {
            Some((ip, word)) if permitted.is_empty() => Err(self.not_public(ip, word)),
            _ => Ok(permitted),
        }
    }

    fn not_public(&self, ip: IpAddr, word: &str) -> Failed {
        let is_private = matches!(class::of(ip), class::Class::Private(_));
        let remedy = if is_private && !self.allow_private {
            ", which takes a grant with `private`"
        } else {
            ", which is never dialled"
        };
        let reason = if self.host.parse() == Ok(ip) {
            format!("{ip} is {word}{remedy}")
        } else {
            format!("`{}` is {ip}: {word}{remedy}", self.host)
        };
        Failed::new(Code::FORBIDDEN, reason)
    }

    async fn connect_tcp(&self, addresses: &[IpAddr]) -> io::Result<(OwnedFd, SocketAddr)> {
        let stream = race::connect(addresses, self.port).await?;
        let peer = stream.peer_addr()?;
        Ok((stream.into_std()?.into(), peer))
    }

    // A datagram's peer does not answer: the first address that there is a way to.
    async fn connect_udp(&self, addresses: &[IpAddr]) -> io::Result<(OwnedFd, SocketAddr)> {
        let mut failure = io::Error::other("there is no address to dial");
        for ip in addresses {
            let any: SocketAddr = match ip {
                IpAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
                IpAddr::V6(_) => ([0_u16; 8], 0).into(),
            };
            let peer = SocketAddr::new(*ip, self.port);
            let socket = UdpSocket::bind(any).await?;
            match socket.connect(peer).await {
                Ok(()) => return Ok((socket.into_std()?.into(), peer)),
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }
}
