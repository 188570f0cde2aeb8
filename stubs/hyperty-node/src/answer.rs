//! Answers, as every generation of runtimes reads them (spec messaging §1.4, §1.5).

use protocol::Code;
use serde_json::{Map, Value, json};

use crate::envelope::Envelope;
use crate::event::Text;

/// The answer of a service, before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its number.
    pub code: Code,
    /// The other members of its body.
    pub members: Map<String, Value>,
}

impl Answer {
    /// Done, with nothing to tell.
    pub fn ok() -> Self {
        Self {
            code: Code::OK,
            members: Map::new(),
        }
    }

    /// Refused or failed, with a sentence for a person.
    ///
    /// Both names of the sentence: published readers look for one or the other.
    pub fn refused(code: Code, why: impl Into<String>) -> Self {
        let why = why.into();
        Self {
            code,
            members: Map::new(),
        }
        .with("desc", why.clone())
        .with("description", why)
    }

    /// Adds a member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// The text of the answer to a message, in the name that it was sent to.
    pub fn to(&self, asked: &Envelope<'_>) -> Text {
        self.write(asked.id, &asked.to, &asked.from)
    }

    /// The text of an answer that the node gives in a name of its own.
    pub fn write(&self, id: &str, from: &str, to: &str) -> Text {
        let mut body = self.members.clone();
        body.insert("code".to_owned(), self.code.0.into());
        // The number goes back as it came: digits, so it is JSON.
        let id: Value = serde_json::from_str(id).unwrap_or(Value::Null);
        let message = json!({
            "id": id, "type": "response", "from": from, "to": to, "body": body,
        });
        message.to_string().into()
    }
}

/// What the node itself tells those who listen to a registration (spec messaging §8.4).
pub fn status_event(domain: &str, url: &str, status: &str) -> Text {
    let message = json!({
        // The number that the published registry writes.
        "id": 4,
        "type": "update",
        "from": format!("domain://registry.{domain}"),
        "to": format!("{url}/registration"),
        "body": {"value": status, "attribute": "status"},
    });
    message.to_string().into()
}
