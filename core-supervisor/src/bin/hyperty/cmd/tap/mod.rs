//! `hyperty tap` — the bus, live.

use std::time::{Duration, Instant};

use protocol::api::bus::{self, TapBatch, TapEntry, TapFilter};
use serde::Serialize;
use serde_json::Value;

use crate::cmd::{Outcome, learn_news, logs, names_of};
use crate::output::time;
use crate::output::time::parse_span;
use crate::session::{Next, Session, value};
use crate::{Context, redact};

mod view;

pub(crate) use view::View;

const EXAMPLES: &str = "\
Examples:
  hyperty tap
  hyperty tap --denied
  hyperty tap --component echo --type create --bodies
  hyperty tap --count 100 --json | jq -r 'select(.verdict != \"permit\") | .decision'

Bodies are shown with their secrets taken out: members named like token, password,
secret, assertion, authorization or key.";

/// Watch the bus live: who, whom, type, decision, latency
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only where this is part of either address, or the name of the component
    #[arg(long, short, value_name = "WHO")]
    component: Option<String>,

    /// Only from this sender: part of an address, or a component's name
    #[arg(long, value_name = "WHO")]
    from: Option<String>,

    /// Only to this receiver: part of an address, or a component's name
    #[arg(long, value_name = "WHOM")]
    to: Option<String>,

    /// Only this message type
    #[arg(long = "type", short = 't', value_name = "TYPE")]
    kind: Option<String>,

    /// Only what was refused
    #[arg(long, short)]
    denied: bool,

    /// Show bodies as well, with secrets taken out
    #[arg(long, short)]
    bodies: bool,

    /// Show addresses as they are, not short names
    #[arg(long)]
    addresses: bool,

    /// End after so many messages
    #[arg(long, short = 'n', value_name = "N")]
    count: Option<u64>,

    /// End after this time
    #[arg(long = "for", value_name = "TIME", value_parser = parse_span)]
    length: Option<Duration>,
}

/// One message for programs; times are RFC 3339.
#[derive(Debug, Serialize)]
pub(crate) struct Item<'a> {
    at: String,
    from: &'a str,
    to: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    id: u64,
    bytes: u64,
    verdict: &'a str,
    decision: &'a str,
    rule: &'a str,
    latency_us: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
}

/// Watches until the count, the time or the supervisor ends.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    let mut session = Session::open(context)?;
    let mut names = names_of(&mut session)?;
    let filter = args.filter(&mut session)?;
    let _: Value = session.ask(bus::PATH, "subscribe", &filter)?;
    let view = View::new(context.out.style(), 0);
    context.out.human(|style| view.head(style))?;
    let deadline = args.length.map(|length| Instant::now() + length);
    let mut left = args.count.unwrap_or(u64::MAX);
    while left > 0 {
        let wait = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if wait == Some(Duration::ZERO) {
            return Ok(());
        }
        let heard = match session.next(wait.unwrap_or(logs::PATIENCE))? {
            Next::Message(heard) => heard,
            Next::Answered(..) | Next::Nothing => continue,
            Next::End => return Ok(()),
        };
        let batch: TapBatch = value(&heard.body).unwrap_or_default();
        if !args.addresses && !context.out.is_json() {
            let addresses = batch
                .messages
                .iter()
                .flat_map(|entry| [&*entry.from, &*entry.to]);
            learn_news(&mut session, &mut names, addresses)?;
        }
        for entry in &batch.messages {
            if left == 0 {
                break;
            }
            left -= 1;
            let names = (!args.addresses).then_some(&names);
            context.out.item("hyperty.tap/1", &item(entry), |style| {
                view.line(entry, names, style)
            })?;
        }
        if batch.missed > 0 {
            context
                .out
                .note(&format!("{} more messages than can be shown", batch.missed));
        }
    }
    Ok(())
}

impl Args {
    // The room matches parts of addresses; a component's name becomes its address.
    fn filter(&self, session: &mut Session) -> Result<TapFilter, crate::error::Failure> {
        let mut part = |written: &Option<String>| match written {
            Some(name) if !name.contains(['/', ':', '.']) => {
                match crate::target::component(session, name) {
                    Ok(component) => Ok(component.address),
                    Err(failure) if failure.exit() == crate::error::Exit::NotFound => {
                        Ok(name.clone())
                    }
                    Err(failure) => Err(failure),
                }
            }
            Some(part) => Ok(part.clone()),
            None => Ok(String::new()),
        };
        Ok(TapFilter {
            component: part(&self.component)?,
            from: part(&self.from)?,
            to: part(&self.to)?,
            kind: self.kind.clone().unwrap_or_default(),
            denied: self.denied,
            bodies: self.bodies,
        })
    }
}

/// A message as programs read it.
pub(crate) fn item(entry: &TapEntry) -> Item<'_> {
    Item {
        at: time::rfc3339(entry.at_us),
        from: &entry.from,
        to: &entry.to,
        kind: &entry.kind,
        id: entry.id,
        bytes: entry.bytes,
        verdict: &entry.verdict,
        decision: &entry.decision,
        rule: &entry.rule,
        latency_us: entry.latency_us,
        body: entry.body.as_deref().map(redact::body),
    }
}

#[cfg(test)]
mod tests;
