//! What the operator set, and where: built in < `hyperty.toml` < environment < flags.
//!
//! | key | variable | flag | default |
//! |---|---|---|---|
//! | (this file) | `HYPERTY_CONFIG` | `--config` | `$XDG_CONFIG_HOME/hyperty/hyperty.toml`, may be absent |
//! | `data-dir` | `HYPERTY_DATA_DIR` | `--data-dir` | `$XDG_DATA_HOME/hyperty` |
//! | `runtime-dir` | `HYPERTY_RUNTIME_DIR` | `--runtime-dir` | `$XDG_RUNTIME_DIR/hyperty`, else `/tmp/hyperty-<uid>` |
//! | `catalogue` | – | `--catalogue` | none |
//! | `policy` | – | `--policy` | `policy.d` beside `hyperty.toml`, may be absent |
//! | `min-level` | `HYPERTY_MIN_LEVEL` | `--min-level`, `--unsafe` | `L2` |
//! | `max-level` | – | `--max-level` | `L3` |
//! | `sandbox-host` | `HYPERTY_SANDBOX_HOST` | `--sandbox-host` | beside `core-supervisor` |
//! | `connector` | – | – | beside `core-supervisor`: the program that makes sockets of the internet |
//! | `resolver` | `HYPERTY_RESOLVER` | `--resolver` | the name servers of `/etc/resolv.conf`; else one, as `address:port` |
//! | `tls-roots` | `SSL_CERT_FILE` | `--tls-roots` | where the system keeps the authorities' certificates |
//! | `sockets-max` | – | – | 1024: sockets of the internet that there may be at once |
//! | `domain` | `HYPERTY_DOMAIN` | `--domain` | `local.hyperty` |
//! | `node` | – | `--node` | none: `[DOMAIN=]URL` of each message node, of the own domain when none is named |
//! | `node-secret` | – | `--node-secret` | none: `[DOMAIN=]FILE` with the token or credentials for its nodes |
//! | `user` | `HYPERTY_USER` | `--user` | the runtime itself: `user://<domain>/<its id>` |
//! | `log` | `HYPERTY_LOG` | `--log` | `info`; `json` and `json:debug` for one object per line |
//! | `spare-scripts`, `spare-natives` | – | – | 1, 1 |
//! | `starts-max` | – | – | 4 |
//! | `slots-max` | – | – | 64: places of 1 MiB through which large bodies go past the core; 0 for none |
//! | `fetch` | – | – | `true`: what no catalogue here has is fetched from its provider's domain |
//! | `unsigned` | – | `--unsigned` | `directories`: which packages may be unsigned; `none`, or `all`, which the flag says |
//! | `keys` | – | – | none: `DOMAIN=RW…`, keys of providers that sign their packages |
//! | `[limits]` | – | – | what is usual: the most that components may ask for (`over-ceiling`, `memory`, …) |
//! | `placement` | – | – | `true`: sandboxes that wait for answers share a processor with the core |
//!
//! Lists of a higher layer replace those of a lower one. A relative path of the
//! file is relative to the file, others to the working directory.

mod ceiling;
mod error;
mod file;
mod layer;
mod log_spec;
mod node;
mod show;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

pub use error::ConfigError;
use file::File;
use layer::{Layers, absolute};
pub use log_spec::LogSpec;
pub use node::{Carrier, Node, NotNode, Secret};
use protocol::Address;
use protocol::frame::Level;
pub use show::{Shown, ShownValue};

use crate::limits::{SLOTS_MAX, SOCKETS_MAX};
use crate::quota::Ceiling;
use crate::rooms::catalogue::trust::{Pinned, Unsigned};
use crate::user::User;

/// Below what level nothing runs unless the operator says otherwise.
const MIN_LEVEL: Level = Level::L2;

/// The domain of a runtime whose operator has none: nobody can look it up.
const DOMAIN: &str = "local.hyperty";

/// What is logged unless the operator says otherwise.
const LOG_FILTER: &str = "info";

/// Spare hosts of each engine: the next start finds one, and another is made.
const SPARES: usize = 1;

/// Sandboxes that may be starting at once; more only wait for the same two cores.
const STARTS_MAX: usize = 4;

/// Where a value was set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere.
    BuiltIn,
    /// In a file: `file:line`.
    File(String),
    /// In this environment variable.
    Variable(&'static str),
    /// By this flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("default"),
            Self::File(place) => f.write_str(place),
            Self::Variable(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// A value and its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set<T> {
    /// The value.
    pub value: T,
    /// Where it was set.
    pub origin: Origin,
}

/// What the command line said.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--data-dir`.
    pub data_dir: Option<PathBuf>,
    /// `--runtime-dir`.
    pub runtime_dir: Option<PathBuf>,
    /// `--catalogue`, any number of them.
    pub catalogues: Vec<PathBuf>,
    /// `--policy`, any number of them.
    pub policies: Vec<PathBuf>,
    /// `--min-level`.
    pub min_level: Option<Level>,
    /// `--max-level`.
    pub max_level: Option<Level>,
    /// `--unsafe`.
    pub no_floor: bool,
    /// `--sandbox-host`.
    pub sandbox_host: Option<PathBuf>,
    /// `--domain`.
    pub domain: Option<String>,
    /// `--node`, any number of them.
    pub nodes: Vec<Node>,
    /// `--node-secret`, likewise.
    pub node_secrets: Vec<Secret>,
    /// `--resolver`.
    pub resolver: Option<SocketAddr>,
    /// `--tls-roots`.
    pub tls_roots: Option<PathBuf>,
    /// `--user`.
    pub user: Option<User>,
    /// `--log`.
    pub log: Option<LogSpec>,
    /// `--unsigned`.
    pub unsigned: Option<Unsigned>,
}

/// Everything in effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// What the runtime keeps: its identity and its lock.
    pub data_dir: Set<PathBuf>,
    /// Where the endpoint is.
    pub runtime_dir: Set<PathBuf>,
    /// Catalogue directories, the first one first.
    pub catalogues: Set<Vec<PathBuf>>,
    /// Policy directories and files.
    pub policies: Set<Vec<PathBuf>>,
    /// Below this level nothing runs.
    pub min_level: Set<Level>,
    /// The level to try for.
    pub max_level: Set<Level>,
    /// The program `sandbox-host`.
    pub sandbox_host: Set<PathBuf>,
    /// The program `connector`.
    pub connector: Set<PathBuf>,
    /// The one name server that is asked; those of the system when nobody said.
    pub resolver: Set<Option<SocketAddr>>,
    /// The authorities' certificates; empty for where the system keeps them.
    pub tls_roots: Set<PathBuf>,
    /// Sockets of the internet that there may be at once.
    pub sockets_max: Set<usize>,
    /// The domain in the runtime's address.
    pub domain: Set<String>,
    /// Message nodes of the domains that the runtime belongs to.
    pub nodes: Set<Vec<Node>>,
    /// Files with what they ask for.
    pub node_secrets: Set<Vec<Secret>>,
    /// For whom components act; the runtime itself when nobody said.
    pub user: Set<Option<User>>,
    /// What is logged, and how it looks.
    pub log: Set<LogSpec>,
    /// Script hosts kept ready.
    pub spare_scripts: Set<usize>,
    /// Native hosts kept ready.
    pub spare_natives: Set<usize>,
    /// Sandboxes that may be starting at once.
    pub starts_max: Set<usize>,
    /// Slots for large bodies that there may be at once.
    pub slots_max: Set<usize>,
    /// Whether what no catalogue here has is fetched from its provider's domain.
    pub fetch: Set<bool>,
    /// Which packages may be unsigned.
    pub unsigned: Set<Unsigned>,
    /// Keys of providers.
    pub keys: Set<Vec<Pinned>>,
    /// Whether sandboxes that wait for answers share a processor with the core.
    pub placement: Set<bool>,
    /// The most that components may ask for; the origin is that of `over-ceiling`.
    pub ceiling: Set<Ceiling>,
}

/// What is around the process.
pub struct Surroundings<'a> {
    /// Reads an environment variable; empty ones count as absent.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// The working directory.
    pub directory: &'a Path,
    /// The program that runs.
    pub program: &'a Path,
    /// The user.
    pub uid: u32,
}

impl Config {
    /// Lays flags over environment over file over defaults.
    pub fn load(flags: &Flags, around: &Surroundings<'_>) -> Result<Self, ConfigError> {
        let file = File::find(flags, around)?;
        let layers = Layers {
            around,
            file: &file,
        };
        let config = Self {
            data_dir: layers.path(
                flags.data_dir.as_ref(),
                ["--data-dir", "HYPERTY_DATA_DIR"],
                file.keys.data_dir.as_ref(),
                || layers.home("XDG_DATA_HOME", ".local/share", "data", "`--data-dir DIR`"),
            )?,
            runtime_dir: layers.path(
                flags.runtime_dir.as_ref(),
                ["--runtime-dir", "HYPERTY_RUNTIME_DIR"],
                file.keys.runtime_dir.as_ref(),
                || Ok(default_runtime_dir(around)),
            )?,
            catalogues: layers.paths(
                &flags.catalogues,
                "--catalogue",
                file.keys.catalogue.as_ref(),
                Vec::new,
            ),
            policies: layers.paths(
                &flags.policies,
                "--policy",
                file.keys.policy.as_ref(),
                || file.policy_dir().into_iter().collect(),
            ),
            min_level: min_level(flags, &layers)?,
            max_level: layers.value(
                flags.max_level,
                ["--max-level", ""],
                file.keys.max_level.as_ref(),
                Level::L3,
            )?,
            sandbox_host: layers.path(
                flags.sandbox_host.as_ref(),
                ["--sandbox-host", "HYPERTY_SANDBOX_HOST"],
                file.keys.sandbox_host.as_ref(),
                || Ok(around.program.with_file_name("sandbox-host")),
            )?,
            connector: layers.path(None, ["", ""], file.keys.connector.as_ref(), || {
                Ok(around.program.with_file_name("connector"))
            })?,
            resolver: layers.optional(
                flags.resolver,
                ["--resolver", "HYPERTY_RESOLVER"],
                file.keys.resolver.as_ref(),
            )?,
            tls_roots: layers.path(
                flags.tls_roots.as_ref(),
                ["--tls-roots", "SSL_CERT_FILE"],
                file.keys.tls_roots.as_ref(),
                || Ok(PathBuf::new()),
            )?,
            sockets_max: layers.plain(file.keys.sockets_max.as_ref(), SOCKETS_MAX),
            domain: layers.value(
                flags.domain.clone(),
                ["--domain", "HYPERTY_DOMAIN"],
                file.keys.domain.as_ref(),
                DOMAIN.to_owned(),
            )?,
            nodes: layers.texts(&flags.nodes, "--node", file.keys.node.as_ref())?,
            node_secrets: layers.texts(
                &flags.node_secrets,
                "--node-secret",
                file.keys.node_secret.as_ref(),
            )?,
            user: layers.optional(
                flags.user.clone(),
                ["--user", "HYPERTY_USER"],
                file.keys.user.as_ref(),
            )?,
            log: layers.value(
                flags.log.clone(),
                ["--log", "HYPERTY_LOG"],
                file.keys.log.as_ref(),
                LogSpec::default(),
            )?,
            spare_scripts: layers.plain(file.keys.spare_scripts.as_ref(), SPARES),
            spare_natives: layers.plain(file.keys.spare_natives.as_ref(), SPARES),
            starts_max: layers.plain(file.keys.starts_max.as_ref(), STARTS_MAX),
            slots_max: layers.plain(file.keys.slots_max.as_ref(), SLOTS_MAX),
            fetch: layers.plain(file.keys.fetch.as_ref(), true),
            unsigned: layers.value(
                flags.unsigned,
                ["--unsigned", ""],
                file.keys.unsigned.as_ref(),
                Unsigned::default(),
            )?,
            keys: layers.texts(&[], "", file.keys.of_providers.as_ref())?,
            placement: layers.plain(file.keys.placement.as_ref(), true),
            ceiling: ceiling::read(&file)?,
        };
        config.check(flags)?;
        Ok(config)
    }

    fn check(&self, flags: &Flags) -> Result<(), ConfigError> {
        let wrong = |origin: &Origin, message: String| {
            Err(ConfigError::Value {
                origin: origin.clone(),
                message,
            })
        };
        let (min, max) = (&self.min_level, &self.max_level);
        if min.value == Level::L0 && !flags.no_floor {
            return wrong(
                &min.origin,
                "`L0` is no sandbox at all: it needs `--unsafe`".into(),
            );
        }
        if min.value > max.value {
            return wrong(
                &max.origin,
                format!("max-level {} is below min-level {}", max.value, min.value),
            );
        }
        let sample = format!("hyperty-runtime://{}/x", self.domain.value);
        if let Err(error) = sample.parse::<Address>() {
            let message = format!("`{}` is no domain: {error}", self.domain.value);
            return wrong(&self.domain.origin, message);
        }
        if self.starts_max.value == 0 {
            return wrong(
                &self.starts_max.origin,
                "starts-max 0 would start nothing".into(),
            );
        }
        Ok(())
    }
}

fn min_level(flags: &Flags, layers: &Layers<'_>) -> Result<Set<Level>, ConfigError> {
    if flags.no_floor && flags.min_level.is_none() {
        return Ok(Set {
            value: Level::L0,
            origin: Origin::Flag("--unsafe"),
        });
    }
    layers.value(
        flags.min_level,
        ["--min-level", "HYPERTY_MIN_LEVEL"],
        layers.file.keys.min_level.as_ref(),
        MIN_LEVEL,
    )
}

fn default_runtime_dir(around: &Surroundings<'_>) -> PathBuf {
    absolute(around, "XDG_RUNTIME_DIR").map_or_else(
        || PathBuf::from(format!("/tmp/hyperty-{}", around.uid)),
        |directory| directory.join("hyperty"),
    )
}
