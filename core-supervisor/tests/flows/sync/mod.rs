//! Data objects: Alice reports, Bob observes, Carol is a stranger.

mod changes;
mod children;
mod create;
mod elsewhere;
mod from_elsewhere;
mod hostile;
mod registered;
mod resume;
mod schema;
mod subscribe;

use std::time::Duration;

use protocol::{Code, HostFrame, Message, MessageKind, Reply};
use serde_json::{Value, json};

use super::WITHIN;
use super::story::{Heard, RUNTIME, Story};

const ALICE: &str = "alice@a.example";
const BOB: &str = "bob@b.example";
const CAROL: &str = "carol@c.example";
const CHAT: &str = "https://a.example/.well-known/dataschema/Communication";
const HELLO: &str = "https://a.example/.well-known/dataschema/HelloWorldDataSchema";

/// One message that was heard.
#[derive(Debug, Clone)]
struct Told {
    kind: String,
    from: String,
    to: String,
    id: u64,
    code: u16,
    body: Value,
}

/// Alice and Bob, who may talk, and Carol, who may not.
fn stage() -> Story {
    let mut story = Story::new();
    for name in [ALICE, BOB, CAROL] {
        story.deploy(name);
        story.heard(name);
    }
    story
}

fn sm() -> String {
    format!("{RUNTIME}/sm")
}

/// Lets time pass in which everybody shows that it lives.
fn passes(story: &mut Story, span: Duration) {
    let end = story.time + span;
    while story.time < end {
        let step = Duration::from_millis(1_500).min(end.saturating_sub(story.time));
        story.wait(step);
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

/// What somebody heard since the last look.
fn told(story: &mut Story, name: &str) -> Vec<Told> {
    let heard = story.heard(name);
    let messages = heard.into_iter().filter_map(|heard| match heard {
        Heard::Message {
            kind,
            from,
            to,
            id,
            code,
            body,
        } => Some(Told {
            kind,
            from,
            to,
            id,
            code: code.0,
            body: serde_json::from_str(&body).unwrap_or(Value::Null),
        }),
        _ => None,
    });
    messages.collect()
}

/// The only message that somebody heard since the last look.
#[track_caller]
fn only(story: &mut Story, name: &str) -> Told {
    let mut told = told(story, name);
    assert_eq!(told.len(), 1, "{told:#?}");
    told.remove(0)
}

/// Asks the sync manager, and gives back every answer that came at once.
fn ask(story: &mut Story, name: &str, kind: &str, body: &Value) -> Vec<Told> {
    let id = story.send(name, kind, &sm(), &body.to_string(), WITHIN);
    let told = told(story, name);
    let answers = told.into_iter();
    answers
        .filter(|told| told.kind == "response" && told.id == id)
        .collect()
}

/// The last, and so the final, of the answers.
#[track_caller]
fn asks(story: &mut Story, name: &str, kind: &str, body: &Value) -> Told {
    let mut answers = ask(story, name, kind, body);
    answers.pop().expect("an answer at once")
}

/// Alice makes an object with this data.
#[track_caller]
fn makes(story: &mut Story, schema: &str, data: &Value) -> String {
    let body = json!({
        "resume": false,
        "schema": schema,
        "value": { "name": "x", "schema": schema, "resources": ["chat"], "data": data },
    });
    let answer = asks(story, ALICE, "create", &body);
    assert_eq!(answer.code, 200, "{:?}", answer.body);
    answer.body["resource"].as_str().unwrap().to_owned()
}

/// Somebody answers what it was asked.
fn answers(story: &mut Story, name: &str, question: &Told, body: &Value) {
    let (from, link) = story.components[name].clone();
    let text = body.to_string();
    let mut message = Message::new(
        MessageKind::Response,
        &from,
        &question.from,
        text.as_bytes(),
    )
    .with_id(question.id);
    message.header.code = Code(u16::try_from(body["code"].as_u64().unwrap()).unwrap());
    story.says(link, &HostFrame::Send(message));
}

/// Alice accepts whoever asked her last.
#[track_caller]
fn accepts(story: &mut Story) {
    let asked = only(story, ALICE);
    assert_eq!(
        (asked.kind.as_str(), asked.body["type"].as_str()),
        ("forward", Some("subscribe"))
    );
    answers(
        story,
        ALICE,
        &asked,
        &json!({ "code": 200, "value": { "extra": 1 } }),
    );
}

/// Somebody subscribes and is accepted; everything that it heard.
#[track_caller]
fn observes(story: &mut Story, name: &str, object: &str) -> Vec<Told> {
    let body = json!({ "resource": object, "schema": CHAT });
    story.send(name, "subscribe", &sm(), &body.to_string(), WITHIN);
    accepts(story);
    let heard = told(story, name);
    assert_eq!(heard.last().map(|told| told.code), Some(200), "{heard:#?}");
    heard
}

/// Alice sends a change.
fn changes(story: &mut Story, object: &str, delta: &Value) -> u64 {
    let link = story.link(ALICE);
    let to = format!("{object}/changes");
    let text = delta.to_string();
    story.send_as(link, object, "update", &to, &text, Reply::Untimed)
}

/// Alice assigns a member under a version.
fn assigns(story: &mut Story, object: &str, version: u64, attribute: &str, value: &Value) -> u64 {
    let delta = json!({ "version": version, "attribute": attribute, "value": value });
    changes(story, object, &delta)
}

/// The object as Alice reads it.
#[track_caller]
fn reads(story: &mut Story, object: &str) -> Value {
    let answer = asks(story, ALICE, "read", &json!({ "resource": object }));
    assert_eq!(answer.code, 200, "{:?}", answer.body);
    answer.body["value"].clone()
}
