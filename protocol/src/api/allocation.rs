//! Address allocation (`/address-allocation`): fresh addresses for data objects.
//!
//! `create` [`Allocate`] → `value`: [`Allocated`]; `delete` [`Release`] → 200.

use serde::{Deserialize, Serialize};

/// Where the room lives under the runtime's address.
pub const PATH: &str = "address-allocation";

/// Asks for `number` addresses of one scheme, owned by the asker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocate {
    /// The object scheme, e.g. `comm`, `hello`, `walletData`.
    pub scheme: String,
    /// How many, 1 to 64.
    #[serde(default = "one")]
    pub number: u16,
}

const fn one() -> u16 {
    1
}

/// The addresses, in `value.allocated` (spec messaging §7.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocated {
    /// In canonical form.
    pub allocated: Vec<String>,
}

/// Gives addresses back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The addresses to release; each must be the asker's.
    pub resources: Vec<String>,
}
