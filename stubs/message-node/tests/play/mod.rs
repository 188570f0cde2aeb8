//! A node that is played, and a clock that is turned by hand.

#![allow(missing_docs, unreachable_pub)] // the names say it

use protocol::message::{Message, MessageKind, Reply};
use serde_json::{Value, json};
use stub_message_node::config::Config;
use stub_message_node::session::{Effect, Session};

pub const RUNTIME: &str = "runtime://example.org/alice";
pub const HYPERTY: &str = "hyperty://example.org/a";
pub const BOB: &str = "hyperty://example.org/b";
pub const SM: &str = "domain://msg-node.example.org/sm";

pub struct Play {
    pub session: Session,
    pub now: u64,
    pub effects: Vec<Effect>,
}

impl Play {
    pub fn new() -> Self {
        Self::with(r#"{"url": "wss://node.example.org/ws"}"#)
    }

    pub fn with(config: &str) -> Self {
        let config = Config::read(config, "hyperty-runtime://example.org/alice").unwrap();
        let session = Session::new(config, 1, 0);
        let mut play = Self {
            session,
            now: 0,
            effects: Vec::new(),
        };
        play.gather();
        play
    }

    /// A session that is live, with the token `t1`.
    pub fn live() -> Self {
        let mut play = Self::new();
        play.connect("t1");
        play.effects.clear();
        play
    }

    pub fn connect(&mut self, token: &str) {
        self.session.opened(self.now);
        self.answer_open(&json!({"code": 200, "runtimeToken": token}));
    }

    /// Reads what the session asks the node, and answers it.
    pub fn answer_open(&mut self, body: &Value) -> Value {
        let asked = self.next().unwrap();
        assert_eq!(asked["to"], "mn:/session");
        self.hear(&json!({
            "id": asked["id"], "type": "response", "from": "mn:/session", "to": asked["from"], "body": body,
        }));
        asked
    }

    pub fn hear(&mut self, message: &Value) {
        self.session.text(&message.to_string(), self.now);
        self.gather();
    }

    pub fn pass(&mut self, ms: u64) {
        self.now += ms;
        self.session.tick(self.now);
        self.gather();
    }

    pub fn lose(&mut self) {
        self.session.lost("reset", self.now);
        self.gather();
    }

    /// Passes time until the session connects again, and tells how long it took.
    pub fn reconnect(&mut self) -> u64 {
        let from = self.now;
        self.effects.clear();
        while !self
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Connect(_)))
        {
            let due = self.session.wakes_at();
            self.pass(due.saturating_sub(self.now).max(1));
        }
        self.now - from
    }

    pub fn ask(&mut self, id: u64, to: &str, body: &Value) {
        let body = body.to_string();
        let message = Message::new(MessageKind::Create, HYPERTY, to, body.as_bytes());
        self.send(message.with_id(id).expecting(Reply::Untimed));
    }

    pub fn send(&mut self, message: Message<'_>) {
        self.session.send(&message, self.now);
        self.gather();
    }

    pub fn next(&mut self) -> Option<Value> {
        let text = self.session.next_text()?;
        Some(serde_json::from_str(&text).unwrap())
    }

    pub fn gather(&mut self) {
        self.effects.extend(self.session.effects());
    }

    pub fn statuses(&self) -> Vec<String> {
        let told = self.effects.iter().filter_map(|effect| match effect {
            Effect::Status(value, why) => Some(format!("{value} {why}").trim().to_owned()),
            _ => None,
        });
        told.collect()
    }

    /// Codes of requests that were answered here, and ids of answers of the node.
    pub fn ends(&self) -> Vec<(u64, u16)> {
        let ends = self.effects.iter().filter_map(|effect| match effect {
            Effect::Answer(refused) => Some((refused.id, refused.code.0)),
            Effect::Deliver(inbound) => Some((inbound.id, inbound.code.0)),
            _ => None,
        });
        ends.collect()
    }
}

pub fn response(id: u64, code: u16) -> Value {
    json!({"id": id, "type": "response", "from": BOB, "to": HYPERTY, "body": {"code": code}})
}
