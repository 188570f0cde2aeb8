//! `hyperty up` — a supervisor in the foreground.

use std::path::PathBuf;
use std::process::ExitStatus;

use serde_json::json;

use crate::args::Launch;
use crate::cmd::{Outcome, deploy, home};
use crate::error::{Exit, Failure, Id};
use crate::output::{Tone, clean};
use crate::session::Session;
use crate::supervisor::{Plan, Supervisor};
use crate::watch::{Ended, Watch};
use crate::{Context, signals};

const EXAMPLES: &str = "\
Examples:
  hyperty up
  hyperty up --catalogue ./shop --all
  hyperty up --catalogue ./shop echo protocolstub/loopback
  hyperty up --catalogue https://localhost:8443 acme.example/hyperty/echo
  hyperty up --domain example.org --node wss://node.example.org/ws
  hyperty up --domain example.org --node nats://10.0.0.7:4222 --node nats://10.0.0.8:4222
  hyperty up --min-level L3 --policy ./policy.d

Ctrl-C ends everything in order, a second Ctrl-C at once. `hyperty down` does the same
from elsewhere. Nothing survives this program, not even kill -9.";

/// Start a supervisor in the foreground
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Components to deploy once it is ready
    #[arg(value_name = "COMPONENT")]
    components: Vec<String>,

    /// Deploy everything in the catalogues
    #[arg(long, conflicts_with = "components")]
    all: bool,

    /// A directory that holds `.well-known/`; may be repeated. Or https://HOST:PORT, from
    /// where the components are then deployed
    #[arg(long, value_name = "DIR")]
    catalogue: Vec<PathBuf>,

    /// The domain in this runtime's address
    #[arg(long, env = "HYPERTY_DOMAIN", hide_env_values = true)]
    domain: Option<String>,

    /// A message node that this runtime belongs to, wss:// or nats://; may be repeated
    #[arg(long, value_name = "[DOMAIN=]URL")]
    node: Vec<String>,

    /// A file with the token or the credentials for the nodes of a domain; may be repeated
    #[arg(long, value_name = "[DOMAIN=]FILE")]
    node_secret: Vec<String>,

    /// For whom components act unless they are deployed for another: name@idp or user://idp/name
    #[arg(
        long,
        value_name = "USER",
        env = "HYPERTY_USER",
        hide_env_values = true
    )]
    user: Option<String>,

    #[command(flatten)]
    launch: Launch,
}

/// Runs until Ctrl-C, `hyperty down`, or the end of the supervisor.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    signals::take();
    let (how, directories) = places(args)?;
    refuse_a_second(context)?;
    let plan = Plan {
        launch: args.launch.clone(),
        runtime_dir: context.runtime_dir_flag.clone(),
        catalogues: directories,
        domain: args.domain.clone(),
        nodes: args.node.clone(),
        node_secrets: args.node_secret.clone(),
        user: args.user.clone(),
    };
    let mut supervisor = Supervisor::start(&plan)?;
    say_ready(&supervisor, context)?;
    let mut session = Session::open_at(&supervisor.ready.endpoint, context.timeout)?;
    home::wait(&mut session, context)?;
    let mut watch = Watch::new(session, context.out)?;
    let wanted = if args.all {
        watch.everything(&how)?
    } else {
        args.components
            .iter()
            .map(|name| how.wanted(name))
            .collect::<Result<_, _>>()?
    };
    watch.deploy(wanted)?;
    let ended = watch.follow(Some(&mut supervisor), false);
    match ended? {
        Ended::Interrupted | Ended::NothingLeft | Ended::Satisfied => end(&mut supervisor, context),
        Ended::Supervisor(status) => ended_by_itself(status, context),
    }
}

// Where the components come from, and the directories that the supervisor is to know.
fn places(args: &Args) -> Result<(deploy::How, Vec<PathBuf>), Failure> {
    let is_url = |place: &PathBuf| place.to_str().is_some_and(|text| text.contains("://"));
    let (mut urls, directories): (Vec<_>, _) = args.catalogue.iter().cloned().partition(is_url);
    let url = urls.pop();
    if let Some(url) = &url {
        let url = url.display();
        let refuse = |what: String| {
            let fix = format!("hyperty up --catalogue {url} DOMAIN/hyperty/NAME");
            Err(Failure::new(Id::Usage, what).fix("to name what is to run", fix))
        };
        if let Some(other) = urls.first() {
            return refuse(format!(
                "components come from one place: `{}` or `{url}`",
                other.display()
            ));
        }
        if args.components.is_empty() {
            return refuse(format!(
                "what `{url}` has cannot be listed: it is asked by name"
            ));
        }
    }
    let how = deploy::How {
        catalogue: url,
        ..deploy::How::default()
    };
    Ok((how, directories))
}

// The supervisor refuses too, by its lock; this says it with the way out.
fn refuse_a_second(context: &Context) -> Outcome {
    match Session::open(context) {
        Ok(session) => Err(
            Failure::new(Id::AlreadyUp, "a supervisor runs here already")
                .fact("runtime", session.runtime())
                .fact("endpoint", context.paths.endpoint().display().to_string())
                .fix("to see what it runs", "hyperty ps")
                .fix("to end it", "hyperty down")
                .fix(
                    "to start another one",
                    "hyperty up --runtime-dir DIR --data-dir DIR",
                ),
        ),
        Err(_) => Ok(()),
    }
}

fn say_ready(supervisor: &Supervisor, context: &Context) -> Outcome {
    let ready = &supervisor.ready;
    let endpoint = ready.endpoint.display().to_string();
    // The token stays where it was said: nobody who sees a screen may use it.
    let said = json!({"pid": ready.pid, "build": ready.build, "endpoint": endpoint});
    context.out.item("hyperty.ready/1", &said, |style| {
        let tick = style.paint(Tone::Good, style.tick());
        let what = style.paint(Tone::Strong, &format!("ready, pid {}", ready.pid));
        format!("{tick} {what}, at {}  (Ctrl-C ends it)\n", clean(&endpoint))
    })?;
    Ok(())
}

/// Ends a supervisor in order, or at once at the second Ctrl-C.
pub(crate) fn end(supervisor: &mut Supervisor, context: &Context) -> Outcome {
    let before = signals::count();
    context
        .out
        .note("ending in order; Ctrl-C again ends it at once");
    if supervisor.end(|| signals::count() > before) {
        context.out.note("ended: nothing runs any more");
        return Ok(());
    }
    context.out.note("killed");
    Err(Failure::silent(Exit::Interrupted))
}

fn ended_by_itself(status: Option<ExitStatus>, context: &Context) -> Outcome {
    match status {
        Some(status) if status.success() => {
            context.out.note("ended: nothing runs any more");
            Ok(())
        }
        Some(status) => Err(
            Failure::new(Id::Failed, format!("the supervisor ended: {status}"))
                .fix("to look for the cause", "hyperty doctor"),
        ),
        None => Err(Failure::new(Id::LinkLost, "the supervisor ended")),
    }
}
