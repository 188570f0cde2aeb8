//! A WebSocket client (RFC 6455), without extensions.
//!
//! Pings are answered, and sent when the other end is silent: a connection whose
//! far end is gone ends within twice [`PING_AFTER`](crate::limits::PING_AFTER).

mod frames;
mod halves;
mod handshake;
mod options;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

use self::frames::{Frames, Shared};
pub use self::halves::{Receiver, Sender};
pub use self::options::Options;
use crate::error::Error;
use crate::limits::CLOSE_WAIT;
use crate::network::Inner;
use crate::tasks::within;

/// The code of a close that carried none (RFC 6455 §7.1.5).
pub const NO_CODE: u16 = 1005;

/// Something that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A text.
    Text(String),
    /// Bytes.
    Binary(Bytes),
    /// The end, agreed by both.
    Closed(Closed),
}

/// How the other end has closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// Its code; [`NO_CODE`] when it said none.
    pub code: u16,
    /// Its reason, often empty.
    pub reason: String,
}

/// An open WebSocket. Dropping it ends the connection without a close.
pub struct WebSocket {
    sender: Sender,
    receiver: Receiver,
}

/// What was agreed in the handshake.
struct Agreed {
    frames: Frames,
    host: String,
    protocol: String,
}

impl WebSocket {
    pub(crate) async fn open(network: &Inner, url: &str, options: Options) -> Result<Self, Error> {
        let silence = options.ping_after;
        let agreed = handshake::open(network, url, options).await?;
        let shared = Arc::new(Shared::new(agreed.frames));
        let receiver = Receiver::new(&shared, &network.tasks, &agreed.host, silence);
        let sender = Sender {
            shared,
            tasks: Arc::clone(&network.tasks),
            host: agreed.host,
            protocol: agreed.protocol,
        };
        Ok(Self { sender, receiver })
    }

    /// Waits for what comes. May be dropped before it is done: nothing is lost.
    ///
    /// # Errors
    /// As [`Receiver::recv`].
    pub async fn recv(&mut self) -> Result<Event, Error> {
        self.receiver.recv().await
    }

    /// Sends a text.
    ///
    /// # Errors
    /// As [`Sender::send_text`].
    pub async fn send_text(&mut self, text: impl Into<String>) -> Result<(), Error> {
        self.sender.send_text(text).await
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// As [`Sender::send_text`].
    pub async fn send_binary(&mut self, bytes: impl Into<Bytes>) -> Result<(), Error> {
        self.sender.send_binary(bytes).await
    }

    /// The subprotocol that the server chose, or nothing.
    pub fn protocol(&self) -> &str {
        self.sender.protocol()
    }

    /// Closes, and waits for the other end to agree; what it sends meanwhile is dropped.
    ///
    /// # Errors
    /// [`Error::Late`] or [`Error::Ended`] when it does not agree. The connection
    /// is gone in any case.
    pub async fn close(mut self, code: u16, reason: &str) -> Result<Closed, Error> {
        self.sender.close(code, reason).await?;
        let receiver = &mut self.receiver;
        let agreed = async {
            loop {
                if let Event::Closed(closed) = receiver.recv().await? {
                    return Ok(closed);
                }
            }
        };
        match within(&*self.sender.tasks, CLOSE_WAIT, agreed).await {
            Some(closed) => closed,
            None => Err(Error::Late {
                host: self.sender.host.clone(),
                what: "agree to close",
                wait: CLOSE_WAIT,
            }),
        }
    }

    /// Two halves, for two tasks: a peer that does not read must not keep us from reading.
    pub fn split(self) -> (Sender, Receiver) {
        (self.sender, self.receiver)
    }
}

/// Whether it is code 1000 or one of the application's own.
pub const fn may_close_with(code: u16) -> bool {
    code == 1000 || (code >= 3000 && code <= 4999)
}

impl fmt::Debug for WebSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebSocket(to `{}`)", self.sender.host)
    }
}
