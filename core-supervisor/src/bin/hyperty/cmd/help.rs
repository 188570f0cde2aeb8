//! `hyperty help` — a command, or a topic that no single command explains.

use clap::CommandFactory;

use crate::args::Cli;
use crate::cmd::Outcome;
use crate::error::{Exit, Failure, Id};
use crate::output::{Column, Style, Table, print};

const EXAMPLES: &str = "\
Examples:
  hyperty help deploy
  hyperty help policy check
  hyperty help exit-codes

Topics: errors, exit-codes, addresses, files, tests";

/// Explain a command or a topic
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// A command, or one of: errors, exit-codes, addresses, files, tests
    #[arg(value_name = "WHAT")]
    what: Vec<String>,
}

/// Prints the explanation.
pub(crate) fn run(args: &Args) -> Outcome {
    let words: Vec<_> = args.what.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["errors"] => Ok(print(&errors())?),
        ["exit-codes"] => Ok(print(EXIT_CODES)?),
        ["addresses"] => Ok(print(ADDRESSES)?),
        ["files"] => Ok(print(FILES)?),
        ["tests"] => Ok(print(TESTS)?),
        words => command(words),
    }
}

fn command(words: &[&str]) -> Outcome {
    let mut command = Cli::command();
    command.build();
    for word in words {
        let found = command
            .get_subcommands()
            .find(|sub| sub.get_name() == *word);
        command = found.cloned().ok_or_else(|| unknown(word))?;
    }
    Ok(print(&command.render_help().to_string())?)
}

fn unknown(word: &str) -> Failure {
    Failure::new(
        Id::Usage,
        format!("`{word}` is neither a command nor a topic"),
    )
    .exit_as(Exit::Usage)
    .fix("to see the commands", "hyperty --help")
    .fix(
        "to see the topics",
        "hyperty help errors | exit-codes | addresses | files | tests",
    )
}

fn errors() -> String {
    let mut table = Table::new(&[
        Column::left("NUMBER"),
        Column::right("STATUS"),
        Column::left("MEANS THAT"),
    ]);
    for id in Id::ALL {
        let (number, exit, meaning) = id.entry();
        table.row([
            number.into(),
            (exit as i32).to_string().into(),
            meaning.into(),
        ]);
    }
    table.render(Style::of(&std::io::stdout(), crate::output::When::Auto))
}

const EXIT_CODES: &str = "\
STATUS  MEANS THAT
     0  it was done
     1  it failed, or was denied
     2  the command line makes no sense
     3  what was named does not exist
     4  somebody must consent or sign in first
     5  this machine cannot reach the sandbox level that is asked for
     6  no supervisor can be reached
     7  no answer came in time
   130  it was interrupted

`hyperty doctor` has its own: 0 all is well, 1 there are warnings, 2 something fails.
";

const ADDRESSES: &str = "\
Wherever a command takes an address:

  hyperty://acme.example/42      an address, as `hyperty registry ls` lists them
  echo                           the deployed component of that name
  /registry                      a room of this runtime

The rooms, and what to ask of them:

  /ua                    deployments                 ps, deploy, stop, restart, rm
  /sandboxes             processes and their logs    inspect, logs, down
  /registry              who owns which address      registry
  /catalogue             what can be deployed        catalogue
  /pep                   rules and decisions         policy, why
  /bus                   the traffic                 tap
  /address-allocation    addresses for data objects
  /discovery             who and what can be found
  /subscriptions         who hears when they come and go

`runtime://` and `hyperty-runtime://` are two spellings of the same.
";

const FILES: &str = "\
$XDG_CONFIG_HOME/hyperty/hyperty.toml      configuration          HYPERTY_CONFIG
$XDG_CONFIG_HOME/hyperty/policy.d/*.cedar  your rules, in order of name
$XDG_DATA_HOME/hyperty/                    what survives a restart  HYPERTY_DATA_DIR
$XDG_RUNTIME_DIR/hyperty/bus.sock          the supervisor's socket  HYPERTY_RUNTIME_DIR

A catalogue of one provider, and of several:

  DIR/.well-known/hyperty/echo.hy.json            DIR/acme.example/.well-known/hyperty/…
  DIR/.well-known/hyperty/echo.hy.js              DIR/shop.example/.well-known/hyperty/…
  DIR/.well-known/protocolstub/loopback.ps.json
  DIR/.well-known/protocolstub/loopback.ps.elf    a native one: \"language\": \"native\"
  DIR/.well-known/idp-proxy/login.idp.json
";

const TESTS: &str = include_str!("help_tests.txt");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_error_has_a_number_of_its_own() {
        let mut numbers: Vec<_> = Id::ALL.iter().map(|id| id.entry().0).collect();
        numbers.sort_unstable();
        numbers.dedup();

        assert_eq!(numbers.len(), Id::ALL.len());
    }

    #[test]
    fn the_errors_are_listed_with_their_exit_status() {
        insta::assert_snapshot!(errors());
    }

    #[test]
    fn an_unknown_word_is_a_usage_error() {
        assert_eq!(command(&["dploy"]).unwrap_err().exit(), Exit::Usage);
    }
}
