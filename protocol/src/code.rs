//! The numbers of replies, as the field uses them (spec messaging §1.5).

use std::fmt;

/// The number in a reply's `body.code`.
///
/// Below 200 is provisional: the request goes on. 0 stands for "none given".
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, bincode::Encode, bincode::Decode,
)]
pub struct Code(pub u16);

impl Code {
    /// Not a reply, or a reply without a number.
    pub const NONE: Self = Self(0);
    /// A first sign of life; the answer follows.
    pub const TRYING: Self = Self(100);
    /// Done.
    pub const OK: Self = Self(200);
    /// The request lacks something or contradicts itself.
    pub const BAD_REQUEST: Self = Self(400);
    /// Somebody must sign in first.
    pub const UNAUTHORIZED: Self = Self(401);
    /// A rule forbids it, or no rule permits it.
    pub const FORBIDDEN: Self = Self(403);
    /// Nobody has this address.
    pub const NOT_FOUND: Self = Self(404);
    /// The room does not understand this kind of message.
    pub const NOT_ALLOWED: Self = Self(405);
    /// No answer came in time.
    pub const TIMEOUT: Self = Self(408);
    /// It is there already, or in another state than the request needs.
    pub const CONFLICT: Self = Self(409);
    /// It was there, and is not any more.
    pub const GONE: Self = Self(410);
    /// The body is longer than the receiver takes.
    pub const TOO_LARGE: Self = Self(413);
    /// It is well-formed, and not what the schema of its object demands.
    pub const UNPROCESSABLE: Self = Self(422);
    /// The sender's allowance, or the receiver's queue, is full: try later.
    pub const BUSY: Self = Self(429);
    /// It failed, and the reason says how.
    pub const FAILED: Self = Self(500);
    /// The owner of the address is not running now.
    pub const UNAVAILABLE: Self = Self(503);

    /// Whether a reply with this number ends its request.
    ///
    /// A reply without a number ends it too: a peer that forgot the number must
    /// not keep its asker waiting.
    pub const fn is_final(self) -> bool {
        self.0 == 0 || self.0 >= 200
    }

    /// Whether this number reports success.
    pub const fn is_success(self) -> bool {
        self.0 >= 100 && self.0 < 300
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
