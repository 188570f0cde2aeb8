//! The JSON bodies that the core's rooms understand, a module per room.
//!
//! A room is addressed as `<runtime>/<PATH>`. Requests are ordinary messages;
//! each is answered by one response whose body carries `code`, and on failure
//! `desc` and `description` with the same sentence (spec messaging §1.5).
//! An empty request body counts as `{}`.
//!
//! ```
//! use protocol::api::{Valued, user_agent};
//!
//! # fn main() -> Result<(), serde_json::Error> {
//! let deploy = user_agent::Deploy {
//!     component: "hyperty/Echo".to_owned(),
//!     ..Default::default()
//! };
//! let request = serde_json::to_vec(&deploy)?; // the body of a `create` to <runtime>/ua
//!
//! let answer = br#"{"code":200,"value":{"components":[]}}"#; // of a `read`
//! let listing: Valued<user_agent::Listing> = serde_json::from_slice(answer)?;
//! assert!(listing.value.components.is_empty());
//! # assert!(!request.is_empty());
//! # Ok(())
//! # }
//! ```

use serde::{Deserialize, Serialize};

pub mod allocation;
pub mod audit;
pub mod bus;
pub mod capabilities;
pub mod catalogue;
pub mod connections;
pub mod discovery;
pub mod policy;
pub mod registry;
pub mod rpc;
pub mod sandboxes;
pub mod storage;
pub mod subscriptions;
pub mod sync;
pub mod user_agent;

/// The body of a reply that carries no more than a number and a reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The number of the reply.
    pub code: u16,
    /// Why, when it failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub desc: String,
    /// The same sentence under the other name that peers look for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The decision that refused it, for `hyperty why`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub decision: String,
    /// For 429: after so many milliseconds it may be worth another try.
    #[serde(
        default,
        rename = "retryAfter",
        skip_serializing_if = "Option::is_none"
    )]
    pub retry_after: Option<u32>,
}

/// The body of a reply that carries a value: `{"code":200,"value":…}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Valued<T> {
    /// The number of the reply.
    pub code: u16,
    /// The answer itself.
    pub value: T,
}
