//! `hyperty call` — one request by hand, or one call of a hyperty's method.
//!
//! Two forms, told apart by the second word: JSON is the body of a message to the
//! address itself; a name is a method of the hyperty, asked for at its `/api`.

mod follow;
mod method;
mod raw;
mod show;

use std::time::Duration;

use serde_json::Value;

use crate::Context;
use crate::cmd::Outcome;
use crate::error::{Failure, Id};
use crate::output::time::parse_span;

use self::method::Wish;

const EXAMPLES: &str = "\
Examples:
  hyperty call clock add '[1, 2]'
  hyperty call clock zones.local.now
  hyperty call clock --get volume
  hyperty call clock --set volume 5
  hyperty call clock onTick --follow
  hyperty call chat join '[\"lobby\", {\"onMessage\": \"$message\"}]' --follow --json

Examples of a message with a body, to the address itself:
  hyperty call /registry
  hyperty call echo '{\"value\":\"anybody there?\"}'
  hyperty call board --method observe --param hyperty://acme.example/42
  hyperty call /ua '{\"resource\":\"echo\"}' --json | jq .body.value.state

`hyperty api NAME` shows what can be called. TO is an address, the name of a deployed component, or /ROOM of the runtime.
ARGS is a JSON array; BODY any other JSON. Both may be @FILE, or - for stdin.
With --follow, a text \"$name\" in ARGS is a function of that name; without any, one is added behind
the others. Each of its calls is a line, and each change of a data object that the method returned,
until Ctrl-C or until the hyperty ends.
Exit status 1 when the method throws or the answer reports failure, 3 when there is no such method.";

/// Call a method of a hyperty, or send one request and print the answer
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// An address, the name of a component, or /ROOM
    #[arg(value_name = "TO")]
    to: String,

    /// A method (`add`, `math.add`), or the JSON body of a message
    #[arg(value_name = "METHOD|BODY", conflicts_with_all = ["get", "set", "method"])]
    what: Option<String>,

    /// The method's arguments, a JSON array [default: none]
    #[arg(value_name = "ARGS")]
    arguments: Option<String>,

    /// Read this member of the hyperty
    #[arg(long, value_name = "PATH", conflicts_with = "set")]
    get: Option<String>,

    /// Assign this member of the hyperty
    #[arg(long, value_names = ["PATH", "VALUE"], num_args = 2)]
    set: Option<Vec<String>>,

    /// Stay, and print the calls of functions that went along
    #[arg(long, short)]
    follow: bool,

    /// With --follow: end after so many calls
    #[arg(long, short = 'n', value_name = "N", requires = "follow")]
    count: Option<u64>,

    /// With --follow: end after this time; without a call by then the status is 7
    #[arg(long = "for", value_name = "TIME", value_parser = parse_span, requires = "follow")]
    length: Option<Duration>,

    /// The type of a message [default: read, or execute with --method]
    #[arg(long = "type", short = 't', value_name = "TYPE")]
    kind: Option<String>,

    /// Send a message {"method":NAME,"params":[…]} to the address itself
    #[arg(long, short, value_name = "NAME")]
    method: Option<String>,

    /// A parameter of --method, JSON or text; may be repeated
    #[arg(long = "param", short, value_name = "VALUE", requires = "method")]
    params: Vec<String>,
}

enum Form {
    Message(Option<String>),
    Api(Wish),
}

/// Calls a method, or sends one request and prints the answer.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    match form(args)? {
        Form::Message(body) => raw::run(args, body.as_deref(), context),
        Form::Api(wish) => method::run(args, wish, context),
    }
}

fn form(args: &Args) -> Result<Form, Failure> {
    let api = |wish: Wish| match &args.kind {
        None => Ok(Form::Api(wish)),
        Some(_) => Err(Failure::new(
            Id::Usage,
            "a method is called by `execute`; --type is for messages with a body",
        )),
    };
    if let Some(path) = &args.get {
        return api(Wish::Get(names(path)?));
    }
    if let Some([path, value]) = args.set.as_deref() {
        return api(Wish::Set(names(path)?, super::send::json_or_text(value)));
    }
    match args.what.as_deref() {
        Some(word) if !is_body(word) => {
            let arguments = arguments(args)?;
            api(Wish::Call(names(word)?, arguments))
        }
        _ if args.follow => Err(Failure::new(Id::Usage, "--follow needs a method to call")
            .fix(
                "to call one",
                format!("hyperty call {} METHOD --follow", args.to),
            )
            .fix("to hear messages", format!("hyperty listen {}", args.to))),
        _ if args.arguments.is_some() => {
            Err(
                Failure::new(Id::Usage, "a body stands alone; arguments are for a method").fix(
                    "to call a method",
                    format!("hyperty call {} METHOD '[…]'", args.to),
                ),
            )
        }
        body => Ok(Form::Message(body.map(str::to_owned))),
    }
}

/// Whether a word is meant as a body: JSON, or what is nearly JSON, `-` or `@FILE`.
fn is_body(word: &str) -> bool {
    let begins = |c: char| "{[\"-@".contains(c) || c.is_ascii_digit();
    word.starts_with(begins) || serde_json::from_str::<Value>(word).is_ok()
}

/// `math.add` → `math`, `add`.
fn names(path: &str) -> Result<Vec<String>, Failure> {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let is_name = |name: &str| !name.is_empty() && name.chars().all(is_letter);
    if path.split('.').all(is_name) {
        return Ok(path.split('.').map(str::to_owned).collect());
    }
    Err(Failure::new(
        Id::Usage,
        format!("`{path}` is neither JSON nor the name of a method"),
    )
    .fix("to call a method", "hyperty call TO add '[1, 2]'")
    .fix(
        "to send a text, quote it twice",
        "hyperty call TO '\"some text\"'",
    ))
}

fn arguments(args: &Args) -> Result<Vec<Value>, Failure> {
    let Some(text) = args.arguments.as_deref() else {
        return Ok(Vec::new());
    };
    match super::send::read_body(text)? {
        Value::Array(values) => Ok(values),
        single => Err(
            Failure::new(Id::Usage, "the arguments are not a JSON array").fix(
                "to pass it as the only one",
                format!(
                    "hyperty call {} {} '[{single}]'",
                    args.to,
                    args.what.as_deref().unwrap_or("METHOD")
                ),
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn args(words: &[&str]) -> Args {
        use clap::{Args as _, FromArgMatches};
        let command = Args::augment_args(clap::Command::new("call"));
        let matches = command.try_get_matches_from([&["call"], words].concat());
        Args::from_arg_matches(&matches.unwrap()).unwrap()
    }

    fn wish(words: &[&str]) -> Wish {
        match form(&args(words)).unwrap() {
            Form::Api(wish) => wish,
            Form::Message(body) => panic!("a message with {body:?}"),
        }
    }

    fn is_message(words: &[&str]) -> bool {
        matches!(form(&args(words)).unwrap(), Form::Message(_))
    }

    fn refused(words: &[&str]) -> String {
        let failure = form(&args(words)).err().unwrap();
        assert_eq!(failure.exit(), crate::error::Exit::Usage);
        failure.what().to_owned()
    }

    #[test]
    fn a_name_is_a_method_and_json_is_a_body() {
        let call = |path: &[&str], args: Value| {
            let path = path.iter().map(ToString::to_string).collect();
            Wish::Call(path, args.as_array().unwrap().clone())
        };

        assert_eq!(
            wish(&["clock", "add", "[1, 2]"]),
            call(&["add"], json!([1, 2]))
        );
        assert_eq!(
            wish(&["clock", "a.b.$run"]),
            call(&["a", "b", "$run"], json!([]))
        );
        for body in [
            "{\"a\":1}",
            "[1]",
            "\"x\"",
            "5",
            "-",
            "@file",
            "true",
            "null",
            "-3",
            "{broken",
        ] {
            assert!(is_message(&["--", "echo", body]), "{body}");
        }
        assert!(is_message(&["/registry"]));
        assert!(is_message(&[
            "board", "--method", "observe", "--param", "x"
        ]));
    }

    #[test]
    fn members_are_read_and_assigned() {
        let volume = || vec!["a".to_owned(), "volume".to_owned()];

        assert_eq!(wish(&["clock", "--get", "a.volume"]), Wish::Get(volume()));
        assert_eq!(
            wish(&["clock", "--set", "a.volume", "5"]),
            Wish::Set(volume(), json!(5))
        );
        assert_eq!(
            wish(&["clock", "--set", "a.volume", "loud"]),
            Wish::Set(volume(), json!("loud"))
        );
    }

    #[test]
    fn what_fits_neither_form_is_a_usage_error() {
        assert!(refused(&["clock", "good morning"]).contains("neither JSON nor"));
        assert!(refused(&["clock", "add", "5"]).contains("not a JSON array"));
        assert!(refused(&["clock", "{}", "[1]"]).contains("a body stands alone"));
        assert!(refused(&["clock", "{}", "--follow"]).contains("needs a method"));
        assert!(refused(&["clock", "add", "--type", "read"]).contains("--type"));
        assert!(refused(&["clock", "--get", "a..b"]).contains("neither JSON nor"));
    }
}
