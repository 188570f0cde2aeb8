//! What can be asked of the policy engine at its address.

use protocol::Code;
use protocol::api::policy::{Method, Why};
use protocol::message::MessageKind;

use super::DecisionId;

/// A request to `/pep`, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PepRequest {
    /// Which rules are in force?
    Show,
    /// Why was it decided so?
    Why(DecisionId),
    /// What would be decided now? The asker's flow finds the parties and decides.
    WouldDecide {
        /// The sender's address, as it was written.
        from: String,
        /// The receiver's.
        to: String,
        /// The message type, or `listen`, `deploy`, `reach`.
        kind: String,
    },
    /// Read the policy files again.
    Reload,
}

/// Why the policy engine does not answer a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The number of the reply.
    pub code: Code,
    /// One sentence.
    pub reason: String,
}

impl Refused {
    pub(super) fn new(code: Code, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
        }
    }
}

impl PepRequest {
    /// Reads a request from a message's type and body.
    pub fn parse(kind: MessageKind<'_>, body: &[u8]) -> Result<Self, Refused> {
        let body: &[u8] = if body.is_empty() { b"{}" } else { body };
        let bad = |e: serde_json::Error| {
            Refused::new(Code::BAD_REQUEST, format!("cannot read the body: {e}"))
        };
        match kind {
            MessageKind::Read => Self::why(serde_json::from_slice(body).map_err(bad)?),
            MessageKind::Execute => Self::method(&serde_json::from_slice(body).map_err(bad)?),
            MessageKind::Create
            | MessageKind::Update
            | MessageKind::Delete
            | MessageKind::Subscribe
            | MessageKind::Unsubscribe
            | MessageKind::Response
            | MessageKind::Forward
            | MessageKind::Event
            | MessageKind::Other(_) => {
                let reason = format!("the policy engine understands read and execute, not {kind}");
                Err(Refused::new(Code::NOT_ALLOWED, reason))
            }
        }
    }

    fn why(why: Why) -> Result<Self, Refused> {
        if !why.decision.is_empty() {
            let id = why.decision.parse();
            return id
                .map(Self::Why)
                .map_err(|e| Refused::new(Code::BAD_REQUEST, e));
        }
        match (why.from.is_empty(), why.to.is_empty(), why.kind.is_empty()) {
            (true, true, true) => Ok(Self::Show),
            (false, false, false) => Ok(Self::WouldDecide {
                from: why.from,
                to: why.to,
                kind: why.kind,
            }),
            _ => {
                let reason = "say `decision`, or all of `from`, `to` and `type`";
                Err(Refused::new(Code::BAD_REQUEST, reason))
            }
        }
    }

    fn method(method: &Method) -> Result<Self, Refused> {
        match method.method.as_str() {
            "show" => Ok(Self::Show),
            "reload" => Ok(Self::Reload),
            other => {
                let reason = format!("there is no method `{other}`: say `show` or `reload`");
                Err(Refused::new(Code::BAD_REQUEST, reason))
            }
        }
    }
}
