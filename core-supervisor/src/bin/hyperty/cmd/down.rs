//! `hyperty down` — the supervisor and everything it runs ends in order.

use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use protocol::api::sandboxes;
use serde_json::{Value, json};

use crate::Context;
use crate::cmd::Outcome;
use crate::error::{Failure, Id};
use crate::session::{Next, Session};

const EXAMPLES: &str = "\
Examples:
  hyperty down
  hyperty down --timeout 30s";

/// How long everything may take to end, when the reader did not say.
const END_WITHIN: Duration = Duration::from_secs(10);

/// End the supervisor and everything it runs
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {}

/// Asks for the end and waits until the link has ended.
pub(crate) fn run(_: &Args, context: &Context) -> Outcome {
    let mut session = Session::open(context)?;
    let shutdown = json!({"method": "shutdown"});
    let _: Value = session.ask(sandboxes::PATH, "execute", &shutdown)?;
    let deadline = Instant::now() + context.timeout.unwrap_or(END_WITHIN);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Failure::new(Id::TimedOut, "the supervisor is still ending")
                .fact("endpoint", context.paths.endpoint().display().to_string())
                .fix("to wait longer", "hyperty down --timeout 60s"));
        }
        match session.next(left) {
            Ok(Next::Message(_) | Next::Answered(..) | Next::Nothing) => {}
            // However the link ended: it was to end.
            Ok(Next::End) | Err(_) => break,
        }
    }
    // The link ends first; the socket goes when every process has ended.
    while UnixStream::connect(context.paths.endpoint()).is_ok() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    let answer = json!({"down": true});
    context.out.answer("hyperty.down/1", &answer, |_| {
        "down: nothing runs any more\n".to_owned()
    })?;
    Ok(())
}
