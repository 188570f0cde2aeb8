//! The command line: what can be asked, grouped as a reader looks for it.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::cmd;
use crate::output::When;
use crate::output::time::parse_span;

/// The list of commands in the root's help, in groups. clap knows none; a test
/// compares it with the commands there are.
const ROOT_HELP: &str = "\
{about}

{usage-heading} {usage}

\u{1b}[1;4mRun\u{1b}[0m
  up           Start a supervisor in the foreground; Ctrl-C ends it in order
  run          Run a catalogue directory or a single file, follow its log, end it again
  down         End the supervisor and everything it runs
  demo         See it work: two providers, one bus, two attackers refused

\u{1b}[1;4mComponents\u{1b}[0m
  ps           List what is deployed: state, sandbox level, process, traffic
  inspect      Everything known about one component and its sandbox
  deploy       Deploy components from a catalogue
  start        Start a stopped or failed component again
  stop         Stop a component; its address stays reserved
  restart      Stop and start a component
  reload       Read a component's code again; its address and sandbox stay
  approve      Let a newer version run that asks for more than the one before
  rollback     Go back to the version of a component that ran before
  rm           Remove a component; its next deployment gets its address again
  logs         What components wrote, and what became of them
  debug        Start a component stopped, for a debugger from outside
  shell        Look around in a sandbox like a component's

\u{1b}[1;4mAuthors\u{1b}[0m
  new          Write a project for a new component that builds and runs at once
  build        Build a project and put its code in the catalogue
  dev          Run a project, and reload it whenever a file changes
  test         Run a component's tests in a sandbox, with peers that are played
  package      Build, sign, verify and compare signed packages
  record       Record a component's traffic, for `hyperty test` to play again

\u{1b}[1;4mMessages\u{1b}[0m
  send         Send one message and do not wait
  call         Call a method of a hyperty, or send one request and print the answer
  api          Show what can be called on a hyperty
  listen       Print the messages that go to an address
  tap          Watch the bus live: who, whom, type, decision, latency
  why          Explain a decision, or what would be decided now

\u{1b}[1;4mRules and addresses\u{1b}[0m
  policy       Check, show or reload the rules for messages
  grants       Which hosts components may reach, and what is open
  keys         Whose signatures are believed
  registry     Who owns which address, and how a message gets there
  resolve      Where a message for an address goes now, and why
  catalogue    What can be deployed, and whether it is sound

\u{1b}[1;4mThis machine\u{1b}[0m
  doctor       Try every primitive the sandbox needs; a remedy for each that fails
  audit        What the runtime did, denied and suffered; whether the record holds
  escape       Try every way out of a sandbox, and look at the victims
  config       Show the configuration and where each value comes from
  completions  Print a completion script for your shell
  version      Print the version, and the supervisor's if one runs
  help         Explain a command or a topic: errors, exit-codes, addresses, files

\u{1b}[1;4mOptions\u{1b}[0m
{options}

{after-help}";

const ROOT_AFTER: &str = "\
Start here:  hyperty demo
Then:        hyperty run DIR   or   hyperty up  and, beside it,  hyperty ps";

/// Run hyperties of many providers side by side, each locked in its own process
#[derive(Debug, Parser)]
#[command(
    name = "hyperty",
    version,
    help_template = ROOT_HELP,
    after_help = ROOT_AFTER,
    disable_help_subcommand = true,
    subcommand_value_name = "COMMAND",
    max_term_width = 100
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Print JSON, a line per item for streams
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Print no notes on stderr, only data and errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,

    /// When to use colour: auto, always or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    #[arg(hide_default_value = true)]
    pub(crate) color: When,

    /// Where the supervisor's socket is
    #[arg(long, global = true, value_name = "DIR", env = "HYPERTY_RUNTIME_DIR")]
    #[arg(hide_env_values = true)]
    pub(crate) runtime_dir: Option<PathBuf>,

    /// How long to wait for an answer: 500ms, 10s, 2m [default: 10s]
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_span)]
    pub(crate) timeout: Option<Duration>,
}

/// How a supervisor is to be started, by the commands that start one.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Supervisor options")]
pub(crate) struct Launch {
    /// The configuration file
    #[arg(
        long,
        value_name = "FILE",
        env = "HYPERTY_CONFIG",
        hide_env_values = true
    )]
    pub(crate) config: Option<PathBuf>,

    /// What must survive the supervisor
    #[arg(
        long,
        value_name = "DIR",
        env = "HYPERTY_DATA_DIR",
        hide_env_values = true
    )]
    pub(crate) data_dir: Option<PathBuf>,

    /// A directory of policy files; may be repeated
    #[arg(long, value_name = "DIR")]
    pub(crate) policy: Vec<PathBuf>,

    /// Run nothing below this level: L1, L2 or L3
    #[arg(
        long,
        value_name = "LEVEL",
        env = "HYPERTY_MIN_LEVEL",
        hide_env_values = true
    )]
    pub(crate) min_level: Option<protocol::frame::Level>,

    /// Do not try for a higher sandbox level than this
    #[arg(long, value_name = "LEVEL")]
    pub(crate) max_level: Option<protocol::frame::Level>,

    /// Run packages that nobody signed, also those fetched from other domains
    #[arg(long)]
    pub(crate) unsigned: bool,

    /// Allow components without any sandbox; for development only
    #[arg(long = "unsafe")]
    pub(crate) no_sandbox: bool,

    /// The `sandbox-host` program to use
    #[arg(
        long,
        value_name = "FILE",
        env = "HYPERTY_SANDBOX_HOST",
        hide_env_values = true
    )]
    pub(crate) sandbox_host: Option<PathBuf>,

    /// Ask this name server, and not those of /etc/resolv.conf
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        env = "HYPERTY_RESOLVER",
        hide_env_values = true
    )]
    pub(crate) resolver: Option<std::net::SocketAddr>,

    /// The authorities to trust in TLS, as PEM, instead of the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_roots: Option<PathBuf>,

    /// What the supervisor logs: error, warn, info, debug
    #[arg(long, value_name = "LEVEL")]
    pub(crate) log: Option<String>,

    /// Act as if the kernel lacked this; only ever takes away
    #[arg(long, value_name = "WHAT", hide = true)]
    pub(crate) pretend_without: Vec<String>,
}

/// What can be asked.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a supervisor in the foreground
    Up(cmd::up::Args),
    /// Run a catalogue directory or a single file
    Run(cmd::run::Args),
    /// End the supervisor and everything it runs
    Down(cmd::down::Args),
    /// See it work: two providers, one bus, two attackers refused
    Demo(cmd::demo::Args),
    /// List what is deployed
    #[command(visible_alias = "ls")]
    Ps(cmd::ps::Args),
    /// Show everything known about one component and its sandbox
    Inspect(cmd::inspect::Args),
    /// Deploy components from a catalogue
    Deploy(cmd::deploy::Args),
    /// Start a stopped or failed component again
    Start(cmd::control::Args),
    /// Stop a component; its address stays reserved
    Stop(cmd::control::Args),
    /// Stop and start a component
    Restart(cmd::control::Args),
    /// Read a component's code again; its address and sandbox stay
    Reload(cmd::control::Args),
    /// Let a newer version run that asks for more than the one before
    Approve(cmd::control::Args),
    /// Go back to the version of a component that ran before
    Rollback(cmd::control::Args),
    /// Remove a component; its next deployment gets its address again
    Rm(cmd::control::RemoveArgs),
    /// Show what components wrote, and what became of them
    Logs(cmd::logs::Args),
    /// Start a component stopped, for a debugger from outside
    Debug(cmd::debug::Args),
    /// Look around in a sandbox like a component's
    Shell(cmd::shell::Args),
    /// Write a project for a new component that builds and runs at once
    New(cmd::new::Args),
    /// Build a project and put its code in the catalogue
    Build(cmd::build::Args),
    /// Run a project, and reload it whenever a file changes
    Dev(cmd::dev::Args),
    /// Run a component's tests in a sandbox, with peers that are played
    Test(cmd::test::Args),
    /// Build, sign, verify and compare signed packages
    Package(cmd::package::Args),
    /// Record a component's traffic, for `hyperty test` to play again
    Record(cmd::record::Args),
    /// Send one message and do not wait
    Send(cmd::send::Args),
    /// Call a method of a hyperty, or send one request
    Call(cmd::call::Args),
    /// Show what can be called on a hyperty
    Api(cmd::api::Args),
    /// Print the messages that go to an address
    Listen(cmd::listen::Args),
    /// Watch the bus live
    Tap(cmd::tap::Args),
    /// Explain a decision, or what would be decided now
    Why(cmd::why::Args),
    /// Check, show or reload the rules for messages
    Policy(cmd::policy::Args),
    /// Show and change which hosts components may reach
    Grants(cmd::grants::Args),
    /// Show and change whose signatures are believed
    Keys(cmd::keys::Args),
    /// Show who owns which address
    Registry(cmd::registry::Args),
    /// Show where a message for an address goes now
    Resolve(cmd::resolve::Args),
    /// Show what can be deployed
    Catalogue(cmd::catalogue::Args),
    /// Try every primitive the sandbox needs
    Doctor(cmd::doctor::Args),
    /// Show what the runtime did, denied and suffered
    Audit(cmd::audit::Args),
    /// Try every way out of a sandbox, and look at the victims
    Escape(cmd::escape::Args),
    /// Show the configuration and where each value comes from
    Config(cmd::config::Args),
    /// Print a completion script for your shell
    Completions(cmd::completions::Args),
    /// Print the version, and the supervisor's if one runs
    Version(cmd::version::Args),
    /// Explain a command or a topic
    Help(cmd::help::Args),
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;
