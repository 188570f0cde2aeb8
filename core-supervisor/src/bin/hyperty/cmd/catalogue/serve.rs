//! `hyperty catalogue serve` — a catalogue over HTTPS, for authors.
//!
//! The command line links no network library (invariant I1), so it becomes the
//! program that does: `catalogue-server`, which has the same options.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use crate::cmd::Outcome;
use crate::error::{Failure, Id};
use crate::paths::program;
use crate::{Context, signals};

const EXAMPLES: &str = "\
Examples:
  hyperty catalogue serve ./shop
  hyperty catalogue serve ./shop --provider alice.example --listen 127.0.0.1:9443
  hyperty catalogue serve ./shop --tls-cert chain.pem --tls-key key.pem --listen 0.0.0.0:443

Without --tls-cert it makes a certificate for development once and prints its file, to be
trusted with `hyperty up --tls-roots FILE`. Each request is a line on stdout.";

/// Serve a catalogue over HTTPS, as runtimes elsewhere fetch it
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The directory that holds `.well-known/`, or a folder for each provider that does
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// Where to listen; port 0 for any free one [default: 127.0.0.1:8443]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,

    /// Whose catalogue it is, whatever host name is asked for
    #[arg(long, value_name = "DOMAIN")]
    provider: Option<String>,

    /// A certificate chain in PEM, instead of one made for development
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// Its private key in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// A further host name for the development certificate; may be repeated
    #[arg(long, value_name = "HOST", conflicts_with = "tls_cert")]
    name: Vec<String>,

    /// Where the development certificate is kept
    /// [default: ~/.local/share/hyperty/catalogue-server]
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
}

/// Becomes the server; returns only when it cannot.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    let program = program("catalogue-server")?;
    let error = signals::become_program(&mut command(&program, args, context));
    let what = format!("cannot execute `{}`: {error}", program.display());
    Err(Failure::new(Id::NotStarted, what))
}

fn command(program: &std::path::Path, args: &Args, context: &Context) -> Command {
    let mut command = Command::new(program);
    let mut option = |name: &str, value: Option<OsString>| {
        if let Some(value) = value {
            command.arg(name).arg(value);
        }
    };
    option("--listen", args.listen.map(|at| at.to_string().into()));
    option("--provider", args.provider.clone().map(Into::into));
    option("--tls-cert", args.tls_cert.clone().map(Into::into));
    option("--tls-key", args.tls_key.clone().map(Into::into));
    for name in &args.name {
        option("--name", Some(name.into()));
    }
    option("--state", args.state.clone().map(Into::into));
    if context.out.is_json() {
        command.arg("--json");
    }
    // Behind `--`, a directory may begin with a dash.
    command.arg("--").arg(&args.directory);
    command
}
