//! What a message means there, and what a stanza means here. No socket, no clock.
//!
//! | here | there |
//! |---|---|
//! | `create` to `xmpp://bob@example.org`, with a text | a chat message to Bob |
//! | `subscribe`, `unsubscribe` | Bob is asked to let the account see his presence, or not any more |
//! | `read` | how Bob stands, as far as somebody here has subscribed |
//! | `create` from `xmpp://bob@example.org` to who wrote to him last, else to the inbox | a chat message of Bob's |
//! | `update` from it to who has subscribed | Bob came, went, is away |
//!
//! XMPP acknowledges nothing. Behind each stanza goes a ping to the own server, which
//! works through what it gets in order: its answer says that the stanza was taken, and
//! an error before it that it was not. So each request has one answer.

mod pending;
mod people;
#[cfg(test)]
mod tests;
mod there;

use std::collections::VecDeque;

use protocol::Code;
use serde_json::{Value, json};

use crate::limits::{IDLE_MS, SILENT_MS, TEXT_BYTES_MAX, WAIT_MS};
use crate::stanza::{is_bare, stub_name};
use crate::xml::escaped;
use pending::Pending;
use people::People;

/// Who has asked, and what the answer must name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// The request's number.
    pub id: u64,
    /// The hyperty.
    pub from: String,
    /// `xmpp://bob@example.org`.
    pub to: String,
    /// Whether anybody waits for the answer.
    pub is_waiting: bool,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// A stanza goes to the server.
    Say(String),
    /// A request has its answer.
    Answer {
        /// Whose request.
        asker: Asker,
        /// How it ended.
        code: Code,
        /// The body.
        body: Value,
    },
    /// News from a user.
    Post {
        /// `create` for a text, `update` for a presence.
        kind: &'static str,
        /// `xmpp://bob@example.org`.
        from: String,
        /// A hyperty.
        to: String,
        /// The body.
        body: Value,
    },
    /// The server says nothing: the connection is to be given up.
    GiveUp(&'static str),
}

#[derive(Debug, Clone)]
struct Request {
    asker: Asker,
    kind: String,
    body: Vec<u8>,
    since: u64,
}

/// The stub's books.
#[derive(Debug, Default)]
pub struct Bridge {
    // `xmpp.example.org`: it speaks for users of this domain alone.
    name: String,
    // The address that the server gave; empty while there is no session.
    own: String,
    // Why there is none.
    down: String,
    // Whether waiting is of no use.
    is_refused: bool,
    heard_at: u64,
    people: People,
    waiting: VecDeque<Request>,
    pending: Pending,
    effects: Vec<Effect>,
}

impl Bridge {
    /// For the stub of this name, `xmpp.example.org`; `inbox` hears users that nobody here has
    /// written to, and is empty for nobody.
    pub fn new(name: &str, inbox: &str) -> Self {
        Self {
            name: name.to_owned(),
            people: People::new(inbox),
            ..Self::default()
        }
    }

    /// What is to be done now.
    pub fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// A message from this side; it has its answer among the effects, sooner or later.
    pub fn ask(&mut self, asker: Asker, kind: &str, body: &[u8], now: u64) {
        let request = Request {
            asker,
            kind: kind.to_owned(),
            body: body.to_vec(),
            since: now,
        };
        if !self.own.is_empty() {
            return self.act(request);
        }
        let bytes: usize = self.waiting.iter().map(|request| request.body.len()).sum();
        if self.is_refused {
            self.refuse(request.asker, Code::UNAVAILABLE, &self.down.clone());
        } else if !pending::has_room(self.waiting.len(), bytes + body.len()) {
            let why = "too many messages wait for the connection to the XMPP server; try later";
            self.refuse(request.asker, Code::BUSY, why);
        } else {
            self.waiting.push_back(request);
        }
    }

    /// There is a session, under this address.
    pub fn opened(&mut self, own: &str, now: u64) {
        own.clone_into(&mut self.own);
        self.heard_at = now;
        self.is_refused = false;
        for request in std::mem::take(&mut self.waiting) {
            self.act(request);
        }
    }

    /// There is none: what the server had taken or not will not be known.
    pub fn lost(&mut self, why: &str, is_lasting: bool) {
        self.own.clear();
        why.clone_into(&mut self.down);
        self.is_refused = is_lasting;
        for asker in self.pending.take_all() {
            let why = format!("whether the message was taken is not known: {why}");
            self.refuse(asker, Code::UNAVAILABLE, &why);
        }
        if is_lasting {
            for request in std::mem::take(&mut self.waiting) {
                self.refuse(request.asker, Code::UNAVAILABLE, why);
            }
        }
        let news = self.people.all_unknown();
        self.effects.extend(news);
    }

    /// Time has gone on.
    pub fn tick(&mut self, now: u64) {
        while let Some(first) = self.waiting.front()
            && first.since + WAIT_MS <= now
            && let Some(request) = self.waiting.pop_front()
        {
            let why = match self.down.as_str() {
                "" => "there is no connection to the XMPP server yet".to_owned(),
                why => format!("there is no connection to the XMPP server: {why}"),
            };
            self.refuse(request.asker, Code::UNAVAILABLE, &why);
        }
        if self.own.is_empty() {
            return;
        }
        if self
            .pending
            .oldest()
            .is_some_and(|since| since + SILENT_MS <= now)
        {
            self.effects.push(Effect::GiveUp("answer a ping"));
        } else if self.pending.oldest().is_none() && self.heard_at + IDLE_MS <= now {
            let ping = self.pending.ping(None, 0, now);
            self.effects.push(Effect::Say(ping));
        }
    }

    /// When `tick` may have something to do.
    pub fn wakes_at(&self) -> u64 {
        let waiting = self.waiting.front().map(|first| first.since + WAIT_MS);
        let live = (!self.own.is_empty()).then(|| match self.pending.oldest() {
            Some(since) => since + SILENT_MS,
            None => self.heard_at + IDLE_MS,
        });
        waiting.into_iter().chain(live).min().unwrap_or(u64::MAX)
    }

    fn act(&mut self, request: Request) {
        let asker = request.asker.clone();
        if let Err((code, why)) = self.acted(request) {
            self.refuse(asker, code, &why);
        }
    }

    fn acted(&mut self, request: Request) -> Result<(), (Code, String)> {
        let Request {
            asker,
            kind,
            body,
            since,
        } = request;
        let user = asker
            .to
            .strip_prefix("xmpp://")
            .unwrap_or(&asker.to)
            .to_owned();
        if !is_bare(&user) || stub_name(&user) != self.name {
            let why = format!(
                "`{}` is no user whom `{}` reaches: say xmpp://name@domain",
                asker.to, self.name
            );
            return Err((Code::BAD_REQUEST, why));
        }
        if !self.pending.has_room(body.len()) {
            let why = "too many messages wait for the XMPP server; try later";
            return Err((Code::BUSY, why.to_owned()));
        }
        let to = escaped(&user);
        let said = match kind.as_str() {
            "create" => {
                let text = escaped(&text_of(&body)?);
                self.people.talked(&user, &asker.from);
                let id = self.pending.next_id();
                Some(format!(
                    "<message id='{id}' to='{to}' type='chat'><body>{text}</body></message>"
                ))
            }
            "subscribe" => {
                let is_first = self.people.watch(&user, &asker.from)?;
                let id = self.pending.next_id();
                is_first.then(|| format!("<presence id='{id}' to='{to}' type='subscribe'/>"))
            }
            "unsubscribe" => {
                let is_last = self.people.unwatch(&user, &asker.from);
                let id = self.pending.next_id();
                is_last.then(|| format!("<presence id='{id}' to='{to}' type='unsubscribe'/>"))
            }
            "read" => {
                let value = self.people.standing(&user).ok_or_else(|| {
                    let why =
                        format!("nobody here has subscribed to `{user}`: say `subscribe` first");
                    (Code::NOT_FOUND, why)
                })?;
                self.answer(asker, json!({ "code": 200, "value": value }));
                return Ok(());
            }
            other => {
                let why = format!(
                    "`{other}` means nothing to a user of XMPP: say `create` with a text, `subscribe`, `unsubscribe` or `read`"
                );
                return Err((Code::NOT_ALLOWED, why));
            }
        };
        let Some(said) = said else {
            self.answer(asker, json!({ "code": 200 }));
            return Ok(());
        };
        self.effects.push(Effect::Say(said));
        // From when it is on its way: it may have waited for the connection.
        let now = since.max(self.heard_at);
        let ping = self.pending.ping(Some(asker), body.len(), now);
        self.effects.push(Effect::Say(ping));
        Ok(())
    }

    fn answer(&mut self, asker: Asker, body: Value) {
        if asker.is_waiting {
            let code = Code::OK;
            self.effects.push(Effect::Answer { asker, code, body });
        }
    }

    fn refuse(&mut self, asker: Asker, code: Code, why: &str) {
        if asker.is_waiting {
            let body = json!({ "code": code.0, "desc": why, "description": why });
            self.effects.push(Effect::Answer { asker, code, body });
        }
    }
}

// `{"value":"hello"}` or `{"value":{"content":"hello"}}`.
fn text_of(body: &[u8]) -> Result<String, (Code, String)> {
    let bad = |why: String| (Code::BAD_REQUEST, why);
    let body: Value =
        serde_json::from_slice(body).map_err(|_| bad("the body is no JSON".to_owned()))?;
    let value = body.get("value");
    let text = value.and_then(|value| value.as_str().or_else(|| value.get("content")?.as_str()));
    let text = text.filter(|text| !text.is_empty());
    let text = text
        .ok_or_else(|| bad("there is no text: say {\"value\":{\"content\":\"…\"}}".to_owned()))?;
    if text.len() > TEXT_BYTES_MAX {
        let why = format!(
            "a text of {} bytes: servers take {TEXT_BYTES_MAX}",
            text.len()
        );
        return Err((Code::TOO_LARGE, why));
    }
    Ok(text.to_owned())
}
