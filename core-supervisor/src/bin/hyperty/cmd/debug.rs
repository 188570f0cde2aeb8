//! `hyperty debug` — a component starts stopped, and a debugger comes from outside.
//!
//! Inside a sandbox nothing can be traced or asked. From outside everything can, by who
//! owns the machine: the process is stopped where it is locked and has seen none of its
//! code yet, and waits as long as one likes.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use protocol::api::user_agent::{self, Component, Method};
use protocol::nursery::Engine;
use serde::Serialize;

use crate::Context;
use crate::cmd::Outcome;
use crate::error::{Failure, Id};
use crate::output::{Style, Tone, clean};
use crate::session::{DEPLOY_WITHIN, Session};

const EXAMPLES: &str = "\
Examples:
  hyperty debug board           start it stopped; prints what attaches to it
  hyperty debug --go board      let it run on, with a debugger or without
  hyperty restart board         end that, and run it as before";

/// How long a process that was stopped may take to be so, and free for a debugger.
const STOPPED_WITHIN: Duration = Duration::from_secs(10);

/// Start a component stopped, for a debugger from outside
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Its address, or its name when only one component has it
    #[arg(value_name = "COMPONENT")]
    component: String,

    /// Let it go on, instead of starting it stopped
    #[arg(long)]
    go: bool,
}

/// A component that waits for a debugger, and what attaches one.
#[derive(Debug, Serialize)]
struct Held {
    component: Component,
    attach: Vec<String>,
}

/// Starts it stopped, or lets it go on.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    let mut session = Session::open(context)?;
    let method = Method {
        method: if args.go { "go" } else { "debug" }.to_owned(),
        resource: args.component.clone(),
    };
    let component: Component =
        session.ask_within(user_agent::PATH, "execute", &method, DEPLOY_WITHIN)?;
    if args.go {
        context.out.answer("hyperty.debug/1", &component, |style| {
            let name = style.paint(Tone::Strong, &clean(&component.name));
            format!(
                "{} {name}  goes on\n",
                style.paint(Tone::Good, style.tick())
            )
        })?;
        return Ok(());
    }
    let Some(pid) = component.pid else {
        return Err(Failure::new(Id::Failed, "it has no process to debug"));
    };
    let process = Process::of(pid);
    process.wait_until_stopped()?;
    let attach = commands(&component, pid, process.is_open());
    let held = Held { component, attach };
    context
        .out
        .answer("hyperty.debug/1", &held, |style| text(&held, pid, style))?;
    Ok(())
}

/// What attaches to it; who may not trace it himself is told to be root.
fn commands(component: &Component, pid: u32, is_open: bool) -> Vec<String> {
    let root = if is_open { "" } else { "sudo " };
    // A program is executed by the very process that waits: there it is worth looking first.
    let first = match component.engine {
        Engine::Native => " -ex 'catch exec'",
        Engine::Script => "",
    };
    vec![
        format!("{root}gdb -p {pid}{first}"),
        format!("{root}strace -f -p {pid}"),
    ]
}

fn text(held: &Held, pid: u32, style: Style) -> String {
    let name = clean(&held.component.name);
    let shown = style.paint(Tone::Strong, &name);
    let mut text = format!(
        "{} {shown}  process {pid} is stopped, locked and without its code\n\nto attach, one of:\n",
        style.paint(Tone::Good, style.tick())
    );
    for command in &held.attach {
        text.push_str(&format!("  {command}\n"));
    }
    text.push_str(&format!(
        "\nto let it go on:   hyperty debug --go {name}\nto end debugging:  hyperty restart {name}\n"
    ));
    text
}

/// A process of this machine, as `/proc` shows it.
struct Process {
    folder: PathBuf,
}

impl Process {
    fn of(pid: u32) -> Self {
        Self {
            folder: PathBuf::from(format!("/proc/{pid}")),
        }
    }

    // The nursery traces its sandboxes, and lets a stopped one go; only then there is room
    // for another tracer.
    fn wait_until_stopped(&self) -> Result<(), Failure> {
        let deadline = Instant::now() + STOPPED_WITHIN;
        while Instant::now() < deadline {
            let status = fs::read_to_string(self.folder.join("status")).map_err(|error| {
                let what = format!("cannot look at the stopped process: {error}");
                Failure::new(Id::Failed, what).fix("to see what became of it", "hyperty ps")
            })?;
            if is_stopped(&status) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(Failure::new(Id::TimedOut, "the process does not stop"))
    }

    // The kernel asks the same of whoever reads this as of whoever attaches.
    fn is_open(&self) -> bool {
        fs::read(self.folder.join("auxv")).is_ok()
    }
}

fn is_stopped(status: &str) -> bool {
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.map(str::trim).unwrap_or_default()
    };
    field("State:").starts_with('T') && field("TracerPid:") == "0"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_stopped_and_not_traced_is_free_for_a_debugger() {
        assert!(is_stopped("Name:\tx\nState:\tT (stopped)\nTracerPid:\t0\n"));
        assert!(!is_stopped("State:\tt (tracing stop)\nTracerPid:\t7\n"));
        assert!(!is_stopped("State:\tS (sleeping)\nTracerPid:\t0\n"));
    }
}
