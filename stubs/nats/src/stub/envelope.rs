//! A message as it lies on a subject: one JSON object, as in the published
//! protocols (spec messaging §1.1).

use std::borrow::Cow;
use std::fmt;
use std::io::Write;

use protocol::Code;
use protocol::message::{Header, Message, MessageKind, Reply};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The longest message: its body, its addresses and what else stands beside it.
const ENVELOPE_BYTES_MAX: usize =
    protocol::limits::BODY_BYTES_MAX + protocol::limits::HEADER_BYTES_MAX;

/// Why something is no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadEnvelope {
    #[error("not a message: {0}")]
    Json(String),
    #[error("the body is not JSON: {0}")]
    Body(String),
    #[error("the further members are not a JSON object: {0}")]
    Members(String),
    #[error("`{}` is not a type of message", .0.escape_default())]
    Kind(String),
    #[error("a message of {0} bytes, at most {ENVELOPE_BYTES_MAX} are taken")]
    Long(usize),
}

/// One message that is nobody's buffer any more.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) id: u64,
    pub(super) kind: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) reply: Reply,
    pub(super) members: String,
    pub(super) body: Vec<u8>,
}

impl Held {
    pub(super) fn of(message: &Message<'_>) -> Self {
        let header = &message.header;
        Self {
            id: header.id,
            kind: header.kind.as_str().to_owned(),
            from: header.from.to_owned(),
            to: header.to.to_owned(),
            reply: header.reply,
            members: header.members.to_owned(),
            body: message.body.to_vec(),
        }
    }

    pub(super) fn message(&self) -> Message<'_> {
        Message {
            header: Header {
                id: self.id,
                kind: MessageKind::parse(&self.kind),
                from: &self.from,
                to: &self.to,
                code: Code::NONE,
                reply: self.reply,
                members: &self.members,
            },
            body: &self.body,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.from.len() + self.to.len() + self.members.len() + self.body.len() + 128
    }
}

/// Writes a message.
///
/// The body is looked at: what is no JSON could end the object early and write
/// another sender behind it.
pub(super) fn write(message: &Message<'_>) -> Result<Vec<u8>, BadEnvelope> {
    let Message { header, body } = message;
    let mut out = Vec::with_capacity(body.len() + header.from.len() + header.to.len() + 96);
    let text = |out: &mut Vec<u8>, name: &str, value: &str| {
        out.extend_from_slice(name.as_bytes());
        // Writing to memory does not fail.
        let _ = value.serialize(&mut serde_json::Serializer::new(out));
    };
    let _ = write!(out, "{{\"id\":{}", header.id);
    text(&mut out, ",\"type\":", header.kind.as_str());
    text(&mut out, ",\"from\":", header.from);
    text(&mut out, ",\"to\":", header.to);
    if !header.members.is_empty() {
        members(&mut out, header.members)?;
    }
    out.extend_from_slice(b",\"body\":");
    if body.is_empty() {
        out.extend_from_slice(b"{}");
    } else {
        serde_json::from_slice::<IgnoredAny>(body)
            .map_err(|bad| BadEnvelope::Body(bad.to_string()))?;
        out.extend_from_slice(body);
    }
    out.push(b'}');
    Ok(out)
}

fn members(out: &mut Vec<u8>, text: &str) -> Result<(), BadEnvelope> {
    let bad = |bad: serde_json::Error| BadEnvelope::Members(bad.to_string());
    let members: std::collections::BTreeMap<&str, &RawValue> =
        serde_json::from_str(text).map_err(bad)?;
    for (name, value) in members {
        if !matches!(name, "id" | "type" | "from" | "to" | "body") {
            out.push(b',');
            let _ = name.serialize(&mut serde_json::Serializer::new(&mut *out));
            out.push(b':');
            out.extend_from_slice(value.get().as_bytes());
        }
    }
    Ok(())
}

/// A message as it was read, with what was checked of it.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    pub(super) id: u64,
    kind: Cow<'a, str>,
    from: Cow<'a, str>,
    to: Cow<'a, str>,
    members: String,
    body: &'a [u8],
}

/// Reads a message of another runtime.
pub(super) fn read(payload: &[u8]) -> Result<Envelope<'_>, BadEnvelope> {
    if payload.len() > ENVELOPE_BYTES_MAX {
        return Err(BadEnvelope::Long(payload.len()));
    }
    let envelope: Envelope<'_> =
        serde_json::from_slice(payload).map_err(|bad| BadEnvelope::Json(bad.to_string()))?;
    if !MessageKind::parse(&envelope.kind).is_well_formed() {
        return Err(BadEnvelope::Kind(envelope.kind.chars().take(64).collect()));
    }
    Ok(envelope)
}

impl Envelope<'_> {
    pub(super) fn kind(&self) -> MessageKind<'_> {
        MessageKind::parse(&self.kind)
    }

    /// The number in the body: of a response its outcome.
    pub(super) fn code(&self) -> Code {
        #[derive(Deserialize)]
        struct Told<'a> {
            #[serde(borrow, default)]
            code: Option<&'a RawValue>,
        }
        let told: Option<Told<'_>> = serde_json::from_slice(self.body).ok();
        let text = told.and_then(|told| told.code).map_or("", RawValue::get);
        // Some send numbers as text; a text that is none is a failure (§1.5).
        match text.trim_matches('"').parse() {
            Ok(number) => Code(number),
            Err(_) if text.is_empty() => Code::NONE,
            Err(_) => Code::FAILED,
        }
    }

    pub(super) fn body(&self) -> &[u8] {
        self.body
    }

    pub(super) fn held(&self, reply: Reply) -> Held {
        Held {
            id: self.id,
            kind: self.kind.to_string(),
            from: self.from.to_string(),
            to: self.to.to_string(),
            reply,
            members: self.members.clone(),
            body: self.body.to_vec(),
        }
    }
}

impl<'de> Deserialize<'de> for Envelope<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Envelope<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `id`, `type`, `from`, `to` and `body`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        use serde::de::Error;
        let (mut id, mut kind, mut from, mut to, mut body) = (None, None, None, None, None);
        let mut members = String::new();
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            match &*name {
                "id" => once(&mut id, map.next_value()?, "id")?,
                "type" => once(&mut kind, map.next_value()?, "type")?,
                "from" => once(&mut from, map.next_value()?, "from")?,
                "to" => once(&mut to, map.next_value()?, "to")?,
                "body" => once(&mut body, map.next_value::<&'de RawValue>()?, "body")?,
                other => {
                    let value: &RawValue = map.next_value()?;
                    members.push(if members.is_empty() { '{' } else { ',' });
                    let name = serde_json::to_string(other).map_err(A::Error::custom)?;
                    members.push_str(&name);
                    members.push(':');
                    members.push_str(value.get());
                }
            }
        }
        if !members.is_empty() {
            members.push('}');
        }
        Ok(Envelope {
            id: id.unwrap_or_default(),
            kind: kind.ok_or_else(|| A::Error::missing_field("type"))?,
            from: from.ok_or_else(|| A::Error::missing_field("from"))?,
            to: to.ok_or_else(|| A::Error::missing_field("to"))?,
            members,
            body: body.map_or(b"{}", |body| body.get().as_bytes()),
        })
    }
}

// A member that is said twice would have two readings.
fn once<T, E: serde::de::Error>(
    place: &mut Option<T>,
    value: T,
    name: &'static str,
) -> Result<(), E> {
    if place.replace(value).is_some() {
        return Err(E::duplicate_field(name));
    }
    Ok(())
}
