//! Answers of the stub itself, in the form of the published message nodes.

use protocol::Code;
use serde_json::{Map, Value, json};

use super::book::NotBooked;
use crate::client::JetStreamError;

/// One answer: its number and its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) code: Code,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn done() -> Self {
        Self::with(Code::OK, json!({}))
    }

    pub(super) fn value(value: &Value) -> Self {
        Self::with(Code::OK, json!({ "value": value }))
    }

    /// A failure, with the reason under both of the field's names.
    pub(super) fn refusal(code: Code, reason: &str) -> Self {
        Self::with(code, json!({ "desc": reason, "description": reason }))
    }

    pub(super) fn with(code: Code, body: Value) -> Self {
        let mut members = match body {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        members.insert("code".to_owned(), code.0.into());
        Self {
            code,
            body: Value::Object(members).to_string().into_bytes(),
        }
    }
}

impl From<NotBooked> for Answer {
    fn from(bad: NotBooked) -> Self {
        let code = match &bad {
            NotBooked::Taken(..) => Code::CONFLICT,
            NotBooked::Name(_) => Code::BAD_REQUEST,
            NotBooked::Cluster(_) => Code::UNAVAILABLE,
        };
        Self::refusal(code, &bad.to_string())
    }
}

impl From<JetStreamError> for Answer {
    fn from(bad: JetStreamError) -> Self {
        let reason = format!("the domain's cluster did not do it: {bad}");
        Self::refusal(Code::UNAVAILABLE, &reason)
    }
}

/// What a request's body has to be.
pub(super) fn members(body: &[u8]) -> Result<Map<String, Value>, Answer> {
    let bad = |reason: &str| Answer::refusal(Code::BAD_REQUEST, reason);
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(bad("the body is not an object")),
        Err(error) => Err(bad(&format!("the body is not JSON: {error}"))),
    }
}
