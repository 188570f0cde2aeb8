//! The command line.

mod failure;
mod serve;
mod token;

use std::io::{self, Write};

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use serde::Serialize;

use self::failure::Failure;

/// A message node for one domain: runtimes meet here, register and find each other
#[derive(Debug, Parser)]
#[command(
    name = "hyperty-node",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
#[command(after_help = "Start here:  hyperty-node serve --domain example.org")]
pub(crate) struct Cli {
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a node in the foreground; Ctrl-C ends it in order
    Serve(Box<serve::Args>),
    /// Issue, check, list and take back access tokens
    #[command(subcommand)]
    Token(token::Command),
    /// Print a completion script for your shell
    Completions {
        /// bash, zsh, fish, elvish or powershell
        shell: Shell,
    },
}

impl Cli {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        match &self.command {
            Command::Serve(args) => serve::run(args, self.json),
            Command::Token(command) => token::run(command, self.json),
            Command::Completions { shell } => {
                clap_complete::generate(
                    *shell,
                    &mut Self::command(),
                    "hyperty-node",
                    &mut io::stdout(),
                );
                Ok(())
            }
        }
    }

    pub(crate) const fn is_json(&self) -> bool {
        self.json
    }
}

#[derive(Serialize)]
struct Document<'a, T> {
    schema: &'a str,
    #[serde(flatten)]
    content: &'a T,
}

/// Data to stdout: JSON with its schema in front, or text for a person.
fn answer<T: Serialize>(
    is_json: bool,
    schema: &str,
    content: &T,
    human: impl FnOnce() -> String,
) -> Result<(), Failure> {
    let text = if is_json {
        let document = Document { schema, content };
        let text = serde_json::to_string(&document).map_err(io::Error::from);
        text.map_err(|error| Failure::output(&error))? + "\n"
    } else {
        human()
    };
    let mut stdout = io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        // A reader that has seen enough is no error.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::output(&error)),
        _ => Ok(()),
    }
}
