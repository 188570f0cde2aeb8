//! The core: one state, one entrance.
//!
//! `handle` takes an event and the time and says what is to be done. It reads no
//! clock, opens nothing and waits for nothing; the simulation in
//! `tests/simulation.rs` drives it with a million random events.

use std::time::Duration;

use protocol::Address;
use protocol::api::connections::Grant;
use protocol::api::user_agent::Component;
use protocol::frame::Level;

use crate::event::{Actions, Event, Now};
use crate::flows::persist::Persisting;
use crate::flows::{
    audit, begin, connect, deliver, deploy, dial, enrol, fetch, heartbeat, home, late, legacy,
    lend, observe, persist, reach, serve_admin, stop, supervise, sync, trust,
};
use crate::ids::{DeploymentId, LinkId, SandboxId, Ticket};
use crate::ingress::Gates;
use crate::limits::STALL_MAX;
use crate::quota::Ceiling;
use crate::rooms::allocation::Allocation;
use crate::rooms::bus::Bus;
use crate::rooms::catalogue::Item;
use crate::rooms::catalogue::elsewhere::Mode;
use crate::rooms::catalogue::trust::{Pinned, Trust, Unsigned};
use crate::rooms::connections::Connections;
use crate::rooms::discovery::Discovery;
use crate::rooms::policy::{Policy, PolicySet};
use crate::rooms::registry::Registry;
use crate::rooms::sandboxes::Sandboxes;
use crate::rooms::storage::Storage;
use crate::rooms::subscriptions::Subscriptions;
use crate::rooms::sync::Sync;
use crate::rooms::user_agent::{Asker, UserAgent};
use crate::store::{Change, Record};
use crate::user::User;

/// What the core is told once, at its start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The runtime's address: `hyperty-runtime://<domain>/<id>`.
    pub runtime: Address,
    /// For whom components act when nobody says otherwise.
    pub user: User,
    /// Below this level nothing runs.
    pub min_level: Level,
    /// The level to try for.
    pub max_level: Level,
    /// What an application of a sidecar must say in its `Hello`.
    pub token: Option<String>,
    /// Sandboxes that may be starting at once.
    pub starts_max: usize,
    /// Script hosts kept ready.
    pub spare_scripts: usize,
    /// Native hosts kept ready.
    pub spare_natives: usize,
    /// Slots for large bodies that there may be at once; 0 for none.
    pub slots_max: usize,
    /// The domains that this runtime belongs to: their stubs are brought up at the
    /// start and kept up.
    pub homes: Vec<String>,
    /// The nodes of these domains, which their stubs may reach because the operator
    /// named them.
    pub nodes: Vec<Grant>,
    /// Sockets of the network that there may be at once.
    pub sockets_max: usize,
    /// The most that components may ask for in their descriptors.
    pub ceiling: Ceiling,
    /// What nobody can guess, for nonces, addresses and jitter.
    pub seed: [u8; 32],
}

/// The rooms.
#[derive(Debug)]
pub(crate) struct Rooms {
    pub(crate) bus: Bus,
    pub(crate) registry: Registry,
    pub(crate) policy: Policy,
    pub(crate) user_agent: UserAgent,
    pub(crate) sandboxes: Sandboxes,
    pub(crate) allocation: Allocation,
    pub(crate) discovery: Discovery,
    pub(crate) sync: Sync,
    pub(crate) storage: Storage,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) connections: Connections,
}

/// The trusted decision part of the runtime.
#[derive(Debug)]
pub struct Core {
    pub(crate) settings: Settings,
    pub(crate) rooms: Rooms,
    pub(crate) gates: Gates,
    pub(crate) trust: Trust,
    // INVARIANT: the sum of what is queued for each link.
    pub(crate) queued: usize,
    /// Raised by everything that a judgement depends on.
    pub(crate) epoch: u64,
    /// Who waits for long work, by its ticket.
    pub(crate) waiting: Vec<(Ticket, Waiting)>,
    /// What is on its way to the disk.
    pub(crate) persisting: Persisting,
    /// What the core has asked and waits for.
    pub(crate) questions: sync::Questions,
    /// What is fetched from other domains.
    pub(crate) fetches: fetch::Fetches,
    /// What the rooms want written, and said, about what they were handed at the start.
    pub(crate) restored: (Vec<Change>, Vec<String>),
    /// Certificates, and who waits for them.
    pub(crate) roots: dial::roots::Roots,
    pub(crate) stopping: Option<stop::Stopping>,
    /// The time of the event that is being handled.
    pub(crate) time: Duration,
    /// When the pool of spare sandboxes is filled again.
    pub(crate) refill_at: Option<Duration>,
    /// The earliest moment at which `deadlines` may find something.
    check_at: Duration,
    last_id: u64,
}

/// What long work was for.
#[derive(Debug, Clone)]
pub(crate) enum Waiting {
    Catalogue(Asker),
    /// Nobody, when a signal asked for it.
    Policy(Option<Asker>),
    /// The descriptor of an identity provider, for the way that needs to know it.
    Legacy(legacy::Asked),
    /// What was fetched is listed, to be updated: everything, or one item.
    Update(Asker, Mode, Option<Item>),
    /// Something that was fetched is pinned or unpinned.
    Managed(Asker),
    /// A data schema, by its URL, and what follows once it is read.
    Shape(String, sync::After),
}

impl Core {
    /// A core with nothing in it but its rooms.
    pub fn new(settings: Settings, rules: PolicySet) -> Self {
        let rooms = Rooms {
            bus: Bus::default(),
            registry: Registry::new(settings.runtime.domain(), &settings.homes),
            policy: Policy::new(rules),
            user_agent: UserAgent::default(),
            sandboxes: Sandboxes::default(),
            allocation: Allocation::new(settings.seed),
            discovery: Discovery::default(),
            sync: Sync::default(),
            storage: Storage::default(),
            subscriptions: Subscriptions::default(),
            connections: Connections::with_nodes(settings.nodes.clone()),
        };
        let mut core = Self {
            settings,
            rooms,
            gates: Gates::default(),
            trust: Trust::default(),
            queued: 0,
            epoch: 1,
            waiting: Vec::new(),
            persisting: Persisting::default(),
            questions: sync::Questions::default(),
            fetches: fetch::Fetches::default(),
            restored: (Vec::new(), Vec::new()),
            roots: dial::roots::Roots::default(),
            stopping: None,
            time: Duration::ZERO,
            refill_at: None,
            check_at: Duration::ZERO,
            last_id: 0,
        };
        begin::register_rooms(&mut core);
        core
    }

    /// Acts on one event.
    pub fn handle(&mut self, event: Event<'_>, now: Now, out: &mut Actions) {
        self.time = now.mono;
        match event {
            Event::Received { link, bytes } => deliver::received(self, link, bytes, now, out),
            Event::Written { link, bytes } => self.written(link, bytes, now, out),
            Event::Connected { link, peer } => connect::connected(self, link, peer, now, out),
            Event::Closed { link } => connect::closed(self, link, now, out),
            Event::Launched { sandbox, pid } => supervise::launched(self, sandbox, pid, out),
            Event::NotLaunched { sandbox, reason } => {
                supervise::not_launched(self, sandbox, &reason, now, out);
            }
            Event::Exited { sandbox, exit } => supervise::exited(self, sandbox, &exit, now, out),
            Event::Inspected { sandbox, seen } => connect::inspected(self, sandbox, seen, now, out),
            Event::PackageRead { ticket, mut result } => {
                let is_elsewhere = fetch::package_read(self, ticket, &mut result, now, out);
                if !is_elsewhere && !trust::package_read(self, ticket, &mut result, now, out) {
                    deploy::package_read(self, ticket, *result, now, out);
                }
            }
            Event::Kept { ticket, result } => fetch::kept(self, ticket, *result, now, out),
            Event::CatalogueRead { ticket, listing } => {
                serve_admin::catalogue_read(self, ticket, listing, now, out);
            }
            Event::PolicyCompiled { ticket, result } => {
                serve_admin::policy_compiled(self, ticket, *result, now, out);
            }
            Event::SchemaRead {
                ticket,
                result,
                elsewhere,
            } => fetch::schema_read(self, ticket, result, elsewhere, now, out),
            Event::Persisted { ticket, result } => {
                persist::persisted(self, ticket, result, out);
            }
            Event::NotLent { slot } => lend::not_lent(self, slot, now, out),
            Event::ConnectorRead { ticket, result } => {
                dial::connector::was_read(self, ticket, result, now, out);
            }
            Event::NamesRead { names } => dial::connector::names_read(self, names, out),
            Event::RootsRead { ticket, result } => {
                dial::roots::read(self, ticket, &result, now, out);
            }
            Event::NotTaken { socket, reason } => dial::not_taken(self, socket, reason, out),
            Event::ReloadAsked => serve_admin::reload_asked(self, None, out),
            Event::Ticked => self.ticked(now, out),
            Event::StopAsked { why } => stop::begin(self, why, now, out),
        }
        if self.epoch != self.rooms.bus.slots.epoch {
            lend::look_again(self, now, out);
        }
        if dial::revoke::is_due(self) {
            dial::revoke::look_again(self, now, out);
        }
        if self.stopping.is_some() {
            stop::proceed(self, now, out);
        }
    }

    /// Says which packages may be unsigned, and whose keys are known; before `restore`.
    pub fn believe(&mut self, unsigned: Unsigned, keys: &[Pinned]) {
        self.trust.believe(unsigned, keys);
    }

    /// Hands the rooms what they had kept; called once, before `start`.
    pub fn restore(&mut self, records: Vec<Record>) {
        begin::restore(self, records);
    }

    /// Lets the first spare sandboxes be made; called once, before the loop.
    pub fn start(&mut self, now: Now, out: &mut Actions) {
        self.time = now.mono;
        audit::started(self, out);
        trust::begin(self, out);
        sync::keep::begin(self, now, out);
        home::keep_up(self, now, out);
        self.keep_spares(now, out);
    }

    /// When the shell must say `Ticked`, at the latest.
    pub fn next_deadline(&self) -> Option<Duration> {
        let bus = &self.rooms.bus;
        let own = (self.check_at < Duration::MAX).then_some(self.check_at);
        let stop = self.stopping.as_ref().and_then(stop::Stopping::deadline);
        [
            bus.pending.next_deadline(),
            bus.taps.next_deadline(),
            own,
            stop,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Has `deadlines` look at the latest then.
    pub(crate) fn check_by(&mut self, at: Duration) {
        self.check_at = self.check_at.min(at);
    }

    pub(crate) fn next_ticket(&mut self) -> Ticket {
        Ticket(self.next_id())
    }

    pub(crate) fn next_sandbox(&mut self) -> SandboxId {
        SandboxId(self.next_id())
    }

    pub(crate) fn next_deployment(&mut self) -> DeploymentId {
        DeploymentId(self.next_id())
    }

    /// The address of a room, as text.
    pub(crate) fn room_address(&self, path: &str) -> String {
        format!("{}/{path}", self.settings.runtime)
    }

    /// The same in the spelling that other runtimes know.
    pub(crate) fn published_room(&self, path: &str) -> String {
        format!("{}/{path}", self.settings.runtime.published())
    }

    /// A deployment as the outside sees it.
    pub(crate) fn component(&self, id: DeploymentId, now: Now) -> Option<Component> {
        let deployment = self.rooms.user_agent.get(id)?;
        let sandbox = deployment
            .sandbox
            .and_then(|sandbox| self.rooms.sandboxes.get(sandbox));
        let place = (
            sandbox.and_then(|sandbox| sandbox.pid),
            sandbox.and_then(|sandbox| sandbox.level),
        );
        let traffic = self.rooms.user_agent.traffic(id);
        let mut view = deployment.view(now.mono, place, traffic);
        let item = deployment
            .package
            .as_ref()
            .map(|package| &package.origin.item);
        if let Some((version, grown)) = item.and_then(|item| self.trust.waiting(item)) {
            view.waits = format!("{version} {}", grown.join("; "));
        }
        Some(view)
    }

    /// Notes who is told when a deployment runs, or does not.
    pub(crate) fn waits_for(&mut self, id: DeploymentId, asker: Asker) {
        if let Some(deployment) = self.rooms.user_agent.get_mut(id) {
            deployment.asker = Some(asker);
        }
    }

    fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    fn written(&mut self, link: LinkId, bytes: usize, now: Now, out: &mut Actions) {
        let Some(gate) = self.gates.get_mut(&link) else {
            return;
        };
        let bytes = bytes.min(gate.queued);
        gate.queued -= bytes;
        self.queued = self.queued.saturating_sub(bytes);
        gate.stalled_since = (gate.queued > 0).then_some(now.mono);
        if gate.queued > 0 {
            self.check_by(now.mono + STALL_MAX);
        }
        sync::drained(self, link, now, out);
    }

    fn ticked(&mut self, now: Now, out: &mut Actions) {
        late::end_late_requests(self, now, out);
        observe::flush_taps(self, now, out);
        if self.check_at <= now.mono {
            self.check_at = Duration::MAX;
            if self.refill_at.is_some_and(|at| at <= now.mono) {
                self.refill_at = None;
                self.keep_spares(now, out);
            }
            late::cut_late_links(self, now, out);
            heartbeat::deadlines(self, now, out);
            sync::keep::write_due(self, now, out);
            lend::rest(self, now, out);
            reach::review(self, now, out);
            enrol::proceed(self, now, out);
            dial::deadlines(self, now, out);
            dial::connector::deadlines(self, now, out);
            fetch::review(self, now, out);
            let links = self
                .gates
                .values()
                .filter_map(late::link_deadline)
                .map(|(at, _)| at)
                .min();
            let next = heartbeat::next_deadline(self)
                .into_iter()
                .chain(links)
                .chain(self.refill_at)
                .chain(sync::keep::next_due(self))
                .chain(lend::next_deadline(self))
                .chain(reach::next_deadline(self))
                .chain(self.rooms.registry.roll.next_deadline())
                .chain(dial::next_deadline(self))
                .chain(self.fetches.next_deadline())
                .min();
            self.check_by(next.unwrap_or(Duration::MAX));
        }
    }
}
