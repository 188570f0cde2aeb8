//! The network of a script host: made when a script first wants it.
//!
//! ```text
//! framework/*.js ── natives ──▶ Connections ── tasks ──▶ sandbox-net ── stream ──▶ descriptor
//!        ◀── `heard` ◀── events ◀──────┘                     └─ dial ─▶ link ─▶ Dial
//! ```
//!
//! | file | is |
//! |---|---|
//! | `executor` | tasks, timers and what they wait for, driven from the host's loop |
//! | `stream` | a granted descriptor as a stream |
//! | `link` | dials and roots on their way to the core and back |
//! | `socket`, `request` | one WebSocket, one HTTP request |
//! | `events` | what they tell their scripts, bounded |
//! | `natives` | what `framework/network.js` asks for |
//!
//! Holds: a host in which no script touches the network has nothing of this but
//! an empty cell. A connection belongs to the component that asked for it and ends with it.

mod events;
mod executor;
mod link;
mod natives;
mod request;
mod socket;
mod stream;

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use protocol::frame::{CoreFrame, HostFrame};
use sandbox_net::Network;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use self::events::{Event, Events, Teller};
pub use self::executor::Wanted;
use self::executor::{Executor, Host, Reactor};
use self::link::{Asking, LinkSide};
pub(super) use self::natives::natives;
use self::request::Asked;
use self::socket::Wish;

/// Connections of all components of a sandbox, open and under way.
///
/// Half of the descriptors that the profile permits: each may need a second
/// one for a moment, while it is replaced.
const CONNECTIONS_MAX: usize = 64;

/// Bytes that one WebSocket may have waiting to be sent.
///
/// As browsers do, one that would need more is closed.
const UNSENT_BYTES_MAX: usize = 8 << 20;

/// The network of one sandbox.
#[derive(Default)]
pub(super) struct Net {
    reactor: Arc<Reactor>,
    executor: Executor,
    link: Arc<LinkSide>,
    events: Arc<Events>,
    // By component: each has grants of its own, and connections that it keeps.
    networks: BTreeMap<String, Network>,
    connections: BTreeMap<u32, Connection>,
    last: u32,
    arrived: Option<OwnedFd>,
}

struct Connection {
    owner: String,
    task: u64,
    wishes: Wishes,
}

enum Wishes {
    Socket(UnboundedSender<Wish>, Arc<AtomicUsize>),
    Request(UnboundedSender<()>),
}

impl Net {
    fn host(&self) -> Host {
        Host(Arc::clone(&self.reactor))
    }

    fn network(&mut self, owner: &str) -> Network {
        if let Some(known) = self.networks.get(owner) {
            return known.clone();
        }
        let dial = Asking {
            component: owner.to_owned(),
            link: Arc::clone(&self.link),
            host: self.host(),
        };
        let made = match self.networks.values().next() {
            // Whom the machine trusts is read once.
            Some(other) => other.sharing_trust(dial),
            None => Network::with_tasks(dial, Arc::new(self.host())),
        };
        self.networks.insert(owner.to_owned(), made.clone());
        made
    }

    /// Opens a WebSocket; `None` when there are too many connections.
    fn open(
        &mut self,
        owner: &str,
        url: String,
        options: sandbox_net::websocket::Options,
    ) -> Option<u32> {
        let (id, teller) = self.teller()?;
        let (wish, wishes) = unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let (network, host) = (self.network(owner), self.host());
        let serving = socket::serve(
            network,
            host,
            url,
            options,
            wishes,
            Arc::clone(&waiting),
            teller,
        );
        self.keep(id, owner, Box::pin(serving), Wishes::Socket(wish, waiting));
        Some(id)
    }

    /// Sends a request; `None` when there are too many connections.
    fn request(&mut self, owner: &str, asked: Asked, body: Option<Vec<u8>>) -> Option<u32> {
        let (id, teller) = self.teller()?;
        let (wish, wishes) = unbounded_channel();
        let network = self.network(owner);
        let serving = request::serve(network, asked, body, wishes, teller);
        self.keep(id, owner, Box::pin(serving), Wishes::Request(wish));
        Some(id)
    }

    fn teller(&mut self) -> Option<(u32, Teller)> {
        if self.connections.len() >= CONNECTIONS_MAX {
            return None;
        }
        self.last = self.last.wrapping_add(1);
        Some((self.last, Teller::new(self.last, &self.events)))
    }

    fn keep(&mut self, id: u32, owner: &str, task: sandbox_net::Task, wishes: Wishes) {
        let task = self.host().spawn_numbered(task);
        let owner = owner.to_owned();
        let connection = Connection {
            owner,
            task,
            wishes,
        };
        self.connections.insert(id, connection);
    }

    /// Queues something to be sent; false when the socket is gone or too much waits.
    fn wish(&self, id: u32, bytes: usize, wish: Wish) -> bool {
        let Some(Wishes::Socket(wishes, waiting)) = self.wishes(id) else {
            return false;
        };
        if waiting.load(Ordering::Relaxed) + bytes > UNSENT_BYTES_MAX {
            return false;
        }
        waiting.fetch_add(bytes, Ordering::Relaxed);
        wishes.send(wish).is_ok()
    }

    /// Bytes of a WebSocket that wait to be sent.
    fn waiting(&self, id: u32) -> usize {
        match self.wishes(id) {
            Some(Wishes::Socket(_, waiting)) => waiting.load(Ordering::Relaxed),
            _ => 0,
        }
    }

    /// Asks for the next piece of a body.
    fn read(&self, id: u32) {
        if let Some(Wishes::Request(wishes)) = self.wishes(id) {
            // Whoever has ended has told so.
            let _ = wishes.send(());
        }
    }

    fn wishes(&self, id: u32) -> Option<&Wishes> {
        self.connections.get(&id).map(|one| &one.wishes)
    }

    /// Ends a connection at once; it tells nothing more.
    fn cancel(&mut self, id: u32) {
        if let Some(connection) = self.connections.remove(&id) {
            self.executor.cancel(&self.reactor, connection.task);
        }
        self.events.forget(id);
    }

    /// Ends what a component has open.
    fn forget(&mut self, owner: &str) {
        let of_owner = self
            .connections
            .iter()
            .filter(|(_, one)| one.owner == owner);
        let ids: Vec<u32> = of_owner.map(|(id, _)| *id).collect();
        for id in ids {
            self.cancel(id);
        }
        // The connections that were kept for the next request go with it.
        self.networks.remove(owner);
    }

    /// Hears what came from the core for the network.
    pub(super) fn hear(&mut self, frame: &CoreFrame<'_>) {
        match frame {
            CoreFrame::Socket {
                request, socket, ..
            } => self.link.socket(*request, *socket, self.arrived.take()),
            CoreFrame::NotDialled(told) => self.link.not_dialled(told),
            CoreFrame::Hungup { socket, reason } => self.link.hungup(*socket, reason),
            CoreFrame::Roots { bytes } => self.link.roots(Ok((*bytes, self.arrived.take()))),
            CoreFrame::NoRoots { reason } => self.link.roots(Err(reason)),
            _ => {}
        }
    }

    /// Takes the descriptor that came with the next frame.
    pub(super) fn hand(&mut self, descriptor: Option<OwnedFd>) {
        self.arrived = descriptor;
    }

    /// Runs what can go on, and says what is to be said to the core.
    pub(super) fn run(&mut self, end: Instant, say: impl FnMut(&HostFrame<'_>)) {
        self.executor.run(&self.reactor, end);
        self.link.say(say);
    }

    /// The next piece of news, and whose it is.
    fn news(&mut self) -> Option<(Event, String)> {
        let event = self.events.take()?;
        let owner = match self.connections.get(&event.id) {
            Some(connection) => connection.owner.clone(),
            None => String::new(),
        };
        if event.news.is_last() {
            self.connections.remove(&event.id);
        }
        Some((event, owner))
    }

    /// How long nothing has to be done.
    pub(super) fn wait(&self) -> Option<Duration> {
        if !self.events.is_empty() {
            return Some(Duration::ZERO);
        }
        self.reactor.wait(Instant::now())
    }

    /// What is to be waited for.
    pub(super) fn wanted(&self) -> Vec<Wanted> {
        self.reactor.wanted()
    }

    /// What came of it.
    pub(super) fn came(&self, wanted: &[Wanted]) {
        self.reactor.came(wanted);
    }
}
