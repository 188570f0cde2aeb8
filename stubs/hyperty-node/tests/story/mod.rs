//! A node and its peers, in memory: events in, what each peer was sent out.

// Each test program uses a part of it, and a body reads best where it is said.
#![allow(dead_code, unreachable_pub, clippy::needless_pass_by_value)]

use std::collections::BTreeMap;

use hyperty_node::event::Text;
use hyperty_node::names::Names;
use hyperty_node::rows::Row;
use hyperty_node::{Action, End, Event, LinkId, Node, Pass, Settings, Ticket};
use serde_json::{Value, json};

pub const DOMAIN: &str = "example.org";
pub const SM: &str = "domain://msg-node.example.org/sm";
pub const REGISTRY: &str = "domain://registry.example.org";
pub const START_MS: u64 = 1_795_521_599_000;

/// One node; its store answers at once unless it is told to wait.
pub struct Story {
    pub node: Node,
    pub now: u64,
    pub heard: BTreeMap<u64, Vec<Value>>,
    pub ends: BTreeMap<u64, End>,
    pub probed: Vec<u64>,
    pub relayed: Vec<(Option<Ticket>, String, Text)>,
    pub followed: Vec<String>,
    pub rows: BTreeMap<(&'static str, String), Row>,
    pub is_store_slow: bool,
    pub unwritten: Vec<(Ticket, Vec<Row>)>,
    last: u64,
}

impl Story {
    pub fn new() -> Self {
        Self::with(Vec::new(), false)
    }

    pub fn with(rows: Vec<Row>, is_one_of_many: bool) -> Self {
        Self::named("one", rows, is_one_of_many)
    }

    fn named(id: &str, rows: Vec<Row>, is_one_of_many: bool) -> Self {
        let settings = Settings {
            domain: DOMAIN.into(),
            id: id.into(),
            is_one_of_many,
            names: Names::new([7; 32]),
        };
        let kept = rows.iter().cloned();
        let kept = kept.map(|row| ((row.table.name(), row.key.clone()), row));
        Self {
            rows: kept.collect(),
            node: Node::new(settings, rows, START_MS),
            now: START_MS,
            heard: BTreeMap::new(),
            ends: BTreeMap::new(),
            probed: Vec::new(),
            relayed: Vec::new(),
            followed: Vec::new(),
            is_store_slow: false,
            unwritten: Vec::new(),
            last: 0,
        }
    }

    /// The same domain after the node was killed: what the store has is all there is,
    /// and it has another name.
    pub fn restart(self) -> Self {
        let rows = self.rows.into_values().collect();
        let mut story = Self::named("two", rows, false);
        story.now = self.now;
        story.last = self.last;
        story
    }

    pub fn connect(&mut self) -> u64 {
        self.connect_with(Pass::default())
    }

    pub fn connect_with(&mut self, pass: Pass) -> u64 {
        self.last += 1;
        let link = LinkId(self.last);
        self.happen(Event::Connected { link, pass });
        self.last
    }

    /// A connection with a session, and its token.
    pub fn runtime(&mut self, url: &str) -> (u64, String) {
        let link = self.connect();
        let opened = self.ask(link, "open", url, "mn:/session", json!(null));
        assert_eq!(opened["code"], 200, "{opened}");
        (link, opened["runtimeToken"].as_str().unwrap().to_owned())
    }

    pub fn happen(&mut self, event: Event) {
        let actions = self.node.handle(event, self.now);
        for action in actions {
            self.act(action);
        }
    }

    pub fn send(&mut self, link: u64, text: &str) {
        let link = LinkId(link);
        let text = text.into();
        self.happen(Event::Received { link, text });
    }

    pub fn say(&mut self, link: u64, kind: &str, from: &str, to: &str, body: Value) {
        let message = json!({"id": 9, "type": kind, "from": from, "to": to, "body": body});
        self.send(link, &message.to_string());
    }

    /// Says something, and returns the body of the answer that the node gives at once.
    pub fn ask(&mut self, link: u64, kind: &str, from: &str, to: &str, body: Value) -> Value {
        self.heard.remove(&link);
        self.say(link, kind, from, to, body);
        let mut heard = self.take(link);
        assert_eq!(heard.len(), 1, "one answer: {heard:?}");
        heard.remove(0)["body"].take()
    }

    pub fn take(&mut self, link: u64) -> Vec<Value> {
        self.heard.remove(&link).unwrap_or_default()
    }

    pub fn lose(&mut self, link: u64) {
        let unsent = Vec::new();
        let link = LinkId(link);
        self.happen(Event::Disconnected { link, unsent });
    }

    pub fn pass(&mut self, ms: u64) {
        self.now += ms;
        self.happen(Event::Tick);
    }

    pub fn write(&mut self) {
        for (ticket, rows) in std::mem::take(&mut self.unwritten) {
            self.keep(rows);
            self.happen(Event::Persisted {
                ticket,
                result: Ok(()),
            });
        }
    }

    fn keep(&mut self, rows: Vec<Row>) {
        for row in rows {
            let key = (row.table.name(), row.key.clone());
            match row.value {
                Some(_) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Send { link, text } => {
                let message = serde_json::from_str(&text).unwrap();
                self.heard.entry(link.0).or_default().push(message);
            }
            Action::Close { link, end } => {
                self.ends.insert(link.0, end);
            }
            Action::Probe(link) => self.probed.push(link.0),
            Action::Persist { ticket, rows } if self.is_store_slow => {
                self.unwritten.push((ticket, rows));
            }
            Action::Persist { ticket, rows } => {
                self.keep(rows);
                let result = Ok(());
                self.happen(Event::Persisted { ticket, result });
            }
            Action::Follow(base) => self.followed.push(base.to_string()),
            Action::Unfollow(base) => self.followed.retain(|other| *other != base.to_string()),
            Action::Relay { ticket, base, text } => {
                self.relayed.push((ticket, base.to_string(), text));
            }
        }
    }
}
