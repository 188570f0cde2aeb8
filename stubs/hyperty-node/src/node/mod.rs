//! # Node — the message node of one domain, without a socket, a clock or a file
//!
//! ```text
//!  Event ── receive ──┬─ open        session messages: open, re-open, close
//!                     ├─ speak       may this session speak for `from`?
//!                     ├─ serve ──┬── subscribe   domain://msg-node.<domain>/sm
//!                     │          ├── allocate    …/address-allocation and its two elders
//!                     │          └── register    domain://registry.<domain>
//!                     └─ deliver     to a runtime, to all that listen, to other nodes
//!  Tick ─── age       what has waited, been away, been silent or stood for too long
//! ```
//!
//! Holds:
//! - a session speaks for its runtime and for what belongs to it, nobody else does;
//! - what an answer acknowledges is in the store before the answer is sent;
//! - a request for nobody is answered at once; a text is given to a connection once.

mod age;
mod allocate;
mod deliver;
mod held;
mod learn;
mod open;
mod receive;
mod register;
pub mod registry;
mod routes;
mod session;
mod speak;
mod subscribe;

use std::collections::BTreeMap;

use protocol::Address;

use crate::event::{Action, End, Event, LinkId, Pass, Text};
use crate::names::Names;
use crate::rows::Row;

use self::allocate::Blocks;
use self::held::Held;
use self::registry::Registry;
use self::routes::Routes;
use self::session::{Session, Sessions};

/// How a node is to be.
#[derive(Debug)]
pub struct Settings {
    /// The domain it speaks for, e.g. `example.org`.
    pub domain: String,
    /// Its own name among the nodes of the domain, another at each start.
    pub id: String,
    /// Whether there are others.
    pub is_one_of_many: bool,
    /// Where tokens and new addresses come from.
    pub names: Names,
}

/// What it has, for the page of numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Connections with and without a session.
    pub links: usize,
    /// Sessions, connected and away.
    pub sessions: usize,
    /// Sessions that are connected here.
    pub connected: usize,
    /// Messages that wait for sessions that are away.
    pub parked: usize,
    /// Addresses that are listened to.
    pub routes: usize,
    /// Registrations.
    pub records: usize,
    /// Writes on their way to the store.
    pub writes: usize,
    /// Messages that came.
    pub received: u64,
    /// Messages that were given to a connection.
    pub sent: u64,
    /// Requests refused because their address is nobody's.
    pub unrouted: u64,
    /// Messages refused because their sender was forged.
    pub forged: u64,
}

#[derive(Debug)]
struct Link {
    pass: Pass,
    runtime: Option<Address>,
    since: u64,
    forgeries: u32,
}

/// The node.
#[derive(Debug)]
pub struct Node {
    settings: Settings,
    links: BTreeMap<LinkId, Link>,
    sessions: Sessions,
    routes: Routes,
    registry: Registry,
    blocks: Blocks,
    held: Held,
    // How many reasons there are to follow an address at the other nodes.
    followed: BTreeMap<Address, usize>,
    // The other nodes, and when they were last heard of.
    beats: BTreeMap<String, u64>,
    last_beat: u64,
    numbers: Numbers,
    now: u64,
    actions: Vec<Action>,
}

impl Node {
    /// A node that has what a store kept.
    pub fn new(settings: Settings, rows: Vec<Row>, now: u64) -> Self {
        let mut node = Self {
            settings,
            links: BTreeMap::new(),
            sessions: Sessions::new(),
            routes: Routes::default(),
            registry: Registry::default(),
            blocks: Blocks::default(),
            held: Held::default(),
            followed: BTreeMap::new(),
            beats: BTreeMap::new(),
            last_beat: 0,
            numbers: Numbers::default(),
            now,
            actions: Vec::new(),
        };
        node.learn(rows);
        node
    }

    /// What is to be done because of what happened; `now` in milliseconds since 1970.
    pub fn handle(&mut self, event: Event, now: u64) -> Vec<Action> {
        self.now = now;
        match event {
            Event::Connected { link, pass } => self.connected(link, pass),
            Event::Received { link, text } => self.receive(link, &text),
            Event::Disconnected { link, unsent } => self.disconnected(link, unsent),
            Event::Persisted { ticket, result } => self.persisted(ticket, result),
            Event::Learned(rows) => self.learn(rows),
            Event::Relayed(text) => self.relayed(&text),
            Event::Unheard(ticket) => self.unheard(ticket),
            Event::Revoked(pass) => self.revoked(&pass),
            Event::Tick => self.age(),
        }
        std::mem::take(&mut self.actions)
    }

    /// What it has.
    pub fn numbers(&self) -> Numbers {
        let here = |session: &&Session| session.link.is_some();
        Numbers {
            links: self.links.len(),
            sessions: self.sessions.len(),
            connected: self.sessions.values().filter(here).count(),
            parked: self.sessions.values().map(Session::parked).sum(),
            routes: self.routes.sizes().0,
            records: self.registry.len(),
            writes: self.held.len(),
            ..self.numbers
        }
    }

    fn connected(&mut self, link: LinkId, pass: Pass) {
        let since = self.now;
        let link_state = Link {
            pass,
            runtime: None,
            since,
            forgeries: 0,
        };
        self.links.insert(link, link_state);
    }

    fn disconnected(&mut self, link: LinkId, unsent: Vec<Text>) {
        let Some(Link { runtime, .. }) = self.links.remove(&link) else {
            return;
        };
        let Some(runtime) = runtime else { return };
        if let Some(session) = self.sessions.get_mut(&runtime)
            && session.link == Some(link)
        {
            session.link = None;
            session.away_since = self.now;
        }
        for text in unsent {
            self.hand_over(&runtime, text);
        }
    }

    fn revoked(&mut self, pass: &str) {
        let is_its = |link: &Link| link.pass.name.as_deref() == Some(pass);
        let links = self.links.iter().filter(|(_, link)| is_its(link));
        let links: Vec<_> = links.map(|(id, _)| *id).collect();
        for link in links {
            self.hang_up(link, End::Revoked);
        }
        let is_its = |session: &Session| session.pass.as_deref() == Some(pass);
        let runtimes = self.sessions.iter().filter(|(_, session)| is_its(session));
        let runtimes: Vec<_> = runtimes.map(|(runtime, _)| runtime.clone()).collect();
        for runtime in runtimes {
            self.end_session(&runtime);
        }
    }

    fn send(&mut self, link: LinkId, text: Text) {
        self.numbers.sent += 1;
        self.actions.push(Action::Send { link, text });
    }

    // The core forgets the connection at once: what it still says is not heard.
    fn hang_up(&mut self, link: LinkId, end: End) {
        if let Some(Link { runtime, .. }) = self.links.remove(&link) {
            let session = runtime.and_then(|runtime| self.sessions.get_mut(&runtime));
            if let Some(session) = session.filter(|session| session.link == Some(link)) {
                session.link = None;
                session.away_since = self.now;
            }
            self.actions.push(Action::Close { link, end });
        }
    }

    fn follow(&mut self, base: &Address) {
        let count = self.followed.entry(base.clone()).or_default();
        *count += 1;
        if *count == 1 && self.settings.is_one_of_many {
            self.actions.push(Action::Follow(base.clone()));
        }
    }

    fn unfollow(&mut self, base: &Address) {
        let Some(count) = self.followed.get_mut(base) else {
            return;
        };
        *count -= 1;
        if *count == 0 {
            self.followed.remove(base);
            if self.settings.is_one_of_many {
                self.actions.push(Action::Unfollow(base.clone()));
            }
        }
    }

    fn is_here(&self, runtime: &Address) -> bool {
        let session = self.sessions.get(runtime);
        session.is_some_and(|session| self.is_home(&session.home))
    }

    // A node has another name after each start. One that is alone has every session, those
    // too that it was given under an earlier name.
    fn is_home(&self, node: &str) -> bool {
        !self.settings.is_one_of_many || node == self.settings.id
    }
}
