//! `hyperty doctor` — tries what a supervisor will need, and tells the remedy.
//!
//! Nothing is concluded from a version or a setting: the sandbox primitives are
//! tried by `sandbox-host probe` with a child at each level, a file is written,
//! a message is sent through a supervisor when one runs.

use serde::{Deserialize, Serialize};

use crate::Context;
use crate::cmd::Outcome;
use crate::error::{Exit, Failure};
use crate::output::{Style, Tone, clean};

mod cgroup;
mod checks;
mod probe;

const EXAMPLES: &str = "\
Examples:
  hyperty doctor
  hyperty doctor --json | jq -r '.checks[] | select(.status == \"fail\") | .remedy'

Exit status: 0 all is well, 1 there are warnings, 2 something fails.
It changes nothing, and what it prints can be pasted into a report.";

/// Try every primitive the sandbox needs; a remedy for each that fails
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Act as if the kernel lacked this; only ever takes away
    #[arg(long, value_name = "WHAT", hide = true)]
    pretend_without: Vec<String>,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    /// Could not be tried, and need not be.
    Skip,
    /// It works.
    Pass,
    /// It works with less than it could.
    Warn,
    /// It does not work.
    Fail,
}

/// One thing that was tried. The id is stable: scripts and reports name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Check {
    id: String,
    status: Status,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    remedy: String,
}

impl Check {
    fn new(id: &str, status: Status, detail: impl Into<String>) -> Self {
        let (id, detail, remedy) = (id.to_owned(), detail.into(), String::new());
        Self {
            id,
            status,
            detail,
            remedy,
        }
    }

    fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = remedy.into();
        self
    }
}

/// Everything that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Findings {
    /// The level that sandboxes reach here, when it could be tried.
    level: Option<String>,
    checks: Vec<Check>,
}

/// Tries everything; the exit status is the worst of it.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    let findings = examine(args, context);
    context.out.answer("hyperty.doctor/1", &findings, |style| {
        text(&findings, style)
    })?;
    match findings.checks.iter().map(|check| check.status).max() {
        Some(Status::Fail) => Err(Failure::silent(Exit::Usage)),
        Some(Status::Warn) => Err(Failure::silent(Exit::Failed)),
        Some(Status::Pass | Status::Skip) | None => Ok(()),
    }
}

fn examine(args: &Args, context: &Context) -> Findings {
    let (level, mut checks) = probe::run(&args.pretend_without);
    checks.extend(checks::all(context));
    let home = std::env::var("HOME").unwrap_or_default();
    for check in &mut checks {
        check.detail = presentable(&check.detail, &home);
        check.remedy = presentable(&check.remedy, &home);
    }
    Findings { level, checks }
}

// A report is pasted where others read it: no user name, no secret.
fn presentable(text: &str, home: &str) -> String {
    let text = if home.len() > 1 {
        text.replace(home, "~")
    } else {
        text.to_owned()
    };
    crate::redact::text(&text)
}

fn text(findings: &Findings, style: Style) -> String {
    let width = findings
        .checks
        .iter()
        .map(|check| check.id.len())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    let mut group = "";
    for check in &findings.checks {
        let this = check.id.split('.').next().unwrap_or_default();
        if this != group {
            text.push_str(&format!("{}\n", style.paint(Tone::Strong, &clean(this))));
            group = this;
        }
        text.push_str(&line(check, width, style));
    }
    text + &summary(findings, style)
}

fn line(check: &Check, width: usize, style: Style) -> String {
    let (tone, word) = match check.status {
        Status::Pass => (Tone::Good, "PASS"),
        Status::Warn => (Tone::Odd, "WARN"),
        Status::Fail => (Tone::Bad, "FAIL"),
        Status::Skip => (Tone::Faint, "SKIP"),
    };
    let id = format!("{:width$}", clean(&check.id));
    let room = style.width.unwrap_or(100).saturating_sub(width + 10);
    let next_line = format!("\n{:1$}", "", width + 10);
    let detail = check.detail.replace(',', ", ").replace(",  ", ", ");
    let detail = wrap(&detail, room.max(30)).join(&next_line);
    let mut text = format!("  {}  {id}  {detail}\n", style.paint(tone, word));
    let is_needed = check.status >= Status::Warn;
    for remedy in check.remedy.lines().filter(|_| is_needed) {
        let remedy = wrap(
            remedy,
            style.width.unwrap_or(100).saturating_sub(16).max(30),
        );
        let remedy = remedy.join(&format!("\n{:16}", ""));
        let label = style.paint(Tone::Good, "remedy:");
        text.push_str(&format!("        {label} {remedy}\n"));
    }
    text
}

// Lines of so many columns, broken between words.
fn wrap(text: &str, room: usize) -> Vec<String> {
    let text = clean(text);
    let mut lines = vec![String::new()];
    for word in text.split_inclusive(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() || line.len() + word.trim_end().len() <= room => {
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
        .iter()
        .map(|line| line.trim_end().to_owned())
        .collect()
}

fn summary(findings: &Findings, style: Style) -> String {
    let count = |status| {
        findings
            .checks
            .iter()
            .filter(|check| check.status == status)
            .count()
    };
    let (pass, warn, fail) = (
        count(Status::Pass),
        count(Status::Warn),
        count(Status::Fail),
    );
    let tone = match (warn, fail) {
        (0, 0) => Tone::Good,
        (_, 0) => Tone::Odd,
        _ => Tone::Bad,
    };
    let level = match &findings.level {
        Some(level) => format!("Sandboxes reach {} here. ", clean(level)),
        None => String::new(),
    };
    let counts = style.paint(tone, &format!("{pass} pass, {warn} warn, {fail} fail"));
    format!("\n{level}{counts}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> Findings {
        Findings {
            level: Some("L2".to_owned()),
            checks: vec![
                Check::new("sandbox.landlock", Status::Pass, "ABI 7"),
                Check::new("sandbox.userns", Status::Warn, "refused by AppArmor")
                    .remedy("sysctl kernel.apparmor_restrict_unprivileged_userns=0"),
                Check::new(
                    "store.writable",
                    Status::Fail,
                    "~/.local/share/hyperty: read-only",
                )
                .remedy("remount it, or give --data-dir"),
                Check::new("endpoint.answers", Status::Skip, "no supervisor runs"),
            ],
        }
    }

    #[test]
    fn checks_are_grouped_and_a_failing_line_has_its_remedy() {
        insta::assert_snapshot!(text(&findings(), Style::PLAIN));
    }

    #[test]
    fn the_json_form_keeps_ids_and_states() {
        let json = crate::output::document("hyperty.doctor/1", &findings(), true).unwrap();

        insta::assert_snapshot!(json);
    }

    #[test]
    fn a_long_list_is_broken_between_its_words() {
        assert_eq!(
            wrap("refused: one, two, three, four", 16),
            ["refused: one,", "two, three, four"]
        );
        assert_eq!(wrap("", 16), [""]);
    }

    #[test]
    fn neither_a_user_name_nor_a_secret_is_shown() {
        assert_eq!(
            presentable("/home/eve/x: token=abc123 refused", "/home/eve"),
            "~/x: token=[redacted] refused"
        );
    }
}
