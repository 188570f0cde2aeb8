//! `hyperty version` — this program's, and the supervisor's if one runs.

use protocol::version::{BUILD, PROTOCOL};
use serde_json::json;

use crate::Context;
use crate::cmd::Outcome;
use crate::error::Exit;
use crate::session::Session;

const EXAMPLES: &str = "\
Examples:
  hyperty version
  hyperty version --json | jq -r .build";

/// Print the version, and whether a supervisor of it runs
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {}

/// Prints it.
pub(crate) fn run(_: &Args, context: &Context) -> Outcome {
    let (runtime, supervisor) = match Session::open(context) {
        Ok(session) => (Some(session.runtime()), session.runtime()),
        Err(failure) if failure.exit() == Exit::Unreachable => (None, "not running".to_owned()),
        Err(failure) => return Err(failure),
    };
    let answer = json!({"build": BUILD, "protocol": PROTOCOL, "runtime": runtime});
    context.out.answer("hyperty.version/1", &answer, |_| {
        format!("hyperty     {BUILD}\nprotocol    {PROTOCOL}\nsupervisor  {supervisor}\n")
    })?;
    Ok(())
}
