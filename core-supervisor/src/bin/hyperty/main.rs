//! # hyperty — the operator's hand
//!
//! Whatever it does is an ordinary message to an ordinary address: it asks the
//! rooms of a supervisor through [`session`] and prints what they answer. Only
//! `up`, `run` and `demo` do more: they start a supervisor ([`supervisor`]).
//!
//! ```text
//!  args ── cmd/<verb> ── session ── protocol::client ── core-supervisor
//!              │
//!           output, error
//! ```

// Text for people is short, and writing into a `String` cannot fail: a
// `Result` to be ignored on each line would only hide those that matter.
#![allow(clippy::format_push_string, clippy::format_collect)]

mod args;
mod cmd;
mod error;
mod names;
mod output;
mod paths;
mod redact;
mod scratch;
mod session;
mod signals;
mod sourcemap;
mod supervisor;
mod target;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use args::{Cli, Global};
use error::Failure;
use output::Output;
use paths::Paths;

/// What every command works with.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    /// Where output goes.
    pub(crate) out: Output,
    /// Where the supervisor is.
    pub(crate) paths: Paths,
    /// `--runtime-dir`, when it was given.
    pub(crate) runtime_dir_flag: Option<PathBuf>,
    /// How long to wait for an answer, if the reader said.
    pub(crate) timeout: Option<Duration>,
}

impl Context {
    fn new(global: &Global) -> Self {
        Self {
            out: Output::new(global.json, global.quiet, global.color),
            paths: Paths::new(global.runtime_dir.as_deref()),
            runtime_dir_flag: global.runtime_dir.clone(),
            timeout: global.timeout,
        }
    }
}

fn main() -> ExitCode {
    signals::watch();
    let cli = Cli::parse();
    let context = Context::new(&cli.global);
    let exit = match cmd::run(cli.command, &context) {
        Ok(()) => error::Exit::Ok,
        Err(failure) => report(&failure, &context),
    };
    ExitCode::from(exit as u8)
}

fn report(failure: &Failure, context: &Context) -> error::Exit {
    failure.print(context.out.is_json(), context.out.notes_style());
    failure.exit()
}
