//! What can go wrong on the way to a foreign host, by who must act.

use std::time::Duration;

use protocol::Code;

use crate::limits::QUOTED_BYTES_MAX;

/// Why there is no connection, no answer or no more of it.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller's address makes no sense here.
    #[error("cannot use `{url}`: {why}")]
    Url {
        /// As it was given, shortened.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The caller's request makes no sense.
    #[error("cannot send the request: {0}")]
    Request(String),
    /// There is no connection: not granted, or nobody there.
    #[error("cannot reach `{host}:{port}`: {reason}{}", explained(.decision))]
    NotDialled {
        /// The host that was asked for.
        host: String,
        /// Its port.
        port: u16,
        /// 403 when it is not granted, 404 for an unknown name, 408, 429, 503.
        code: Code,
        /// One sentence, with the fix where there is one.
        reason: String,
        /// What `hyperty why` explains; empty when no rule refused it.
        decision: String,
    },
    /// Nobody can be trusted, because no root certificates are known.
    #[error("cannot speak TLS with anybody: {0}")]
    Roots(String),
    /// The other end is not who it should be, or speaks no TLS.
    #[error("cannot speak TLS with `{host}`: {problem}")]
    Tls {
        /// The name it should have proved.
        host: String,
        /// What is wrong.
        problem: TlsProblem,
    },
    /// The other end took too long.
    #[error("`{host}` did not {what} within {} s", .wait.as_secs_f32())]
    Late {
        /// The other end.
        host: String,
        /// What it did not do.
        what: &'static str,
        /// The time it had.
        wait: Duration,
    },
    /// The other end sends more than is taken.
    #[error("`{host}` sent {what} of more than {limit} bytes")]
    TooLong {
        /// The other end.
        host: String,
        /// What was too long.
        what: &'static str,
        /// The limit that it met.
        limit: usize,
    },
    /// The other end does not keep to its protocol.
    #[error("`{host}` does not speak {protocol}: {why}")]
    Protocol {
        /// The other end.
        host: String,
        /// What was expected of it.
        protocol: &'static str,
        /// What it did instead.
        why: String,
    },
    /// The other end answered a WebSocket's handshake with an ordinary answer.
    #[error("`{host}` opens no WebSocket: it answered {status}")]
    NotAWebSocket {
        /// The other end.
        host: String,
        /// Its HTTP status.
        status: u16,
    },
    /// A redirect that is not followed.
    #[error("`{host}` redirects to `{to}`, which is not followed: {why}")]
    Redirect {
        /// The other end.
        host: String,
        /// Where it points, without its query.
        to: String,
        /// Why not.
        why: &'static str,
    },
    /// The connection ended before its time.
    #[error("the connection to `{host}` ended: {why}")]
    Ended {
        /// The other end.
        host: String,
        /// How.
        why: String,
    },
}

/// What is wrong with the other end's TLS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsProblem {
    /// Its certificate was valid once.
    #[error(
        "its certificate has expired; whoever runs it must renew it, if this machine's clock is right"
    )]
    Expired,
    /// Its certificate is not valid yet.
    #[error("its certificate is not valid yet; is this machine's clock right?")]
    NotYetValid,
    /// Its certificate is somebody else's.
    #[error("its certificate is for {presented}, not for this name")]
    WrongHost {
        /// The names in it.
        presented: String,
    },
    /// Its certificate was issued by nobody that is trusted here.
    #[error(
        "its certificate was issued by nobody that is trusted here; \
         start with `hyperty up --tls-roots FILE` to trust its issuer"
    )]
    UnknownIssuer,
    /// Its certificate was taken back.
    #[error("its certificate was revoked")]
    Revoked,
    /// Another flaw of its certificate.
    #[error("its certificate is not acceptable: {0}")]
    Certificate(String),
    /// It speaks something else.
    #[error("it does not speak TLS on this port")]
    NotTls,
    /// It refused.
    #[error("it refused: {0}")]
    Refused(String),
    /// The connection ended in the middle, or the two have nothing in common.
    #[error("{0}")]
    Other(String),
}

impl Error {
    /// Whether a rule or a missing grant is the reason, so that trying again is no use.
    pub fn is_denial(&self) -> bool {
        matches!(self, Self::NotDialled { code, .. } if *code == Code::FORBIDDEN)
    }

    pub(crate) fn ended(host: &str, why: &dyn std::error::Error) -> Self {
        Self::Ended {
            host: host.to_owned(),
            why: causes(why),
        }
    }
}

// Who wants to know more asks for the decision.
fn explained(decision: &str) -> String {
    match decision {
        "" => String::new(),
        decision => format!(" (`hyperty why {decision}` explains it)"),
    }
}

/// An error and what caused it, in one line.
///
/// Libraries put what matters into the source of what they return.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = cause.source();
    }
    quoted(&text)
}

/// Foreign text, short enough and without what would break a line.
pub(crate) fn quoted(text: &str) -> String {
    let clean = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut out = String::new();
    for c in clean {
        if out.len() + c.len_utf8() > QUOTED_BYTES_MAX {
            out.push('…');
            break;
        }
        out.push(c);
    }
    out
}
