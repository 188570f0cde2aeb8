//! The sync manager (`/sm`): data objects, their reporters and observers (spec services §1).
//!
//! | request to `<runtime>/sm` | body | final answer |
//! |---|---|---|
//! | `create`, a new object | [`Create`] | [`Created`] |
//! | `create` with `authorise`: invite | [`Create`] | what the invited hyperty answered |
//! | `create` with `resume` | [`Create`] | `value`: the objects again |
//! | `create` with `attribute`: keep children | [`Create`] | 200 to those who ask within a time |
//! | `subscribe` | [`Subscribe`] | [`Subscribed`], after a 100 ([`Offered`]) |
//! | `subscribe` with `resume` | [`Subscribe`] | `value`: the objects observed before |
//! | `update`, the whole of the data | [`Replace`] | 200 |
//! | `read` | [`Select`] | `value`: metadata, `data`, `version`, `childrenObjects` |
//! | `unsubscribe`, `delete` | [`Select`] | 200 |
//! | `execute` | [`Method`] | 200 |
//!
//! Changes travel as `update` from the object to `<object>/changes` with a
//! [`Delta`] as body; children as messages to `<object>/children/` ([`Child`]).
//! 413: larger than an object may be; 429: more than one's share; 422: against
//! the object's schema; 409: a version that does not follow the last.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where the room lives under the runtime's address.
pub const PATH: &str = "sm";

/// What a segment below an object's address is for: its changes.
pub const CHANGES: &str = "changes";
/// The same: its children.
pub const CHILDREN: &str = "children";
/// The same: the core, on the reporter's behalf.
pub const SUBSCRIPTION: &str = "subscription";

/// A `create`: which of the four kinds is told by the members that are there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Create {
    /// Whether objects are to be reported again.
    #[serde(skip_serializing_if = "is_false")]
    pub resume: bool,
    /// The catalogue URL of the data schema, `…/dataschema/NAME`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub schema: String,
    /// A new object: metadata and `data`. Resume: criteria.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub value: Value,
    /// Invite and children: the object.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub resource: String,
    /// Invite: the hyperties.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorise: Option<Vec<String>>,
    /// Children: `childrenObjects` for all of them, or the id of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,
    /// Whether a direct connection is wanted.
    #[serde(skip_serializing_if = "is_false")]
    pub p2p: bool,
    /// Whether observers keep the data as well.
    #[serde(skip_serializing_if = "is_false")]
    pub store: bool,
    /// Whether authentication is mutual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutual: Option<bool>,
    /// Who the creator acts for, in its own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Value>,
}

/// The answer to a `create` of a new object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Created {
    /// 200.
    pub code: u16,
    /// The object's address.
    pub resource: String,
    /// The names of its collections of children.
    pub children_resources: Vec<String>,
}

/// A `subscribe`: to one object, or to those observed before.
// Each is a member of the published body.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Subscribe {
    /// The object. Resume: only this one, when given.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub resource: String,
    /// The catalogue URL of its schema.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub schema: String,
    /// Whether objects are to be observed again.
    #[serde(skip_serializing_if = "is_false")]
    pub resume: bool,
    /// Whether the data is to be kept here.
    #[serde(skip_serializing_if = "is_false")]
    pub store: bool,
    /// Whether a direct connection is wanted.
    #[serde(skip_serializing_if = "is_false")]
    pub p2p: bool,
    /// Whether authentication is mutual.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mutual: Option<bool>,
    /// Whether the object's domain is asked for its messages.
    #[serde(skip_serializing_if = "is_true")]
    pub domain_subscription: bool,
    /// Who the observer acts for, in its own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Value>,
    /// Who subscribes observers while the reporter is away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offline: Option<String>,
}

impl Default for Subscribe {
    fn default() -> Self {
        Self {
            resource: String::new(),
            schema: String::new(),
            resume: false,
            store: false,
            p2p: false,
            mutual: None,
            domain_subscription: true,
            identity: None,
            offline: None,
        }
    }
}

/// The first, provisional answer to a `subscribe`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Offered {
    /// 100.
    pub code: u16,
    /// The names of the object's collections of children.
    pub children_resources: Vec<String>,
    /// Its schema.
    pub schema: String,
    /// Its address.
    pub resource: String,
}

/// The final answer to a `subscribe`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subscribed {
    /// 200.
    pub code: u16,
    /// The object's schema.
    pub schema: String,
    /// Its address.
    pub resource: String,
    /// The hyperty that reports it.
    pub owner: String,
    /// Only when the reporter said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mutual: Option<bool>,
    /// Metadata with `data`, `version` and `childrenObjects`.
    pub value: Map<String, Value>,
}

/// Names one object.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Select {
    /// Its address.
    pub resource: String,
}

/// Puts other data in the place of an object's, under a higher version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replace {
    /// The object.
    pub resource: String,
    /// Above the version it has.
    pub version: u64,
    /// The whole of its data.
    pub value: Value,
}

/// Calls a method of the room: `sync` or `stopSync`, with `[object, …]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Method {
    /// Its name.
    pub method: String,
    /// What it is about.
    pub params: Vec<Value>,
}

/// One change of an object's data, or of a child's.
///
/// No `value` and no `operation`: what is there goes. `value` alone: it is
/// assigned. `operation` `add`: the elements of `value` are inserted at the
/// index that ends the path; `remove`: `value` elements are taken out there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Delta {
    /// The version that the data has afterwards.
    pub version: u64,
    /// The hyperty that changed it.
    pub source: String,
    /// The place, its keys joined by dots: what published peers read.
    pub attribute: String,
    /// The place, key by key: preferred, because a key may contain dots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<Vec<Step>>,
    /// When, as the reporter's clock says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// `null` is a value, an absent member none.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "there")]
    pub value: Option<Value>,
    /// `array` when the place is in an array.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribute_type: Option<String>,
    /// `add` or `remove`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Says that there is nothing to apply, but newer data to be read.
    #[serde(skip_serializing_if = "is_false")]
    pub behind: bool,
}

/// One key of a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Step {
    /// An index of an array.
    Index(u64),
    /// A member of an object, or an index as decimal text.
    Key(String),
}

/// A message to `<object>/children/`: `create`, `update` (with a [`Delta`]), `delete`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Child {
    /// The child's id.
    pub resource: String,
    /// `create`: its metadata with `data`.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub value: Value,
    /// Who its creator acts for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<Value>,
}

fn there<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

// Serde hands a reference to what it skips.
#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_false(is: &bool) -> bool {
    !*is
}

#[allow(clippy::trivially_copy_pass_by_ref)]
const fn is_true(is: &bool) -> bool {
    *is
}
