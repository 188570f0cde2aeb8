//! The message header, and the kinds of messages (spec messaging §1).

use std::fmt;

use crate::code::Code;
use crate::limits::KIND_BYTES_MAX;

/// What a message is for: the spec's `type`.
///
/// Kinds that are not the field's own travel unchanged as [`MessageKind::Other`];
/// `READ` and `CREATE` in upper case are such (the global registry needs them).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, bincode::Encode, bincode::BorrowDecode)]
pub enum MessageKind<'a> {
    /// Creates or announces something.
    Create,
    /// Asks for something.
    Read,
    /// Tells of a change.
    Update,
    /// Removes something.
    Delete,
    /// Asks to be told of changes.
    Subscribe,
    /// Asks not to be told any more.
    Unsubscribe,
    /// Answers.
    Response,
    /// Carries another message in its body.
    Forward,
    /// Calls a method: `body.method`, `body.params`.
    Execute,
    /// Tells something once; nobody answers.
    Event,
    /// Any other word, at most [`KIND_BYTES_MAX`] bytes; see [`Self::is_well_formed`].
    Other(&'a str),
}

impl<'a> MessageKind<'a> {
    /// The kind whose `type` text this is.
    pub fn parse(text: &'a str) -> Self {
        match text {
            "create" => Self::Create,
            "read" => Self::Read,
            "update" => Self::Update,
            "delete" => Self::Delete,
            "subscribe" => Self::Subscribe,
            "unsubscribe" => Self::Unsubscribe,
            "response" => Self::Response,
            "forward" => Self::Forward,
            "execute" => Self::Execute,
            "event" => Self::Event,
            other => Self::Other(other),
        }
    }

    /// The text of `type`.
    pub const fn as_str(&self) -> &'a str {
        match self {
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Subscribe => "subscribe",
            Self::Unsubscribe => "unsubscribe",
            Self::Response => "response",
            Self::Forward => "forward",
            Self::Execute => "execute",
            Self::Event => "event",
            Self::Other(text) => text,
        }
    }

    /// Whether this kind may travel: a word, and the only spelling of it.
    ///
    /// `Other("read")` may not: a receiver would take it for a `read`, while no
    /// rule about `read` would have seen one.
    pub fn is_well_formed(&self) -> bool {
        let Self::Other(word) = self else {
            return true;
        };
        let is_letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        let is_word = !word.is_empty() && word.bytes().all(is_letter);
        is_word && word.len() <= KIND_BYTES_MAX && Self::parse(word) == *self
    }

    /// Whether a message of this kind may be answered.
    pub const fn is_request(&self) -> bool {
        !matches!(self, Self::Response | Self::Event)
    }
}

impl fmt::Display for MessageKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the sender of a message expects to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, bincode::Encode, bincode::Decode)]
pub enum Reply {
    /// Nothing: an answer would be refused as an answer to no request.
    Unwanted,
    /// An answer may come; the sender keeps its own time.
    ///
    /// What the mini-bus of a script sends: its own 15 s timer is authoritative
    /// (spec messaging §3.3), so the core must not answer 408 beside it.
    Untimed,
    /// An answer must come within so many milliseconds, else the core answers 408.
    Within(u32),
}

/// One message: a header that the core reads, and a body that it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Everything the core decides by.
    pub header: Header<'a>,
    /// JSON text, UTF-8; opaque to the core unless a rule names a path in it.
    pub body: &'a [u8],
}

/// The header of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::BorrowDecode)]
pub struct Header<'a> {
    /// The sender's own number; (`from`, `id`) names a request until it is answered.
    pub id: u64,
    /// What the message is for.
    pub kind: MessageKind<'a>,
    /// The author's address, in the author's spelling.
    pub from: &'a str,
    /// The destination, in the author's spelling: receivers match on it as text.
    pub to: &'a str,
    /// For a response the number in its body; [`Code::NONE`] otherwise.
    pub code: Code,
    /// What the sender expects to come back.
    pub reply: Reply,
    /// JSON object text of further top-level members, or empty.
    ///
    /// Some published components add `identity` beside `body`; it is carried
    /// through unchanged (spec messaging §1.1).
    pub members: &'a str,
}

impl<'a> Message<'a> {
    /// A message that wants no answer.
    pub const fn new(kind: MessageKind<'a>, from: &'a str, to: &'a str, body: &'a [u8]) -> Self {
        let header = Header {
            id: 0,
            kind,
            from,
            to,
            code: Code::NONE,
            reply: Reply::Unwanted,
            members: "",
        };
        Self { header, body }
    }

    /// The same with the sender's number.
    #[must_use]
    pub const fn with_id(mut self, id: u64) -> Self {
        self.header.id = id;
        self
    }

    /// The same, expecting `reply`.
    #[must_use]
    pub const fn expecting(mut self, reply: Reply) -> Self {
        self.header.reply = reply;
        self
    }

    /// The answer to this message: same number, addresses swapped (spec messaging §1.4).
    #[must_use]
    pub const fn answer(&self, code: Code, body: &'a [u8]) -> Self {
        let header = Header {
            id: self.header.id,
            kind: MessageKind::Response,
            from: self.header.to,
            to: self.header.from,
            code,
            reply: Reply::Unwanted,
            members: "",
        };
        Self { header, body }
    }
}
