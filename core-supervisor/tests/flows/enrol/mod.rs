//! The node and the registry of a runtime's domain: what they are told, and asked.

mod search;
mod stubs;
mod told;

use std::time::Duration;

use core_supervisor::ids::LinkId;
use protocol::{Code, HostFrame, Message, MessageKind, Reply};
use serde_json::{Value, json};

use super::story::{Heard, RUNTIME, Story, rules, settings};
use super::{WITHIN, reach};

const STUB: &str = "stub/node@a.example";
const ALICE: &str = "alice@a.example";

/// A message that the stub has heard.
#[derive(Debug, Clone)]
struct Told {
    kind: String,
    from: String,
    to: String,
    id: u64,
    body: Value,
}

/// A runtime with a stub for a.example that has not said how it stands.
fn stage() -> Story {
    let mut story = Story::new();
    story.core_rules(rules(reach::OPEN));
    story.deploy(STUB);
    story.heard(STUB);
    story
}

fn says(story: &mut Story, status: &str) {
    let (from, link) = story.components[STUB].clone();
    let to = format!("{from}/status");
    let body = json!({ "value": status }).to_string();
    story.send_as(link, &from, "update", &to, &body, Reply::Unwanted);
}

fn heard_on(story: &mut Story, link: LinkId) -> Vec<Told> {
    let heard = story.heard_on(link);
    let messages = heard.into_iter().filter_map(|heard| match heard {
        Heard::Message {
            kind,
            from,
            to,
            id,
            body,
            ..
        } => Some(Told {
            kind,
            from,
            to,
            id,
            body: serde_json::from_str(&body).unwrap_or(Value::Null),
        }),
        _ => None,
    });
    messages.collect()
}

fn told(story: &mut Story) -> Vec<Told> {
    let link = story.link(STUB);
    heard_on(story, link)
}

/// Answers in the name of whom the stub speaks for.
fn answers(story: &mut Story, told: &Told, body: &Value) {
    let link = story.link(STUB);
    let text = body.to_string();
    let code = body["code"].as_u64().unwrap();
    let mut message =
        Message::new(MessageKind::Response, &told.to, &told.from, text.as_bytes()).with_id(told.id);
    message.header.code = Code(u16::try_from(code).unwrap());
    story.says(link, &HostFrame::Send(message));
}

/// Answers everything that is said with 200; what was said, in order.
fn agrees(story: &mut Story) -> Vec<Told> {
    let mut all = Vec::new();
    loop {
        let told = told(story);
        if told.is_empty() {
            return all;
        }
        for told in told {
            answers(story, &told, &json!({"code": 200}));
            all.push(told);
        }
    }
}

/// Lets time pass in which every script shows that it lives.
fn passes(story: &mut Story, span: Duration) {
    let end = story.time + span;
    while story.time < end {
        story.wait(Duration::from_millis(1_500).min(end.saturating_sub(story.time)));
        let links: Vec<_> = story.sides.keys().copied().collect();
        for link in links {
            let heard = story.heard_on(link);
            let mut rest = std::collections::VecDeque::new();
            for heard in heard {
                match heard {
                    Heard::Ping { token } => story.says(link, &HostFrame::Pong { token }),
                    other => rest.push_back(other),
                }
            }
            story.sides.get_mut(&link).unwrap().heard = rest;
        }
    }
}

fn remote(story: &mut Story) -> Value {
    let (code, reply) = story.ask_operator("read", "registry", r#"{"remote":true}"#);
    assert_eq!(code, Code::OK, "{reply}");
    serde_json::from_str::<Value>(&reply).unwrap()["value"].take()
}

/// Alice runs, and the registry of a.example knows it.
fn searching() -> Story {
    let mut story = stage();
    story.deploy(ALICE);
    says(&mut story, "live");
    agrees(&mut story);
    story.heard(ALICE);
    story
}
