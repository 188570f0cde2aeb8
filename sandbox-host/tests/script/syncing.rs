//! What the tests of data objects share: a reporter and an observer in one
//! engine, and between them what the core does with their messages.

use std::collections::VecDeque;
use std::time::Duration;

use protocol::frame::CoreFrame;
use serde_json::{Value, json};

use super::world::{Said, Sent, World, sent};

/// The reporter.
pub(crate) const HA: &str = "hyperty://home.ex/a";
/// The observer.
pub(crate) const HB: &str = "hyperty://away.ex/b";
/// The sync manager.
pub(crate) const SM: &str = "runtime://home.ex/r1/sm";
/// The data object.
pub(crate) const DO: &str = "comm://home.ex/o1";
/// Its schema.
pub(crate) const SCHEMA: &str = "hyperty-catalogue://home.ex/.well-known/dataschema/Communication";

const PROBE: &str = "hyperty://here.example/probe";

/// Rounds after which messages that beget messages are taken for endless.
const ROUNDS_MAX: usize = 4000;

/// A reporter, an observer, and the core's copy of the object between them.
pub(crate) struct Pair {
    pub(crate) world: World,
    pub(crate) copy: Copy,
}

/// What the core has of the object, and what is on its way to the observer.
#[derive(Default)]
pub(crate) struct Copy {
    pub(crate) data: Value,
    pub(crate) version: u64,
    /// Reads of the observer and whole copies of the reporter so far.
    pub(crate) reads: usize,
    pub(crate) wholes: usize,
    queue: VecDeque<Value>,
}

/// What happens to an update that the reporter sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It arrives.
    Arrives,
    /// The core never gets it.
    IsLost,
    /// The core has it, the observer does not.
    IsDropped,
    /// The same, and the observer is told so.
    IsMissed,
    /// It arrives before the one in front of it.
    Overtakes,
}

impl Pair {
    /// Both are there and the data is `initial`.
    pub(crate) fn new(initial: Value) -> Self {
        Self::reporting(initial).observed()
    }

    /// The same in a sandbox whose outbox has so much room.
    pub(crate) fn with_outbox(bytes: usize, initial: Value) -> Self {
        let world = World::with(|limits| limits.outbox_bytes = bytes);
        Self::in_world(world, initial).reported().observed()
    }

    /// The same in a sandbox where a turn ends after so many milliseconds.
    pub(crate) fn with_turns(milliseconds: u64, initial: Value) -> Self {
        let world = World::with(|limits| limits.turn = Duration::from_millis(milliseconds));
        Self::in_world(world, initial).reported().observed()
    }

    /// Only the reporter is there: `reporter`, and `d`, its data.
    pub(crate) fn reporting(initial: Value) -> Self {
        Self::idle(initial).reported()
    }

    /// Only the reporter's Syncher is there: `a`.
    pub(crate) fn idle(initial: Value) -> Self {
        Self::in_world(World::new(), initial)
    }

    fn in_world(world: World, initial: Value) -> Self {
        let copy = Copy {
            data: initial,
            ..Copy::default()
        };
        let pair = Self { world, copy };
        pair.run("globalThis.events = []; globalThis.reporter = globalThis.observer = globalThis.d = undefined");
        pair.load(HA, "a");
        pair
    }

    fn reported(self) -> Self {
        let create = format!(
            "a.create('{SCHEMA}', [], {}, true, false, 'c', {{}}, {{resources: ['chat']}}).then((r) => {{ reporter = r; d = r.data }})",
            self.copy.data
        );
        let said = self.run(&create);
        let created = json!({"code": 200, "resource": DO, "childrenResources": ["resources"]});
        self.deliver(response(said[0].id, SM, HA, created));
        self
    }

    fn observed(self) -> Self {
        self.load(HB, "b");
        let said = self.run(&format!(
            "b.subscribe({{schema: '{SCHEMA}', resource: '{DO}'}}).then((o) => {{ observer = o; o.onChange('*', (e) => events.push(e)) }})"
        ));
        self.deliver(subscribed(said[0].id, &self.copy.data, 0));
        self
    }

    /// Loads a component with a Syncher of a global name.
    pub(crate) fn load(&self, address: &str, name: &str) {
        let body = format!(
            "globalThis.{name} = factory.createSyncher(url, bus, {{runtimeURL: 'runtime://home.ex/r1'}})"
        );
        let said = self.world.start(address, &body);
        assert!(said.contains(&Said::Loaded(address.to_owned())), "{said:?}");
    }

    /// Runs a text; the messages that it sent.
    pub(crate) fn run(&self, text: &str) -> Vec<Sent> {
        let said = self.said(text);
        let failed = said.iter().find(|said| matches!(said, Said::Failed(..)));
        assert_eq!(failed, None, "{text}");
        sent(&said)
    }

    /// Runs a text; all that was said.
    pub(crate) fn said(&self, text: &str) -> Vec<Said> {
        let mut said = self.world.start(PROBE, text);
        said.extend(self.world.handle(CoreFrame::Unload { component: PROBE }));
        said
    }

    pub(crate) fn value(&self, expression: &str) -> Value {
        self.world.value(expression)
    }

    pub(crate) fn deliver(&self, message: Value) -> Vec<Sent> {
        sent(&self.world.deliver(message))
    }

    /// Runs a text, and messages go to and fro until there are no more.
    pub(crate) fn settle(&mut self, text: &str, fate: impl FnMut() -> Fate) {
        let sent = self.run(text);
        self.carry(sent, fate);
    }

    /// Carries messages as the core does, and their answers, until it is quiet.
    pub(crate) fn carry(&mut self, first: Vec<Sent>, mut fate: impl FnMut() -> Fate) {
        let mut out = VecDeque::from(first);
        for _ in 0..ROUNDS_MAX {
            let next = match out.pop_front() {
                Some(message) => self.copy.take(message, fate()),
                None => self.copy.queue.pop_front(),
            };
            match next {
                Some(message) => out.extend(self.deliver(message)),
                // What waits to be tried again has its time now.
                None if out.is_empty() => {
                    let said = sent(&self.world.pass(60_000));
                    if said.is_empty() && self.copy.queue.is_empty() {
                        return;
                    }
                    out.extend(said);
                }
                None => {}
            }
        }
        panic!("no end of messages");
    }
}

impl Copy {
    // What the core answers, at once.
    fn take(&mut self, message: Sent, fate: Fate) -> Option<Value> {
        let Sent {
            id,
            kind,
            from,
            to,
            body,
            ..
        } = message;
        if to == format!("{DO}/changes") {
            return self.change(id, &body, fate);
        }
        match kind.as_str() {
            "update" => Some(response(id, SM, HA, self.replace(body))),
            "read" => {
                // A reporter beside its observer hears what that one is told.
                self.reads += usize::from(from == HB);
                let value = json!({"url": DO, "data": self.data, "version": self.version});
                let answer = json!({"code": 200, "value": value});
                self.queue.push_back(response(id, SM, &from, answer));
                None
            }
            _ => None,
        }
    }

    fn change(&mut self, id: u64, body: &Value, fate: Fate) -> Option<Value> {
        if fate == Fate::IsLost {
            return None;
        }
        let follows = body["version"] == json!(self.version + 1);
        if !follows || !apply(&mut self.data, body) {
            let refusal = json!({"code": 409, "desc": "no", "version": self.version});
            return Some(response(id, &format!("{DO}/changes"), DO, refusal));
        }
        self.version += 1;
        match fate {
            Fate::Overtakes => {
                let at = self.queue.len().saturating_sub(1);
                self.queue.insert(at, update(body));
            }
            Fate::IsMissed => self.say_behind(),
            Fate::IsDropped | Fate::IsLost => {}
            Fate::Arrives => self.queue.push_back(update(body)),
        }
        None
    }

    fn replace(&mut self, mut body: Value) -> Value {
        if body["version"].as_u64().unwrap() <= self.version {
            return json!({"code": 409, "desc": "no", "version": self.version});
        }
        self.wholes += 1;
        self.version = body["version"].as_u64().unwrap();
        self.data = body["value"].take();
        self.say_behind();
        json!({"code": 200})
    }

    fn say_behind(&mut self) {
        let body = json!({"version": self.version, "source": HA, "behind": true});
        self.queue.push_back(update(&body));
    }
}

/// An update as observers get it.
pub(crate) fn update(body: &Value) -> Value {
    json!({"type": "update", "from": DO, "to": format!("{DO}/changes"), "body": body})
}

/// The answer to a request.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it reads better at the calls"
)]
pub(crate) fn response(id: u64, from: &str, to: &str, body: Value) -> Value {
    json!({"id": id, "type": "response", "from": from, "to": to, "body": body})
}

/// The final answer to a subscription.
pub(crate) fn subscribed(id: u64, data: &Value, version: u64) -> Value {
    let value = json!({"url": DO, "reporter": HA, "created": "2026-11-01T00:00:00.000Z",
        "runtime": "runtime://home.ex/r1", "schema": SCHEMA, "name": "c", "data": data, "version": version});
    let body = json!({"code": 200, "schema": SCHEMA, "resource": DO, "owner": HA, "value": value});
    response(id, SM, HB, body)
}

// The copy's own reading of an update, which shares nothing with the framework's.
fn apply(data: &mut Value, body: &Value) -> bool {
    let path = body["path"].as_array().unwrap();
    let (last, above) = path.split_last().unwrap();
    let place = above.iter().try_fold(data, |at, key| match key.as_str() {
        Some(key) => at.as_object_mut()?.get_mut(key),
        None => at.as_array_mut()?.get_mut(index(key)),
    });
    let value = body.get("value").cloned();
    match place {
        Some(Value::Object(members)) => {
            let Some(key) = last.as_str() else {
                return false;
            };
            match value {
                Some(value) => drop(members.insert(key.to_owned(), value)),
                None => drop(members.remove(key)),
            }
            true
        }
        Some(Value::Array(items)) if last.is_u64() => {
            change_array(items, index(last), body["operation"].as_str(), value)
        }
        _ => false,
    }
}

fn change_array(
    items: &mut Vec<Value>,
    at: usize,
    operation: Option<&str>,
    value: Option<Value>,
) -> bool {
    match (operation, value) {
        (Some("add"), Some(Value::Array(new))) if at <= items.len() => {
            items.splice(at..at, new);
        }
        (Some("add"), Some(new)) if at <= items.len() => items.insert(at, new),
        (Some("remove"), Some(count)) if at + index(&count) <= items.len() => {
            items.drain(at..at + index(&count));
        }
        (None, Some(new)) if at < items.len() => items[at] = new,
        _ => return false,
    }
    true
}

fn index(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}
