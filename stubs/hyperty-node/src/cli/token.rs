//! `hyperty-node token …`

use std::io;
use std::path::{Path, PathBuf};

use hyperty_node::shell::tokens::{self, Token, Tokens, unix_s};
use protocol::Address;
use serde_json::json;

use super::answer;
use super::failure::Failure;

/// What can be done with tokens.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a token and print it; it cannot be printed again
    Issue {
        /// A name for people and logs
        name: String,
        #[command(flatten)]
        file: File,
        /// The only runtime it may be used for, e.g. runtime://example.org/7c3e
        #[arg(long, value_name = "URL")]
        runtime: Option<Address>,
        /// How long it is good for, in days
        #[arg(long, value_name = "DAYS")]
        days: Option<u64>,
    },
    /// Read a token from stdin and tell what it is good for
    Verify {
        #[command(flatten)]
        file: File,
    },
    /// List the tokens, without what they are
    Ls {
        #[command(flatten)]
        file: File,
    },
    /// Take a token back; a node that runs is told with SIGHUP
    Revoke {
        /// Its name
        name: String,
        #[command(flatten)]
        file: File,
    },
}

/// Where they are.
#[derive(Debug, clap::Args)]
pub(crate) struct File {
    /// The file that the node is given
    #[arg(long, value_name = "FILE")]
    tokens: PathBuf,
}

pub(super) fn run(command: &Command, is_json: bool) -> Result<(), Failure> {
    match command {
        Command::Issue {
            name,
            file,
            runtime,
            days,
        } => issue(name, &file.tokens, runtime.clone(), *days, is_json),
        Command::Verify { file } => verify(&file.tokens, is_json),
        Command::Ls { file } => list(&file.tokens, is_json),
        Command::Revoke { name, file } => {
            tokens::revoke(&file.tokens, name)?;
            let said = json!({"revoked": name});
            answer(is_json, "hyperty-node.token/1", &said, || {
                format!("`{name}` is no token any more; tell the node:  kill -HUP PID\n")
            })
        }
    }
}

fn issue(
    name: &str,
    file: &Path,
    runtime: Option<Address>,
    days: Option<u64>,
    is_json: bool,
) -> Result<(), Failure> {
    let expires = days.map(|days| unix_s().saturating_add(days.saturating_mul(86_400)));
    let token = tokens::issue(file, name, runtime, expires)?;
    let said = json!({"name": name, "token": token, "expires": expires});
    answer(is_json, "hyperty-node.token/1", &said, || {
        format!("{token}\n")
    })
}

// From stdin: what is on a command line, everybody on the machine can read.
fn verify(file: &Path, is_json: bool) -> Result<(), Failure> {
    let mut token = String::new();
    let read = io::stdin().read_line(&mut token);
    read.map_err(|error| Failure::failed(format!("cannot read the token: {error}")))?;
    let pass = Tokens::open(file)?.verify(token.trim())?;
    let name = pass.name.unwrap_or_default();
    let runtime = pass.runtime.map(|runtime| runtime.to_string());
    let said = json!({"name": name, "runtime": runtime});
    answer(is_json, "hyperty-node.token/1", &said, || {
        let runtime = runtime.as_deref().unwrap_or("any runtime");
        format!("`{name}`, good for {runtime}\n")
    })
}

fn list(file: &Path, is_json: bool) -> Result<(), Failure> {
    let tokens = Tokens::open(file)?.list();
    let show = |token: &Token| {
        let runtime = token.runtime.as_ref().map(Address::to_string);
        json!({"name": token.name, "runtime": runtime, "expires": token.expires})
    };
    let said = json!({"tokens": tokens.iter().map(show).collect::<Vec<_>>()});
    answer(is_json, "hyperty-node.tokens/1", &said, || {
        let lines = tokens.iter().map(|token| {
            let runtime = token
                .runtime
                .as_ref()
                .map_or("any runtime", Address::as_str);
            let is_old = token.expires.is_some_and(|expires| expires <= unix_s());
            let old = if is_old { "  expired" } else { "" };
            format!("{}  {runtime}{old}\n", token.name)
        });
        lines.collect()
    })
}
