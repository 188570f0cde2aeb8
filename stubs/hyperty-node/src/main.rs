//! # hyperty-node — the program
//!
//! `serve` runs a node in the foreground, `token` keeps its access tokens.

mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.print(cli.is_json());
            ExitCode::from(failure.exit())
        }
    }
}
