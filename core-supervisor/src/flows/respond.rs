//! How the core answers, and how it says no.
//!
//! A refusal becomes a response with a code here and nowhere else. The answer
//! goes to the link that asked, under the addresses and the number it used.

use std::ops::Range;

use protocol::api::Outcome;
use protocol::message::Header;
use protocol::{Code, CoreFrame, Message, MessageKind, Reply};
use serde::Serialize;

use crate::core::Core;
use crate::event::{Action, Actions};
use crate::ids::LinkId;
use crate::limits::{RETRY_AFTER_MS, STALL_MAX};
use crate::rooms::policy::DecisionId;
use crate::rooms::user_agent::Asker;

/// Why something was not done, and what the sender is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The number of the answer.
    pub(crate) code: Code,
    /// One sentence.
    pub(crate) reason: String,
    /// The word that the tap shows.
    pub(crate) gate: &'static str,
    /// The decision behind it.
    pub(crate) decision: Option<DecisionId>,
}

impl Refusal {
    pub(crate) fn new(code: Code, gate: &'static str, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
            gate,
            decision: None,
        }
    }

    pub(crate) fn bad_request(reason: impl Into<String>) -> Self {
        Self::new(Code::BAD_REQUEST, "bad-request", reason)
    }

    pub(crate) fn not_found(reason: impl Into<String>) -> Self {
        Self::new(Code::NOT_FOUND, "not-found", reason)
    }

    pub(crate) fn timeout() -> Self {
        // The words that published buses use for it (spec messaging §1.9).
        Self::new(Code::TIMEOUT, "timeout", "Response timeout!")
    }

    /// The same, where more is known about it.
    pub(crate) fn timeout_of(why: &str) -> Self {
        let Self { reason, .. } = Self::timeout();
        Self::new(Code::TIMEOUT, "timeout", format!("{reason} {why}"))
    }

    pub(crate) fn busy(reason: impl Into<String>) -> Self {
        Self::new(Code::BUSY, "busy", reason)
    }

    pub(crate) fn decided(mut self, decision: DecisionId) -> Self {
        self.decision = Some(decision);
        self
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let outcome = Outcome {
            code: self.code.0,
            desc: self.reason.clone(),
            description: self.reason.clone(),
            decision: self.decision.map(|id| id.to_string()).unwrap_or_default(),
            retry_after: (self.code == Code::BUSY).then_some(RETRY_AFTER_MS),
        };
        serde_json::to_vec(&outcome).unwrap_or_default()
    }
}

/// Refuses a message, if its sender is to be told: responses and events are not
/// answered, nor what expects no answer.
pub(crate) fn refuse(
    core: &mut Core,
    link: LinkId,
    header: &Header<'_>,
    refusal: &Refusal,
    out: &mut Actions,
) {
    if header.kind.is_request() && header.reply != Reply::Unwanted {
        answer(core, link, header, refusal.code, &refusal.body(), out);
    }
}

/// Answers a message with no more than 200.
pub(crate) fn done(core: &mut Core, link: LinkId, header: &Header<'_>, out: &mut Actions) {
    answer(core, link, header, Code::OK, br#"{"code":200}"#, out);
}

/// Answers whoever asked for something that took its time.
pub(crate) fn later(
    core: &mut Core,
    asker: &Asker,
    result: Result<Vec<u8>, Refusal>,
    out: &mut Actions,
) {
    let (code, body) = match result {
        Ok(body) => (Code::OK, body),
        Err(refusal) => (refusal.code, refusal.body()),
    };
    later_with(core, asker, code, &body, out);
}

/// Answers whoever asked with a number and a body of somebody else's choice.
pub(crate) fn later_with(
    core: &mut Core,
    asker: &Asker,
    code: Code,
    body: &[u8],
    out: &mut Actions,
) {
    let mut asked = Message::new(MessageKind::Execute, &asker.from, &asker.to, &[]).header;
    asked.id = asker.id;
    answer(core, asker.link, &asked, code, body, out);
}

/// The body of an answer that carries a value.
pub(crate) fn valued<T: Serialize>(value: &T) -> Vec<u8> {
    #[derive(Serialize)]
    struct Valued<'v, T> {
        code: u16,
        value: &'v T,
    }
    serde_json::to_vec(&Valued {
        code: Code::OK.0,
        value,
    })
    .unwrap_or_default()
}

/// Sends an answer to the link that asked.
pub(crate) fn answer(
    core: &mut Core,
    link: LinkId,
    asked: &Header<'_>,
    code: Code,
    body: &[u8],
    out: &mut Actions,
) {
    let asked = Message {
        header: *asked,
        body: &[],
    };
    send(
        core,
        link,
        &CoreFrame::Deliver(asked.answer(code, body)),
        out,
    );
}

/// Queues a frame for a link. An answer that is too large becomes one that says so.
pub(crate) fn send(core: &mut Core, link: LinkId, frame: &CoreFrame<'_>, out: &mut Actions) {
    let start = out.bytes.len();
    let encoded = frame.encode(&mut out.bytes).or_else(|too_large| {
        let CoreFrame::Deliver(message) = frame else {
            return Err(too_large);
        };
        let refusal = Refusal::new(
            Code::TOO_LARGE,
            "too-large",
            format!("the answer does not fit: {too_large}"),
        );
        let header = Header {
            code: refusal.code,
            members: "",
            ..message.header
        };
        CoreFrame::Deliver(Message {
            header,
            body: &refusal.body(),
        })
        .encode(&mut out.bytes)
    });
    if encoded.is_ok() {
        queued(core, link, start, out);
    }
}

/// Encodes a frame that a descriptor goes along with; where it lies, or nothing when the
/// link is gone or the frame too large.
pub(crate) fn encoded(
    core: &mut Core,
    link: LinkId,
    frame: &CoreFrame<'_>,
    out: &mut Actions,
) -> Option<Range<usize>> {
    let start = out.bytes.len();
    let gate = core.gates.get_mut(&link)?;
    frame.encode(&mut out.bytes).ok()?;
    let bytes = start..out.bytes.len();
    gate.queued += bytes.len();
    core.queued += bytes.len();
    Some(bytes)
}

/// Notes that `out.bytes[start..]` are for a link.
pub(crate) fn queued(core: &mut Core, link: LinkId, start: usize, out: &mut Actions) {
    let end = out.bytes.len();
    let Some(gate) = core.gates.get_mut(&link) else {
        out.bytes.truncate(start);
        return;
    };
    gate.queued += end - start;
    core.queued += end - start;
    gate.stalled_since.get_or_insert(core.time);
    core.check_by(core.time + STALL_MAX);
    // Frames for one link that follow each other become one action.
    if let Some(Action::Send { link: last, bytes }) = out.list.last_mut()
        && *last == link
        && bytes.end == start
    {
        bytes.end = end;
        return;
    }
    out.list.push(Action::Send {
        link,
        bytes: start..end,
    });
}
