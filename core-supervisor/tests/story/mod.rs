//! A core and a world around it that does what the core wants, at once and in order.
//!
//! Sandboxes greet, claim their level and load what they are told; packages come
//! out of a table. A test says what components send, and looks at what they hear.

#![allow(dead_code, unreachable_pub)]

mod heard;
mod kept;
mod links;
mod world;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use core_supervisor::core::{Core, Settings};
use core_supervisor::event::{Actions, Confinement, Event, Now};
use core_supervisor::ids::{LinkId, SandboxId, Ticket};
use core_supervisor::rooms::catalogue::elsewhere::{Arrived, Elsewhere};
use core_supervisor::rooms::catalogue::{PackageFailure, PackageRead};
use core_supervisor::rooms::policy::{PolicyFile, compile, shipped};
use core_supervisor::store::{Change, Table};
pub use kept::Disk;
use protocol::frame::Level;
use protocol::{Code, HostFrame, Message, MessageKind, Reply};

pub use heard::{Heard, Side};
pub use world::{Lender, Wires};

pub const RUNTIME: &str = "hyperty-runtime://home.example/rt";
pub const USER: &str = "user://home.example/ann";

/// The rules of the stories: two providers that may talk, a third that may not.
pub const RULES: &str = r#"
@id("two-providers")
@why("a and b may talk to each other")
permit (principal is Hyperty, action in [Action::"message", Action::"listen"], resource is Hyperty)
when { ["a.example", "b.example"].contains(principal.provider) && ["a.example", "b.example"].contains(resource.provider) };
"#;

/// The story: a core, and what happened around it.
// Each is one thing that a test may switch, not a choice among states.
#[allow(clippy::struct_excessive_bools)]
pub struct Story {
    pub core: Core,
    pub time: Duration,
    pub sides: BTreeMap<LinkId, Side>,
    pub launched: BTreeMap<SandboxId, LinkId>,
    pub killed: Vec<SandboxId>,
    /// Whose processes are stopped.
    pub paused: std::collections::BTreeSet<SandboxId>,
    /// Which was stopped last.
    pub paused_last: Option<SandboxId>,
    pub is_over: bool,
    /// Components by name: their address and the link they are on.
    pub components: BTreeMap<String, (String, LinkId)>,
    /// Whether launched sandboxes greet by themselves.
    pub greets: bool,
    /// Whether they load what they are told.
    pub loads: bool,
    /// A link that takes nothing of what is written to it.
    pub deaf: Option<LinkId>,
    /// What the look from outside sees, instead of a perfect lock.
    pub inspects_as: Option<Confinement>,
    /// Why no sandbox can be made.
    pub fails_to_launch: Option<String>,
    /// What somebody made of the packages of the table.
    pub edit: fn(PackageRead) -> Result<PackageRead, PackageFailure>,
    /// Stubs and identity proxies that messages may have deployed: `protocolstub/NAME@PROVIDER`.
    pub on_demand: std::collections::BTreeSet<String>,
    /// Which of those were looked for, in order.
    pub sought: Vec<String>,
    /// Whether packages on demand come only when the test says so.
    pub holds_packages: bool,
    pub held_packages: VecDeque<(Ticket, core_supervisor::rooms::catalogue::Wanted)>,
    /// Data schemas by name, as some catalogue has them.
    pub schemas: BTreeMap<String, Vec<u8>>,
    /// What the core had fetched, to be kept.
    pub arrived: VecDeque<(Ticket, Arrived)>,
    /// Where a package is that no catalogue has.
    pub elsewhere: Option<Elsewhere>,
    /// The store: what the core had kept, by table and key.
    pub kept: BTreeMap<(Table, String), Vec<u8>>,
    disk: Disk,
    // What the disk has not taken, with the ticket of a write that is not answered yet.
    unwritten: Vec<(Option<Ticket>, Vec<Change>)>,
    seed: [u8; 32],
    /// The memory for large bodies.
    pub lender: Lender,
    /// What went into the audit log.
    pub audited: Vec<protocol::api::audit::Entry>,
    /// Sockets of the network.
    pub wires: Wires,
    ticket: Option<Ticket>,
    loaded_on: BTreeMap<protocol::Address, LinkId>,
    operator: Option<(LinkId, String)>,
    next_link: u64,
    next_pid: u32,
    next_id: u64,
    actions: Actions,
}

pub fn settings() -> Settings {
    Settings {
        runtime: RUNTIME.parse().unwrap(),
        user: USER.parse().unwrap(),
        min_level: Level::L2,
        max_level: Level::L3,
        token: None,
        starts_max: 4,
        spare_scripts: 0,
        spare_natives: 0,
        slots_max: 64,
        homes: Vec::new(),
        nodes: Vec::new(),
        sockets_max: 1024,
        ceiling: core_supervisor::quota::Ceiling::default(),
        seed: [7; 32],
    }
}

pub fn rules(text: &str) -> core_supervisor::rooms::policy::PolicySet {
    let mut files = shipped();
    files.push(PolicyFile {
        name: "story.cedar".to_owned(),
        text: text.to_owned(),
    });
    compile(&files).expect("the rules of the story compile")
}

impl Story {
    pub fn new() -> Self {
        Self::with(settings())
    }

    pub fn with(settings: Settings) -> Self {
        Self {
            core: Core::new(settings, rules(RULES)),
            time: Duration::from_secs(1),
            sides: BTreeMap::new(),
            launched: BTreeMap::new(),
            killed: Vec::new(),
            paused: std::collections::BTreeSet::new(),
            paused_last: None,
            is_over: false,
            components: BTreeMap::new(),
            greets: true,
            loads: true,
            deaf: None,
            inspects_as: None,
            fails_to_launch: None,
            edit: Ok,
            kept: BTreeMap::new(),
            schemas: BTreeMap::new(),
            arrived: VecDeque::new(),
            elsewhere: None,
            on_demand: std::collections::BTreeSet::new(),
            sought: Vec::new(),
            holds_packages: false,
            held_packages: VecDeque::new(),
            disk: Disk::Sound,
            unwritten: Vec::new(),
            seed: [7; 32],
            lender: Lender::default(),
            audited: Vec::new(),
            wires: Wires::default(),
            ticket: None,
            loaded_on: BTreeMap::new(),
            operator: None,
            next_link: 1,
            next_pid: 100,
            next_id: 1,
            actions: Actions::default(),
        }
    }

    pub fn now(&self) -> Now {
        let wall = 1_700_000_000_000_000 + u64::try_from(self.time.as_micros()).unwrap();
        Now {
            mono: self.time,
            wall_us: wall,
        }
    }

    /// Gives an event to the core and does what it wants, until it is quiet.
    pub fn happens(&mut self, event: Event<'_>) -> usize {
        let now = self.now();
        let mut actions = std::mem::take(&mut self.actions);
        actions.clear();
        self.core.handle(event, now, &mut actions);
        let consumed = actions.consumed;
        let list = std::mem::take(&mut actions.list);
        for action in list {
            self.act(action, &actions.bytes);
        }
        self.actions = actions;
        self.core
            .audit()
            .unwrap_or_else(|broken| panic!("{broken}"));
        consumed
    }

    /// Lets time pass, with a tick wherever the core asks for one.
    pub fn wait(&mut self, span: Duration) {
        let end = self.time + span;
        while let Some(at) = self.core.next_deadline().filter(|at| *at <= end) {
            self.time = self.time.max(at) + Duration::from_millis(1);
            self.happens(Event::Ticked);
        }
        self.time = self.time.max(end);
        self.happens(Event::Ticked);
    }

    /// Deploys a script of a provider; the name is `name@provider`.
    pub fn deploy(&mut self, name: &str) -> (String, LinkId) {
        self.deploy_with(name, &format!(r#"{{"component":"{name}"}}"#))
    }

    /// The same, for a user; it is known by `key` afterwards.
    pub fn deploy_for(&mut self, key: &str, name: &str, user: &str) -> (String, LinkId) {
        self.deploy_with(key, &format!(r#"{{"component":"{name}","user":"{user}"}}"#))
    }

    fn deploy_with(&mut self, name: &str, body: &str) -> (String, LinkId) {
        let reply = self.ask_operator("create", "ua", body);
        assert_eq!(reply.0, Code::OK, "deploy {name}: {}", reply.1);
        let value: serde_json::Value = serde_json::from_str(&reply.1).unwrap();
        let address = value["value"]["address"].as_str().unwrap().to_owned();
        let sandbox = SandboxId(value["value"]["sandbox"].as_u64().unwrap());
        let at = (address, self.launched[&sandbox]);
        self.components.insert(name.to_owned(), at.clone());
        at
    }

    pub fn address(&self, name: &str) -> String {
        self.components[name].0.clone()
    }

    pub fn link(&self, name: &str) -> LinkId {
        self.components[name].1
    }

    /// Lets one component send something to an address; gives back its number.
    pub fn send(&mut self, name: &str, kind: &str, to: &str, body: &str, reply: Reply) -> u64 {
        let (from, link) = self.components[name].clone();
        self.send_as(link, &from, kind, to, body, reply)
    }

    pub fn send_as(
        &mut self,
        link: LinkId,
        from: &str,
        kind: &str,
        to: &str,
        body: &str,
        reply: Reply,
    ) -> u64 {
        self.next_id += 1;
        let id = self.next_id;
        let message = Message::new(MessageKind::parse(kind), from, to, body.as_bytes())
            .with_id(id)
            .expecting(reply);
        self.says(link, &HostFrame::Send(message));
        id
    }

    /// Lets one component answer a message that another sent.
    pub fn answer(&mut self, name: &str, id: u64, to: &str, code: u16) {
        let (from, link) = self.components[name].clone();
        self.answer_as(link, &from, id, to, code);
    }

    pub fn answer_as(&mut self, link: LinkId, from: &str, id: u64, to: &str, code: u16) {
        let body = format!(r#"{{"code":{code}}}"#);
        let mut message =
            Message::new(MessageKind::Response, from, to, body.as_bytes()).with_id(id);
        message.header.code = Code(code);
        self.says(link, &HostFrame::Send(message));
    }

    /// Puts a frame on a link.
    pub fn says(&mut self, link: LinkId, frame: &HostFrame<'_>) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes).unwrap();
        self.happens(Event::Received {
            link,
            bytes: &bytes,
        });
    }

    /// What a component heard since the last look, oldest first.
    pub fn heard(&mut self, name: &str) -> Vec<Heard> {
        let link = self.link(name);
        self.heard_on(link)
    }

    pub fn heard_on(&mut self, link: LinkId) -> Vec<Heard> {
        self.sides
            .get_mut(&link)
            .map(|side| side.heard.drain(..).collect())
            .unwrap_or_default()
    }

    /// Answers the pings on a link.
    pub fn pongs(&mut self, link: LinkId) {
        for heard in self.heard_on(link) {
            if let Heard::Ping { token } = heard {
                self.says(link, &HostFrame::Pong { token });
            }
        }
    }

    /// Only the messages, as (kind, from, code or 0, body).
    pub fn messages(&mut self, name: &str) -> Vec<(String, String, u16, String)> {
        let link = self.link(name);
        self.messages_on(link)
    }

    pub fn messages_on(&mut self, link: LinkId) -> Vec<(String, String, u16, String)> {
        let heard = self.heard_on(link);
        heard
            .into_iter()
            .filter_map(|heard| match heard {
                Heard::Message {
                    kind,
                    from,
                    code,
                    body,
                    ..
                } => Some((kind, from, code.0, body)),
                _ => None,
            })
            .collect()
    }

    /// Asks a room as the operator and gives back the code and the body.
    pub fn ask_operator(&mut self, kind: &str, room: &str, body: &str) -> (Code, String) {
        let (link, from) = self.operator();
        let to = format!("{RUNTIME}/{room}");
        let id = self.send_as(link, &from, kind, &to, body, Reply::Within(60_000));
        let mut left = VecDeque::new();
        let mut found = None;
        for heard in self.heard_on(link) {
            match heard {
                Heard::Message {
                    kind,
                    id: answered,
                    code,
                    body,
                    ..
                } if kind == "response" && answered == id => {
                    found = Some((code, body));
                }
                other => left.push_back(other),
            }
        }
        self.sides.get_mut(&link).unwrap().heard = left;
        found.unwrap_or_else(|| (Code::NONE, String::new()))
    }

    /// The ticket of the long work that was asked for last.
    pub fn last_ticket(&self) -> Ticket {
        self.ticket.unwrap()
    }

    /// Puts other rules in force.
    pub fn core_rules(&mut self, set: core_supervisor::rooms::policy::PolicySet) {
        let (link, from) = self.operator();
        let pep = format!("{RUNTIME}/pep");
        self.send_as(
            link,
            &from,
            "execute",
            &pep,
            r#"{"method":"reload"}"#,
            Reply::Within(1_000),
        );
        let ticket = self.last_ticket();
        self.happens(Event::PolicyCompiled {
            ticket,
            result: Box::new(Ok(set)),
        });
        self.heard_on(link);
    }

    /// The number that the next message will have.
    pub fn next_number(&self) -> u64 {
        self.next_id + 1
    }

    /// The link on which a component was told to load last.
    pub fn last_link_of(&self, address: &str) -> Option<LinkId> {
        self.loaded_on.get(&address.parse().ok()?).copied()
    }

    /// The same, if it is open.
    pub fn link_of(&self, address: &str) -> Option<LinkId> {
        let link = *self.loaded_on.get(&address.parse().ok()?)?;
        self.sides
            .get(&link)
            .filter(|side| !side.is_closed)
            .map(|_| link)
    }

    /// Lets the core make its spare sandboxes.
    pub fn starts(&mut self) {
        let mut actions = Actions::default();
        self.core.start(self.now(), &mut actions);
        for action in std::mem::take(&mut actions.list) {
            self.act(action, &actions.bytes);
        }
    }
}
