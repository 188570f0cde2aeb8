//! One supervisor from its command line to its end, in the order it happens.
//!
//! ```text
//!  configuration → log → lock of the directories → address → store → second thread
//!  with the endpoint → floor → rules → nursery → `ready` → loop … → nursery gone
//!  → socket removed
//! ```
//!
//! Nothing is told to be ready before everything is; whatever fails on the way
//! ends with one sentence and its exit status. Children are started only after
//! the second thread has put the signals in order.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use protocol::Address;
use protocol::api::connections::Grant;
use protocol::api::policy::Problems;
use protocol::version::BUILD;
use serde_json::json;
use tokio::sync::mpsc::UnboundedSender;

use super::args::Options;
use super::audit_log::{self, AuditLog};
use super::cgroup::Cgroups;
use super::chores::Chores;
pub use super::chores::policy_dirs;
use super::clock::Clock;
use super::config::{Config, ConfigError, Surroundings};
use super::descriptors::raise_limit;
use super::floor::{self, FloorError};
use super::inbox::{Letterbox, inbox};
use super::instance::{Instance, InstanceError};
use super::launcher::Launcher;
use super::leash::Leash;
use super::nursery::NurseryCommand;
use super::package::Programs;
use super::run_loop::{Ending, Parts, RunLoop};
use super::store::{Keeper, Store, StoreError};
use super::{log, world};
use crate::core::{Core, Settings};
use crate::event::Job;
use crate::quota::Quota;
use crate::rooms::policy::PolicySet;
use crate::user::{NotUser, User};

/// Why there is no supervisor.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// What the operator set cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The log filter.
    #[error("{0}")]
    Log(String),
    /// The directories.
    #[error(transparent)]
    Instance(#[from] InstanceError),
    /// The machine.
    #[error(transparent)]
    Floor(#[from] FloorError),
    /// What is to outlive the supervisor.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rules.
    #[error("the policy has {} problems:{}", .0.problems.len(), listed(.0))]
    Policy(Problems),
    /// The leash.
    #[error("cannot hold on to the leash, descriptor {number}: {source}")]
    Leash {
        /// The descriptor.
        number: i32,
        /// What the system said.
        source: io::Error,
    },
    /// What the operator bounds cannot be bounded here.
    #[error(
        "{place}: `{key}` cannot be enforced here: there is no cgroup with its controller (`hyperty doctor` says why); \
         run it as a unit of its own (systemd-run --user -p Delegate=yes), or take the line out"
    )]
    Unenforceable {
        /// `file:line`.
        place: String,
        /// What was set there.
        key: &'static str,
    },
    /// The system refused something that every supervisor needs.
    #[error("cannot {act}: {source}")]
    System {
        /// What was tried.
        act: &'static str,
        /// What it said.
        source: io::Error,
    },
    /// The audit log.
    #[error(
        "cannot open the audit log in `{path}`: {source}; mend it, or move the folder away to begin a new one"
    )]
    Audit {
        /// Its folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The endpoint.
    #[error("cannot listen on `{path}`: {source}; choose another directory with `--runtime-dir`")]
    Endpoint {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl StartError {
    /// The exit status, as the command line documents it.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::Config(_) | Self::Log(_) | Self::Leash { .. } => 2,
            Self::Floor(FloorError::Below { .. }) | Self::Unenforceable { .. } => 5,
            Self::Instance(_)
            | Self::Floor(_)
            | Self::Store(_)
            | Self::Policy(_)
            | Self::System { .. }
            | Self::Audit { .. }
            | Self::Endpoint { .. } => 1,
        }
    }
}

fn listed(problems: &Problems) -> String {
    let line = |problem: &protocol::api::policy::Problem| {
        let help = if problem.help.is_empty() { "" } else { "; " };
        format!(
            "\n  {}: {}{help}{}",
            problem.place, problem.message, problem.help
        )
    };
    problems.problems.iter().map(line).collect()
}

/// The configuration in effect with these options.
pub fn configuration(options: &Options) -> Result<Config, StartError> {
    let system = |act| move |source| StartError::System { act, source };
    let directory = std::env::current_dir().map_err(system("find the working directory"))?;
    let program = std::env::current_exe().map_err(system("find this program's file"))?;
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let around = Surroundings {
        variable: &variable,
        directory: &directory,
        program: &program,
        uid: rustix::process::geteuid().as_raw(),
    };
    Ok(Config::load(&options.flags(), &around)?)
}

/// Supervises until the end.
pub fn supervise(options: &Options) -> Result<Ending, StartError> {
    let system = |act| move |source| StartError::System { act, source };
    let config = configuration(options)?;
    log::start(&config.log.value).map_err(StartError::Log)?;
    let leash = options.leash().map(take_leash).transpose()?;
    let clock = Clock::start();
    let instance = Instance::claim(
        &config.data_dir.value,
        &config.runtime_dir.value,
        clock.now().wall_us / 1_000_000,
    )?;
    let address = instance.address(&config.domain.value)?;
    let unix_s = clock.now().wall_us / 1_000_000;
    let (store, records) = Store::open(&instance.store(), unix_s)?;
    let programs = Programs::default();
    let chores = Chores::new(&config, programs.clone());
    let (letterbox, inbox) = inbox().map_err(system("make the inbox"))?;
    let belongs = (chores.homes(), chores.nodes());
    let jobs = listen(&instance, chores.clone(), letterbox.clone())?;
    let host = NurseryCommand {
        program: config.sandbox_host.value.clone(),
        arguments: options.pretences(),
    };
    let level = floor::check(&host, config.min_level.value)?;
    tracing::info!(address = %address, level = %level, "starting");
    let rules = chores.compile().map_err(StartError::Policy)?;
    let budget = raise_limit();
    // Before the nursery, which lives where this process does.
    let cgroups = groups(&config)?;
    let launcher = Launcher::start(host).map_err(system("start the nursery"))?;
    let launcher = launcher.grouped(cgroups);
    let token = options.sidecar.then(token).transpose()?;
    let (audit_log, audit_keeper) =
        AuditLog::start(&config.data_dir.value).map_err(|source| StartError::Audit {
            path: audit_log::folder(&config.data_dir.value),
            source,
        })?;
    let (writes, keeper) = Keeper::start(store, letterbox.clone())?;
    let mut brain = core(&config, address, (token.clone(), belongs), rules)?;
    brain.believe(config.unsigned.value, &config.keys.value);
    brain.restore(records);
    let parts = Parts {
        brain,
        clock,
        launcher,
        inbox,
        jobs,
        writes,
        audit_log,
        programs,
        budget,
        is_placing: config.placement.value,
    };
    let mut run_loop = RunLoop::new(parts).map_err(system("wait on anything"))?;
    announce(&instance, token.as_deref(), leash.as_ref())
        .map_err(system("say that it is ready"))?;
    if let Some(leash) = leash {
        leash.watch(letterbox).map_err(system("watch the leash"))?;
    }
    let ending = run_loop.run().map_err(system("wait for anything"))?;
    drop(run_loop);
    keeper.finish();
    audit_keeper.finish();
    tracing::info!(?ending, "ended");
    Ok(ending)
}

fn listen(
    instance: &Instance,
    chores: Chores,
    letterbox: Letterbox,
) -> Result<UnboundedSender<Job>, StartError> {
    let path = instance.socket.clone();
    world::start(path.clone(), chores, letterbox)
        .map_err(|source| StartError::Endpoint { path, source })
}

// What the operator bounds must be bounded: where nothing can, nothing is started.
fn groups(config: &Config) -> Result<Option<Arc<Cgroups>>, StartError> {
    let found = Cgroups::open();
    let controllers = found.as_ref().map_or(&[][..], Cgroups::controllers);
    let has_cpu = controllers.iter().any(|it| it == "cpu");
    if let (Some((_, place)), false) = (config.ceiling.value.by_operator(Quota::Cpu), has_cpu) {
        return Err(StartError::Unenforceable {
            place: place.to_owned(),
            key: Quota::Cpu.row().key,
        });
    }
    match found {
        Ok(cgroups) => {
            let (folder, lack) = (
                cgroups.folder().display(),
                cgroups.lack().unwrap_or_default(),
            );
            let controllers = cgroups.controllers().join(",");
            tracing::info!(%folder, controllers, lack, "sandboxes have cgroups");
            Ok(Some(Arc::new(cgroups)))
        }
        Err(absent) => {
            tracing::info!(%absent, "sandboxes have no cgroups");
            Ok(None)
        }
    }
}

fn take_leash(number: i32) -> Result<Leash, StartError> {
    Leash::take(number).map_err(|source| StartError::Leash { number, source })
}

fn core(
    config: &Config,
    runtime: Address,
    (token, (homes, nodes)): (Option<String>, (Vec<String>, Vec<Grant>)),
    rules: PolicySet,
) -> Result<Core, StartError> {
    let settings = Settings {
        user: user(config, &runtime)?,
        runtime,
        min_level: config.min_level.value,
        max_level: config.max_level.value,
        token,
        starts_max: config.starts_max.value,
        spare_scripts: config.spare_scripts.value,
        spare_natives: config.spare_natives.value,
        slots_max: config.slots_max.value,
        homes,
        nodes,
        sockets_max: config.sockets_max.value,
        ceiling: config.ceiling.value.clone(),
        seed: random()?,
    };
    Ok(Core::new(settings, rules))
}

// Until somebody says who the user is, the runtime's own id stands for them: it is
// nobody else's anywhere, and says nothing about anybody.
fn user(config: &Config, runtime: &Address) -> Result<User, StartError> {
    if let Some(user) = &config.user.value {
        return Ok(user.clone());
    }
    let text = format!("user://{}{}", runtime.domain(), runtime.path());
    text.parse().map_err(|error: NotUser| StartError::System {
        act: "name the runtime's user",
        source: io::Error::other(error.to_string()),
    })
}

fn random() -> Result<[u8; 32], StartError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| StartError::System {
        act: "get randomness",
        source: io::Error::other(error.to_string()),
    })?;
    Ok(bytes)
}

// 256 bits, as text that needs no quoting anywhere.
fn token() -> Result<String, StartError> {
    let mut text = String::with_capacity(64);
    for byte in random()? {
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

// One line, on the leash if it can be told something, else on stdout.
fn announce(instance: &Instance, token: Option<&str>, leash: Option<&Leash>) -> io::Result<()> {
    let ready = json!({
        "ready": true,
        "pid": std::process::id(),
        "build": BUILD,
        "endpoint": instance.socket,
        "token": token,
    });
    let line = format!("{ready}\n");
    if leash.is_some_and(|leash| leash.tell(&line)) {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.flush()
}
