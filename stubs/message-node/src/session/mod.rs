//! # Session — a runtime at a message node, without a socket or a clock
//!
//! ```text
//!  created ── connect ── in-progress ── live ──┬── disconnected ── (pause) ── in-progress
//!                            └── failed ───────┘
//! ```
//!
//! Holds:
//! - a request gets one final answer, and no second one;
//! - a message is handed to a socket once; what was not handed waits for the next, bounded;
//! - after a session was lost, what was subscribed is subscribed again.
//!
//! | file | does |
//! |---|---|
//! | `mod.rs` | what happens, and what is to be done about it |
//! | `open.rs` | open, re-open, close, pauses between connections |
//! | `pending.rs` | requests, until they are answered |
//! | `routes.rs` | subscriptions, and their renewal |

mod open;
mod pending;
mod routes;

use std::collections::{BTreeSet, VecDeque};

use protocol::message::{Message, Reply};
use protocol::{Address, Code};

use self::open::State;
use self::pending::{Key, Pending, Requests};
use crate::config::Config;
use crate::dialect::Frame;
use crate::limits::{UNREAD_MS, WAIT_MS, WAITING_BYTES_MAX, WAITING_MAX};
use crate::wire::{self, Inbound, Unreadable};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Connect to the node at this URL, and forget an earlier connection.
    Connect(String),
    /// End the connection.
    Hangup,
    /// Tell the runtime how the stub stands.
    Status(&'static str, String),
    /// Hand a message of the node to the core.
    Deliver(Inbound),
    /// Answer a request of the core in the name of whom it was for.
    Answer(Refused),
    /// Write a line to the log.
    Log(String),
}

/// A request that ends here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Its number.
    pub id: u64,
    /// Whom it was for.
    pub from: String,
    /// Who asked.
    pub to: String,
    /// Why, as a number.
    pub code: Code,
    /// Why, as a sentence.
    pub why: String,
}

/// A message on its way to the socket.
#[derive(Debug)]
struct Waiting {
    text: String,
    until: u64,
    // `None` when nobody waits for an answer.
    key: Option<Key>,
}

/// The session.
#[derive(Debug)]
pub struct Session {
    config: Config,
    state: State,
    token: Option<String>,
    dice: u64,
    pauses: u32,
    attempts: usize,
    live_since: u64,
    last_id: u64,
    requests: Requests,
    routes: BTreeSet<String>,
    // What the session itself says: goes first, and dies with its connection.
    control: VecDeque<String>,
    waiting: VecDeque<Waiting>,
    waiting_bytes: usize,
    // Since when no more may wait.
    full_since: Option<u64>,
    effects: Vec<Effect>,
}

impl Session {
    /// A session that is to begin; `seed` is for its pauses.
    pub fn new(config: Config, seed: u64, now: u64) -> Self {
        let mut session = Self {
            config,
            state: State::Pausing { until: now },
            token: None,
            dice: seed,
            pauses: 0,
            attempts: 0,
            live_since: now,
            last_id: 0,
            requests: Requests::default(),
            routes: BTreeSet::new(),
            control: VecDeque::new(),
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            full_since: None,
            effects: Vec::new(),
        };
        session.status("created", String::new());
        session.tick(now);
        session
    }

    /// What is to be done since this was asked last.
    pub fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// The next text for the socket, taken for good.
    pub fn next_text(&mut self) -> Option<String> {
        if let Some(text) = self.control.pop_front() {
            return Some(text);
        }
        if !self.is_live() {
            return None;
        }
        let waiting = self.waiting.pop_front()?;
        self.waiting_bytes -= waiting.text.len();
        self.full_since = None;
        if let Some(key) = &waiting.key {
            self.requests.sent(key);
        }
        Some(self.config.dialect.write(waiting.text))
    }

    /// Whether [`Self::next_text`] has one.
    pub fn has_text(&self) -> bool {
        !self.control.is_empty() || (self.is_live() && !self.waiting.is_empty())
    }

    /// Whether the core's next message is to be read: not while a burst passes.
    pub fn has_room(&self, now: u64) -> bool {
        let unread = |since| self.is_live() && now < since + UNREAD_MS;
        !self.full_since.is_some_and(unread)
    }

    /// A message of the core for an address of the domain.
    pub fn send(&mut self, message: &Message<'_>, now: u64) {
        let header = &message.header;
        let key = Key::of(header.from, header.id);
        let is_asked = header.kind.is_request() && header.reply != Reply::Unwanted;
        let via = self.session_url();
        let text = match self.subscription(message) {
            Some(renamed) => renamed,
            None => wire::write(message, &via),
        };
        if is_asked && !self.requests.make_room() {
            let why = "too many requests wait for this node's answers";
            return self.refuse(message, Code::BUSY, why);
        }
        let bytes = self.waiting_bytes + text.len();
        if self.waiting.len() >= WAITING_MAX || bytes > WAITING_BYTES_MAX {
            let why = format!("the node is {}, and too much waits for it", self.standing());
            return self.refuse(message, Code::UNAVAILABLE, &why);
        }
        let wait = match header.reply {
            // A little before its own clock, so that the reason is heard and not a 408.
            Reply::Within(ms) => WAIT_MS.min(u64::from(ms) * 9 / 10),
            Reply::Untimed | Reply::Unwanted => WAIT_MS,
        };
        if is_asked {
            let pending = Pending::of(message, now, Self::routed_by(message));
            self.requests.put(key.clone(), pending);
        }
        self.waiting_bytes = bytes;
        self.waiting.push_back(Waiting {
            text,
            until: now + wait,
            key: is_asked.then_some(key),
        });
        if self.waiting.len() >= WAITING_MAX || bytes > WAITING_BYTES_MAX / 2 {
            self.full_since.get_or_insert(now);
        }
    }

    /// A text frame of the node.
    pub fn text(&mut self, text: &str, now: u64) {
        match self.config.dialect.read(text) {
            Frame::Ready => self.ready(now),
            Frame::Message(text) => self.inbound(&text, now),
            Frame::Bye => self.lost("the node ended it", now),
            Frame::Alive => {}
            Frame::Unknown => self.log("a frame that is no message was dropped"),
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: u64) {
        self.age(now);
        let is_over = |since| now >= since + UNREAD_MS;
        // What comes now is refused, until something has left.
        self.full_since = self.full_since.filter(|since| !is_over(*since));
        self.refuse_overdue(now);
        self.requests.forget_overdue(now);
    }

    /// When [`Self::tick`] is due, in the same milliseconds.
    pub fn wakes_at(&self) -> u64 {
        let waiting = self.waiting.iter().map(|waiting| waiting.until).min();
        let unread = self.full_since.map(|since| since + UNREAD_MS);
        let due = [Some(self.due()), waiting, self.requests.due(), unread];
        due.into_iter().flatten().min().unwrap_or(u64::MAX)
    }

    fn inbound(&mut self, text: &str, now: u64) {
        let inbound = match Inbound::read(text) {
            Ok(inbound) => inbound,
            Err(Unreadable::Garbage(why)) => {
                self.log(&format!("garbage of the node was dropped: {why}"));
                return;
            }
            Err(why) => return self.log(&format!("a message of the node was dropped: {why}")),
        };
        if inbound.from == "mn:/session" {
            return self.session_answer(&inbound, now);
        }
        // Our own, coming back: the node publishes to all that listen (spec §1.8).
        if inbound.via().is_some_and(|via| via == self.session_url()) {
            return;
        }
        if inbound.kind == "response" {
            return self.response(inbound);
        }
        self.effects.push(Effect::Deliver(inbound));
    }

    fn response(&mut self, inbound: Inbound) {
        let key = Key::of(&inbound.to, inbound.id);
        if self.renewed(&key, inbound.code) {
            return;
        }
        // A late one, or a second one: its request has had its answer.
        let Some(routes) = self.requests.answered(&key, inbound.code) else {
            return;
        };
        if inbound.code == Code::OK {
            self.remember(routes);
        }
        self.effects.push(Effect::Deliver(inbound));
    }

    fn refuse_overdue(&mut self, now: u64) {
        // Most often nothing is: then nothing is moved.
        if self.waiting.iter().all(|waiting| waiting.until > now) {
            return;
        }
        let all = std::mem::take(&mut self.waiting);
        let (overdue, waiting): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|waiting| waiting.until <= now);
        self.waiting = VecDeque::from(waiting);
        let why = format!("the node is {}", self.standing());
        for waiting in overdue {
            self.waiting_bytes -= waiting.text.len();
            let pending = waiting.key.and_then(|key| self.requests.take(&key));
            if let Some(pending) = pending {
                let refused = pending.refused(Code::UNAVAILABLE, &why);
                self.effects.push(Effect::Answer(refused));
            }
        }
    }

    fn refuse(&mut self, message: &Message<'_>, code: Code, why: &str) {
        let header = &message.header;
        if header.kind.is_request() && header.reply != Reply::Unwanted {
            self.effects.push(Effect::Answer(Refused {
                id: header.id,
                from: header.to.to_owned(),
                to: header.from.to_owned(),
                code,
                why: why.to_owned(),
            }));
        } else {
            self.log(&format!("a message for the node was dropped: {why}"));
        }
    }

    fn refuse_all(&mut self, refused: Vec<Pending>, why: &str) {
        for pending in refused {
            let refused = pending.refused(Code::UNAVAILABLE, why);
            self.effects.push(Effect::Answer(refused));
        }
    }

    fn status(&mut self, value: &'static str, why: String) {
        self.effects.push(Effect::Status(value, why));
    }

    fn log(&mut self, text: &str) {
        self.effects.push(Effect::Log(text.to_owned()));
    }
}

/// The canonical form of an address, or its text when it has none.
fn canonical(address: &str) -> String {
    let parsed: Result<Address, _> = address.parse();
    parsed.map_or_else(|_| address.to_owned(), |address| address.to_string())
}
