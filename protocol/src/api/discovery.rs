//! Discovery (`/discovery`): searches among what is registered (spec messaging §8.1).

/// Where the room lives under the runtime's address.
pub const PATH: &str = "discovery";
