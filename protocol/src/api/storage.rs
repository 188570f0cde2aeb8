//! Storage (`/storage`): files that hyperties share, and what scripts keep (spec services §1.17).

/// Where the room lives under the runtime's address.
pub const PATH: &str = "storage";
