//! Address allocation (`/address-allocation`): addresses for data objects and groups.
//!
//! `create` [`Allocate`] → `value`: [`Allocated`]; `delete` [`Release`] → 200.
//!
//! Both are also read in the form that published message nodes understand (spec
//! messaging §7.2): `{scheme, value: {number, allocationKey}}`, and `{resource:
//! <allocationKey or address>}` or `{childrenResources: [addresses]}`.

use serde::{Deserialize, Serialize};

/// Where the room lives under the runtime's address.
pub const PATH: &str = "address-allocation";

/// The most addresses of one request.
pub const NUMBER_MAX: u16 = 100;

/// Asks for `number` addresses of one scheme, owned by the asker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "AnyAllocate")]
pub struct Allocate {
    /// The object scheme, e.g. `comm`, `hello`, `walletData`, or `group`.
    pub scheme: String,
    /// How many, 1 to [`NUMBER_MAX`].
    pub number: u16,
    /// When it is not empty, the same component gets the same addresses for it again,
    /// also after a restart.
    #[serde(rename = "allocationKey", skip_serializing_if = "String::is_empty")]
    pub key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnyAllocate {
    scheme: String,
    #[serde(default, flatten)]
    block: Block,
    value: Option<Block>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Block {
    number: Option<u16>,
    allocation_key: Option<String>,
}

impl From<AnyAllocate> for Allocate {
    fn from(any: AnyAllocate) -> Self {
        let block = any.value.unwrap_or(any.block);
        Self {
            scheme: any.scheme,
            number: block.number.unwrap_or(1),
            key: block.allocation_key.unwrap_or_default(),
        }
    }
}

/// The addresses, in `value.allocated` (spec messaging §7.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocated {
    /// In canonical form.
    pub allocated: Vec<String>,
}

/// Gives addresses back: all of them, or none when one is not the asker's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Release {
    /// The addresses to release.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// The key of a block whose addresses are released and forgotten, or one address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// More addresses; what is none, such as the word `resources`, is passed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub children_resources: Option<Vec<String>>,
}
