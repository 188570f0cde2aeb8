//! `hyperty send` — one message by hand, without an answer.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use protocol::message::MessageKind;
use serde_json::{Value, json};

use crate::cmd::Outcome;
use crate::error::{Failure, Id};
use crate::session::Session;
use crate::{Context, target};

/// How long `send` listens for an objection: the core's own answers are immediate.
const OBJECTION_WITHIN: Duration = Duration::from_millis(100);

const EXAMPLES: &str = "\
Examples:
  hyperty send echo '{\"value\":\"good morning\"}'
  hyperty send hyperty://acme.example/42 --type update '{\"value\":21}'
  echo '{\"value\":1}' | hyperty send echo -

BODY is JSON: text, @FILE, or - for stdin. The sender is your own address on this runtime.";

/// Send one message and do not wait for an answer
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// An address, the name of a component, or /ROOM
    #[arg(value_name = "TO")]
    to: String,

    /// JSON text, @FILE, or - for stdin
    #[arg(value_name = "BODY", default_value = "{}", hide_default_value = true)]
    body: String,

    /// The message type
    #[arg(
        long = "type",
        short = 't',
        value_name = "TYPE",
        default_value = "event"
    )]
    kind: String,
}

/// Sends one message.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    let body = read_body(&args.body)?;
    check_kind(&args.kind)?;
    let mut session = Session::open(context)?;
    let to = target::resolve(&mut session, &args.to)?;
    let answer = session.send(&args.kind, &to, &body, OBJECTION_WITHIN)?;
    match answer {
        Some(answer) if !answer.code.is_success() => Err(session.explain(&args.kind, &to, &answer)),
        Some(_) | None => {
            let said = json!({"sent": true, "to": to, "type": args.kind});
            context
                .out
                .answer("hyperty.send/1", &said, |_| String::new())?;
            Ok(())
        }
    }
}

/// Refuses the types that nobody can send.
pub(crate) fn check_kind(kind: &str) -> Outcome {
    match MessageKind::parse(kind) {
        MessageKind::Response => Err(
            Failure::new(Id::Usage, "a response answers a request").fact(
                "because",
                "you were asked nothing, so the core would refuse it",
            ),
        ),
        MessageKind::Other("") => Err(Failure::new(Id::Usage, "the message type is empty")),
        _ => Ok(()),
    }
}

/// A value as JSON, or as the text that it is.
pub(crate) fn json_or_text(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

/// JSON from the command line, a file or stdin.
pub(crate) fn read_body(text: &str) -> Result<Value, Failure> {
    let (text, origin) = match (text, text.strip_prefix('@')) {
        ("-", _) => (read_stdin()?, "stdin"),
        (_, Some(file)) => (read_file(Path::new(file))?, file),
        _ => (text.to_owned(), "the command line"),
    };
    serde_json::from_str(&text).map_err(|error| {
        Failure::new(Id::Usage, format!("the body is not JSON: {error}"))
            .fact("from", origin)
            .fix(
                "to send a text, quote it twice",
                "hyperty send TO '\"some text\"'",
            )
    })
}

fn read_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    match std::io::stdin().read_to_string(&mut text) {
        Ok(_) => Ok(text),
        Err(error) => Err(Failure::new(
            Id::Local,
            format!("cannot read stdin: {error}"),
        )),
    }
}

fn read_file(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| {
        Failure::new(
            Id::NotFound,
            format!("cannot read `{}`: {error}", path.display()),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Style;

    #[test]
    fn a_body_that_is_not_json_is_a_usage_error_with_an_example() {
        let failure = read_body("good morning").unwrap_err();

        insta::assert_snapshot!(failure.text(Style::PLAIN));
    }
}
