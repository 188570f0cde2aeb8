//! What comes from the server.

use protocol::Code;
use serde_json::json;

use super::{Bridge, Effect};
use crate::limits::TEXT_BYTES_MAX;
use crate::stanza::{Stanza, bare, device, is_bare, stub_name};
use crate::xml::escaped;

impl Bridge {
    /// A stanza came.
    pub fn heard(&mut self, stanza: Stanza, now: u64) {
        self.heard_at = now;
        match stanza {
            // Only the own server answers pings: anybody may send the like.
            Stanza::Answer { from, id } if self.is_servers(&from) => self.pinged(&id),
            Stanza::Bounced {
                from,
                id,
                condition,
            } => {
                self.pending.spoil(&id, bare(&from), &condition);
            }
            Stanza::Message { from, id, body } => self.text(&from, &id, &body),
            Stanza::Presence { from, kind, status } => self.presence(&from, &kind, &status),
            Stanza::Question { from, id } => {
                let not_here = error("iq", &from, &id, "cancel", "service-unavailable");
                self.effects.push(Effect::Say(not_here));
            }
            Stanza::Answer { .. } | Stanza::Other => {}
        }
    }

    // It speaks without an address, as its domain, or as the account itself.
    fn is_servers(&self, from: &str) -> bool {
        let account = bare(&self.own);
        let domain = account.split_once('@').map_or("", |(_, domain)| domain);
        from.is_empty() || from == self.own || from == account || from == domain
    }

    fn pinged(&mut self, id: &str) {
        match self.pending.done(id) {
            Some((asker, None)) => self.answer(asker, json!({ "code": 200 })),
            Some((asker, Some(why))) => self.refuse(asker, Code::NOT_FOUND, &why),
            None => {}
        }
    }

    // Whom this stub may speak for: the core cuts off who speaks for others.
    fn is_ours(&self, from: &str) -> bool {
        let user = bare(from);
        is_bare(user) && stub_name(user) == self.name && user != bare(&self.own)
    }

    fn text(&mut self, from: &str, id: &str, body: &str) {
        let listener = self
            .people
            .listener(bare(from))
            .filter(|_| self.is_ours(from));
        let Some(to) = listener.map(str::to_owned) else {
            let nobody = error("message", from, id, "cancel", "service-unavailable");
            return self.effects.push(Effect::Say(nobody));
        };
        if body.len() > TEXT_BYTES_MAX {
            let too_long = error("message", from, id, "modify", "policy-violation");
            return self.effects.push(Effect::Say(too_long));
        }
        self.effects.push(Effect::Post {
            kind: "create",
            from: format!("xmpp://{}", bare(from)),
            to,
            body: json!({ "value": { "type": "chat", "content": body } }),
        });
    }

    fn presence(&mut self, from: &str, kind: &str, status: &str) {
        if !self.is_ours(from) {
            return;
        }
        match kind {
            // Who wants to see us may: there is nothing to be seen but that we are there.
            "subscribe" => {
                let to = escaped(bare(from));
                let yes = format!("<presence to='{to}' type='subscribed'/>");
                self.effects.push(Effect::Say(yes));
            }
            "available" | "away" | "chat" | "dnd" | "xa" | "unavailable" => {
                let parts = (bare(from), device(from));
                let news = self.people.stands(parts, kind, status);
                self.effects.extend(news);
            }
            _ => {}
        }
    }
}

fn error(stanza: &str, to: &str, id: &str, kind: &str, condition: &str) -> String {
    // Without an address it is for the server.
    let to = match to {
        "" => String::new(),
        to => format!(" to='{}'", escaped(to)),
    };
    let id = escaped(id);
    format!(
        "<{stanza} type='error' id='{id}'{to}><error type='{kind}'>\
         <{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></{stanza}>"
    )
}
