//! The members of a message body that rules may look at.
//!
//! Reading stops at what could be read in two ways: a member that stands twice,
//! or has another type than the schema says. A receiver might take the other
//! reading, so such a message is refused wherever a rule looks at bodies.

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

/// The type a member must have.
#[derive(Clone, Copy)]
enum Expected {
    Text,
    Texts,
    Whole,
    Truth,
}

/// The members, in the order of `Body` in the schema; a test compares them.
const MEMBERS: [(&str, Expected); 13] = [
    ("method", Expected::Text),
    ("resource", Expected::Text),
    ("resources", Expected::Texts),
    ("schema", Expected::Text),
    ("attribute", Expected::Text),
    ("attributeType", Expected::Text),
    ("operation", Expected::Text),
    ("subscriber", Expected::Text),
    ("reporter", Expected::Text),
    ("source", Expected::Text),
    ("code", Expected::Whole),
    ("mutual", Expected::Truth),
    ("p2p", Expected::Truth),
];

fn expected(name: &str) -> Option<Expected> {
    let member = MEMBERS.iter().find(|(member, _)| *member == name);
    member.map(|&(_, expected)| expected)
}

/// The members with the names that the schema has for their types.
#[cfg(test)]
pub(super) fn expected_members() -> Vec<(&'static str, &'static str)> {
    let name = |expected| match expected {
        Expected::Text => "String",
        Expected::Texts => "Set<String>",
        Expected::Whole => "Long",
        Expected::Truth => "Bool",
    };
    MEMBERS
        .iter()
        .map(|&(member, expected)| (member, name(expected)))
        .collect()
}

impl Expected {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Texts => value
                .as_array()
                .is_some_and(|members| members.iter().all(Value::is_string)),
            Self::Whole => value.is_i64(),
            Self::Truth => value.is_boolean(),
        }
    }
}

/// Reads the members of the schema from a body; the others are skipped.
///
/// A body that is empty, or JSON but no object, has none of them.
pub(super) fn members(bytes: &[u8]) -> Result<Value, String> {
    if bytes.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let members: Members =
        serde_json::from_slice(bytes).map_err(|e| format!("cannot read the body: {e}"))?;
    Ok(Value::Object(members.0))
}

struct Members(Map<String, Value>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Members;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let Some(expected) = expected(&name) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value: Value = map.next_value()?;
            if !expected.fits(&value) {
                return Err(A::Error::custom(format!("`{name}` is of another type")));
            }
            if members.insert(name.clone(), value).is_some() {
                return Err(A::Error::custom(format!("`{name}` stands twice")));
            }
        }
        Ok(Members(members))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Members, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Members(Map::new()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Members, E> {
        Ok(Members(Map::new()))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Members, E> {
        Ok(Members(Map::new()))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Members, E> {
        Ok(Members(Map::new()))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Members, E> {
        Ok(Members(Map::new()))
    }

    fn visit_str<E>(self, _: &str) -> Result<Members, E> {
        Ok(Members(Map::new()))
    }

    fn visit_unit<E>(self) -> Result<Members, E> {
        Ok(Members(Map::new()))
    }
}
