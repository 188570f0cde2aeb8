//! `hyperty policy` — the rules for messages: check files, show, reload.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use clap::Subcommand;
use protocol::api::policy::{self, InForce, Method, Problem, Problems, Rule};

use crate::cmd::Outcome;
use crate::error::{Exit, Failure, Id};
use crate::output::{Column, Style, Table, Tone, cell, clean, escape};
use crate::paths::{default_config, program};
use crate::session::Session;
use crate::{Context, signals};

const EXAMPLES: &str = "\
Examples:
  hyperty policy check ~/.config/hyperty/policy.d
  hyperty policy show
  hyperty policy reload

`check` needs no supervisor. A reload that fails leaves the old rules in force.";

/// Check, show or reload the rules for messages
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Compile policy directories and report every problem
    Check {
        /// Directories of *.cedar files [default: your own policy.d]
        #[arg(value_name = "DIR")]
        directories: Vec<PathBuf>,
    },
    /// Show the rules in force
    Show,
    /// Read the policy files again
    Reload,
}

/// Does what was asked with the rules.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    match &args.what {
        What::Check { directories } => check(directories, context),
        What::Show => show(context),
        What::Reload => reload(context),
    }
}

fn check(directories: &[PathBuf], context: &Context) -> Outcome {
    let own = [default_config().join("policy.d")];
    let directories = if directories.is_empty() {
        &own
    } else {
        directories
    };
    let problems = compile(directories)?;
    context
        .out
        .answer("hyperty.policy-check/1", &problems, |style| {
            check_text(&problems, style)
        })?;
    if problems.problems.is_empty() {
        Ok(())
    } else {
        Err(Failure::silent(Exit::Failed))
    }
}

/// Everything that is wrong with the files of these directories.
pub(crate) fn compile(directories: &[PathBuf]) -> Result<Problems, Failure> {
    let supervisor = program("core-supervisor")?;
    let mut command = Command::new(&supervisor);
    command
        .args(["check-policy", "--json"])
        .args(directories)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
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
        Failure::new(Id::Failed, "the policy files could not be checked").fact("log", log.trim())
    })
}

fn check_text(problems: &Problems, style: Style) -> String {
    match problems.problems.len() {
        0 => format!(
            "{} every rule compiles\n",
            style.paint(Tone::Good, style.tick())
        ),
        1 => format!(
            "{}\n1 problem\n",
            problem_text(problems.problems.first(), style)
        ),
        n => {
            let all: Vec<_> = problems
                .problems
                .iter()
                .map(|one| problem_text(Some(one), style))
                .collect();
            format!("{}\n{n} problems\n", all.join("\n"))
        }
    }
}

fn problem_text(problem: Option<&Problem>, style: Style) -> String {
    let Some(problem) = problem else {
        return String::new();
    };
    let what = escape::clean_lines(&problem.message);
    let mut text = format!("{}: {what}\n", style.paint(Tone::Bad, "error"));
    text.push_str(&format!(
        "  at    {}\n",
        style.paint(Tone::Name, &clean(&problem.place))
    ));
    for line in problem.help.lines() {
        text.push_str(&format!(
            "  {}  {}\n",
            style.paint(Tone::Good, "help"),
            clean(line)
        ));
    }
    text
}

fn show(context: &Context) -> Outcome {
    let mut session = Session::open(context)?;
    let method = Method {
        method: "show".to_owned(),
    };
    let rules: InForce = session.ask(policy::PATH, "execute", &method)?;
    context.out.answer("hyperty.policy/1", &rules, |style| {
        rules_text(&rules, style)
    })?;
    Ok(())
}

fn reload(context: &Context) -> Outcome {
    let mut session = Session::open(context)?;
    let method = Method {
        method: "reload".to_owned(),
    };
    let rules: InForce = session.ask(policy::PATH, "execute", &method)?;
    context.out.answer("hyperty.policy/1", &rules, |style| {
        let tick = style.paint(Tone::Good, style.tick());
        let InForce {
            version,
            rules,
            files,
        } = &rules;
        format!(
            "{tick} rules v{version}: {} from {} files\n",
            rules.len(),
            files.len()
        )
    })?;
    Ok(())
}

fn rules_text(rules: &InForce, style: Style) -> String {
    let mut table = Table::new(&[
        Column::left("RULE"),
        Column::left("EFFECT"),
        Column::left("PLACE").cut_to(24),
        Column::left("WHY").cut_to(24),
    ]);
    for Rule {
        id,
        place,
        effect,
        why,
    } in &rules.rules
    {
        let tone = if effect == "forbid" {
            Tone::Bad
        } else {
            Tone::Good
        };
        table.row([
            cell(Tone::Strong, clean(id)),
            cell(tone, clean(effect)),
            cell(Tone::Name, clean(place)),
            clean(why).into(),
        ]);
    }
    format!(
        "{}rules v{}, default deny\n",
        table.render(style),
        rules.version
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_in_force_are_a_table_with_their_reasons() {
        let rules = InForce {
            version: 3,
            files: vec!["/etc/hyperty/policy.d/30-user.cedar".to_owned()],
            rules: vec![
                Rule {
                    id: "no-acme".to_owned(),
                    place: "/etc/hyperty/policy.d/30-user.cedar:14".to_owned(),
                    effect: "forbid".to_owned(),
                    why: "nothing goes to acme".to_owned(),
                },
                Rule {
                    id: "same-provider".to_owned(),
                    place: "shipped/10-components.cedar:3".to_owned(),
                    effect: "permit".to_owned(),
                    why: "components of one provider may talk".to_owned(),
                },
            ],
        };

        insta::assert_snapshot!(rules_text(&rules, Style::PLAIN));
    }

    #[test]
    fn each_problem_of_a_policy_file_shows_its_place_and_the_help() {
        let problem = |message: &str, help: &str| Problem {
            place: "policy.d/30-user.cedar:14:9".to_owned(),
            message: message.to_owned(),
            help: help.to_owned(),
        };
        let problems = vec![
            problem("attribute `provder` not found", "did you mean `provider`?"),
            problem("unexpected end of input", ""),
        ];

        insta::assert_snapshot!(check_text(&Problems { problems }, Style::PLAIN));
        insta::assert_snapshot!(check_text(&Problems::default(), Style::PLAIN));
    }
}
