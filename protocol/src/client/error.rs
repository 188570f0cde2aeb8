//! What can go wrong between a client and the supervisor.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::api::Outcome;
use crate::api::rpc::Thrown;
use crate::code::Code;
use crate::codec::{Malformed, TooLarge};
use crate::limits::HOST_BYTES_MAX;
use crate::version;

/// Why a client could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody listens at this path.
    #[error("cannot reach a supervisor at `{path}`: {source}")]
    Connect {
        /// The path of the endpoint.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The socket failed.
    #[error("cannot {doing}: {source}")]
    Socket {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The supervisor speaks frames that this build does not.
    #[error(
        "the supervisor speaks version {0} of the protocol, this build speaks {ours}",
        ours = version::PROTOCOL
    )]
    Version(u16),
    /// The supervisor read the `Hello` and hung up: a wrong token, name or role.
    #[error("the supervisor refused the link")]
    Refused,
    /// The supervisor is gone, or has ended this link.
    #[error("the supervisor closed the link")]
    Closed,
    /// It did not come in time.
    #[error("no {0} came in time")]
    TimedOut(&'static str),
    /// What came is not a frame.
    #[error("the supervisor sent what is not a frame: {0}")]
    Malformed(#[from] Malformed),
    /// What came does not belong here.
    #[error("the supervisor sent a frame that does not belong here: {0}")]
    Unexpected(&'static str),
    /// An application or the operator wanted to write to a component's log.
    #[error("only a component has a log at the supervisor")]
    NoLog,
    /// More messages piled up behind an awaited response than a client keeps.
    #[error("more than {0} bytes of messages wait while a response is awaited")]
    Backlog(usize),
    /// The name of a host is longer than any name can be.
    #[error("a host's name of {0} bytes is longer than the {HOST_BYTES_MAX} that a name may have")]
    Host(usize),
    /// What was to be sent is larger than a frame may be.
    #[error("cannot send: {0}")]
    TooLarge(#[from] TooLarge),
    /// A body that cannot be written as JSON, or is not the JSON that was expected.
    #[error("cannot {doing}: {source}")]
    Body {
        /// What was being done.
        doing: &'static str,
        /// Where, and what is wrong.
        source: serde_json::Error,
    },
    /// The request was answered, but not with success.
    #[error("{0}")]
    Answered(Box<Failure>),
}

/// An answer that reports failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} ({code})")]
pub struct Failure {
    /// Its number.
    pub code: Code,
    /// The sentence that came with it.
    pub reason: String,
    /// The decision that refused it, for `hyperty why`; empty when no rule was asked.
    pub decision: String,
    /// The whole body, for answers that tell more.
    pub body: Vec<u8>,
}

impl Failure {
    /// For 429: after how long another try may be worth it, when the answer tells.
    pub fn retry_after(&self) -> Option<Duration> {
        let told: Outcome = serde_json::from_slice(&self.body).ok()?;
        let ms = told.retry_after.filter(|_| self.code == Code::BUSY)?;
        Some(Duration::from_millis(ms.into()))
    }

    /// What a called method threw, when the answer tells.
    pub fn thrown(&self) -> Option<Thrown> {
        #[derive(serde::Deserialize)]
        struct Told {
            error: Thrown,
        }
        let told: Told = serde_json::from_slice(&self.body).ok()?;
        Some(told.error)
    }
}

impl Error {
    /// The number of the answer, when there was one.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Answered(failure) => Some(failure.code),
            _ => None,
        }
    }
}
