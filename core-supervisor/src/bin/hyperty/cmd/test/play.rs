//! One test, step by step.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use protocol::api::user_agent::{Component, Deploy};
use serde::Serialize;
use serde_json::{Value, json};

use super::pattern::{Bindings, Difference};
use super::plan::{Nothing, Peer, Plan, Reply, Step, Test};
use super::stage::Stage;
use crate::error::{Exit, Failure};
use crate::output::time;

/// How long something expected is waited for, when the file does not say.
const EXPECT_WITHIN: Duration = Duration::from_secs(5);

/// Log lines that a failed test shows.
const LINES_SHOWN: usize = 10;

/// Why a test failed.
#[derive(Debug, Default, Serialize)]
pub(super) struct Why {
    /// `then 2: expect`.
    pub(super) step: String,
    /// One sentence.
    pub(super) what: String,
    /// What was expected, names replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) wanted: Option<Value>,
    /// The message that was most like it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) closest: Option<Value>,
    /// Where that differs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) differences: Vec<Difference>,
    /// What the component logged last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) log: Vec<String>,
}

/// The end of a step: done, failed, or the whole run cannot go on.
type Played = Result<Result<(), Why>, Failure>;

/// A test being played.
struct Player<'a> {
    stage: &'a mut Stage,
    plan: &'a Plan,
    names: Bindings,
    // Messages that an `expect` with `as` has seen.
    seen: BTreeMap<String, Value>,
    within: Duration,
    // The next number of a message that the file gave none.
    next_id: u64,
}

/// Plays one test with a fresh component.
pub(super) fn play(stage: &mut Stage, plan: &Plan, test: &Test, wanted: &Deploy) -> Played {
    let component = match stage.start(wanted) {
        Ok(component) => component,
        Err(failure) if failure.exit() == Exit::Unreachable => return Err(failure),
        Err(failure) => return Ok(Err(not_started(stage, &failure))),
    };
    let played = Player::new(stage, plan, &component)?.all(test);
    let log = last_lines(stage);
    stage.end(&component)?;
    Ok(played?.map_err(|why| Why { log, ..why }))
}

fn not_started(stage: &mut Stage, failure: &Failure) -> Why {
    let why = Why {
        step: "start".to_owned(),
        what: failure.what().to_owned(),
        log: last_lines(stage),
        ..Why::default()
    };
    stage.lines.clear();
    why
}

fn last_lines(stage: &Stage) -> Vec<String> {
    let from = stage.lines.len().saturating_sub(LINES_SHOWN);
    let last = stage.lines.get(from..).unwrap_or_default();
    last.iter().map(|line| line.text.clone()).collect()
}

impl<'a> Player<'a> {
    fn new(stage: &'a mut Stage, plan: &'a Plan, component: &Component) -> Result<Self, Failure> {
        let mut names = Bindings::default();
        names.bind("component", json!(component.address));
        names.bind("runtime", json!(stage.runtime()));
        for (name, peer) in &plan.peers {
            names.bind(name, json!(peer.address()));
        }
        Ok(Self {
            stage,
            plan,
            names,
            seen: BTreeMap::new(),
            within: span(plan.timeout.as_deref())?.unwrap_or(EXPECT_WITHIN),
            next_id: 1,
        })
    }

    fn all(&mut self, test: &Test) -> Played {
        let mut number = 0;
        let mut last = "";
        for (part, step) in test.steps() {
            number = if part == last { number + 1 } else { 1 };
            last = part;
            if let Err(why) = self.step(step)? {
                let step = format!("{part} {number}: {}", verb(step));
                return Ok(Err(Why { step, ..why }));
            }
        }
        if !self.plan.strict {
            return Ok(Ok(()));
        }
        self.stage.look()?;
        self.script()?;
        Ok(match self.stage.heard.pop_front() {
            None => Ok(()),
            Some(message) => Err(Why {
                step: "end".to_owned(),
                what: "it sent what no step expects, and the file is `strict`".to_owned(),
                closest: Some(message),
                ..Why::default()
            }),
        })
    }

    fn step(&mut self, step: &Step) -> Played {
        match step {
            Step::Send(message) => self.send(message),
            Step::Expect(pattern) => self.expect(pattern),
            Step::Answer(reply) => self.answer(reply),
            Step::Nothing(nothing) => self.nothing(nothing),
            Step::Log(text) => self.log(text),
        }
    }

    fn send(&mut self, message: &Value) -> Played {
        let mut message = match self.filled(message) {
            Ok(message) => message,
            Err(what) => return Ok(Err(sentence(&what))),
        };
        let Some(members) = message.as_object_mut() else {
            return Ok(Err(sentence("a message is an object")));
        };
        let to = self.names.text("$component");
        members.entry("to").or_insert_with(|| json!(to));
        members.entry("body").or_insert_with(|| json!({}));
        let id = self.next_id;
        members.entry("id").or_insert_with(|| json!(id));
        self.next_id += 1;
        for member in ["type", "from"] {
            if !members.get(member).is_some_and(Value::is_string) {
                return Ok(Err(sentence(&format!(
                    "a message that is sent needs `{member}`"
                ))));
            }
        }
        self.stage.say(&message)?;
        Ok(Ok(()))
    }

    fn expect(&mut self, pattern: &Value) -> Played {
        let mut pattern = pattern.clone();
        let named = pattern
            .as_object_mut()
            .and_then(|members| members.remove("as"))
            .and_then(|name| name.as_str().map(str::to_owned));
        let deadline = Instant::now() + self.within;
        loop {
            self.script()?;
            let names = &mut self.names;
            let mut heard = self.stage.heard.iter();
            if let Some(at) = heard.position(|message| names.learn(&pattern, message).is_ok()) {
                let message = self.stage.heard.remove(at);
                if let (Some(name), Some(message)) = (named, message) {
                    self.seen.insert(name, message);
                }
                return Ok(Ok(()));
            }
            if Instant::now() > deadline {
                return Ok(Err(self.not_seen(&pattern)));
            }
            self.stage.look()?;
        }
    }

    fn answer(&mut self, reply: &Reply) -> Played {
        let Some(seen) = self.seen.get(&reply.to).cloned() else {
            let what = format!("no `expect` before it has `\"as\": \"{}\"`", reply.to);
            return Ok(Err(sentence(&what)));
        };
        let body = match self.filled(&reply.body) {
            Ok(body) => body,
            Err(what) => return Ok(Err(sentence(&what))),
        };
        self.stage.say(&response(&seen, &body))?;
        Ok(Ok(()))
    }

    fn nothing(&mut self, nothing: &Nothing) -> Played {
        let length = span(Some(&nothing.length))?.unwrap_or_default();
        let deadline = Instant::now() + length;
        while Instant::now() < deadline {
            self.stage.look()?;
            self.script()?;
            let mut names = self.names.clone();
            let mut heard = self.stage.heard.iter();
            if let Some(message) = heard.find(|it| names.learn(&nothing.like, it).is_ok()) {
                return Ok(Err(Why {
                    what: "it sent what it must not".to_owned(),
                    wanted: Some(nothing.like.clone()),
                    closest: Some(message.clone()),
                    ..Why::default()
                }));
            }
        }
        Ok(Ok(()))
    }

    fn log(&mut self, text: &str) -> Played {
        let text = self.names.text(text);
        let deadline = Instant::now() + self.within;
        while !self
            .stage
            .lines
            .iter()
            .any(|line| line.text.contains(&text))
        {
            if Instant::now() > deadline {
                let what = format!("no line of its log has `{text}`");
                return Ok(Err(sentence(&what)));
            }
            self.stage.look()?;
        }
        Ok(Ok(()))
    }

    // Peers that answer by themselves do so once for each message.
    fn script(&mut self) -> Result<(), Failure> {
        let mut answers = Vec::new();
        for message in &mut self.stage.heard {
            let Some(members) = message.as_object_mut() else {
                continue;
            };
            if members.contains_key("answered") {
                continue;
            }
            members.insert("answered".to_owned(), json!(true));
            let to = message["to"].as_str().unwrap_or_default();
            let peer = self.plan.peers.values().find(|peer| peer.address() == to);
            let scripted = peer.into_iter().flat_map(Peer::answers);
            for answer in scripted {
                let mut names = self.names.clone();
                if names.learn(&answer.to, message).is_ok() {
                    let body = names.fill(&answer.with).unwrap_or_default();
                    answers.push(response(message, &body));
                    break;
                }
            }
        }
        for answer in answers {
            self.stage.say(&answer)?;
        }
        Ok(())
    }

    // With the message that differs least.
    fn not_seen(&self, pattern: &Value) -> Why {
        let differences = |message: &Value| {
            let told = self.names.clone().learn(pattern, message);
            told.err().unwrap_or_default()
        };
        let heard = self.stage.heard.iter();
        let closest = heard.min_by_key(|message| differences(message).len());
        Why {
            what: format!("not seen within {}", time::span(self.within)),
            wanted: Some(self.names.fill(pattern).unwrap_or_else(|_| pattern.clone())),
            closest: closest.cloned().map(without_mark),
            differences: closest.map(differences).unwrap_or_default(),
            ..Why::default()
        }
    }

    fn filled(&self, value: &Value) -> Result<Value, String> {
        let filled = self.names.fill(value);
        filled.map_err(|name| format!("`${name}` stands for nothing yet"))
    }
}

fn without_mark(mut message: Value) -> Value {
    if let Some(members) = message.as_object_mut() {
        members.remove("answered");
    }
    message
}

fn response(to: &Value, body: &Value) -> Value {
    json!({ "id": to["id"], "type": "response", "from": to["to"], "to": to["from"], "body": body })
}

fn sentence(what: &str) -> Why {
    Why {
        what: what.to_owned(),
        ..Why::default()
    }
}

fn span(text: Option<&str>) -> Result<Option<Duration>, Failure> {
    let parsed = text.map(time::parse_span).transpose();
    parsed.map_err(|bad| Failure::new(crate::error::Id::Usage, bad))
}

const fn verb(step: &Step) -> &'static str {
    match step {
        Step::Send(_) => "send",
        Step::Expect(_) => "expect",
        Step::Answer(_) => "answer",
        Step::Nothing(_) => "nothing",
        Step::Log(_) => "log",
    }
}
