//! What the runtime tells of itself while a test runs: log lines and the live traffic.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use protocol::api::bus::{TapBatch, TapEntry};
use protocol::api::sandboxes::{LogBatch, LogLine};
use protocol::client::Incoming;
use protocol::client::blocking::Client;
use protocol::frame::Role;
use protocol::message::MessageKind;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Collects what two subscriptions bring, until the runtime ends.
#[derive(Debug, Clone, Default)]
pub(super) struct Watcher {
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    lines: Vec<LogLine>,
    traffic: Vec<TapEntry>,
}

impl Watcher {
    /// Subscribes and starts to collect.
    pub(super) fn start(endpoint: &Path) -> Self {
        let watcher = Self::default();
        let mut client = Client::connect(endpoint, Role::Operator).expect("the watcher connects");
        subscribe(
            &mut client,
            "sandboxes",
            &json!({ "last": 1000, "follow": true }),
        );
        subscribe(&mut client, "bus", &json!({}));
        let collecting = watcher.clone();
        thread::spawn(move || collecting.collect(&mut client));
        watcher
    }

    pub(super) fn lines(&self) -> Vec<LogLine> {
        self.seen.lock().unwrap().lines.clone()
    }

    pub(super) fn traffic(&self) -> Vec<TapEntry> {
        self.seen.lock().unwrap().traffic.clone()
    }

    fn collect(&self, client: &mut Client) {
        while let Ok((incoming, _)) = client.recv() {
            match incoming {
                Incoming::Message(message) => self.keep(message.header.from, message.body),
                Incoming::Response(_) | Incoming::Listening(_) | Incoming::Network(_) => {}
                Incoming::Stop { .. } | Incoming::Closed => return,
            }
        }
    }

    fn keep(&self, from: &str, body: &[u8]) {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let mut seen = self.seen.lock().unwrap();
        if from.contains("/sandboxes") {
            seen.lines.extend(value_of::<LogBatch>(&body).lines);
        } else {
            seen.traffic.extend(value_of::<TapBatch>(&body).messages);
        }
    }
}

fn value_of<T: DeserializeOwned + Default>(body: &Value) -> T {
    serde_json::from_value(body["value"].clone()).unwrap_or_default()
}

fn subscribe(client: &mut Client, room: &str, filter: &Value) {
    let to = format!("{}/{room}", client.runtime());
    let (kind, body) = (MessageKind::Subscribe, filter.to_string());
    let answer = client.request(kind, &to, body.as_bytes(), Duration::from_secs(10));
    let code = answer.map(|answer| answer.code);
    assert!(
        matches!(code, Ok(protocol::Code::OK)),
        "{room} took no subscription: {code:?}"
    );
}
