//! How a WebSocket is opened, and what it may cost.

use std::time::Duration;

use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use crate::error::{Error, quoted};
use crate::limits::{HEAD_WAIT, MESSAGE_BYTES_MAX, PING_AFTER};

/// How a WebSocket is opened; [`Options::default`] suits most servers.
#[derive(Debug, Clone)]
pub struct Options {
    pub(crate) protocols: Vec<String>,
    pub(crate) headers: HeaderMap,
    pub(crate) wait: Duration,
    pub(crate) message_bytes: usize,
    pub(crate) ping_after: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            protocols: Vec::new(),
            headers: HeaderMap::new(),
            wait: HEAD_WAIT,
            message_bytes: MESSAGE_BYTES_MAX,
            ping_after: PING_AFTER,
        }
    }
}

impl Options {
    /// Offers a subprotocol, after those that were offered before.
    #[must_use]
    pub fn protocol(mut self, name: &str) -> Self {
        self.protocols.push(name.to_owned());
        self
    }

    /// Adds a header to the handshake, e.g. `authorization`.
    ///
    /// # Errors
    /// [`Error::Request`] for what is no header, and for those of the handshake itself.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, Error> {
        let bad = |what| Error::Request(format!("`{}` {what}", quoted(name)));
        let key =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad("is no header's name"))?;
        let text = key.as_str();
        if matches!(
            text,
            "connection" | "host" | "upgrade" | "content-length" | "transfer-encoding"
        ) || text.starts_with("sec-websocket-")
        {
            return Err(bad("is set by the runtime"));
        }
        let value =
            HeaderValue::from_str(value).map_err(|_| bad("has a value that is not one line"))?;
        self.headers.append(key, value);
        Ok(self)
    }

    /// How long opening it may take: the dial, TLS and the server's answer together.
    #[must_use]
    pub const fn within(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// How long a message may be that comes; a longer one ends the connection.
    #[must_use]
    pub const fn message_bytes(mut self, most: usize) -> Self {
        self.message_bytes = most;
        self
    }

    /// After so long in silence the other end is pinged, and after as long again given up.
    #[must_use]
    pub const fn ping_after(mut self, silence: Duration) -> Self {
        self.ping_after = silence;
        self
    }
}
