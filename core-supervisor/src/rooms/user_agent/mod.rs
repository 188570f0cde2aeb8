//! # User agent — what is deployed, and how far it has come
//!
//! Address:  hyperty-runtime://<runtime>/ua
//! Answers:  Create (deploy), Read, Delete, Execute (stop, start, restart, reload)
//!                                                — see protocol::api::user_agent
//! Keeps:    deployments with their stage, their code, and who waits for them
//! Holds:    every deployment that was begun ends as running, or is told why not
//! Not here: processes (rooms/sandboxes), the steps themselves (flows/deploy.rs)

mod origin;
mod view;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use protocol::Address;
use protocol::api::capabilities::Met;
use protocol::api::connections::Pattern;
use protocol::api::user_agent::Deploy;
use protocol::frame::{ComponentKind, Level};
use protocol::nursery::Engine;

use crate::ids::{DeploymentId, IdMap, LinkId, OwnerId, ProgramId, SandboxId, Ticket};
use crate::quota::Limits;
use crate::user::User;
pub use origin::Origin;

/// Who asked for something that takes its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// Its link.
    pub link: LinkId,
    /// Who it is.
    pub owner: OwnerId,
    /// Its address, in its own spelling.
    pub from: String,
    /// The room's address, in its spelling.
    pub to: String,
    /// Its number.
    pub id: u64,
}

/// How far a deployment has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its package is being read.
    Reading,
    /// Its sandbox is being made.
    Launching,
    /// Its code has gone to the sandbox.
    Loading,
    /// It runs.
    Running,
    /// It crashed and will be started again.
    Waiting,
    /// The operator stopped it.
    Stopped,
    /// It crashed too often.
    Failed,
}

/// Code that is ready to be loaded again.
#[derive(Debug, Clone)]
pub enum Loadable {
    /// JavaScript: its file name and text.
    Script(String, Arc<Vec<u8>>),
    /// A program that the shell keeps.
    Program(ProgramId),
}

/// What was read for a deployment.
#[derive(Debug, Clone)]
pub struct Package {
    /// The address it runs at.
    pub address: Address,
    /// Its name.
    pub name: String,
    /// Its provider's domain.
    pub provider: String,
    /// For whom it acts.
    pub user: User,
    /// What it is.
    pub kind: ComponentKind,
    /// What runs it.
    pub engine: Engine,
    /// JSON object text, `runtimeURL` included.
    pub config: String,
    /// Its code.
    pub code: Loadable,
    /// `sha256:…` of the code.
    pub digest: String,
    /// Where it was read from.
    pub source: String,
    /// Who stands for it.
    pub origin: Origin,
    /// What it offers: `chat`, `audio`, … by the descriptor's `hypertyType`.
    pub resources: Vec<String>,
    /// The schemes of its data objects, by the descriptor's `dataObjects`.
    pub data_schemes: Vec<String>,
    /// How what it asks of the runtime is met, by name.
    pub constraints: BTreeMap<String, Met>,
    /// The places of the network that its descriptor asks for.
    pub network: Vec<Pattern>,
    /// How much of everything it may have.
    pub limits: Limits,
}

/// What ran before a reload, until the new code does.
#[derive(Debug, Clone)]
pub struct Previous {
    /// What was loaded.
    pub package: Package,
    /// How far it had come.
    pub stage: Stage,
}

/// How a protocol stub says that it stands to its domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    /// `created`, `in-progress`, `live`, `failed`, `disconnected`; empty before it says so.
    pub word: String,
    /// Why, in its words.
    pub desc: String,
    /// Since when.
    pub since: Duration,
}

impl Session {
    /// As a stub says.
    pub fn new(word: &str, desc: &str, since: Duration) -> Self {
        Self {
            word: word.to_owned(),
            desc: desc.to_owned(),
            since,
        }
    }
}

/// A package that is being read again.
#[derive(Debug, Clone)]
pub struct Reread {
    /// Whose package it is.
    pub id: DeploymentId,
    /// Who waits for the answer.
    pub asker: Option<Asker>,
    /// Whether the component was stopped when it was asked for: then it is to start.
    pub was_stopped: bool,
}

/// One deployment.
#[derive(Debug)]
pub struct Deployment {
    /// What was asked for.
    pub wanted: Deploy,
    /// For whom it acts.
    pub user: User,
    /// Who waits for the answer.
    pub asker: Option<Asker>,
    /// The domain to which it is to be the way, when nobody but messages asked for it.
    pub way: Option<String>,
    /// How far it has come.
    pub stage: Stage,
    /// Why it is not running.
    pub reason: String,
    /// How it stands to its domain, if it is a protocol stub.
    pub session: Session,
    /// What was read.
    pub package: Option<Package>,
    /// What ran before, while it is being reloaded.
    pub previous: Option<Previous>,
    /// Where it runs, or is about to.
    pub sandbox: Option<SandboxId>,
    /// The floor it asked for.
    pub min_level: Level,
    /// Whether it ever ran: one that never did is not tried again.
    pub has_run: bool,
    /// Whether it was started to be debugged: stopped, and nothing waits for it.
    pub is_debugged: bool,
    /// How often it was started again.
    pub restarts: u32,
    /// When `stage` was entered.
    pub since: Duration,
    /// When it is tried again.
    pub next_try: Option<Duration>,
}

/// What passed for one component; kept apart from it, because it is counted for
/// every message.
#[derive(Debug, Default, Clone, Copy)]
pub struct Traffic {
    /// Messages of its that were delivered.
    pub sent: u64,
    /// Messages delivered to it.
    pub received: u64,
    /// Messages of its that were refused.
    pub refused: u64,
}

/// The user agent.
#[derive(Debug, Default)]
pub struct UserAgent {
    deployments: BTreeMap<DeploymentId, Deployment>,
    reading: BTreeMap<Ticket, DeploymentId>,
    // At most one for each deployment.
    rereading: BTreeMap<Ticket, Reread>,
    // INVARIANT: the same keys as `deployments`.
    traffic: IdMap<DeploymentId, Traffic>,
}

impl UserAgent {
    /// Enters a deployment whose package is being read.
    pub fn begin(&mut self, id: DeploymentId, ticket: Ticket, deployment: Deployment) {
        self.reading.insert(ticket, id);
        self.deployments.insert(id, deployment);
        self.traffic.insert(id, Traffic::default());
    }

    /// The deployment that waits for this package.
    pub fn read_for(&mut self, ticket: Ticket) -> Option<DeploymentId> {
        self.reading.remove(&ticket)
    }

    /// Enters a package that is being read again.
    pub fn reread(&mut self, ticket: Ticket, reread: Reread) {
        self.rereading.insert(ticket, reread);
    }

    /// Whether a reload waits for this package.
    pub fn is_rereading(&self, ticket: Ticket) -> bool {
        self.rereading.contains_key(&ticket)
    }

    /// The reload that waits for this package.
    pub fn reread_for(&mut self, ticket: Ticket) -> Option<Reread> {
        self.rereading.remove(&ticket)
    }

    /// Whether a deployment's package is being read again.
    pub fn is_reread(&self, id: DeploymentId) -> bool {
        self.rereading.values().any(|reread| reread.id == id)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.deployments.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.deployments.is_empty()
    }

    /// One deployment.
    pub fn get(&self, id: DeploymentId) -> Option<&Deployment> {
        self.deployments.get(&id)
    }

    /// One deployment, to note what became of it.
    pub fn get_mut(&mut self, id: DeploymentId) -> Option<&mut Deployment> {
        self.deployments.get_mut(&id)
    }

    /// Forgets a deployment.
    pub fn remove(&mut self, id: DeploymentId) -> Option<Deployment> {
        self.traffic.remove(&id);
        self.deployments.remove(&id)
    }

    /// What passed for a component, to count one more.
    pub fn traffic_mut(&mut self, id: DeploymentId) -> Option<&mut Traffic> {
        self.traffic.get_mut(&id)
    }

    /// What passed for a component.
    pub fn traffic(&self, id: DeploymentId) -> Traffic {
        self.traffic.get(&id).copied().unwrap_or_default()
    }

    /// All of them, in the order in which they were begun.
    pub fn iter(&self) -> impl Iterator<Item = (DeploymentId, &Deployment)> {
        self.deployments
            .iter()
            .map(|(id, deployment)| (*id, deployment))
    }

    /// The deployment with this address or, if it is the only one, this name.
    pub fn select(&self, resource: &str) -> Result<DeploymentId, Unselected> {
        let address: Option<Address> = resource.parse().ok();
        let by_address = self.iter().find(|(_, deployment)| {
            deployment
                .package
                .as_ref()
                .is_some_and(|package| Some(&package.address) == address.as_ref())
        });
        if let Some((id, _)) = by_address {
            return Ok(id);
        }
        let mut by_name = self.iter().filter(|(_, deployment)| {
            deployment
                .package
                .as_ref()
                .is_some_and(|package| package.name == resource)
        });
        match (by_name.next(), by_name.next()) {
            (Some((id, _)), None) => Ok(id),
            (Some(_), Some(_)) => Err(Unselected::Several),
            (None, _) => Err(Unselected::None),
        }
    }

    /// Forgets that anybody on this link waits for an answer.
    pub fn forget_asker(&mut self, link: LinkId) {
        let deployed = self.deployments.values_mut().map(|d| &mut d.asker);
        let reread = self.rereading.values_mut().map(|reread| &mut reread.asker);
        for asker in deployed.chain(reread) {
            asker.take_if(|asker| asker.link == link);
        }
    }
}

/// Why a name selects no deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unselected {
    /// Nothing has it.
    None,
    /// Several have it.
    Several,
}

impl Stage {
    /// The word that `ps` shows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Launching => "launching",
            Self::Loading => "loading",
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
}
