//! Requests to the core's rooms, and what their answers say.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{Error, Failure};
use super::session::Response;
use crate::limits::REPLY_WAIT_MS;

/// How long a room's answer is awaited.
pub(super) const ROOM_WAIT: Duration = Duration::from_millis(REPLY_WAIT_MS as u64);

/// How long a deployment may take: reading, launching, locking, loading, and waiting its turn.
pub(super) const DEPLOY_WAIT: Duration = Duration::from_mins(1);

/// What a request waits beyond its own time before it gives up on the core.
///
/// The core answers 408 at that time; only a core that hangs comes later.
pub(super) const CORE_GRACE: Duration = Duration::from_secs(2);

pub(super) fn address(runtime: &str, path: &str) -> String {
    format!("{runtime}/{path}")
}

pub(super) fn write<Q: Serialize + ?Sized>(query: &Q) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(query).map_err(|source| Error::Body {
        doing: "write the request",
        source,
    })
}

/// The `value` of a successful answer. A missing one reads as `null`, so that
/// `()` is the answer of requests that bring none.
pub(super) fn read<A: DeserializeOwned>(response: Response<'_>) -> Result<A, Error> {
    #[derive(serde::Deserialize)]
    struct Bare {
        #[serde(default)]
        value: serde_json::Value,
    }

    let unreadable = |source| Error::Body {
        doing: "read the answer",
        source,
    };
    if !response.code.is_success() {
        return Err(Error::Answered(Box::new(failure(response))));
    }
    let Bare { value } = serde_json::from_slice(response.body).map_err(unreadable)?;
    serde_json::from_value(value).map_err(unreadable)
}

// The reason is read as the field reads it: `desc`, else `description`, else
// `error` (spec messaging §1.5).
fn failure(response: Response<'_>) -> Failure {
    #[derive(Default, serde::Deserialize)]
    #[serde(default)]
    struct Reason {
        desc: String,
        description: String,
        // A text, or what a method threw.
        error: serde_json::Value,
        decision: String,
    }

    let told: Reason = serde_json::from_slice(response.body).unwrap_or_default();
    let error = told.error.as_str().unwrap_or_default().to_owned();
    let reason = [told.desc, told.description, error]
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or_else(|| "the request failed without a reason".to_owned());
    Failure {
        code: response.code,
        reason,
        decision: told.decision,
        body: response.body.to_vec(),
    }
}
