//! The application's API of a hyperty (`<its address>/api`).
//!
//! `execute` [`Request`] → `value`: what the method returned, or `error`: [`Thrown`];
//! `event` [`Release`], which nobody answers. The README tells the whole.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where the API lives under a component's or a caller's address.
pub const PATH: &str = "api";

/// What is wanted: exactly one of a method, a member, a description, a watch, or
/// with `args` alone a call of the function that `reference` stands for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    /// Of this reference; of the component's instance when absent.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Of the member at the end of these names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<String>,
    /// Calls this method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Reads this member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub get: Option<String>,
    /// Assigns this member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// The arguments of a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<Vec<Value>>,
    /// What is assigned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// Deletes this member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delete: Option<String>,
    /// Asks a data object for its data: [`Snapshot`].
    #[serde(skip_serializing_if = "is_false")]
    pub snapshot: bool,
    /// Asks what there is: [`Description`].
    #[serde(skip_serializing_if = "is_false")]
    pub describe: bool,
    /// Is never answered by its receiver, so that the core tells of its end.
    #[serde(skip_serializing_if = "is_false")]
    pub watch: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
const fn is_false(it: &bool) -> bool {
    !*it
}

/// Gives references back: each with how often it had been received.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Reference and count.
    pub release: Vec<(String, u64)>,
}

/// The data of a data object, and the number of the last change in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Snapshot {
    /// JSON, in which tags mean nothing.
    pub data: Value,
    /// How many changes there were since it was lent.
    pub change: u64,
}

/// Changes of a data object that was lent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    /// The name of the object at its lender.
    #[serde(rename = "changed")]
    pub reference: String,
    /// The number of the first one.
    #[serde(default)]
    pub change: u64,
    /// In order.
    #[serde(default)]
    pub deltas: Vec<Delta>,
    /// There were more than are told: ask for a snapshot.
    #[serde(default, skip_serializing_if = "is_false")]
    pub behind: bool,
}

/// One change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Delta {
    /// Where: names of members, numbers of elements.
    pub path: Vec<Value>,
    /// What is there now; absent for a member that is gone. With `operation` `add` the
    /// element or the list of elements that is put in there, with `remove` how many go.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// `add` or `remove`, of elements of an array; empty for an assignment.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub operation: String,
}

// `null` is a value, not an absent one.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

/// What a method threw.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Thrown {
    /// The class of the error, e.g. `RangeError`.
    pub name: String,
    /// What it says.
    pub message: String,
    /// The calls that led to it, a line each; empty when it is not told.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stack: String,
    /// The error's own `code`, a number or a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<Value>,
}

/// What can be called and read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Description {
    /// The class of the object; a bundle's may be one letter.
    pub name: String,
    /// In order of name.
    pub methods: Vec<Method>,
    /// In order of name.
    pub properties: Vec<Property>,
}

/// One method.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Method {
    /// Its name.
    pub name: String,
    /// How many arguments it declares, without optional ones.
    pub arity: u32,
}

/// One member that is not a method.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Property {
    /// Its name.
    pub name: String,
    /// `number`, `string`, `object`, `array` …, or `getter`, which is not run to tell.
    #[serde(rename = "type")]
    pub kind: String,
}

/// A value for which JSON has no word: an object with the member `$`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "$", rename_all = "lowercase")]
pub enum Tag {
    /// `undefined`.
    Undefined,
    /// `NaN`, `Infinity`, `-Infinity` or `-0`.
    Number {
        /// Its text.
        value: String,
    },
    /// A whole number of any size.
    BigInt {
        /// Its decimal digits.
        value: String,
    },
    /// A moment.
    Date {
        /// RFC 3339 in UTC, or none for an invalid date.
        value: Option<String>,
    },
    /// Bytes.
    Bytes {
        /// The array they come as, e.g. `Uint8Array`.
        #[serde(rename = "type")]
        kind: String,
        /// Base64 with padding.
        value: String,
    },
    /// A map of any keys.
    Map {
        /// Its entries in order.
        value: Vec<(Value, Value)>,
    },
    /// A set.
    Set {
        /// Its members in order.
        value: Vec<Value>,
    },
    /// An error as a value.
    Error {
        /// What it says.
        value: Thrown,
    },
    /// A plain object that has a member `$` of its own.
    Object {
        /// Its members.
        value: Map<String, Value>,
    },
    /// Something that stays where it is.
    Ref(Lent),
    /// Something that the receiver had lent.
    Back {
        /// Its name there.
        #[serde(rename = "ref")]
        reference: String,
    },
}

/// Something that stays where it is, under the name by which it is called.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lent {
    /// Its name at the lender.
    #[serde(rename = "ref")]
    pub reference: String,
    /// `function`, `object` or `data-object`.
    pub kind: String,
    /// Of the function, or of the object's class.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The methods of an object.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// The data of a data object; see [`Snapshot`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// The number of the last change in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<u64>,
}

impl Tag {
    /// The tag in a value, if it has one that is what it says.
    pub fn read(value: &Value) -> Option<Self> {
        value.get("$")?;
        Self::deserialize(value).ok()
    }

    /// The value that carries this tag.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// Everything in a value that its sender lent, each as often as it stands there.
pub fn lent_in(value: &Value) -> Vec<Lent> {
    let mut found = Vec::new();
    collect(value, &mut found);
    found
}

// A parsed value is no deeper than the parser permits.
fn collect(value: &Value, found: &mut Vec<Lent>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => match Tag::read(value) {
            Some(Tag::Ref(lent)) => found.push(lent),
            _ => members.values().for_each(|member| collect(member, found)),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The same value with objects in the place of the tags that stand for plain objects.
///
/// For data that has no other tag: what was sent as it is, and happened to have a
/// member `$`.
pub fn untagged(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(untagged).collect(),
        Value::Object(members) => {
            let inner = match Tag::read(value) {
                Some(Tag::Object { value }) => value,
                _ => members.clone(),
            };
            let pairs = inner.iter().map(|(name, it)| (name.clone(), untagged(it)));
            Value::Object(pairs.collect())
        }
        plain => plain.clone(),
    }
}
