//! The sync manager (`/sm`): data objects, their reporters and observers (spec services §1).

/// Where the room lives under the runtime's address.
pub const PATH: &str = "sm";
