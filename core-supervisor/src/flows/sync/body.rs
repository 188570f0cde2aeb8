//! The bodies of requests to the sync manager, as published peers write them.

use protocol::api::sync;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::flows::respond::Refusal;
use crate::flows::serve::Asked;

/// Reads a body. It may be as long as a frame: a new object comes whole.
pub(super) fn read<T: DeserializeOwned>(asked: &Asked<'_>) -> Result<T, Refusal> {
    let bad = |bad: serde_json::Error| Refusal::bad_request(format!("body: {bad}"));
    let mut members = members(asked.admitted.message.body).map_err(bad)?;
    // `undefined` is left out by peers, `null` is not, and means the same.
    members.retain(|_, member| !member.is_null());
    serde_json::from_value(Value::Object(members)).map_err(bad)
}

/// The members of a body; none when it is empty.
pub(super) fn members(body: &[u8]) -> Result<Map<String, Value>, serde_json::Error> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    serde_json::from_slice(body)
}

/// The `value` of a request, which must be an object.
pub(super) fn value(create: &mut sync::Create) -> Result<Map<String, Value>, Refusal> {
    match create.value.take() {
        Value::Object(members) => Ok(members),
        _ => Err(Refusal::bad_request("`value` is not an object")),
    }
}
