//! # Sandboxes — processes, and how often they may be started
//!
//! Address:  hyperty-runtime://<runtime>/sandboxes
//! Answers:  Read, Execute (shutdown), Subscribe and Unsubscribe (log)
//!                                                — see protocol::api::sandboxes
//! Keeps:    sandboxes with their phase, restart budgets per cell, kept log lines
//! Holds:    code of two providers, or for two users, never shares a process; a stub shares with nobody;
//!           an id is never used twice
//! Not here: what runs in them (rooms/user_agent), the steps (flows/supervise.rs)

mod budget;
mod journal;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use protocol::frame::{ComponentKind, Level};
use protocol::nursery::Engine;

use crate::event::LaunchSpec;
use crate::ids::{DeploymentId, LinkId, SandboxId};
use crate::quota::Quotas;
use crate::user::User;

pub(crate) use budget::{Budget, Failure};
pub(crate) use journal::{Journal, Line, escape};

/// Whose code a process may run together (ARCHITECTURE "which code shares a process").
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// The provider's domain.
    pub provider: String,
    /// For whom it acts: what one user's components hold, another's must not reach.
    pub user: User,
    /// What runs in it.
    pub kind: ComponentKind,
    /// What runs it.
    pub engine: Engine,
    /// Below this level it must not run.
    pub min_level: Level,
    /// What its process and its link may have: who may have more or less is elsewhere.
    pub quotas: Quotas,
    /// The only component that may be in it: a program, a stub or an IdP proxy
    /// has its process for itself.
    pub solo: Option<DeploymentId>,
}

/// How far a sandbox has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Waits for its turn to be started.
    Queued,
    /// Its process is being made, and locks itself.
    Starting,
    /// It says that it is locked; the core looks from outside.
    Inspecting,
    /// Confirmed.
    Ready,
    /// It was told to end, or killed.
    Ending,
}

/// Why the core ended a sandbox itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// It broke the protocol.
    Fault(String),
    /// It was not ready in time.
    NotReady,
    /// A component did not load in time.
    NotLoaded,
    /// It did not answer.
    Hung,
    /// It closed its link, and must not go on without one.
    Unlinked,
    /// Nothing runs in it any more, or the operator said so.
    Dismissed,
}

/// One sandbox.
#[derive(Debug)]
pub struct Sandbox {
    /// Whose it is; `None` for a spare one.
    pub cell: Option<Cell>,
    /// What it is to be.
    pub spec: LaunchSpec,
    /// How far it has come.
    pub phase: Phase,
    /// Its link.
    pub link: Option<LinkId>,
    /// Its process.
    pub pid: Option<u32>,
    /// The level that was confirmed, or before that, claimed.
    pub level: Option<Level>,
    /// What it proved on itself.
    pub proofs: Vec<String>,
    /// Since when it is in this phase.
    pub since: Duration,
    /// The components in it, or about to be.
    pub components: Vec<DeploymentId>,
    /// The ping that was not answered yet, and when it was sent.
    pub pinged: Option<(u64, Duration)>,
    /// When it is asked next whether it lives.
    pub ping_due: Duration,
    /// Why it is being ended, when the core ends it.
    pub cause: Option<Cause>,
}

/// The sandboxes.
#[derive(Debug, Default)]
pub struct Sandboxes {
    all: BTreeMap<SandboxId, Sandbox>,
    queue: VecDeque<SandboxId>,
    budgets: BTreeMap<Cell, Budget>,
    pub(crate) journal: Journal,
}

impl Sandboxes {
    /// Enters a sandbox that waits for its turn.
    pub fn queue(&mut self, id: SandboxId, sandbox: Sandbox) {
        self.all.insert(id, sandbox);
        self.queue.push_back(id);
    }

    /// The next one to be started, unless `starts_max` are starting already.
    pub fn next_start(&mut self, starts_max: usize) -> Option<SandboxId> {
        let is_starting = |s: &&Sandbox| matches!(s.phase, Phase::Starting | Phase::Inspecting);
        if self.queue.is_empty() || self.all.values().filter(is_starting).count() >= starts_max {
            return None;
        }
        self.queue.pop_front()
    }

    /// One sandbox.
    pub fn get(&self, id: SandboxId) -> Option<&Sandbox> {
        self.all.get(&id)
    }

    /// One sandbox, to note what became of it.
    pub fn get_mut(&mut self, id: SandboxId) -> Option<&mut Sandbox> {
        self.all.get_mut(&id)
    }

    /// Forgets a sandbox whose process is gone.
    pub fn remove(&mut self, id: SandboxId) -> Option<Sandbox> {
        self.queue.retain(|queued| *queued != id);
        self.all.remove(&id)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (SandboxId, &Sandbox)> {
        self.all.iter().map(|(id, sandbox)| (*id, sandbox))
    }

    /// All of them, to note something.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (SandboxId, &mut Sandbox)> {
        self.all.iter_mut().map(|(id, sandbox)| (*id, sandbox))
    }

    /// The sandbox that runs this cell, or is about to.
    pub fn of_cell(&self, cell: &Cell) -> Option<SandboxId> {
        let is_it = |s: &Sandbox| s.phase != Phase::Ending && s.cell.as_ref() == Some(cell);
        self.iter()
            .find(|(_, sandbox)| is_it(sandbox))
            .map(|(id, _)| id)
    }

    /// A ready spare sandbox that was made as this one is to be.
    pub fn spare(&self, spec: &LaunchSpec, min_level: Level) -> Option<SandboxId> {
        let fits = |s: &Sandbox| {
            s.cell.is_none()
                && s.phase == Phase::Ready
                && s.spec.engine == spec.engine
                && s.spec.profile == spec.profile
                && s.spec.share == spec.share
                && s.level.is_some_and(|level| level >= min_level)
        };
        self.iter()
            .find(|(_, sandbox)| fits(sandbox))
            .map(|(id, _)| id)
    }

    /// Spare sandboxes of an engine, ready or on their way.
    pub fn spares(&self, engine: Engine, profile: &str) -> usize {
        let is_spare = |s: &Sandbox| {
            s.cell.is_none()
                && s.phase != Phase::Ending
                && s.spec.engine == engine
                && s.spec.profile == profile
        };
        self.iter().filter(|(_, sandbox)| is_spare(sandbox)).count()
    }

    /// The restart budget of a cell.
    pub(crate) fn budget(&mut self, cell: &Cell) -> &mut Budget {
        self.budgets.entry(cell.clone()).or_default()
    }

    /// Forgets the budget of a cell that has no component left.
    pub(crate) fn forget_budget(&mut self, cell: &Cell) {
        self.budgets.remove(cell);
    }
}

impl Sandbox {
    /// A sandbox that waits for its turn.
    pub fn new(cell: Option<Cell>, spec: LaunchSpec, now: Duration) -> Self {
        Self {
            cell,
            spec,
            phase: Phase::Queued,
            link: None,
            pid: None,
            level: None,
            proofs: Vec::new(),
            since: now,
            components: Vec::new(),
            pinged: None,
            ping_due: Duration::MAX,
            cause: None,
        }
    }
}

impl Phase {
    /// The word that `inspect` shows.
    pub const fn name(self, is_spare: bool) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Starting | Self::Inspecting => "starting",
            Self::Ready if is_spare => "spare",
            Self::Ready => "running",
            Self::Ending => "ending",
        }
    }
}
