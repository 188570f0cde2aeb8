//! `hyperty completions` — a script for your shell.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Cli;
use crate::cmd::Outcome;

const EXAMPLES: &str = "\
Examples:
  hyperty completions bash > ~/.local/share/bash-completion/completions/hyperty
  hyperty completions zsh  > ~/.zfunc/_hyperty
  hyperty completions fish > ~/.config/fish/completions/hyperty.fish";

/// Print a completion script for your shell
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// bash, zsh, fish, elvish or powershell
    #[arg(value_name = "SHELL", value_enum, hide_possible_values = true)]
    shell: Shell,
}

/// Prints the script.
pub(crate) fn run(args: &Args) -> Outcome {
    // Into memory first: the generator panics when its reader goes away.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "hyperty", &mut script);
    io::stdout().write_all(&script)?;
    Ok(())
}
