//! `hyperty escape` — every way out of a sandbox, tried for real.
//!
//! A program of its own, installed beside this one: it holds the attempts and
//! their victims, and nothing of it belongs into an operator's hand.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use protocol::frame::Level;

use crate::Context;
use crate::cmd::Outcome;
use crate::error::{Failure, Id};
use crate::paths::program;

const EXAMPLES: &str = "\
Examples:
  hyperty escape                      every case, in a sandbox of the best level
  hyperty escape --level L2           the same without namespaces
  hyperty escape --only FS,NW-03      some cases: groups or ids
  hyperty escape --with 'bwrap --ro-bind / / --unshare-all'
                                      the same attempts in another command's sandbox";

/// Try every way out of a sandbox, and look at the victims
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only these cases: ids (`FS-01`, `FS-01a`) or groups (`FS`)
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    only: Vec<String>,

    /// The level of the sandbox; the best that this machine reaches when absent
    #[arg(long, value_name = "LEVEL", conflicts_with = "with")]
    level: Option<Level>,

    /// Another sandbox: the command that runs a program given at its end
    #[arg(long, value_name = "COMMAND")]
    with: Option<String>,

    /// List the cases and end
    #[arg(long)]
    list: bool,

    /// Skip trying each attempt without a sandbox first, to see that it is one
    #[arg(long)]
    no_control: bool,
}

/// Becomes that program.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    let program = program("hyperty-escape")?;
    let mut command = Command::new(&program);
    if !args.only.is_empty() {
        command.arg("--only").arg(args.only.join(","));
    }
    if let Some(level) = args.level {
        command.arg("--level").arg(level.to_string());
    }
    if let Some(with) = &args.with {
        command.arg("--with").arg(with);
    }
    let flags = [
        ("--list", args.list),
        ("--no-control", args.no_control),
        ("--json", context.out.is_json()),
    ];
    for (flag, _) in flags.iter().filter(|(_, is_set)| *is_set) {
        command.arg(flag);
    }
    let error = command.exec();
    let program = program.display();
    Err(Failure::new(
        Id::NotStarted,
        format!("cannot execute `{program}`: {error}"),
    ))
}
