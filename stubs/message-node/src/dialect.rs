//! The two makes of message nodes, and how a message is framed for each.
//!
//! | | Vertx, hyperty-node | Node.js |
//! |---|---|---|
//! | frames | one JSON text for each message | Engine.IO 3 and Socket.IO 2 over WebSocket |
//! | subscription | `resources` | `subscribe`, `unsubscribe` |
//! | registry | `domain://registry.<d>` | `domain://registry.<d>/` |

use serde_json::value::RawValue;

/// The makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Plain text frames.
    Vertx,
    /// Socket.IO.
    Nodejs,
}

/// What a text frame means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// The socket can be spoken on now.
    Ready,
    /// A message, as JSON text.
    Message(String),
    /// A sign of life.
    Alive,
    /// The node wants an end.
    Bye,
    /// Nothing that is known.
    Unknown,
}

impl Dialect {
    /// Whether one may speak as soon as the socket is open.
    pub const fn is_ready_at_once(self) -> bool {
        matches!(self, Self::Vertx)
    }

    /// What a frame means.
    pub fn read(self, text: &str) -> Frame {
        if self == Self::Vertx {
            return Frame::Message(text.to_owned());
        }
        // Engine.IO: 0 open, 1 close, 2 ping, 3 pong, 4 message; within it Socket.IO:
        // 0 connect, 1 disconnect, 2 event.
        match text.as_bytes() {
            [b'4', b'0', ..] => Frame::Ready,
            [b'4', b'2', rest @ ..] => event(rest),
            [b'4', b'1', ..] | [b'1', ..] => Frame::Bye,
            [b'0' | b'2' | b'3', ..] => Frame::Alive,
            _ => Frame::Unknown,
        }
    }

    /// The frame that carries a message.
    pub fn write(self, message: String) -> String {
        match self {
            Self::Vertx => message,
            // As a text within the text: what the published stub sends.
            Self::Nodejs => format!("42{}", serde_json::json!(["message", message])),
        }
    }

    /// The frame that asks for a sign of life, where the protocol wants one of its own.
    pub const fn ping(self) -> Option<&'static str> {
        match self {
            Self::Vertx => None,
            Self::Nodejs => Some("2"),
        }
    }

    /// The name of the list in a subscription.
    pub const fn list(self, is_wanted: bool) -> &'static str {
        match (self, is_wanted) {
            (Self::Vertx, _) => "resources",
            (Self::Nodejs, true) => "subscribe",
            (Self::Nodejs, false) => "unsubscribe",
        }
    }
}

// `["message", {...}]`, or a text that holds the message.
fn event(rest: &[u8]) -> Frame {
    let Ok((name, message)) = serde_json::from_slice::<(String, &RawValue)>(rest) else {
        return Frame::Unknown;
    };
    if name != "message" {
        return Frame::Unknown;
    }
    let text = serde_json::from_str::<String>(message.get());
    Frame::Message(text.unwrap_or_else(|_| message.get().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn socket_io_carries_messages_both_ways() {
        let message = r#"{"id":1}"#.to_owned();

        let sent = Dialect::Nodejs.write(message.clone());

        assert_eq!(sent, r#"42["message","{\"id\":1}"]"#);
        assert_eq!(Dialect::Nodejs.read(&sent), Frame::Message(message.clone()));
        assert_eq!(
            Dialect::Nodejs.read(r#"42["message",{"id":1}]"#),
            Frame::Message(message)
        );
        assert_eq!(Dialect::Nodejs.read("40"), Frame::Ready);
        assert_eq!(Dialect::Nodejs.read("41"), Frame::Bye);
        assert_eq!(Dialect::Nodejs.read(r#"0{"sid":"x"}"#), Frame::Alive);
        assert_eq!(Dialect::Nodejs.read(r#"42["echo",1]"#), Frame::Unknown);
        assert_eq!(Dialect::Nodejs.read("ü"), Frame::Unknown);
    }
}
