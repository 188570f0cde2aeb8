//! `hyperty package` — components as one signed file, for authors and for the wary.
//!
//! Nothing here needs a supervisor: files in, files out.

mod build;
mod compare;
mod files;
mod keygen;
mod sign;
mod verify;

use clap::Subcommand;

use crate::Context;
use crate::cmd::Outcome;
use crate::error::{Failure, Id};

const EXAMPLES: &str = "\
Examples:
  hyperty package keygen                                  once, for all that you publish
  hyperty package build acme.example/.well-known/hyperty/Echo.hy.json --version 1.0.0 --key minisign.key
  hyperty package verify Echo.hy.pkg --key minisign.pub
  hyperty package diff old/Echo.hy.pkg new/Echo.hy.pkg    what the new one asks for beyond the old

Published beside the descriptor, as .well-known/hyperty/Echo.hy.pkg.";

/// Build, sign, verify and compare signed packages
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a pair of keys, in the files of minisign
    Keygen(keygen::Args),
    /// Make a package of a descriptor, its code and its assets
    Build(build::Args),
    /// Sign a package; a signature that it had gives way
    Sign(sign::Args),
    /// Say whose a package is, and whether it is whole
    Verify(verify::Args),
    /// Compare what two packages ask for, and which files differ
    Diff(compare::Args),
}

/// Does what was asked.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    match &args.what {
        What::Keygen(args) => keygen::run(args, context),
        What::Build(args) => build::run(args, context),
        What::Sign(args) => sign::run(args, context),
        What::Verify(args) => verify::run(args, context),
        What::Diff(args) => compare::run(args, context),
    }
}

fn usage(what: impl Into<String>) -> Failure {
    Failure::new(Id::Usage, what)
}

fn bad(what: impl Into<String>) -> Failure {
    Failure::new(Id::PackageBad, what)
}
