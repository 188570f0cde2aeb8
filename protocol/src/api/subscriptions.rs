//! The subscription manager (`/subscriptions`): who hears of whose registration
//! (spec services §1.16, messaging §7.3 and §8.4).
//!
//! `subscribe` [`Subscribe`] → the request's body with `code: 200`; `unsubscribe`
//! [`Unsubscribe`] → 200; `read` [`Select`] → `value`: an array of addresses, or 404.
//!
//! A subscriber then gets `update` messages with `to: <url>/registration` and
//! [`Status`] as body, also after it, or the runtime, was restarted.

use serde::{Deserialize, Serialize};

/// Where the room lives under the runtime's address.
pub const PATH: &str = "subscriptions";

/// The segment below an address that stands for its registration.
pub const REGISTRATION: &str = "registration";

/// Asks to be told about registrations.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Subscribe {
    /// `<url>/registration`, of hyperties and data objects.
    pub resources: Vec<String>,
}

/// Asks not to be told any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Unsubscribe {
    /// `<url>/registration`.
    pub resource: String,
    /// The same for several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
}

/// Asks what a component has subscribed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Select {
    /// The subscriber's address.
    pub resource: String,
}

/// How a registration stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// `live` or `disconnected`.
    pub value: String,
    /// `status`.
    pub attribute: String,
}
