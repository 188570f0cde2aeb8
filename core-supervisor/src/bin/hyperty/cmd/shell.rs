//! `hyperty shell` — look around in a sandbox like a component's.
//!
//! The sandbox is a new one, of the same profile and at the same level, made by
//! `sandbox-host` in the way of every sandbox. It is this terminal's and nobody else's:
//! the supervisor does not know it, it has no link to the bus, and it ends with this
//! command. The supervisor is asked only what the component is.

use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use protocol::api::sandboxes::{self, Sandbox};
use protocol::api::user_agent::{self, Component, Select};
use protocol::nursery::Engine;

use crate::Context;
use crate::cmd::Outcome;
use crate::error::{Failure, Id};
use crate::output::clean;
use crate::paths::program;
use crate::session::Session;

const EXAMPLES: &str = "\
Examples:
  hyperty shell board                     a shell where a program like `board` runs
  hyperty shell echo                      a JavaScript prompt where scripts like `echo` run
  hyperty shell board < commands.sh       the same, without a terminal";

/// Static shells, where distributions put them.
const SHELLS: [&str; 4] = [
    "/bin/busybox",
    "/usr/bin/busybox",
    "/bin/busybox-static",
    "/usr/lib/busybox/bin/busybox",
];

/// Look around in a sandbox like a component's
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Its address, or its name when only one component has it
    #[arg(value_name = "COMPONENT")]
    component: String,

    /// The static shell to execute, instead of the system's busybox
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// Becomes `sandbox-host shell`.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    let mut session = Session::open(context)?;
    let select = Select {
        resource: args.component.clone(),
        ..Select::default()
    };
    let component: Component = session.ask(user_agent::PATH, "read", &select)?;
    let sandbox = sandbox_of(&component, &mut session)?;
    let Some(level) = sandbox.level else {
        return Err(no_sandbox(&component));
    };
    let mut command = Command::new(program("sandbox-host")?);
    let level = level.to_string();
    command.args(["shell", "--profile", &sandbox.profile, "--level", &level]);
    if component.engine == Engine::Native {
        command.arg("--program").arg(shell(args)?);
    } else if args.program.is_some() {
        let what = "scripts run in an engine, which executes no program";
        return Err(Failure::new(Id::Usage, what).fix("for its prompt", "leave --program out"));
    }
    drop(session);
    let what = match component.engine {
        Engine::Native => "a shell without any other program",
        Engine::Script => "JavaScript, a line at a time",
    };
    let name = clean(&component.name);
    context.out.note(&format!(
        "{what}; profile {} at {level}, as `{name}`; Ctrl-D ends it",
        clean(&sandbox.profile)
    ));
    let error = command.exec();
    let what = format!("cannot execute `sandbox-host`: {error}");
    Err(Failure::new(Id::NotStarted, what))
}

fn sandbox_of(component: &Component, session: &mut Session) -> Result<Sandbox, Failure> {
    let nothing = serde_json::json!({});
    let listing: sandboxes::Listing = session.ask(sandboxes::PATH, "read", &nothing)?;
    let mut all = listing.sandboxes.into_iter();
    all.find(|sandbox| Some(sandbox.id) == component.sandbox)
        .ok_or_else(|| no_sandbox(component))
}

fn no_sandbox(component: &Component) -> Failure {
    let name = clean(&component.name);
    Failure::new(Id::Failed, format!("`{name}` is in no sandbox now"))
        .fact("state", clean(&component.state).into_owned())
        .fix("to start it", format!("hyperty start {name}"))
}

// An empty root has no loader and no library: only a static program can run in it.
fn shell(args: &Args) -> Result<PathBuf, Failure> {
    if let Some(program) = &args.program {
        return Ok(program.clone());
    }
    let found = SHELLS
        .map(PathBuf::from)
        .into_iter()
        .find(|shell| shell.is_file());
    found.ok_or_else(|| {
        Failure::new(Id::Local, "there is no static shell on this machine")
            .fact("looked at", SHELLS.join(", "))
            .fact(
                "because",
                "a sandbox has an empty root: no loader, no library",
            )
            .fix("to have one", "apt-get install busybox-static")
            .fix("to name another", "hyperty shell --program FILE COMPONENT")
    })
}
