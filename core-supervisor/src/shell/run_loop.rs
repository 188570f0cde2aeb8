//! The one thread that runs the core and every link.
//!
//! One turn, in this order:
//!
//! ```text
//!  wait      until a link, the inbox, the nursery or a deadline is ready
//!  tick      deadlines of the core, and the shell's own
//!  control   inbox, nursery, applications, operator      ┐ each: one read,
//!  light     sandboxes that say little; control again    │ handle, actions
//!            every 2 ms; what they said goes out         │
//!  heavy     one sandbox that says much, the next of     │
//!            them in the next turn                       ┘
//!  settle    what the actions made happen goes to the core as well
//!  flush     one send for each link that has something to go out
//! ```
//!
//! Level-triggered epoll and plain calls, no asynchronous runtime: a task switch
//! there costs as much as everything the core does with a message. In the steady
//! state a turn allocates nothing.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::mpsc::Sender;
use std::time::Duration;

use rustix::io::Errno;
use tokio::sync::mpsc::UnboundedSender;

use super::Brain;
use super::audit_log::AuditLog;
use super::buffers::Buffers;
use super::clock::Clock;
use super::hear::Served;
use super::inbox::{Arrival, Inbox};
use super::launcher::Launcher;
use super::link::{Intake, Link};
use super::links::Links;
use super::package::Programs;
use super::placement::Placement;
use super::poller::{Hits, Interest, Poller, Source};
use super::slots::Slots;
use super::sockets::Sockets;
use super::store::Write;
use crate::event::{Actions, Event, Job, Now, Peer};
use crate::ids::LinkId;

/// How long traffic may keep control waiting.
const CONTROL_EVERY: Duration = Duration::from_millis(2);

/// What `StopAsked` says when the leash has ended.
pub const LEASH: &str = "leash";

/// How the loop came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The core said that everything has ended.
    Orderly,
    /// It did not end in time; everything was killed.
    Late,
    /// The operator asked twice; everything was killed.
    AskedTwice,
}

/// Descriptors, and who may still have one.
#[derive(Debug, Clone, Copy)]
pub struct DescriptorBudget {
    /// `RLIMIT_NOFILE`.
    pub limit: usize,
    /// How many of them links and processes may not use: files, `/proc`, a new nursery.
    pub reserved: usize,
}

/// What a loop is made of.
pub struct Parts<B> {
    /// The core.
    pub brain: B,
    /// Already counting.
    pub clock: Clock,
    /// With a nursery.
    pub launcher: Launcher,
    /// What other threads have for it.
    pub inbox: Inbox,
    /// Where long work goes.
    pub jobs: UnboundedSender<Job>,
    /// Where goes what is to be kept.
    pub writes: Sender<Write>,
    /// Where goes what has to be accounted for.
    pub audit_log: AuditLog,
    /// What that work sealed.
    pub programs: Programs,
    /// How many descriptors there may be.
    pub budget: DescriptorBudget,
    /// Whether sandboxes may be moved to the loop's processor.
    pub is_placing: bool,
}

/// The loop and everything it owns.
pub struct RunLoop<B> {
    pub(super) brain: B,
    clock: Clock,
    // Read once for each link that is served; every reading costs as much as a
    // lookup, and a round trip would need a dozen.
    pub(super) now: Now,
    pub(super) poller: Poller,
    pub(super) links: Links,
    pub(super) launcher: Launcher,
    // For the connector, once somebody has dialled.
    pub(super) outdoors: Option<Launcher>,
    pub(super) budget: DescriptorBudget,
    pub(super) placement: Placement,
    pub(super) buffers: Buffers,
    pub(super) jobs: UnboundedSender<Job>,
    pub(super) writes: Sender<Write>,
    pub(super) audit_log: AuditLog,
    pub(super) programs: Programs,
    pub(super) slots: Slots,
    pub(super) sockets: Sockets,
    // What happened here and is still to be told to the core.
    pub(super) happened: VecDeque<Event<'static>>,
    pub(super) draining: VecDeque<(Duration, LinkId)>,
    pub(super) dirty: Vec<LinkId>,
    pub(super) ending: Option<Ending>,
    pub(super) is_nursery_blocked: bool,
    inbox: Inbox,
    pub(super) intake: Intake,
    pub(super) actions: Actions,
    flushing: Vec<LinkId>,
    pub(super) turns: u64,
    control_seen: Duration,
    pub(super) stop_by: Option<Duration>,
}

impl<B: Brain> RunLoop<B> {
    /// Puts the parts together and begins to wait on them.
    pub fn new(parts: Parts<B>) -> std::io::Result<Self> {
        let poller = Poller::new()?;
        poller.add(Source::Inbox, &parts.inbox, true)?;
        if let Some(socket) = parts.launcher.socket() {
            poller.add(Source::Nursery, socket, true)?;
        }
        Ok(Self {
            brain: parts.brain,
            now: parts.clock.now(),
            clock: parts.clock,
            poller,
            links: Links::default(),
            launcher: parts.launcher,
            outdoors: None,
            budget: parts.budget,
            placement: Placement::new(parts.is_placing),
            buffers: Buffers::default(),
            jobs: parts.jobs,
            writes: parts.writes,
            audit_log: parts.audit_log,
            programs: parts.programs,
            slots: Slots::default(),
            sockets: Sockets::default(),
            happened: VecDeque::new(),
            draining: VecDeque::new(),
            dirty: Vec::new(),
            ending: None,
            is_nursery_blocked: false,
            inbox: parts.inbox,
            intake: Intake::new(),
            actions: Actions::default(),
            flushing: Vec::new(),
            turns: 0,
            control_seen: Duration::ZERO,
            stop_by: None,
        })
    }

    /// Turns until the end, then ends the nursery and every sandbox.
    pub fn run(&mut self) -> std::io::Result<Ending> {
        self.brain.start(self.now, &mut self.actions);
        self.apply();
        self.settle();
        self.flush();
        loop {
            let patience = self.patience();
            self.turn(patience)?;
            if let Some(ending) = self.ending {
                self.launcher.stop();
                if let Some(outdoors) = &mut self.outdoors {
                    outdoors.stop();
                }
                return Ok(ending);
            }
        }
    }

    /// One turn; waits no longer than `patience`.
    pub(super) fn turn(&mut self, patience: Option<Duration>) -> Result<(), Errno> {
        let mut hits = Hits::new();
        self.poller.wait(&mut hits, patience)?;
        self.now = self.clock.now();
        self.tick();
        if hits.has_control() {
            self.control()?;
        } else if !hits.is_full() {
            self.control_seen = self.now.mono; // it has just been found quiet
        }
        self.turns += 1;
        if let Some(heavy) = self.serve_light(&hits)? {
            self.serve_heavy(heavy);
        }
        self.settle();
        self.flush();
        self.place();
        Ok(())
    }

    // Serves those who say little; names the one among the others whose turn it is.
    fn serve_light(&mut self, hits: &Hits) -> Result<Option<LinkId>, Errno> {
        let mut heavy: Option<(u64, LinkId)> = None;
        let mut index = 0;
        while let Some(hit) = hits.get(index) {
            if let Source::Link(link) = hit.source {
                match self.serve(link, hit) {
                    Served::Now => {}
                    Served::InItsTurn { heard_in } => {
                        let this = (heard_in, link);
                        heavy = Some(heavy.map_or(this, |first| first.min(this)));
                    }
                }
            }
            index += 1;
            if hits.get(index).is_some() {
                self.now = self.clock.now();
            }
            if self.now.mono > self.control_seen + CONTROL_EVERY {
                self.control()?;
            }
        }
        Ok(heavy.map(|(_, link)| link))
    }

    // What the light ones said is on its way before one of the heavy is heard.
    fn serve_heavy(&mut self, link: LinkId) {
        if !self.dirty.is_empty() {
            self.settle();
            self.flush();
            self.let_others_run();
            self.now = self.clock.now();
        }
        self.hear(link);
    }

    fn control(&mut self) -> Result<(), Errno> {
        self.control_seen = self.now.mono;
        let mut hits = Hits::new();
        self.poller.control(&mut hits)?;
        let mut index = 0;
        while let Some(hit) = hits.get(index) {
            index += 1;
            match hit.source {
                Source::Inbox => self.open_inbox(),
                Source::Nursery => self.serve_nursery(),
                Source::Outdoors => self.serve_outdoors(),
                Source::Link(link) => {
                    // However much it says: control never waits.
                    if let Served::InItsTurn { .. } = self.serve(link, hit) {
                        self.hear(link);
                    }
                }
                Source::Control => {}
            }
        }
        if index > 0 {
            self.settle();
            self.flush();
        }
        Ok(())
    }

    fn open_inbox(&mut self) {
        self.inbox.hush();
        while let Some(arrival) = self.inbox.take() {
            match arrival {
                Arrival::Accepted { socket, pid } => self.accept(socket, Peer::Local { pid }),
                Arrival::Happened(event) => self.tell(event),
                Arrival::StopAsked(why) => self.stop(why),
            }
        }
    }

    fn accept(&mut self, socket: OwnedFd, peer: Peer) {
        match self.connect(socket, peer) {
            Ok(_) => {}
            Err(reason) => tracing::warn!(reason, "a local connection was refused"),
        }
    }

    fn serve_nursery(&mut self) {
        self.launcher.send_waiting();
        self.launcher.receive(self.now.mono, &mut self.happened);
        self.watch_output_of_nursery();
    }

    pub(super) fn tell(&mut self, event: Event<'_>) {
        self.brain.handle(event, self.now, &mut self.actions);
        self.apply();
    }

    pub(super) fn apply(&mut self) {
        let mut actions = std::mem::take(&mut self.actions);
        for action in actions.list.drain(..) {
            self.act(action, &actions.bytes);
        }
        actions.clear();
        self.actions = actions;
    }

    fn settle(&mut self) {
        while let Some(event) = self.happened.pop_front() {
            if let Event::Exited { sandbox, .. } | Event::NotLaunched { sandbox, .. } = event {
                self.hear_out(sandbox);
            }
            self.tell(event);
        }
    }

    // What the core answers to `Written` goes out in the same turn: the next
    // wait may be long.
    fn flush(&mut self) {
        while !self.dirty.is_empty() {
            let mut flushing = std::mem::take(&mut self.flushing);
            std::mem::swap(&mut flushing, &mut self.dirty);
            for id in flushing.drain(..) {
                self.flush_link(id);
            }
            self.flushing = flushing;
            self.settle();
        }
    }

    fn flush_link(&mut self, id: LinkId) {
        let Some(link) = self.links.get(id) else {
            return;
        };
        link.is_dirty = false;
        let was_waiting = link.is_waiting;
        let Ok(bytes) = link.flush(&mut self.buffers) else {
            return self.lose(id);
        };
        if link.is_draining && link.is_empty() {
            self.links.remove(id);
            return;
        }
        if link.is_blocked != was_waiting {
            link.is_waiting = link.is_blocked;
            watch_output(&self.poller, id, link);
        }
        if bytes > 0 && !link.is_draining {
            self.tell(Event::Written { link: id, bytes });
        }
    }
}

/// Puts a link on the list of those with something to send, once.
pub(super) fn mark(dirty: &mut Vec<LinkId>, id: LinkId, link: &mut Link) {
    if !link.is_dirty && !link.is_blocked {
        link.is_dirty = true;
        dirty.push(id);
    }
}

/// Waits for room for output if, and only if, the link is blocked.
pub(super) fn watch_output(poller: &Poller, id: LinkId, link: &Link) {
    let interest = match (link.is_draining, link.is_blocked) {
        (true, _) => Interest::Out,
        (false, true) => Interest::InOut,
        (false, false) => Interest::In,
    };
    if let Err(error) = poller.change(Source::Link(id), link, link.control, interest) {
        tracing::error!(link = %id, %error, "cannot wait on a link");
    }
}
