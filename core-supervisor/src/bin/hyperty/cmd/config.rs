//! `hyperty config` — the configuration, and where each value comes from.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cmd::Outcome;
use crate::error::{Failure, Id};
use crate::output::{Column, Style, Table, Tone, cell, clean};
use crate::paths::program;
use crate::{Context, signals};

const EXAMPLES: &str = "\
Examples:
  hyperty config show
  hyperty config show --origin
  hyperty config show --json | jq '.values[] | select(.key == \"min-level\")'

A flag wins over an environment variable, which wins over hyperty.toml.";

/// Show the configuration and where each value comes from
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show the values in force for a supervisor started here and now
    Show {
        /// Show where each value comes from
        #[arg(long)]
        origin: bool,

        /// The configuration file
        #[arg(
            long,
            value_name = "FILE",
            env = "HYPERTY_CONFIG",
            hide_env_values = true
        )]
        config: Option<PathBuf>,
    },
}

/// What `core-supervisor show-config --json` prints.
#[derive(Debug, Serialize, Deserialize)]
struct Shown {
    values: Vec<Setting>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Setting {
    key: String,
    value: Value,
    origin: String,
}

/// Shows the configuration.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    let What::Show { origin, config } = &args.what;
    let shown = ask(config.as_ref(), context)?;
    context.out.answer("hyperty.config/1", &shown, |style| {
        table(&shown, *origin, style)
    })?;
    Ok(())
}

// The supervisor is asked, so that this cannot tell another story than it does.
fn ask(config: Option<&PathBuf>, context: &Context) -> Result<Shown, Failure> {
    let supervisor = program("core-supervisor")?;
    let mut command = Command::new(&supervisor);
    command.args(["show-config", "--json"]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(config) = config {
        command.arg("--config").arg(config);
    }
    if let Some(directory) = &context.runtime_dir_flag {
        command.arg("--runtime-dir").arg(directory);
    }
    let output = signals::spawn(&mut command)
        .and_then(std::process::Child::wait_with_output)
        .map_err(|error| {
            Failure::new(
                Id::Local,
                format!("cannot execute `{}`: {error}", supervisor.display()),
            )
        })?;
    serde_json::from_slice(&output.stdout).map_err(|_| {
        let log = String::from_utf8_lossy(&output.stderr);
        Failure::new(Id::Failed, "the configuration cannot be read").fact("log", log.trim())
    })
}

fn table(shown: &Shown, with_origin: bool, style: Style) -> String {
    let mut columns = vec![Column::left("KEY"), Column::left("VALUE").cut_to(20)];
    if with_origin {
        columns.push(Column::left("ORIGIN").cut_to(20));
    }
    let mut table = Table::new(&columns);
    for setting in &shown.values {
        let mut row = vec![
            cell(Tone::Strong, clean(&setting.key)),
            clean(&plain(&setting.value)).into(),
        ];
        if with_origin {
            let tone = if setting.origin == "default" {
                Tone::Faint
            } else {
                Tone::Name
            };
            row.push(cell(tone, clean(&setting.origin)));
        }
        table.row(row);
    }
    table.render(style)
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "-".to_owned(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_value_tells_where_it_comes_from() {
        let shown: Shown = serde_json::from_value(json!({"values": [
            {"key": "data-dir", "value": "/home/eve/.local/share/hyperty", "origin": "default"},
            {"key": "min-level", "value": "L3", "origin": "environment HYPERTY_MIN_LEVEL"},
            {"key": "catalogue", "value": ["a", "b"], "origin": "hyperty.toml:3"},
        ]}))
        .unwrap();

        insta::assert_snapshot!(table(&shown, true, Style::PLAIN));
    }
}
