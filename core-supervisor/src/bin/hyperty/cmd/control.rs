//! `hyperty start`, `stop`, `restart`, `reload`, `approve`, `rollback` and `rm` — one verb on some components.

use std::path::PathBuf;

use protocol::api::user_agent::{self, Component, Method, Purged, Select};
use serde::Serialize;
use serde_json::Value;

use crate::Context;
use crate::cmd::Outcome;
use crate::error::Failure;
use crate::output::{Style, Tone, clean};
use crate::session::{DEPLOY_WITHIN, Session};
use crate::sourcemap;

const EXAMPLES: &str = "\
Examples:
  hyperty restart echo
  hyperty stop echo board";

const REMOVE_EXAMPLES: &str = "\
What a component kept stays, and so does its address: deployed again, it has both.
Data objects stay in any case, because others observe them.

Examples:
  hyperty rm echo
  hyperty rm --purge hyperty://acme.example/3f0c";

/// What to do with the components.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Run it again.
    Start,
    /// End its process; the address stays reserved.
    Stop,
    /// Both.
    Restart,
    /// Read its code again and load that; the old code goes on when the new cannot.
    Reload,
    /// Take the newer version that waits.
    Approve,
    /// Take the version before.
    Rollback,
    /// End it; its next deployment gets its address again.
    Remove,
}

impl Verb {
    const fn method(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Restart => "restart",
            Self::Reload => "reload",
            Self::Approve => "approve",
            Self::Rollback => "rollback",
            Self::Remove => "remove",
        }
    }

    const fn done(self) -> &'static str {
        match self {
            Self::Start => "started",
            Self::Stop => "stopped",
            Self::Restart => "restarted",
            Self::Reload => "reloaded",
            Self::Approve => "approved",
            Self::Rollback => "went back",
            Self::Remove => "removed",
        }
    }
}

/// Components to act on.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Addresses, or names when only one component has it
    #[arg(value_name = "COMPONENT", required = true)]
    components: Vec<String>,
}

/// Components to remove.
#[derive(Debug, clap::Args)]
#[command(after_help = REMOVE_EXAMPLES)]
pub(crate) struct RemoveArgs {
    /// Addresses, or names when only one component has it
    #[arg(value_name = "COMPONENT", required = true)]
    components: Vec<String>,
    /// Delete what they kept as well: files, and what their scripts keep for themselves.
    /// Also for the address of a component that was removed before
    #[arg(long)]
    purge: bool,
}

/// Removes each component, in order; the first failure ends it.
pub(crate) fn remove(args: &RemoveArgs, context: &Context) -> Outcome {
    each(
        Verb::Remove,
        &args.components,
        context,
        |session, resource| {
            let select = Select {
                resource: resource.clone(),
                purge: args.purge,
            };
            let value: Value =
                session.ask_within(user_agent::PATH, "delete", &select, DEPLOY_WITHIN)?;
            let purged: Option<Purged> = serde_json::from_value(value).ok().filter(|_| args.purge);
            Ok(Done {
                resource,
                outcome: Verb::Remove.done(),
                component: None,
                purged_bytes: purged.map(|purged| purged.bytes),
            })
        },
    )
}

/// What became of one component.
#[derive(Debug, Serialize)]
struct Done {
    resource: String,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    component: Option<Component>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purged_bytes: Option<u64>,
}

#[derive(Debug, Serialize)]
struct AllDone {
    components: Vec<Done>,
}

/// Does the verb to each component, in order; the first failure ends it.
pub(crate) fn run(verb: Verb, args: &Args, context: &Context) -> Outcome {
    each(verb, &args.components, context, |session, resource| {
        one(verb, resource, session)
    })
}

fn each(
    verb: Verb,
    resources: &[String],
    context: &Context,
    mut act: impl FnMut(&mut Session, String) -> Result<Done, Failure>,
) -> Outcome {
    let mut session = Session::open(context)?;
    let mut components = Vec::new();
    for resource in resources {
        let done = act(&mut session, resource.clone())?;
        context.out.human(|style| line(&done, style))?;
        components.push(done);
    }
    let schema = format!("hyperty.{}/1", verb.method());
    context
        .out
        .answer(&schema, &AllDone { components }, |_| String::new())?;
    Ok(())
}

fn one(verb: Verb, resource: String, session: &mut Session) -> Result<Done, Failure> {
    let outcome = verb.done();
    let method = Method {
        method: verb.method().to_owned(),
        resource: resource.clone(),
    };
    let asked = session.ask_within(user_agent::PATH, "execute", &method, DEPLOY_WITHIN);
    let component =
        asked.map_err(|failure| sourcemap::in_words(failure, || source(session, &resource)))?;
    Ok(Done {
        resource,
        outcome,
        component: Some(component),
        purged_bytes: None,
    })
}

// The file that a component's code is read from.
fn source(session: &mut Session, resource: &str) -> Vec<PathBuf> {
    let select = Select {
        resource: resource.to_owned(),
        ..Select::default()
    };
    let component: Result<Component, _> = session.ask(user_agent::PATH, "read", &select);
    component.map_or_else(|_| Vec::new(), |component| vec![component.source.into()])
}

fn line(done: &Done, style: Style) -> String {
    let name = style.paint(Tone::Strong, &clean(&done.resource));
    let tick = style.paint(Tone::Good, style.tick());
    let state = done
        .component
        .as_ref()
        .map_or("", |component| component.state.as_str());
    let version = done
        .component
        .as_ref()
        .map_or("", |component| component.version.as_str());
    if let Some(bytes) = done.purged_bytes {
        let outcome = done.outcome;
        return format!("{tick} {name}  {outcome}, with {bytes} bytes that it kept\n");
    }
    match state {
        "running" if !version.is_empty() => {
            format!(
                "{tick} {name}  {}  version {}\n",
                done.outcome,
                clean(version)
            )
        }
        "" | "running" | "stopped" => format!("{tick} {name}  {}\n", done.outcome),
        state => format!("{tick} {name}  {}, now {}\n", done.outcome, clean(state)),
    }
}
