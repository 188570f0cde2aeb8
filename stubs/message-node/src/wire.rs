//! Messages of the bus as JSON, and back (spec messaging §1).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use protocol::limits::BODY_BYTES_MAX;
use protocol::message::{Message, MessageKind, Reply};
use protocol::{Address, Code};
use serde_json::value::RawValue;

/// A message that a node sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    /// Its author's number.
    pub id: u64,
    /// Its `type`.
    pub kind: String,
    /// Its author.
    pub from: String,
    /// Whom it is for.
    pub to: String,
    /// For a response the number in its body.
    pub code: Code,
    /// JSON text.
    pub body: String,
    /// Further members, as JSON object text, or nothing.
    pub members: String,
}

/// Why a text is not a message that the bus may carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not a JSON object.
    #[error("not a message: {0}")]
    Garbage(String),
    /// Lacks something, or has it wrong.
    #[error("a message without a sound `{0}`")]
    Member(&'static str),
    /// Too long for the bus.
    #[error("a message of {0} bytes is longer than {BODY_BYTES_MAX}")]
    TooLong(usize),
}

type Members<'a> = BTreeMap<String, &'a RawValue>;

impl Inbound {
    /// Reads a message. Of a member that stands there twice the last one counts, here as
    /// in JavaScript; nobody sees the other one, because the bus carries what was read.
    pub fn read(text: &str) -> Result<Self, Unreadable> {
        let members: Result<Members<'_>, _> = serde_json::from_str(text);
        let mut members = members.map_err(|error| Unreadable::Garbage(error.to_string()))?;
        let id = members
            .remove("id")
            .and_then(number)
            .ok_or(Unreadable::Member("id"))?;
        let kind = take_text(&mut members, "type")?;
        let from = take_address(&mut members, "from")?;
        let to = take_address(&mut members, "to")?;
        let body = members.remove("body").map_or("{}", RawValue::get);
        if !MessageKind::parse(&kind).is_well_formed() {
            return Err(Unreadable::Member("type"));
        }
        if body.len() > BODY_BYTES_MAX {
            return Err(Unreadable::TooLong(body.len()));
        }
        let code = match kind.as_str() {
            "response" => code_of(body),
            _ => Code::NONE,
        };
        Ok(Self {
            id,
            kind,
            from,
            to,
            code,
            body: body.to_owned(),
            members: rest(&members),
        })
    }

    /// What its author expects: nothing for what is published.
    pub fn reply(&self) -> Reply {
        let is_told = matches!(self.kind.as_str(), "response" | "event")
            || (self.kind == "update" && is_channel(&self.to));
        if is_told {
            Reply::Unwanted
        } else {
            Reply::Untimed
        }
    }

    /// The mark in its body that says by whom it was carried.
    pub fn via(&self) -> Option<String> {
        if !self.body.contains("\"via\"") {
            return None;
        }
        let members: Members<'_> = serde_json::from_str(&self.body).ok()?;
        serde_json::from_str(members.get("via")?.get()).ok()
    }

    /// As the bus carries it.
    pub fn message(&self) -> Message<'_> {
        let kind = MessageKind::parse(&self.kind);
        let mut message = Message::new(kind, &self.from, &self.to, self.body.as_bytes())
            .with_id(self.id)
            .expecting(self.reply());
        message.header.code = self.code;
        message.header.members = &self.members;
        message
    }
}

/// The text of a message of the bus, marked with `via` against its coming back.
pub fn write(message: &Message<'_>, via: &str) -> String {
    let header = &message.header;
    let [kind, from, to] = [
        header.kind.as_str(),
        &spelling(header.from),
        &spelling(header.to),
    ]
    .map(quoted);
    let id = header.id;
    let mut text = format!(r#"{{"id":{id},"type":{kind},"from":{from},"to":{to}"#);
    let members = header.members.trim();
    let inner = members
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    if let Some(inner) = inner.filter(|inner| !inner.trim().is_empty()) {
        // Writing into a `String` cannot fail.
        let _ = write!(text, ",{inner}");
    }
    let body = std::str::from_utf8(message.body).unwrap_or_default();
    let _ = write!(text, r#","body":{}}}"#, marked(body, header.code, via));
    text
}

/// Whether many listen to an address, so that nobody answers for it.
pub fn is_channel(address: &str) -> bool {
    let path = address.trim_end_matches('/');
    ["/changes", "/children", "/registration", "/status"]
        .iter()
        .any(|channel| path.ends_with(channel))
}

/// The spelling of an address that nodes know.
pub fn spelling(address: &str) -> String {
    match address.parse::<Address>() {
        // Another spelling of the same address is left as it is: receivers match on it.
        Ok(parsed) if parsed.is_runtime() => {
            let slash = if address.ends_with('/') { "/" } else { "" };
            format!("{}{slash}", parsed.published())
        }
        _ => address.to_owned(),
    }
}

/// A text as JSON.
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

// The body with `via`, and with the number of a response, which receivers read there.
fn marked(body: &str, code: Code, via: &str) -> String {
    let body = if body.trim().is_empty() { "{}" } else { body };
    let Ok(mut members) = serde_json::from_str::<Members<'_>>(body) else {
        // A text or a list: nobody could find a mark in it.
        return body.to_owned();
    };
    let (via, code) = (quoted(via), code.0.to_string());
    let [Ok(via), Ok(code)] = [&via, &code].map(|text| serde_json::from_str::<&RawValue>(text))
    else {
        return body.to_owned();
    };
    members.insert("via".to_owned(), via);
    if code.get() != "0" {
        members.entry("code".to_owned()).or_insert(code);
    }
    serde_json::to_string(&members).unwrap_or_else(|_| body.to_owned())
}

fn number(value: &RawValue) -> Option<u64> {
    serde_json::from_str(value.get()).ok()
}

fn take_text(members: &mut Members<'_>, name: &'static str) -> Result<String, Unreadable> {
    let value = members.remove(name).ok_or(Unreadable::Member(name))?;
    serde_json::from_str(value.get()).map_err(|_| Unreadable::Member(name))
}

fn take_address(members: &mut Members<'_>, name: &'static str) -> Result<String, Unreadable> {
    let text = take_text(members, name)?;
    match text.parse::<Address>() {
        Ok(_) => Ok(text),
        Err(_) => Err(Unreadable::Member(name)),
    }
}

// Numeric text counts as its number; a word, or nothing, is a failure (spec §1.5).
fn code_of(body: &str) -> Code {
    let members: Option<Members<'_>> = serde_json::from_str(body).ok();
    let code = members.as_ref().and_then(|members| members.get("code"));
    let number = code.and_then(|code| code.get().trim_matches('"').parse().ok());
    number.map_or(Code::FAILED, Code)
}

fn rest(members: &Members<'_>) -> String {
    if members.is_empty() {
        return String::new();
    }
    serde_json::to_string(members).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_goes_out_as_nodes_know_it() {
        let body = br#"{"value":1,"via":"old"}"#;
        let from = "hyperty-runtime://d.org/r/registry/";
        let mut message = Message::new(MessageKind::Create, from, "domain://registry.d.org", body);
        message.header.id = 7;
        message.header.members = r#"{"identity":{}}"#;

        let text = write(&message, "runtime://d.org/r/token");

        assert_eq!(
            text,
            r#"{"id":7,"type":"create","from":"runtime://d.org/r/registry/","to":"domain://registry.d.org","identity":{},"body":{"value":1,"via":"runtime://d.org/r/token"}}"#
        );
    }

    #[test]
    fn a_response_says_its_number_in_its_body() {
        let message = Message::new(
            MessageKind::Create,
            "hyperty://d.org/1",
            "hyperty://d.org/2",
            b"",
        );

        let text = write(&message.answer(Code::OK, b"{}"), "v");

        assert!(
            text.ends_with(r#""body":{"code":200,"via":"v"}}"#),
            "{text}"
        );
    }

    #[test]
    fn codes_are_read_however_they_are_written() {
        let code = |body: &str| {
            let text = format!(
                r#"{{"id":1,"type":"response","from":"a.org","to":"b.org","body":{body}}}"#
            );
            Inbound::read(&text).unwrap().code
        };

        assert_eq!(code(r#"{"code":200}"#), Code::OK);
        assert_eq!(code(r#"{"code":"200"}"#), Code::OK);
        assert_eq!(code(r#"{"code":"error"}"#), Code::FAILED);
        assert_eq!(code("{}"), Code::FAILED);
        assert_eq!(code("null"), Code::FAILED);
    }

    #[test]
    fn what_the_bus_may_not_carry_is_refused() {
        let read = |text: &str| Inbound::read(text).unwrap_err();

        assert!(matches!(read("<html>"), Unreadable::Garbage(_)));
        assert_eq!(read(r#"{"type":"read"}"#), Unreadable::Member("id"));
        assert_eq!(
            read(r#"{"id":1,"type":"a b","from":"a.org","to":"b.org"}"#),
            Unreadable::Member("type")
        );
        assert_eq!(
            read(r#"{"id":1,"type":"read","from":"hyperty://d/../1","to":"b.org"}"#),
            Unreadable::Member("from")
        );
        let long = "x".repeat(BODY_BYTES_MAX);
        let text =
            format!(r#"{{"id":1,"type":"read","from":"a.org","to":"b.org","body":"{long}"}}"#);
        assert!(matches!(read(&text), Unreadable::TooLong(_)));
    }
}
