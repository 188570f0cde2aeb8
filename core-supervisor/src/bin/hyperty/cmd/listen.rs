//! `hyperty listen` — the messages that go to an address.

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

use crate::cmd::{Outcome, logs};
use crate::error::{Failure, Id};
use crate::output::time::parse_span;
use crate::output::{Style, Tone, clean, time};
use crate::session::{Heard, Next, Session};
use crate::{Context, redact, target};

const EXAMPLES: &str = "\
Examples:
  hyperty listen hyperty://acme.example/42
  hyperty listen weather://acme.example/7f3a/changes --count 3
  hyperty listen echo --for 10s --json | jq .body

Without an address it prints your own, and what is sent to it.";

/// Print the messages that go to an address
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// An address, the name of a component, or /ROOM [default: your own]
    #[arg(value_name = "ADDRESS")]
    address: Option<String>,

    /// End after so many messages
    #[arg(long, short = 'n', value_name = "N")]
    count: Option<u64>,

    /// End after this time; without a message by then the status is 7
    #[arg(long = "for", value_name = "TIME", value_parser = parse_span)]
    length: Option<Duration>,

    /// Show secrets in bodies as well
    #[arg(long)]
    secrets: bool,
}

#[derive(Debug, Serialize)]
struct Item<'a> {
    at: String,
    from: &'a str,
    to: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    id: u64,
    body: Value,
}

/// Listens until the count, the time or the supervisor ends.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    let mut session = Session::open(context)?;
    match &args.address {
        Some(written) => {
            let address = target::resolve(&mut session, written)?;
            session.listen(&address)?;
            context.out.note(&format!("listening to {address}"));
        }
        None => context
            .out
            .note(&format!("listening to {}", session.address())),
    }
    let names = super::names_of(&mut session)?;
    let deadline = args.length.map(|length| Instant::now() + length);
    let mut heard_so_far = 0;
    while args.count.is_none_or(|count| heard_so_far < count) {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) {
            break;
        }
        match session.next(left.unwrap_or(logs::PATIENCE))? {
            Next::Message(heard) => {
                heard_so_far += 1;
                let body = body(&heard, args.secrets);
                let item = Item {
                    at: time::rfc3339(time::now_us()),
                    from: &heard.from,
                    to: &heard.to,
                    kind: &heard.kind,
                    id: heard.id,
                    body,
                };
                context.out.item("hyperty.message/1", &item, |style| {
                    text(&item, &names.short(item.from), &names.short(item.to), style)
                })?;
            }
            Next::Answered(..) | Next::Nothing => {}
            Next::End => return Ok(()),
        }
    }
    if heard_so_far == 0 && args.count != Some(0) {
        return Err(Failure::new(Id::TimedOut, "no message came in that time"));
    }
    Ok(())
}

fn body(heard: &Heard, with_secrets: bool) -> Value {
    let text = String::from_utf8_lossy(&heard.body);
    if with_secrets {
        return serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.into_owned()));
    }
    redact::body(&text)
}

fn text(item: &Item<'_>, from: &str, to: &str, style: Style) -> String {
    let [from, to] = [from, to].map(|name| style.paint(Tone::Name, name));
    let arrow = style.labelled_arrow(&clean(item.kind));
    let body = item.body.to_string();
    format!("{from}  {arrow}  {to}\n  {}\n", clean(&body))
}
