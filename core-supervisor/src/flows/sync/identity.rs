//! For whom a component acts, as the core's own knowledge.

use protocol::Address;
use serde_json::{Value, json};

use crate::core::Core;
use crate::flows::profile;

/// The `identity` of a message that the core sends for a component.
pub(super) fn of(core: &Core, component: &Address) -> Value {
    // Who is in another runtime is nobody that this one can vouch for.
    let anonymous = || json!({ "guid": "anonymous" });
    let profile = profile::of_address(core, component);
    json!({ "userProfile": profile.unwrap_or_else(anonymous) })
}

/// The user it acts for, or nothing.
pub(super) fn user_of(core: &Core, component: &Address) -> String {
    let identity = of(core, component);
    let user = identity.pointer("/userProfile/userURL");
    user.and_then(Value::as_str).unwrap_or_default().to_owned()
}
