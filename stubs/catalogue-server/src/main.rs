//! # catalogue-server — a catalogue directory over HTTPS, for authors
//!
//! `hyperty catalogue serve` executes it: the command line itself links neither
//! TLS nor HTTP. It is an ordinary program and not a component: it runs as who
//! started it and reads what that user may read, below one directory only.
//!
//! ```text
//!  server ── TLS, HTTP/1.1 and 2 ──► answer ─┬─ paths   which file a path names
//!    │                                       ├─ broker  the older interface
//!  certificate                               └─ shelf   files, whole and bounded
//! ```

mod answer;
mod args;
mod beneath;
mod broker;
mod certificate;
mod limits;
mod paths;
mod report;
mod server;
mod shelf;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use args::Args;
use certificate::Identity;
use report::Report;
use shelf::Shelf;

fn main() -> ExitCode {
    let args = Args::parse();
    match serve(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            Report::new(args.json).failed(&format!("{e:#}"));
            ExitCode::FAILURE
        }
    }
}

fn serve(args: &Args) -> anyhow::Result<()> {
    let report = Report::new(args.json);
    let shelf = Shelf::open(&args.directory, args.provider.as_deref())?;
    let identity = Identity::of(args)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start")?;
    runtime.block_on(server::run(args, shelf, identity, report))
}
