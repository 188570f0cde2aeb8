//! `hyperty audit` — what the runtime did, denied and suffered.

use std::process::{Command, Output, Stdio};

use clap::Subcommand;
use protocol::api::audit::{Checked, Line};

use crate::cmd::Outcome;
use crate::error::{Failure, Id};
use crate::output::{Column, Style, Table, Tone, cell, clean};
use crate::paths::program;
use crate::{Context, signals};

const EXAMPLES: &str = "\
Examples:
  hyperty audit                 the last entries
  hyperty audit --last 500 --json | jq 'select(.what == \"denied\")'
  hyperty audit verify          follow the chain of hashes through the whole log

The log is read from the data directory, whether a supervisor runs or not.";

/// Show what the runtime did, denied and suffered
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,

    /// How many of the last entries
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    last: usize,

    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Follow the chain of hashes, and say what does not hold
    Verify {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Clone, clap::Args)]
struct Place {
    /// The data directory, instead of the configured one
    #[arg(
        long,
        value_name = "DIR",
        env = "HYPERTY_DATA_DIR",
        hide_env_values = true
    )]
    data_dir: Option<std::path::PathBuf>,
}

/// Shows entries, or checks all of them.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    match &args.what {
        Some(What::Verify { place }) => verify(place, context),
        None => show(args, context),
    }
}

fn show(args: &Args, context: &Context) -> Outcome {
    let output = ask(&args.place, &["--last", &args.last.to_string()])?;
    if !output.status.success() {
        return Err(unreadable(&output));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if context.out.is_json() {
        // As they stand in the log: a changed byte would break the chain.
        print!("{text}");
        return Ok(());
    }
    let lines: Vec<Line> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    context.out.human(|style| table(&lines, style))?;
    Ok(())
}

fn verify(place: &Place, context: &Context) -> Outcome {
    let output = ask(place, &["--json"])?;
    let checked: Checked =
        serde_json::from_slice(&output.stdout).map_err(|_| unreadable(&output))?;
    context.out.answer("hyperty.audit/1", &checked, |style| {
        verdict(&checked, style)
    })?;
    match checked.problems.first() {
        None => Ok(()),
        Some(first) => Err(Failure::new(
            Id::Failed,
            format!(
                "the audit log does not hold: {} problems",
                checked.problems.len()
            ),
        )
        .fact("first", first)),
    }
}

// The supervisor is asked, so that the format is known in one place.
fn ask(place: &Place, words: &[&str]) -> Result<Output, Failure> {
    let supervisor = program("core-supervisor")?;
    let mut command = Command::new(&supervisor);
    command.arg("audit").args(words);
    if let Some(data_dir) = &place.data_dir {
        command.arg("--data-dir").arg(data_dir);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    signals::spawn(&mut command)
        .and_then(std::process::Child::wait_with_output)
        .map_err(|error| {
            let supervisor = supervisor.display();
            Failure::new(Id::Local, format!("cannot execute `{supervisor}`: {error}"))
        })
}

fn unreadable(output: &Output) -> Failure {
    let log = String::from_utf8_lossy(&output.stderr);
    Failure::new(Id::Failed, "the audit log cannot be read").fact("log", log.trim())
}

fn verdict(checked: &Checked, style: Style) -> String {
    if checked.problems.is_empty() {
        let tick = style.paint(Tone::Good, style.tick());
        let older = match checked.first {
            0 | 1 => "",
            _ => "; older ones were removed with their files",
        };
        return format!(
            "{tick} {} entries in {} files follow each other{older}\n",
            checked.lines,
            checked.files.len()
        );
    }
    checked
        .problems
        .iter()
        .map(|it| format!("{}\n", clean(it)))
        .collect()
}

fn table(lines: &[Line], style: Style) -> String {
    let mut table = Table::new(&[
        Column::left("AT"),
        Column::left("WHAT"),
        Column::left("WHO").cut_to(24),
        Column::left("DETAIL").cut_to(40),
    ]);
    for Line { at, entry, .. } in lines {
        let tone = match entry.what.as_str() {
            "denied" | "fault" | "missed" | "not-deployed" => Tone::Bad,
            "ended" | "revoked" | "withdrawn" | "purged" => Tone::Odd,
            _ => Tone::Good,
        };
        let mut detail = entry.detail.clone();
        if !entry.level.is_empty() {
            detail = format!("{detail}, {}", entry.level);
        }
        if !entry.whom.is_empty() {
            detail = format!("to {}: {detail}", entry.whom);
        }
        if entry.left_out > 0 {
            detail = format!("({} like it left out) {detail}", entry.left_out);
        }
        table.row(vec![
            cell(Tone::Faint, clean(at)),
            cell(tone, clean(&entry.what)),
            cell(Tone::Name, clean(&entry.who)),
            clean(&detail).into(),
        ]);
    }
    table.render(style)
}

#[cfg(test)]
mod tests {
    use protocol::api::audit::Entry;

    use super::*;

    #[test]
    fn entries_are_a_table_and_what_was_left_out_is_said() {
        let denied = Line {
            at: "2026-01-31T23:59:59.000001Z".to_owned(),
            entry: Entry {
                what: "denied".to_owned(),
                who: "hyperty://mallory.example/1".to_owned(),
                whom: "hyperty://bob.example/2".to_owned(),
                detail: "no rule permits it\u{1b}[2J".to_owned(),
                left_out: 980,
                ..Entry::default()
            },
            ..Line::default()
        };
        let deployed = Line {
            at: "2026-01-31T23:59:58.000000Z".to_owned(),
            entry: Entry {
                what: "deployed".to_owned(),
                who: "hyperty://bob.example/2".to_owned(),
                detail: "Board of bob.example".to_owned(),
                level: "L3".to_owned(),
                ..Entry::default()
            },
            ..Line::default()
        };

        insta::assert_snapshot!(table(&[deployed, denied], Style::PLAIN));
    }
}
