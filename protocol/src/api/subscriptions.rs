//! The subscription manager (`/subscriptions`): who hears of whose registration (spec services §1.16).

/// Where the room lives under the runtime's address.
pub const PATH: &str = "subscriptions";
