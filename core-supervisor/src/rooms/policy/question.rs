//! What the policy is asked, and what it answers.

pub use crate::party::PartyKind;

use protocol::Address;
use protocol::api::connections::Source;
use protocol::api::policy::Explanation;
use protocol::frame::Level;

/// A party of a question: who sends, or who is addressed.
#[derive(Debug, Clone, Copy)]
pub struct Party<'a> {
    /// What it is.
    pub kind: PartyKind,
    /// Its address in canonical form; for an object that a component owns, the object's.
    pub address: &'a Address,
    /// The provider's domain of the owner; empty for rooms and the operator.
    pub provider: &'a str,
    /// The owner's name in its descriptor.
    pub name: &'a str,
    /// For whom the owner acts, `user://idp/name`; empty where nobody is known.
    pub user: &'a str,
    /// The owner's sandbox level, once confirmed.
    pub level: Option<Level>,
    /// `sha256:…` of the owner's code, or empty.
    pub digest: &'a str,
}

impl<'a> Party<'a> {
    /// The user whom rules see, if they see one.
    pub(super) fn acts_for(&self) -> Option<&'a str> {
        (self.kind.has_user() && !self.user.is_empty()).then_some(self.user)
    }
}

impl PartyKind {
    /// Every kind, in the order of their bits in a rule's reach.
    pub(super) const ALL: [Self; 8] = [
        Self::Hyperty,
        Self::ProtoStub,
        Self::IdpProxy,
        Self::Application,
        Self::Operator,
        Self::Room,
        Self::Remote,
        Self::Host,
    ];

    /// The name of its type in rules.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hyperty => "Hyperty",
            Self::ProtoStub => "ProtoStub",
            Self::IdpProxy => "IdpProxy",
            Self::Application => "Application",
            Self::Operator => "Operator",
            Self::Room => "Room",
            Self::Remote => "Remote",
            Self::Host => "Host",
        }
    }

    /// Whether it is code in a sandbox.
    pub const fn is_component(self) -> bool {
        matches!(self, Self::Hyperty | Self::ProtoStub | Self::IdpProxy)
    }

    /// Whether it comes from a provider.
    pub const fn has_provider(self) -> bool {
        self.is_component() || matches!(self, Self::Application)
    }

    /// Whether it acts for somebody.
    pub const fn has_user(self) -> bool {
        self.has_provider() || matches!(self, Self::Operator)
    }

    /// Whether rules may ask for its name.
    pub const fn has_name(self) -> bool {
        self.has_provider() || matches!(self, Self::Room)
    }
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act<'a> {
    /// Deliver a message of this type.
    Message(&'a str),
    /// Let the sender listen to the receiver's address.
    Listen,
    /// Let the sender deploy a component; the receiver is the component to be.
    Deploy,
    /// Let the sender have a stub brought up for the receiver's domain.
    Reach,
    /// Let the sender reach a host; the receiver is the host. Whose grant covers it.
    Connect(Option<Source>),
    /// Let the sender listen where the host says, for callers of the network.
    Bind(Option<Source>),
}

impl<'a> Act<'a> {
    /// The word that explanations and `context.type` carry.
    pub const fn word(self) -> &'a str {
        match self {
            Self::Message(word) => word,
            Self::Listen => "listen",
            Self::Deploy => "deploy",
            Self::Reach => "reach",
            Self::Connect(_) => "connect",
            Self::Bind(_) => "bind",
        }
    }

    /// The word that `context.grant` carries, of an act on the network.
    pub(super) fn grant(self) -> Option<&'static str> {
        match self {
            Self::Connect(source) | Self::Bind(source) => Some(source.map_or("none", Source::word)),
            Self::Message(_) | Self::Listen | Self::Deploy | Self::Reach => None,
        }
    }
}

/// What a sender is to the data object that it addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Relation {
    /// Nothing, or no object is addressed.
    #[default]
    Stranger,
    /// The reporter has accepted its subscription.
    Observer,
    /// It reports the object.
    Reporter,
}

impl Relation {
    /// The word that `context.relation` carries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stranger => "stranger",
            Self::Observer => "observer",
            Self::Reporter => "reporter",
        }
    }
}

/// One question.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// What is to be done.
    pub act: Act<'a>,
    /// Who asks.
    pub from: Party<'a>,
    /// Who is addressed.
    pub to: Party<'a>,
    /// What the sender is to the data object whose address `to` is, or is below.
    pub relation: Relation,
    /// The message body, when [`PolicySet::reads_body`](super::PolicySet::reads_body).
    pub body: Option<&'a [u8]>,
    /// The wall clock, microseconds since the Unix epoch.
    pub wall_us: u64,
}

/// How long an answer may be reused for the same sender, receiver and act.
///
/// "The same" means every member of both [`Party`]s: a component whose user, level
/// or digest changes asks anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reuse {
    /// While this policy version and the sender's relation to the object stand.
    Version,
    /// Not at all: a rule looks at the body or the clock.
    Never,
}

/// The answer.
#[derive(Debug, Clone)]
pub struct Ruling {
    /// Whether it may happen.
    pub permit: bool,
    /// How long the answer holds.
    pub reuse: Reuse,
    /// Why, by the same evaluation; its `decision` is filled in by the room.
    pub explanation: Explanation,
}
