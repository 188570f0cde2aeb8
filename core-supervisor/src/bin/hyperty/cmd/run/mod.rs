//! `hyperty run` — a catalogue or one file, for as long as it is watched.

use std::path::{Path, PathBuf};

use crate::args::Launch;
use crate::cmd::deploy::{self, How};
use crate::cmd::{Outcome, up};
use crate::error::{Exit, Failure, Id};
use crate::scratch::Scratch;
use crate::session::Session;
use crate::supervisor::{Plan, Supervisor};
use crate::watch::{Ended, Watch};
use crate::{Context, signals};

mod scene;
mod single;

use scene::Scene;

const EXAMPLES: &str = "\
Examples:
  hyperty run ./shop
  hyperty run ./shop/.well-known/hyperty/echo.hy.json
  hyperty run hello.js
  hyperty run sandbox-host/examples/chat
  hyperty run ./target/release/my-component --set greeting=hi

A directory is a catalogue; one with a scene.json is a scene, which says what is deployed for
whom and when it is over, and plays in a runtime of its own. A file is a descriptor (.json), a script (.js) or a program
(ELF); one without a descriptor runs as a hyperty of the provider `run.local`.
It joins the supervisor that runs; when none does, it starts one with empty directories.
What it deployed is gone when it ends.";

/// Run a catalogue directory or a single file, follow its log, end it again
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A catalogue directory, a descriptor, a script or a program
    #[arg(value_name = "DIR|FILE")]
    what: PathBuf,

    /// The provider, when the catalogue holds several or names none
    #[arg(long, value_name = "DOMAIN")]
    provider: Option<String>,

    /// For whom it acts: name@idp or user://idp/name [default: the runtime's user]
    #[arg(long, value_name = "USER")]
    user: Option<String>,

    /// Replace a member of the configuration; the value is JSON or text
    #[arg(long, value_name = "NAME=VALUE", value_parser = deploy::setting)]
    set: Vec<(String, serde_json::Value)>,

    #[command(flatten)]
    launch: Launch,
}

/// What is to be run: a catalogue, and one component of it or all.
#[derive(Debug)]
pub(crate) struct Target {
    catalogue: PathBuf,
    component: Option<String>,
    provider: Option<String>,
}

/// Runs it until Ctrl-C, or until none of it runs any more.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    signals::take();
    if let Some(scene) = Scene::of(&args.what)? {
        return scene.play(&args.what, &args.launch, context);
    }
    let scratch = Scratch::new("run")?;
    let target = target(&args.what, &scratch)?;
    let (mut supervisor, session) = join_or_start(&args.launch, &scratch, context)?;
    let mut watch = Watch::new(session, context.out)?;
    let outcome = deploy_and_follow(args, &target, &mut watch, supervisor.as_mut());
    match supervisor.as_mut() {
        Some(supervisor) => up::end(supervisor, context)?,
        None => watch.remove()?,
    }
    outcome
}

fn deploy_and_follow(
    args: &Args,
    target: &Target,
    watch: &mut Watch,
    supervisor: Option<&mut Supervisor>,
) -> Outcome {
    let how = How {
        catalogue: Some(target.catalogue.clone()),
        provider: args.provider.clone().or_else(|| target.provider.clone()),
        user: args.user.clone(),
        set: args.set.clone(),
    };
    let wanted = match &target.component {
        Some(component) => vec![how.wanted(component)?],
        None => watch.everything(&how)?,
    };
    watch.deploy(wanted)?;
    match watch.follow(supervisor, true)? {
        Ended::Interrupted if watch.failed == 0 => Ok(()),
        Ended::Interrupted => Err(Failure::silent(Exit::Failed)),
        Ended::NothingLeft if watch.deployed.is_empty() => Err(Failure::silent(Exit::Failed)),
        Ended::NothingLeft => Err(Failure::new(Id::Failed, "nothing of it runs any more")),
        Ended::Satisfied => Ok(()),
        Ended::Supervisor(_) => Err(Failure::new(Id::LinkLost, "the supervisor ended")),
    }
}

/// Plays the scene of this folder.
pub(crate) fn play(directory: &Path, context: &Context) -> Outcome {
    signals::take();
    match Scene::of(directory)? {
        Some(scene) => scene.play(directory, &Launch::default(), context),
        None => Err(Failure::new(
            Id::NotFound,
            format!("`{}` has no scene.json", directory.display()),
        )),
    }
}

/// A link to the supervisor that runs, else to one that is started for this command.
pub(crate) fn join_or_start(
    launch: &Launch,
    scratch: &Scratch,
    context: &Context,
) -> Result<(Option<Supervisor>, Session), Failure> {
    match Session::open(context) {
        Ok(session) => {
            context.out.note(&format!("joins {}", session.runtime()));
            Ok((None, session))
        }
        Err(failure) if failure.exit() == Exit::Unreachable => {
            let (supervisor, session) = temporary(launch, scratch, context)?;
            context
                .out
                .note("started a supervisor for as long as this runs");
            Ok((Some(supervisor), session))
        }
        Err(failure) => Err(failure),
    }
}

/// A supervisor with directories of its own, for as long as the command runs.
pub(crate) fn temporary(
    launch: &Launch,
    scratch: &Scratch,
    context: &Context,
) -> Result<(Supervisor, Session), Failure> {
    let mut launch = launch.clone();
    launch
        .data_dir
        .get_or_insert_with(|| scratch.path().join("data"));
    // What the core records about components is in their log, which is shown anyway.
    launch.log.get_or_insert_with(|| "warn,core=off".to_owned());
    let runtime_dir = Some(scratch.path().join("run"));
    let supervisor = Supervisor::start(&Plan {
        launch,
        runtime_dir,
        catalogues: Vec::new(),
        user: None,
        ..Plan::default()
    })?;
    let session = Session::open_at(&supervisor.ready.endpoint, context.timeout)?;
    Ok((supervisor, session))
}

fn target(what: &Path, scratch: &Scratch) -> Result<Target, Failure> {
    let what = PathBuf::from(deploy::absolute(what)?);
    if what.is_dir() {
        return Ok(Target {
            catalogue: what,
            component: None,
            provider: None,
        });
    }
    match single::in_catalogue(&what) {
        Some(target) => Ok(target),
        None => single::wrap(&what, &scratch.path().join("catalogue")),
    }
}
