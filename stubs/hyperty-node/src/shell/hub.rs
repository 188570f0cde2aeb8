//! The one task that has the node: events in, actions out.

use std::collections::BTreeMap;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Duration, Instant, Interval, MissedTickBehavior, interval};

use super::backing::Backing;
use super::clock::Clock;
use super::outbox::Outbox;
use crate::event::{Action, End, Event, LinkId, Pass};
use crate::node::{Node, Numbers};

/// Events that wait for the node. A full queue lets the connections wait, and so
/// their peers.
const EVENTS_MAX: usize = 1024;

/// Events of one turn.
const TURN_MAX: usize = 256;

/// How often time passes.
const TICK: Duration = Duration::from_secs(1);

/// How long the store and the connections have when the node stops.
const STOP_MAX: Duration = Duration::from_secs(2);

/// What the hub is told.
#[derive(Debug)]
pub(super) enum Told {
    /// An event of the node.
    Event(Event),
    /// A connection, with its outbox.
    Connected(LinkId, Pass, Outbox),
    /// Somebody wants to know.
    Count(oneshot::Sender<Numbers>),
    /// End in order.
    Stop,
}

/// The way to the hub.
pub(super) type Letters = mpsc::Sender<Told>;

pub(super) fn letters() -> (Letters, mpsc::Receiver<Told>) {
    mpsc::channel(EVENTS_MAX)
}

/// The node and what it acts on.
#[derive(Debug)]
pub(super) struct Hub {
    pub(super) node: Node,
    pub(super) backing: Backing,
    pub(super) clock: Clock,
    links: BTreeMap<LinkId, Outbox>,
    stops_at: Option<Instant>,
    is_closing: bool,
}

impl Hub {
    pub(super) const fn new(node: Node, backing: Backing, clock: Clock) -> Self {
        Self {
            node,
            backing,
            clock,
            links: BTreeMap::new(),
            stops_at: None,
            is_closing: false,
        }
    }

    /// Runs until `Stop`, then until all that was acknowledged is kept.
    pub(super) async fn run(mut self, mut told: mpsc::Receiver<Told>) {
        let mut ticks = ticks();
        let mut turn = Vec::with_capacity(TURN_MAX);
        while !self.has_stopped() {
            tokio::select! {
                count = told.recv_many(&mut turn, TURN_MAX) => if count == 0 { break },
                _ = ticks.tick() => turn.push(Told::Event(Event::Tick)),
            }
            for told in turn.drain(..) {
                self.take(told);
            }
            if self.stops_at.is_some() && !self.is_closing && self.node.numbers().writes == 0 {
                self.is_closing = true;
                for outbox in self.links.values() {
                    outbox.close(End::Stopping);
                }
            }
        }
        // The keeper must not wait for a hub that listens no more.
        drop(told);
        self.backing.finish().await;
    }

    fn has_stopped(&self) -> bool {
        let is_quiet = self.is_closing && self.links.is_empty();
        self.stops_at
            .is_some_and(|at| is_quiet || at <= Instant::now())
    }

    fn take(&mut self, told: Told) {
        let event = match told {
            Told::Event(event) => event,
            Told::Connected(link, pass, outbox) => {
                self.links.insert(link, outbox);
                Event::Connected { link, pass }
            }
            Told::Count(answer) => {
                // Who asked may have gone.
                let _ = answer.send(self.node.numbers());
                return;
            }
            Told::Stop => {
                self.stops_at = Some(Instant::now() + STOP_MAX);
                return;
            }
        };
        // While it stops nothing new is begun: it would not be acknowledged any more.
        if self.is_closing && matches!(event, Event::Received { .. }) {
            return;
        }
        if let Event::Disconnected { link, .. } = &event {
            self.links.remove(link);
        }
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            for action in self.node.handle(event, self.clock.now()) {
                // That nobody was told is told without asking, so that this ends.
                events.extend(self.act(action));
            }
        }
    }

    // What happens at once because of it.
    fn act(&self, action: Action) -> Option<Event> {
        let to = |link, act: &dyn Fn(&Outbox)| {
            if let Some(outbox) = self.links.get(&link) {
                act(outbox);
            }
        };
        match action {
            Action::Send { link, text } => to(link, &|outbox| outbox.push(text.clone())),
            Action::Close { link, end } => {
                tracing::info!(link = link.0, reason = %end, "closing");
                to(link, &|outbox| outbox.close(end.clone()));
            }
            Action::Probe(link) => to(link, &Outbox::ping),
            Action::Persist { ticket, rows } => self.backing.persist(ticket, rows),
            Action::Follow(base) => self.backing.follow(base),
            Action::Unfollow(base) => self.backing.unfollow(base),
            Action::Relay { ticket, base, text } => {
                let is_told = self.backing.relay(ticket, base, text);
                return ticket.filter(|_| !is_told).map(Event::Unheard);
            }
        }
        None
    }
}

fn ticks() -> Interval {
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
