//! The text of a message, read as far as a node must (spec messaging §1.1).

use std::borrow::Cow;

use protocol::Address;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::limits::ID_BYTES_MAX;

/// A message as it came: its text is passed on unchanged.
#[derive(Debug)]
pub struct Envelope<'a> {
    /// The sender's number, as it was written.
    pub id: &'a str,
    /// `create`, `response` and so on; not one of a closed list.
    pub kind: Cow<'a, str>,
    /// The author, as it was written: answers must repeat the spelling.
    pub from: Cow<'a, str>,
    /// The destination, as it was written.
    pub to: Cow<'a, str>,
    /// JSON text, or `null`.
    pub body: &'a str,
}

/// Why a text is not a message.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not JSON at all: the peer speaks something else.
    #[error("not a JSON message: {0}")]
    Garbage(String),
    /// JSON, but not a message; `to` is where the complaint goes.
    #[error("{why}")]
    Incomplete {
        /// What is wrong.
        why: String,
        /// The number to answer to, `0` when it has none.
        id: String,
        /// The author, when it says one.
        from: String,
    },
}

#[derive(Deserialize)]
struct Written<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    from: Option<&'a RawValue>,
    #[serde(borrow)]
    to: Option<&'a RawValue>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// Reads a message.
    ///
    /// A member that stands there twice is refused: its readers would not agree on
    /// which of the two counts.
    pub fn read(text: &'a str) -> Result<Self, Unreadable> {
        let written: Written<'a> = serde_json::from_str(text).map_err(|error| {
            let why = error.to_string();
            if error.is_data() && text.trim_start().starts_with('{') {
                incomplete(why, "0", "")
            } else {
                Unreadable::Garbage(why)
            }
        })?;
        let id = written.id.map_or("0", RawValue::get);
        let from = text_of(written.from).unwrap_or_default();
        let missing = |name: &str| {
            // The wording of the published node (spec messaging §10.2).
            incomplete(format!("No mandatory field '{name}'"), id, &from)
        };
        if id.len() > ID_BYTES_MAX || !is_number(id) {
            return Err(missing("id"));
        }
        let kind = text_of(written.kind).ok_or_else(|| missing("type"))?;
        if from.is_empty() {
            return Err(missing("from"));
        }
        let to = text_of(written.to).ok_or_else(|| missing("to"))?;
        let body = written.body.map_or("null", RawValue::get);
        Ok(Self {
            id,
            kind,
            from: from.clone(),
            to,
            body,
        })
    }

    /// Whether its sender waits for an answer that the node may have to give.
    ///
    /// What is published (changes, children, status) is told and not asked.
    pub fn wants_answer(&self, to: &Address) -> bool {
        !matches!(self.kind.as_ref(), "response" | "event" | "init") && !is_channel(to)
    }

    /// The body as the type that a service expects.
    pub fn body<T: Deserialize<'a>>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.body)
    }
}

/// Whether many may listen to an address: what is published by whom it belongs to.
pub fn is_channel(address: &Address) -> bool {
    let path = address.path();
    let below = |name: &str| path.ends_with(name) || path.contains(&format!("{name}/"));
    ["/changes", "/children", "/registration", "/status"]
        .iter()
        .any(|name| below(name))
}

fn incomplete(why: String, id: &str, from: &str) -> Unreadable {
    let id = if is_number(id) && id.len() <= ID_BYTES_MAX {
        id
    } else {
        "0"
    };
    Unreadable::Incomplete {
        why,
        id: id.to_owned(),
        from: from.to_owned(),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text != "0" && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn text_of(value: Option<&RawValue>) -> Option<Cow<'_, str>> {
    let text: Result<Cow<'_, str>, _> = serde_json::from_str(value?.get()).map(Cow::Owned);
    text.ok().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_without_its_body() {
        let text = r#"{"type":"create","from":"hyperty://d/1","to":"hyperty://d/2","id":7,"body":{"a":[1]},"identity":{}}"#;

        let read = Envelope::read(text).unwrap();

        assert_eq!(
            (read.id, &*read.kind, &*read.from, &*read.to, read.body),
            (
                "7",
                "create",
                "hyperty://d/1",
                "hyperty://d/2",
                r#"{"a":[1]}"#
            )
        );
    }

    #[test]
    fn what_is_no_message_is_told_apart_from_garbage() {
        let told = |text| Envelope::read(text).unwrap_err().to_string();

        assert!(matches!(
            Envelope::read("GET / HTTP/1.1"),
            Err(Unreadable::Garbage(_))
        ));
        assert!(matches!(Envelope::read("[1]"), Err(Unreadable::Garbage(_))));
        assert_eq!(
            told(r#"{"type":"read","from":"a","to":"b"}"#),
            "No mandatory field 'id'"
        );
        assert_eq!(
            told(r#"{"id":1,"type":"read","from":"a","to":["b","c"]}"#),
            "No mandatory field 'to'"
        );
        assert!(
            told(r#"{"id":1,"from":"a","from":"b","to":"c","type":"read"}"#).contains("duplicate")
        );
    }
}
