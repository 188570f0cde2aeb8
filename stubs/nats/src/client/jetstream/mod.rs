//! JetStream: what the cluster keeps. JSON questions over request and reply.

mod stream;
mod table;

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use self::stream::{Mailbox, PULL_MESSAGES, PULL_STANDS, Pull};
pub use self::table::{Entry, Table};
use super::{Api, Failed};

/// How long the cluster may think.
///
/// An election takes 4 to 9 seconds in this server; a question that was asked
/// during one is asked again by whoever asked.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// The cluster understood, and says no.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, thiserror::Error)]
#[error("{description} ({err_code})")]
#[serde(default)]
pub struct Refused {
    /// As in HTTP.
    pub code: u16,
    /// The cluster's own number of the reason.
    pub err_code: u32,
    /// The reason.
    pub description: String,
}

impl Default for Refused {
    fn default() -> Self {
        Self {
            code: 500,
            err_code: 0,
            description: "no reason given".to_owned(),
        }
    }
}

impl Refused {
    /// Something else was written meanwhile: the expectation of the writer is wrong.
    pub const fn is_conflict(&self) -> bool {
        self.err_code == 10071
    }

    /// A subject has as many messages as it may.
    pub const fn is_full(&self) -> bool {
        matches!(self.err_code, 10077 | 10047)
    }
}

/// Why the cluster did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JetStreamError {
    /// It was not asked, or did not answer.
    #[error(transparent)]
    Failed(#[from] Failed),
    /// It said no.
    #[error("the cluster refuses it: {0}")]
    Refused(#[from] Refused),
    /// What it answered is not what was asked for.
    #[error("the cluster answered with what is not an answer: {0}")]
    Nonsense(String),
}

/// A hand on JetStream.
#[derive(Debug, Clone)]
pub struct JetStream {
    api: Api,
}

/// What the cluster says about something that it has stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Stored {
    /// Its number in the stream.
    pub seq: u64,
    /// It was there already, under the same identifier.
    #[serde(default)]
    pub duplicate: bool,
}

impl JetStream {
    /// Over a connection.
    pub const fn new(api: Api) -> Self {
        Self { api }
    }

    /// The connection.
    pub const fn api(&self) -> &Api {
        &self.api
    }

    /// Stores a message; done only when the cluster says so.
    pub async fn store(
        &self,
        subject: &str,
        headers: &[(&str, &str)],
        payload: &[u8],
    ) -> Result<Stored, JetStreamError> {
        let answer = self
            .api
            .ask(subject, headers, payload, ANSWER_WITHIN)
            .await?;
        outcome(&answer.payload)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        what: &str,
        question: &impl Serialize,
    ) -> Result<T, JetStreamError> {
        let text = serde_json::to_vec(question);
        let text = text.map_err(|bad| JetStreamError::Nonsense(bad.to_string()))?;
        let subject = format!("$JS.API.{what}");
        let answer = self.api.ask(&subject, &[], &text, ANSWER_WITHIN).await?;
        outcome(&answer.payload)
    }
}

fn outcome<T: DeserializeOwned>(text: &[u8]) -> Result<T, JetStreamError> {
    #[derive(Deserialize)]
    struct MayFail {
        error: Option<Refused>,
    }
    let nonsense = |bad: serde_json::Error| JetStreamError::Nonsense(bad.to_string());
    let refused: MayFail = serde_json::from_slice(text).map_err(nonsense)?;
    if let Some(refused) = refused.error {
        return Err(refused.into());
    }
    serde_json::from_slice(text).map_err(nonsense)
}
