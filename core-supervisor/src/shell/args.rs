//! The command line of `core-supervisor`.

use std::net::SocketAddr;
use std::os::fd::RawFd;
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use protocol::frame::Level;

use super::config::{Flags, LogSpec, Node, Secret};
use crate::rooms::catalogue::trust::Unsigned;
use crate::user::User;

/// The trusted supervisor of the Hyperty Runtime.
///
/// Runs until it is told to stop: by SIGTERM or SIGINT (the second one kills),
/// by `hyperty down`, or by the end of its leash. SIGHUP reads the policy again.
/// When its endpoint accepts it prints one JSON line: ready, pid, build, endpoint, token.
#[derive(Debug, Parser)]
#[command(name = "core-supervisor", version, max_term_width = 100)]
pub struct Args {
    /// What to do instead of supervising.
    #[command(subcommand)]
    pub command: Option<Task>,
    /// What is set here.
    #[command(flatten)]
    pub options: Options,
}

/// What can be done instead of supervising.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// Compile policy directories together with the shipped rules, and say what is wrong
    CheckPolicy {
        /// Directories with `*.cedar` files; the configured ones when none is given
        #[arg(value_name = "DIR")]
        directories: Vec<PathBuf>,
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
    /// Follow the chain of the audit log, or print its last entries as they are
    Audit {
        /// Print so many of the last entries instead
        #[arg(long, value_name = "NUMBER")]
        last: Option<usize>,
        /// Print one JSON object about the chain
        #[arg(long)]
        json: bool,
    },
    /// Try control groups with a process of its own, and print one JSON object
    ProbeCgroup,
    /// Wait for the end of the input: what is tried with
    #[command(hide = true)]
    Wait,
    /// Print the configuration in effect, and where each value was set
    ShowConfig {
        /// Print one JSON object
        #[arg(long)]
        json: bool,
    },
}

/// What can be set on the command line.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// The configuration file, instead of the user's hyperty.toml
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the runtime keeps who it is
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Where the endpoint is
    #[arg(long, global = true, value_name = "DIR")]
    pub runtime_dir: Option<PathBuf>,
    /// A directory with `.well-known/`; may be given more than once
    #[arg(long = "catalogue", global = true, value_name = "DIR")]
    pub catalogues: Vec<PathBuf>,
    /// A directory with `*.cedar` files; may be given more than once
    #[arg(long = "policy", global = true, value_name = "DIR")]
    pub policies: Vec<PathBuf>,
    /// Run nothing below this sandbox level
    #[arg(long, global = true, value_name = "LEVEL")]
    pub min_level: Option<Level>,
    /// Try for no more than this sandbox level
    #[arg(long, global = true, value_name = "LEVEL")]
    pub max_level: Option<Level>,
    /// Run components even without any sandbox
    #[arg(long = "unsafe", global = true)]
    pub no_floor: bool,
    /// The program that runs components, instead of the one beside this one
    #[arg(long, global = true, value_name = "PATH")]
    pub sandbox_host: Option<PathBuf>,
    /// The domain in this runtime's address
    #[arg(long, global = true)]
    pub domain: Option<String>,
    /// A message node that this runtime belongs to, wss:// or nats://; may be given more than once
    #[arg(long = "node", global = true, value_name = "[DOMAIN=]URL")]
    pub nodes: Vec<Node>,
    /// A file with the token or the credentials for the nodes of a domain
    #[arg(long = "node-secret", global = true, value_name = "[DOMAIN=]FILE")]
    pub node_secrets: Vec<Secret>,
    /// Ask this name server, and not those of /etc/resolv.conf
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    pub resolver: Option<SocketAddr>,
    /// The authorities to trust in TLS, as PEM, instead of the system's
    #[arg(long, global = true, value_name = "FILE")]
    pub tls_roots: Option<PathBuf>,
    /// For whom components act unless they are deployed for another: user://idp/name or name@idp
    #[arg(long, global = true, value_name = "USER")]
    pub user: Option<User>,
    /// What to log: error, warn, info, debug; `json` or `json:debug` for JSON lines
    #[arg(long, global = true, value_name = "WHAT")]
    pub log: Option<LogSpec>,
    /// Run packages that nobody signed, also those fetched from other domains
    #[arg(long, global = true)]
    pub unsigned: bool,
    /// Be the sidecar of an application: end with it, and make it show a token
    #[arg(long)]
    pub sidecar: bool,
    /// End when this inherited descriptor does; a sidecar's default is 0, its stdin
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i32).range(0..))]
    pub leash_fd: Option<RawFd>,
    /// Take a sandbox primitive away, for tests: landlock, seccomp, userns
    #[arg(long, hide = true, global = true, value_name = "PRIMITIVE")]
    pub pretend_without: Vec<String>,
}

impl Options {
    /// The descriptor to hang on, if any.
    pub fn leash(&self) -> Option<RawFd> {
        self.leash_fd.or(self.sidecar.then_some(0))
    }

    /// What the nursery and the probe are told besides.
    pub fn pretences(&self) -> Vec<String> {
        let pretence = |what: &String| ["--pretend-without".to_owned(), what.clone()];
        self.pretend_without.iter().flat_map(pretence).collect()
    }

    /// The part that is configuration.
    pub fn flags(&self) -> Flags {
        Flags {
            config: self.config.clone(),
            data_dir: self.data_dir.clone(),
            runtime_dir: self.runtime_dir.clone(),
            catalogues: self.catalogues.clone(),
            policies: self.policies.clone(),
            min_level: self.min_level,
            max_level: self.max_level,
            no_floor: self.no_floor,
            sandbox_host: self.sandbox_host.clone(),
            domain: self.domain.clone(),
            nodes: self.nodes.clone(),
            node_secrets: self.node_secrets.clone(),
            resolver: self.resolver,
            tls_roots: self.tls_roots.clone(),
            user: self.user.clone(),
            log: self.log.clone(),
            unsigned: self.unsigned.then_some(Unsigned::All),
        }
    }
}
