//! One sandbox's engine and what the core would see of it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use protocol::codec;
use protocol::dial::NotDialled;
use protocol::frame::{ComponentKind, CoreFrame, HostFrame, Load, LoadStage, LogLevel};
use protocol::{Code, Message, MessageKind, Reply};
use sandbox_host::link::Outbox;
use sandbox_host::script::{Engine, Limits};
use serde_json::{Value, json};

/// The address of the component that most tests load.
pub(crate) const ME: &str = "hyperty://here.example/me";

/// How long one turn of the network may take: none here waits for anybody.
const TURN: Duration = Duration::from_secs(20);

/// What the engine said, owned.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Said {
    /// `Loaded`.
    Loaded(String),
    /// `LoadFailed`: stage, reason, place.
    Failed(LoadStage, String, String),
    /// `Unloaded`.
    Unloaded(String),
    /// `Send`.
    Sent(Sent),
    /// `Listen` or `Unlisten`: component, address.
    Listen(String, String),
    /// See `Listen`.
    Unlisten(String, String),
    /// `Log`: component, level, place, text.
    Log(String, LogLevel, String, String),
    /// `Pong`.
    Pong(u64),
    /// `Dial`: its number; component, host and port.
    Dial(u64, String),
}

/// A message on its way out.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sent {
    pub(crate) id: u64,
    pub(crate) kind: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) code: u16,
    pub(crate) reply: Reply,
    pub(crate) members: String,
    pub(crate) body: Value,
}

/// The engine under test.
pub(crate) struct World {
    pub(crate) engine: Engine,
    now: Rc<Cell<Duration>>,
    heard: RefCell<Vec<Said>>,
}

impl World {
    /// An engine with generous times: what is slow here is the test machine.
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Limits)) -> Self {
        Self::resting(Duration::ZERO, change)
    }

    /// An engine that rests for so long whenever a script asks for the time.
    pub(crate) fn resting(rest: Duration, change: impl FnOnce(&mut Limits)) -> Self {
        // A test's thread has a smaller stack than a main thread.
        let mut limits = Limits {
            stack_bytes: 512 * 1024,
            turn: Duration::from_secs(20),
            load: Duration::from_secs(20),
            ..Limits::default()
        };
        change(&mut limits);
        let now = Rc::new(Cell::new(Duration::from_secs(1)));
        let clock = Rc::clone(&now);
        let clock = move || {
            std::thread::sleep(rest);
            clock.get()
        };
        let engine = Engine::new(limits, Rc::new(clock)).unwrap();
        let heard = RefCell::default();
        Self { engine, now, heard }
    }

    /// An engine in which `body` runs as `_start(url, bus, config, factory)` of [`ME`].
    pub(crate) fn running(body: &str) -> Self {
        let world = Self::new();
        let said = world.start(ME, body);
        assert!(said.contains(&Said::Loaded(ME.to_owned())), "{said:?}");
        world
    }

    pub(crate) fn start(&self, address: &str, body: &str) -> Vec<Said> {
        self.load(address, &component(body))
    }

    pub(crate) fn load(&self, address: &str, source: &str) -> Vec<Said> {
        self.load_as(ComponentKind::Hyperty, address, "{}", source)
    }

    pub(crate) fn load_as(
        &self,
        kind: ComponentKind,
        address: &str,
        config: &str,
        source: &str,
    ) -> Vec<Said> {
        let name = address.rsplit('/').next().unwrap();
        let file = format!("{name}.js");
        let load = Load {
            component: address,
            name,
            kind,
            config,
            file: &file,
        };
        self.handle(CoreFrame::Load(load, source.as_bytes()))
    }

    pub(crate) fn handle(&self, frame: CoreFrame<'_>) -> Vec<Said> {
        self.engine.handle(frame);
        self.said()
    }

    // Refuses every dial as a core does that has granted none, until nobody dials.
    fn refuse_dials(&self) {
        loop {
            self.engine.network_turns(Instant::now() + TURN);
            let before = self.heard.borrow().len();
            self.hear();
            let dials: Vec<u64> = self.heard.borrow()[before..]
                .iter()
                .filter_map(|said| match said {
                    Said::Dial(request, _) => Some(*request),
                    _ => None,
                })
                .collect();
            if dials.is_empty() {
                return;
            }
            for request in dials {
                self.engine.handle(CoreFrame::NotDialled(NotDialled {
                    request,
                    code: Code::FORBIDDEN,
                    reason: "it has no network grant",
                    decision: "d-1",
                }));
            }
        }
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "it reads better at the calls"
    )]
    pub(crate) fn deliver(&self, message: Value) -> Vec<Said> {
        let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
        let (kind, from, to) = (text("type"), text("from"), text("to"));
        let body = message
            .get("body")
            .map(Value::to_string)
            .unwrap_or_default();
        let members = message
            .get("members")
            .map(Value::to_string)
            .unwrap_or_default();
        let id = message["id"].as_u64().unwrap_or(1);
        let mut out =
            Message::new(MessageKind::parse(&kind), &from, &to, body.as_bytes()).with_id(id);
        out.header.members = &members;
        self.handle(CoreFrame::Deliver(out))
    }

    /// An answer to the message with this number.
    pub(crate) fn answer(&self, id: u64, code: &Value) -> Vec<Said> {
        self.deliver(json!({"id": id, "type": "response", "from": "hyperty://there.example/you", "to": ME, "body": {"code": code}}))
    }

    /// Lets time pass and the timers run that are due meanwhile.
    pub(crate) fn pass(&self, milliseconds: u64) -> Vec<Said> {
        let end = self.now.get() + Duration::from_millis(milliseconds);
        while let Some(wait) = self
            .engine
            .wait()
            .filter(|wait| self.now.get() + *wait <= end)
        {
            self.now.set(self.now.get() + wait);
            self.engine.fire();
            self.refuse_dials();
        }
        self.now.set(end);
        self.said()
    }

    /// What the engine said since it was last asked.
    pub(crate) fn said(&self) -> Vec<Said> {
        self.refuse_dials();
        self.heard.take()
    }

    fn hear(&self) {
        let mut outbox = Outbox::default();
        self.engine.swap_outbox(&mut outbox);
        let bytes = outbox.take();
        let mut rest = bytes.as_slice();
        let mut said = self.heard.borrow_mut();
        while let Some(raw) = codec::split(rest).unwrap() {
            rest = &rest[raw.bytes.len()..];
            said.push(owned(HostFrame::decode(raw).unwrap()));
        }
    }

    /// Evaluates an expression in a component of its own and returns it as JSON.
    pub(crate) fn value(&self, expression: &str) -> Value {
        let probe = "hyperty://here.example/probe";
        let body = format!(
            "bus.postMessage({{type: 'event', from: url, to: 'x:/y', body: {{value: ({expression})}}}})"
        );
        let said = self.start(probe, &body);
        self.handle(CoreFrame::Unload { component: probe });
        match sent(&said).first() {
            Some(sent) => sent.body["value"].clone(),
            None => panic!("`{expression}`: {said:?}"),
        }
    }
}

impl World {
    /// What an asynchronous expression comes to within a second; `[name, message]`
    /// when it throws.
    pub(crate) fn outcome(&self, expression: &str) -> Value {
        let probe = "hyperty://here.example/probe";
        let body = format!(
            "const say = (value) => bus.postMessage({{type: 'event', from: url, to: 'x:/y', body: {{value}}}});
             (async () => ({expression}))().then(say, (e) => say([e.name, e.message]))"
        );
        let mut said = self.start(probe, &body);
        said.extend(self.pass(1_000));
        self.handle(CoreFrame::Unload { component: probe });
        match sent(&said).first() {
            Some(sent) => sent.body["value"].clone(),
            None => panic!("`{expression}`: {said:?}"),
        }
    }
}

/// A component in the form of the published ones.
pub(crate) fn component(body: &str) -> String {
    format!(
        "System.register([], function (e) {{ return {{ execute: function () {{ e({{ default: class {{\n\
         _start(url, bus, config, factory) {{ {body} }}\n}} }}) }} }} }});"
    )
}

/// The messages among what was said.
pub(crate) fn sent(said: &[Said]) -> Vec<Sent> {
    said.iter()
        .filter_map(|said| {
            if let Said::Sent(sent) = said {
                Some(sent.clone())
            } else {
                None
            }
        })
        .collect()
}

/// The texts of the log lines among what was said.
pub(crate) fn logged(said: &[Said]) -> Vec<String> {
    let text = |said: &Said| {
        if let Said::Log(_, _, _, text) = said {
            Some(text.clone())
        } else {
            None
        }
    };
    said.iter().filter_map(text).collect()
}

fn owned(frame: HostFrame<'_>) -> Said {
    match frame {
        HostFrame::Loaded { component } => Said::Loaded(component.to_owned()),
        HostFrame::LoadFailed(failed) => {
            Said::Failed(failed.stage, failed.reason.to_owned(), line(failed.place))
        }
        HostFrame::Unloaded { component } => Said::Unloaded(component.to_owned()),
        HostFrame::Send(message) => Said::Sent(owned_message(&message)),
        HostFrame::Listen { component, address } => {
            Said::Listen(component.to_owned(), address.to_owned())
        }
        HostFrame::Unlisten { component, address } => {
            Said::Unlisten(component.to_owned(), address.to_owned())
        }
        HostFrame::Log(log, text) => {
            let text = String::from_utf8(text.to_vec()).unwrap();
            Said::Log(log.component.to_owned(), log.level, line(log.place), text)
        }
        HostFrame::Pong { token } => Said::Pong(token),
        HostFrame::Hello(_) | HostFrame::Confined(_) => panic!("an engine does not greet"),
        HostFrame::TakeSlots { .. } | HostFrame::SendBy(_) | HostFrame::Return { .. } => {
            panic!("an engine takes no slots")
        }
        HostFrame::Dial(dial) => Said::Dial(
            dial.request,
            format!("{} {}:{}", dial.component, dial.host, dial.port),
        ),
        HostFrame::Hangup { .. }
        | HostFrame::TakeRoots
        | HostFrame::Connected { .. }
        | HostFrame::Bound { .. }
        | HostFrame::Accepted { .. }
        | HostFrame::NotConnected { .. } => panic!("nothing is ever connected here"),
    }
}

fn owned_message(message: &Message<'_>) -> Sent {
    let Code(code) = message.header.code;
    Sent {
        id: message.header.id,
        kind: message.header.kind.as_str().to_owned(),
        from: message.header.from.to_owned(),
        to: message.header.to.to_owned(),
        code,
        reply: message.header.reply,
        members: message.header.members.to_owned(),
        body: serde_json::from_slice(message.body).unwrap(),
    }
}

// Tests name lines; which column the engine counts from is not theirs to know.
fn line(place: &str) -> String {
    let parts: Vec<_> = place.rsplitn(3, ':').collect();
    match parts.as_slice() {
        [_column, line, file] => format!("{file}:{line}"),
        _ => place.to_owned(),
    }
}
