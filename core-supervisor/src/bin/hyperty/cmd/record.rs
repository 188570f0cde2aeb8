//! `hyperty record` — a component's traffic in a file that `hyperty test` plays.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use protocol::api::bus::{self, TapBatch, TapFilter};
use protocol::api::user_agent::Component;
use protocol::frame::ComponentKind;
use serde_json::Value;

use crate::cmd::test::recording::{Head, SCHEMA};
use crate::cmd::{Outcome, tap};
use crate::error::{Failure, Id};
use crate::output::document;
use crate::output::time::parse_span;
use crate::session::{Next, Session, value};
use crate::{Context, signals, target};

const EXAMPLES: &str = "\
Examples:
  hyperty record Echo talk.jsonl
  hyperty record Echo talk.jsonl --for 30s --ignore body.value.time
  hyperty test talk.jsonl --catalogue ./shop

Bodies have their secrets taken out, and long ones are cut: what was cut is not compared.";

/// How long one look at the link lasts.
const LOOK: Duration = Duration::from_millis(100);

/// Record a component's traffic, for `hyperty test` to play again
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Its address, or its name when only one has it
    #[arg(value_name = "COMPONENT")]
    component: String,

    /// Where to; must not exist [default: stdout]
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    /// End after so many messages
    #[arg(long, short = 'n', value_name = "N")]
    count: Option<u64>,

    /// End after this time
    #[arg(long = "for", value_name = "TIME", value_parser = parse_span)]
    length: Option<Duration>,

    /// A member that is other each time, as a path: body.value.time
    #[arg(long, value_name = "PATH")]
    ignore: Vec<String>,
}

/// Records until Ctrl-C, the count, the time or the supervisor ends.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    signals::take();
    let mut session = Session::open(context)?;
    let component = target::component(&mut session, &args.component)?;
    let mut out = open(args)?;
    let head = head(&session, &component, args);
    write(&mut out, &serde_json::to_string(&head).unwrap_or_default())?;
    let filter = TapFilter {
        component: component.address.clone(),
        bodies: true,
        ..TapFilter::default()
    };
    let _: Value = session.ask(bus::PATH, "subscribe", &filter)?;
    context.out.note("recording; Ctrl-C ends it");
    let deadline = args.length.map(|length| Instant::now() + length);
    let mut left = args.count.unwrap_or(u64::MAX);
    let mut missed = 0;
    while left > 0 && signals::count() == 0 && deadline.is_none_or(|at| Instant::now() < at) {
        let heard = match session.next(LOOK)? {
            Next::Message(heard) => heard,
            Next::Answered(..) | Next::Nothing => continue,
            Next::End => break,
        };
        let batch: TapBatch = value(&heard.body).unwrap_or_default();
        missed += batch.missed;
        for entry in batch
            .messages
            .iter()
            .take(usize::try_from(left).unwrap_or(usize::MAX))
        {
            left -= 1;
            let line = document("hyperty.tap/1", &tap::item(entry), false)?;
            write(&mut out, line.trim_end())?;
        }
    }
    if missed > 0 {
        let what = format!("{missed} messages were not recorded: too many at once");
        return Err(
            Failure::new(Id::Failed, what).fix("to record less", "stop what is not to be tested")
        );
    }
    Ok(())
}

fn head(session: &Session, component: &Component, args: &Args) -> Head {
    let folder = match component.kind {
        ComponentKind::Hyperty => "hyperty",
        ComponentKind::ProtoStub => "protocolstub",
        ComponentKind::IdpProxy => "idp-proxy",
    };
    Head {
        schema: SCHEMA.to_owned(),
        component: format!("{folder}/{}", component.name),
        provider: component.provider.clone(),
        address: component.address.clone(),
        runtime: session.runtime(),
        ignore: args.ignore.clone(),
    }
}

fn open(args: &Args) -> Result<Box<dyn Write>, Failure> {
    let Some(file) = &args.file else {
        return Ok(Box::new(io::stdout()));
    };
    let made = File::create_new(file).map_err(|error| {
        let what = format!("cannot make `{}`: {error}", file.display());
        Failure::new(Id::Local, what)
    })?;
    Ok(Box::new(BufWriter::new(made)))
}

// Each line at once: a recording that is killed is still one.
fn write(out: &mut dyn Write, line: &str) -> Outcome {
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
