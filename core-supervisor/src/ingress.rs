//! The only gate: bytes become frames, and frames become things the core acts on.
//!
//! Reviewing this boundary is reading [`is_permitted`] and [`Gate`]: who is at a
//! link is what the shell said when it was made; what it may say depends on that
//! and on the phase; what it claims about itself is checked, never believed.

use std::collections::VecDeque;
use std::time::Duration;

use protocol::codec::{Malformed, RawFrame};
use protocol::nursery::Engine;
use protocol::{HostFrame, Message};

use crate::flows::judge::Judgements;
use crate::ids::{IdMap, LinkId, OwnerId, SandboxId, SlotId};
use crate::limits::{FORGED_PER_MINUTE_MAX, REFUSED_PER_SECOND_MAX};
use crate::quota::Quotas;
use crate::rooms::bus::Key;

/// Why a link is cut. Nobody is answered; the sandbox behind it is ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The bytes are not frames.
    #[error("malformed frame: {0}")]
    Malformed(#[from] Malformed),
    /// A frame that this peer may not send now.
    #[error("frame `{frame}` is not permitted from {kind} while {phase}")]
    OutOfPlace {
        /// The frame.
        frame: &'static str,
        /// What the peer is.
        kind: &'static str,
        /// The phase of its link.
        phase: &'static str,
    },
    /// Frames of another version.
    #[error("speaks protocol version {0}, this core speaks {PROTOCOL}", PROTOCOL = protocol::version::PROTOCOL)]
    Version(u16),
    /// A `Hello` that was recorded elsewhere.
    #[error("the nonce in `hello` is not the one of this link")]
    Nonce,
    /// A role that this peer cannot have.
    #[error("claims a role that is not its own")]
    Role,
    /// The token of a sidecar's application is wrong.
    #[error("the launch token is wrong")]
    Token,
    /// A claim about its confinement that the look from outside does not bear out.
    #[error("confinement not confirmed: {0}")]
    Confinement(String),
    /// A frame about a component that is not on this link.
    #[error("speaks of component `{0}`, which is not on this link")]
    Component(String),
    /// Messages kept being refused.
    #[error("flood: more than {REFUSED_PER_SECOND_MAX} refused messages within a second")]
    Flood,
    /// Senders kept being forged.
    #[error("forged `from` more than {FORGED_PER_MINUTE_MAX} times within a minute")]
    Forgery,
    /// The rest of a frame did not come.
    #[error("half a frame, then nothing for {}s", crate::limits::PARTIAL_FRAME_MAX.as_secs())]
    HalfFrame,
    /// Bytes for it were not taken.
    #[error("has not read for {}s", crate::limits::STALL_MAX.as_secs())]
    NeverReads,
    /// It goes on asking, and takes no answer.
    #[error(
        "asks on without reading: {} bytes of answers wait",
        crate::limits::UNREAD_BYTES_MAX
    )]
    Unread,
    /// A `Hello` did not come.
    #[error("did not greet within {}s", crate::limits::GREETING_MAX.as_secs())]
    NoGreeting,
}

/// What is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LinkKind {
    Sandbox(SandboxId),
    /// The one sandbox that makes sockets of the network.
    Connector(SandboxId),
    /// A local process that has not said what it is.
    Stranger,
    Operator,
    Application,
}

impl LinkKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sandbox(_) => "a sandbox",
            Self::Connector(_) => "the connector",
            Self::Stranger => "a local process",
            Self::Operator => "the operator",
            Self::Application => "an application",
        }
    }

    /// The process behind it, when it is one of ours.
    pub(crate) const fn sandbox(self) -> Option<SandboxId> {
        match self {
            Self::Sandbox(sandbox) | Self::Connector(sandbox) => Some(sandbox),
            Self::Stranger | Self::Operator | Self::Application => None,
        }
    }
}

/// How far a link has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Greeting,
    Confining,
    /// Confirmed; components load and run.
    Running,
}

impl Phase {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Greeting => "greeting",
            Self::Confining => "confining",
            Self::Running => "running",
        }
    }
}

/// The table that is the boundary: peer × phase × frame → may it be said.
// One line per peer and phase: merging lines with one outcome would hide the table.
#[allow(clippy::match_same_arms)]
const fn is_permitted(kind: LinkKind, phase: Phase, frame: &HostFrame<'_>) -> bool {
    use HostFrame as F;
    match (kind, phase, frame) {
        (LinkKind::Connector(_), Phase::Greeting, F::Hello(_)) => true,
        (LinkKind::Connector(_), Phase::Confining, F::Confined(_)) => true,
        (LinkKind::Connector(_), Phase::Running, F::Loaded { .. } | F::LoadFailed(_)) => true,
        (LinkKind::Connector(_), Phase::Running, F::Connected { .. } | F::Bound { .. }) => true,
        (LinkKind::Connector(_), Phase::Running, F::Accepted { .. }) => true,
        (LinkKind::Connector(_), Phase::Running, F::NotConnected { .. } | F::Pong { .. }) => true,
        (LinkKind::Connector(_), _, _) => false,
        (LinkKind::Sandbox(_) | LinkKind::Stranger, Phase::Greeting, F::Hello(_)) => true,
        (LinkKind::Sandbox(_), Phase::Confining, F::Confined(_) | F::Log(..)) => true,
        (LinkKind::Sandbox(_), Phase::Running, F::Loaded { .. } | F::LoadFailed(_)) => true,
        (LinkKind::Sandbox(_), Phase::Running, F::Unloaded { .. } | F::Log(..)) => true,
        (LinkKind::Stranger, _, _) => false,
        (
            _,
            Phase::Running,
            F::Send(_) | F::Listen { .. } | F::Unlisten { .. } | F::Pong { .. },
        ) => true,
        (LinkKind::Sandbox(_), Phase::Running, F::Dial(_) | F::Hangup { .. } | F::TakeRoots) => {
            true
        }
        (_, Phase::Running, F::TakeSlots { .. } | F::SendBy(_) | F::Return { .. }) => true,
        _ => false,
    }
}

const fn frame_name(frame: &HostFrame<'_>) -> &'static str {
    match frame {
        HostFrame::Hello(_) => "hello",
        HostFrame::Confined(_) => "confined",
        HostFrame::Loaded { .. } => "loaded",
        HostFrame::LoadFailed(_) => "load-failed",
        HostFrame::Unloaded { .. } => "unloaded",
        HostFrame::Send(_) => "send",
        HostFrame::Listen { .. } => "listen",
        HostFrame::Unlisten { .. } => "unlisten",
        HostFrame::Log(..) => "log",
        HostFrame::Pong { .. } => "pong",
        HostFrame::TakeSlots { .. } => "take-slots",
        HostFrame::SendBy(_) => "send-by",
        HostFrame::Return { .. } => "return",
        HostFrame::Dial(_) => "dial",
        HostFrame::Hangup { .. } => "hangup",
        HostFrame::TakeRoots => "take-roots",
        HostFrame::Connected { .. } => "connected",
        HostFrame::Bound { .. } => "bound",
        HostFrame::Accepted { .. } => "accepted",
        HostFrame::NotConnected { .. } => "not-connected",
    }
}

/// A frame that passed the gate. Its field is private: nothing else can make one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Admitted<'a> {
    frame: HostFrame<'a>,
}

impl<'a> Admitted<'a> {
    pub(crate) const fn frame(self) -> HostFrame<'a> {
        self.frame
    }
}

/// A message that passed the gate, with its bytes as they came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AdmittedMessage<'a> {
    pub(crate) link: LinkId,
    pub(crate) message: Message<'a>,
    pub(crate) raw: RawFrame<'a>,
    /// The slot that its body lies in, and how long it is; then it has none here.
    pub(crate) body_in: Option<(SlotId, usize)>,
}

impl AdmittedMessage<'_> {
    /// Bytes of its body, wherever that is.
    pub(crate) fn body_bytes(&self) -> usize {
        self.body_in
            .map_or(self.message.body.len(), |(_, bytes)| bytes)
    }

    /// Bytes that its receiver has to take.
    pub(crate) fn bytes(&self) -> usize {
        self.raw.bytes.len() + self.body_in.map_or(0, |(_, bytes)| bytes)
    }
}

/// Counts what happens within a span of time.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Window {
    since: Duration,
    count: u32,
}

impl Window {
    /// Counts one more; the number within the span that began last.
    pub(crate) fn count(&mut self, now: Duration, span: Duration) -> u32 {
        if now.saturating_sub(self.since) >= span {
            *self = Self {
                since: now,
                count: 0,
            };
        }
        self.count = self.count.saturating_add(1);
        self.count
    }

    /// The number within the span that began last, without counting.
    pub(crate) fn now(&self, now: Duration, span: Duration) -> u32 {
        if now.saturating_sub(self.since) >= span {
            0
        } else {
            self.count
        }
    }
}

/// What was sent within a span of time.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Sent {
    since: Duration,
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

impl Sent {
    /// What was sent within the span that began last; a new one begins when that is over.
    pub(crate) fn within(&mut self, now: Duration, span: Duration) -> &mut Self {
        *self = self.now(now, span);
        self
    }

    /// The same, to be looked at.
    pub(crate) fn now(self, now: Duration, span: Duration) -> Self {
        if now.saturating_sub(self.since) < span {
            return self;
        }
        Self {
            since: now,
            ..Self::default()
        }
    }
}

/// One link as the core knows it.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) kind: LinkKind,
    pub(crate) phase: Phase,
    pub(crate) nonce: [u8; 16],
    pub(crate) since: Duration,
    /// The owner of a local link; a sandbox's link serves several.
    pub(crate) owner: Option<OwnerId>,
    /// Bytes that the shell still holds for it.
    pub(crate) queued: usize,
    /// Since when it has not taken any of them.
    pub(crate) stalled_since: Option<Duration>,
    /// Since when a frame is incomplete.
    pub(crate) partial_since: Option<Duration>,
    /// Requests of its that wait.
    pub(crate) pending: u32,
    /// Those among them that no clock ends, the oldest first; some have ended.
    pub(crate) untimed: VecDeque<Key>,
    /// What its sandbox may have; every other peer has what is usual.
    pub(crate) quotas: Quotas,
    pub(crate) sent: Sent,
    pub(crate) refused: Window,
    pub(crate) forged: Window,
    pub(crate) logged: Window,
    /// Denials of its that went into the audit log.
    pub(crate) audited: Window,
    /// Denials since then that did not.
    pub(crate) left_out: u64,
    /// Domains that it was the first to ask for.
    pub(crate) reached: Window,
    pub(crate) dialled: Window,
    pub(crate) judgements: Judgements,
    /// Slots of each kind that it is ready to hold.
    pub(crate) slots_max: usize,
    /// Whether it is asked from time to time whether it lives: scripts are.
    pub(crate) has_heartbeat: bool,
    /// When it is asked because something was delivered to it.
    pub(crate) ping_by: Option<Duration>,
}

impl Gate {
    pub(crate) fn new(kind: LinkKind, nonce: [u8; 16], now: Duration) -> Self {
        Self {
            kind,
            phase: Phase::Greeting,
            nonce,
            since: now,
            owner: None,
            queued: 0,
            stalled_since: None,
            partial_since: None,
            pending: 0,
            untimed: VecDeque::new(),
            quotas: Quotas::usual(Engine::Script),
            sent: Sent::default(),
            refused: Window::default(),
            forged: Window::default(),
            logged: Window::default(),
            audited: Window::default(),
            left_out: 0,
            reached: Window::default(),
            dialled: Window::default(),
            judgements: Judgements::default(),
            slots_max: 0,
            has_heartbeat: false,
            ping_by: None,
        }
    }
}

/// All links.
pub(crate) type Gates = IdMap<LinkId, Gate>;

/// Decodes a frame and looks it up in the table.
pub(crate) fn admit<'a>(gate: &Gate, raw: RawFrame<'a>) -> Result<Admitted<'a>, Fault> {
    let frame = HostFrame::decode(raw)?;
    if !is_permitted(gate.kind, gate.phase, &frame) {
        return Err(Fault::OutOfPlace {
            frame: frame_name(&frame),
            kind: gate.kind.name(),
            phase: gate.phase.name(),
        });
    }
    Ok(Admitted { frame })
}
