//! What a stanza means to the bridge.

use crate::limits::{DEVICES_MAX, STATUS_CHARS_MAX};
use crate::xml::Element;

const CLIENT: &str = "jabber:client";

/// What came from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stanza {
    /// A message with a text.
    Message {
        /// Whose, with the device.
        from: String,
        /// Its number, to be named when it cannot be delivered.
        id: String,
        /// What was said.
        body: String,
    },
    /// Something that was sent could not be delivered.
    Bounced {
        /// Who it was for.
        from: String,
        /// The number that it had.
        id: String,
        /// The condition: `service-unavailable`, …
        condition: String,
    },
    /// Somebody came, went, or asks to be told of us.
    Presence {
        /// Whose, with the device.
        from: String,
        /// `available`, `away`, `chat`, `dnd`, `xa`, `unavailable`, `subscribe`, …
        kind: String,
        /// The words the user chose.
        status: String,
    },
    /// The answer to a question.
    Answer {
        /// Who answers; empty for the server.
        from: String,
        /// The question's number.
        id: String,
    },
    /// A question of somebody's: it must be answered.
    Question {
        /// Who asks; empty for the server.
        from: String,
        /// Its number.
        id: String,
    },
    /// What is of no interest here.
    Other,
}

/// What a stanza means.
pub fn read(stanza: &Element) -> Stanza {
    if stanza.space != CLIENT {
        return Stanza::Other;
    }
    let attribute = |name: &str| stanza.attribute(name).to_owned();
    let (from, id) = (attribute("from"), attribute("id"));
    match (stanza.name.as_str(), stanza.attribute("type")) {
        ("message" | "presence", "error") => Stanza::Bounced {
            from,
            id,
            condition: condition(stanza),
        },
        ("message", "" | "chat" | "normal") => match text_in(stanza, "body") {
            // Without a text it says that somebody types, or has read.
            "" => Stanza::Other,
            body => Stanza::Message {
                from,
                id,
                body: body.to_owned(),
            },
        },
        ("presence", kind) => presence(stanza, from, kind),
        ("iq", "result" | "error") => Stanza::Answer { from, id },
        ("iq", _) => Stanza::Question { from, id },
        _ => Stanza::Other,
    }
}

fn presence(stanza: &Element, from: String, kind: &str) -> Stanza {
    let shown = match text_in(stanza, "show").trim() {
        show @ ("away" | "chat" | "dnd" | "xa") => show,
        _ => "available",
    };
    Stanza::Presence {
        from,
        kind: if kind.is_empty() { shown } else { kind }.to_owned(),
        status: text_in(stanza, "status")
            .chars()
            .take(STATUS_CHARS_MAX)
            .collect(),
    }
}

fn text_in<'a>(stanza: &'a Element, name: &str) -> &'a str {
    stanza.child(name, CLIENT).map_or("", |child| &child.text)
}

fn condition(stanza: &Element) -> String {
    let error = stanza.child("error", CLIENT);
    let named = error.and_then(|error| error.children.first());
    crate::session::quoted(named.map_or("undefined-condition", |child| &child.name))
}

/// How a user stands, over all devices.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    // The one heard of last stands last; only those that are there.
    devices: Vec<(String, String, String)>,
}

impl Standing {
    /// Takes news of a device; whether the whole may be another now.
    pub fn take(&mut self, device: &str, kind: &str, status: &str) {
        self.devices.retain(|(known, ..)| known != device);
        if kind == "unavailable" {
            return;
        }
        if self.devices.len() >= DEVICES_MAX {
            self.devices.remove(0);
        }
        let news = (device.to_owned(), kind.to_owned(), status.to_owned());
        self.devices.push(news);
    }

    /// The word and the user's own words.
    pub fn now(&self) -> (&str, &str) {
        let last = self.devices.last();
        last.map_or(("unavailable", ""), |(_, kind, status)| (kind, status))
    }
}

/// Whether this is a bare address of a user: `bob@example.org`.
pub fn is_bare(jid: &str) -> bool {
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"\"&'/:<>@".contains(c);
    let fits = |part: &str| !part.is_empty() && part.len() <= 255 && part.chars().all(plain);
    let parts = jid.split_once('@');
    parts.is_some_and(|(local, domain)| fits(local) && fits(domain))
}

/// An address without its device.
pub fn bare(jid: &str) -> &str {
    jid.split_once('/').map_or(jid, |(bare, _)| bare)
}

/// The device of an address; empty when it names none.
pub fn device(jid: &str) -> &str {
    jid.split_once('/').map_or("", |(_, device)| device)
}

/// The name of the stub for a user's domain: what the registry looks for
/// (spec messaging §6.5).
pub fn stub_name(jid: &str) -> String {
    let domain = bare(jid).split_once('@').map_or("", |(_, domain)| domain);
    let mut labels: Vec<_> = domain.rsplit('.').take(2).collect();
    labels.reverse();
    format!("xmpp.{}", labels.join(".")).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_user() {
        for good in ["bob@example.org", "a.b-c@x", "é@x.org"] {
            assert!(is_bare(good), "{good}");
        }
        for bad in ["bob", "@x", "bob@", "b b@x", "bob@x/home", "a@b@c", "<a>@x"] {
            assert!(!is_bare(bad), "{bad}");
        }
        assert_eq!((bare("b@x/a/b"), device("b@x/a/b")), ("b@x", "a/b"));
        assert_eq!(stub_name("b@chat.Example.org/1"), "xmpp.example.org");
    }

    #[test]
    fn a_user_with_several_devices_stands_as_on_the_one_heard_of_last() {
        let mut standing = Standing::default();
        assert_eq!(standing.now(), ("unavailable", ""));

        standing.take("laptop", "dnd", "busy");
        standing.take("phone", "available", "");
        assert_eq!(standing.now(), ("available", ""));
        standing.take("phone", "unavailable", "");
        assert_eq!(standing.now(), ("dnd", "busy"));

        for n in 0..=DEVICES_MAX {
            standing.take(&n.to_string(), "away", "");
        }
        assert_eq!(standing.devices.len(), DEVICES_MAX);
    }
}
