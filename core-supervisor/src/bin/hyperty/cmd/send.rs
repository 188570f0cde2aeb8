//! `hyperty send` and `hyperty call` — one message by hand.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use protocol::message::MessageKind;
use serde_json::{Value, json};

use crate::cmd::Outcome;
use crate::error::{Failure, Id};
use crate::output::{Style, Tone, clean, escape};
use crate::session::{Answer, Session};
use crate::{Context, target};

/// How long `send` listens for an objection: the core's own answers are immediate.
const OBJECTION_WITHIN: Duration = Duration::from_millis(100);

const SEND_EXAMPLES: &str = "\
Examples:
  hyperty send echo '{\"value\":\"good morning\"}'
  hyperty send hyperty://acme.example/42 --type update '{\"value\":21}'
  echo '{\"value\":1}' | hyperty send echo -

BODY is JSON: text, @FILE, or - for stdin. The sender is your own address on this runtime.";

const CALL_EXAMPLES: &str = "\
Examples:
  hyperty call /registry
  hyperty call echo '{\"value\":\"anybody there?\"}'
  hyperty call board --method observe --param hyperty://acme.example/42
  hyperty call /ua '{\"resource\":\"echo\"}' --json | jq .body.value.state

COMPONENT is an address, the name of a deployed component, or /ROOM of the runtime.
BODY is JSON: text, @FILE, or - for stdin. Exit status 1 when the answer reports failure.";

/// Send one message and do not wait for an answer
#[derive(Debug, clap::Args)]
#[command(after_help = SEND_EXAMPLES)]
pub(crate) struct SendArgs {
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

/// Send one request and print the answer
#[derive(Debug, clap::Args)]
#[command(after_help = CALL_EXAMPLES)]
pub(crate) struct CallArgs {
    /// An address, the name of a component, or /ROOM
    #[arg(value_name = "TO")]
    to: String,

    /// JSON text, @FILE, or - for stdin
    #[arg(value_name = "BODY", conflicts_with = "method")]
    body: Option<String>,

    /// The message type [default: read, or execute with --method]
    #[arg(long = "type", short = 't', value_name = "TYPE")]
    kind: Option<String>,

    /// Call this method of it
    #[arg(long, short, value_name = "NAME")]
    method: Option<String>,

    /// A parameter of the method, JSON or text; may be repeated
    #[arg(long = "param", short, value_name = "VALUE", requires = "method")]
    params: Vec<String>,
}

/// Sends one message.
pub(crate) fn send(args: &SendArgs, context: &Context) -> Outcome {
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

/// Sends one request and prints the answer.
pub(crate) fn call(args: &CallArgs, context: &Context) -> Outcome {
    let body = match &args.method {
        Some(method) => {
            let params: Vec<_> = args
                .params
                .iter()
                .map(|param| json_or_text(param))
                .collect();
            json!({"method": method, "params": params})
        }
        None => args
            .body
            .as_deref()
            .map_or_else(|| Ok(json!({})), read_body)?,
    };
    let kind = match (&args.kind, &args.method) {
        (Some(kind), _) => kind.as_str(),
        (None, Some(_)) => "execute",
        (None, None) => "read",
    };
    check_kind(kind)?;
    let mut session = Session::open(context)?;
    let to = target::resolve(&mut session, &args.to)?;
    let answer = session.call(kind, &to, &body)?;
    if !answer.code.is_success() && answer.code.0 != 0 {
        return Err(session.explain(kind, &to, &answer));
    }
    let said = json!({
        "from": answer.from, "code": answer.code.0, "body": body_of(&answer),
    });
    context
        .out
        .answer("hyperty.call/1", &said, |style| text(&answer, style))?;
    Ok(())
}

fn text(answer: &Answer, style: Style) -> String {
    let code = style.paint(Tone::Good, &answer.code.to_string());
    let from = style.paint(Tone::Name, &clean(&answer.from));
    let body = serde_json::to_string_pretty(&body_of(answer)).unwrap_or_default();
    format!("{code} from {from}\n{}\n", escape::clean_lines(&body))
}

fn body_of(answer: &Answer) -> Value {
    let text = || Value::String(String::from_utf8_lossy(&answer.body).into_owned());
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| text())
}

fn check_kind(kind: &str) -> Outcome {
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

fn json_or_text(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

fn read_body(text: &str) -> Result<Value, Failure> {
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
    use protocol::code::Code;

    use super::*;

    #[test]
    fn a_body_that_is_not_json_is_a_usage_error_with_an_example() {
        let failure = read_body("good morning").unwrap_err();

        insta::assert_snapshot!(failure.text(Style::PLAIN));
    }

    #[test]
    fn an_answer_shows_its_code_its_author_and_its_body() {
        let answer = Answer {
            code: Code::OK,
            from: "hyperty://acme.example/42".to_owned(),
            body: br#"{"code":200,"value":{"text":"hi \u001b[2J"}}"#.to_vec(),
        };

        insta::assert_snapshot!(text(&answer, Style::PLAIN));
    }
}
