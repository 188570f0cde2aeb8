//! `hyperty demo` — the product explains itself in a minute.
//!
//! 1 a supervisor → 2 friends → 3 they talk → 4 ps → 5 a forger → 6 an escapee → 7 why → 8 the end
//!
//! Every step waits for something that really happened, with a bound; one that
//! does not happen ends the demo with an error. Nothing here knows more than any
//! operator: it deploys, taps, follows the log and reads like every other command.

use std::path::PathBuf;

use crate::Context;
use crate::cmd::Outcome;
use crate::error::{Exit, Failure};
use crate::signals;

mod attackers;
mod catalogue;
mod ending;
mod friends;
mod processes;
mod stage;
mod two_runtimes;

use stage::Stage;

const EXAMPLES: &str = "\
Examples:
  hyperty demo
  hyperty demo chat
  hyperty demo two-runtimes
  hyperty demo --json | jq -r .step

It uses directories of its own and leaves nothing behind.";

/// See it work: two providers, one bus, two attackers refused
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// An example instead: two components of different users share something live
    #[arg(value_name = "SCENE")]
    scene: Option<SceneName>,

    /// The demo's catalogue [default: the one that came with this program]
    #[arg(long, value_name = "DIR")]
    catalogue: Option<PathBuf>,
}

/// The examples that come with this program.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum SceneName {
    /// A conversation
    Chat,
    /// Who can be reached
    Presence,
    /// Who is where
    Location,
    /// Two runtimes and a NATS server: users of both talk, one is killed and back
    TwoRuntimes,
}

impl SceneName {
    // `None` for what is more than a folder with a scene.
    const fn folder(self) -> Option<&'static str> {
        match self {
            Self::Chat => Some("chat"),
            Self::Presence => Some("presence"),
            Self::Location => Some("location"),
            Self::TwoRuntimes => None,
        }
    }
}

/// Shows everything, in order.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    if let Some(folder) = args.scene.and_then(SceneName::folder) {
        return crate::cmd::run::play(&catalogue::scene(folder)?, context);
    }
    signals::take();
    let told = match args.scene {
        None => show(args, context),
        Some(_) => two_runtimes::show(context),
    };
    if signals::count() > 0 {
        return Err(told
            .err()
            .unwrap_or_else(|| Failure::silent(Exit::Interrupted)));
    }
    told
}

fn show(args: &Args, context: &Context) -> Outcome {
    let mut stage = Stage::open(args.catalogue.as_deref(), context)?;
    let friends = friends::arrive(&mut stage)?;
    friends::talk(&mut stage, &friends)?;
    friends::list(&mut stage)?;
    let denial = attackers::forge(&mut stage, &friends)?;
    let ways = attackers::escape(&mut stage, &friends)?;
    attackers::explain(&mut stage, &denial)?;
    ending::run(stage, ways)
}
