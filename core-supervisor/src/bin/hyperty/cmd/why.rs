//! `hyperty why` — one decision, explained by the evaluation that made it.

use protocol::api::policy::{self, Explanation, Rule, Verdict, Why};
use serde_json::Value;

use crate::cmd::Outcome;
use crate::error::{Exit, Failure};
use crate::output::{Style, Tone, clean, escape};
use crate::session::Session;
use crate::{Context, target};

const EXAMPLES: &str = "\
Examples:
  hyperty why d-3-17
  hyperty why --from echo --to board --type create
  hyperty why --from echo --to https://api.acme.example
  hyperty why --from echo --to /pep --json | jq -r .verdict

A decision's id stands in every denial, in `tap` and in `logs`. With --from, --to and
--type it tells what would be decided now. Exit status 0 when it is permitted, 1 when not.";

/// Explain a decision, or what would be decided now
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The id of a decision, such as d-3-17
    #[arg(value_name = "DECISION", required_unless_present_all = ["from", "to"])]
    decision: Option<String>,

    /// The sender: an address or a name
    #[arg(long, value_name = "WHO", requires = "to", conflicts_with = "decision")]
    from: Option<String>,

    /// The receiver: an address, a name, /ROOM, or a host as `https://HOST:PORT` or `tcp://HOST:PORT`
    #[arg(long, value_name = "WHOM", requires = "from")]
    to: Option<String>,

    /// The message type
    #[arg(
        long = "type",
        short = 't',
        value_name = "TYPE",
        default_value = "create"
    )]
    kind: String,
}

/// Explains it.
pub(crate) fn run(args: &Args, context: &Context) -> Outcome {
    let mut session = Session::open(context)?;
    let question = match (&args.decision, &args.from, &args.to) {
        (Some(decision), ..) => Why {
            decision: decision.clone(),
            ..Why::default()
        },
        (None, Some(from), Some(to)) => Why {
            decision: String::new(),
            from: target::resolve(&mut session, from)?,
            to: if is_host(to) {
                to.clone()
            } else {
                target::resolve(&mut session, to)?
            },
            kind: args.kind.clone(),
        },
        (None, ..) => Why::default(),
    };
    let explanation: Explanation = session.ask(policy::PATH, "read", &question)?;
    context.out.answer("hyperty.why/1", &explanation, |style| {
        text(&explanation, style)
    })?;
    match explanation.verdict {
        Verdict::Permitted => Ok(()),
        Verdict::Forbidden | Verdict::NotPermitted | Verdict::Error => {
            Err(Failure::silent(Exit::Failed))
        }
    }
}

// The core reads hosts itself: a URL with a port is no address of ours.
fn is_host(to: &str) -> bool {
    let scheme = to.split_once("://").map(|(scheme, _)| scheme);
    let known = ["https", "http", "wss", "ws", "tcp", "udp", "listen"];
    scheme.is_some_and(|scheme| known.contains(&scheme))
}

/// The explanation for people.
pub(crate) fn text(explanation: &Explanation, style: Style) -> String {
    let tone = match explanation.verdict {
        Verdict::Permitted => Tone::Good,
        Verdict::Forbidden | Verdict::NotPermitted | Verdict::Error => Tone::Bad,
    };
    let verdict = style.paint(tone, verdict_text(explanation.verdict));
    let who = style.who_line(&explanation.from, &explanation.kind, &explanation.to);
    let mut text = format!("{verdict}\n{who}");
    let mut fact = |label: &str, value: &str| {
        let label = style.paint(Tone::Faint, &format!("{label:9} "));
        for line in value.lines() {
            text.push_str(&format!("  {label} {}\n", clean(line)));
        }
    };
    for rule in &explanation.rules {
        fact("rule", &rule_line(rule));
        fact("", &format!("  {}", rule.why));
    }
    for (who, value) in attributes(&explanation.attributes) {
        fact(&who, &value);
    }
    fact("error", &explanation.errors.join("\n"));
    let reuse = if explanation.cached {
        "reused for the same three"
    } else {
        "made each time"
    };
    fact(
        "decision",
        &format!(
            "{}, {reuse}, rules v{}",
            explanation.decision, explanation.version
        ),
    );
    if !explanation.remedy.is_empty() {
        text.push_str(&remedy(explanation, style));
    }
    text
}

fn remedy(explanation: &Explanation, style: Style) -> String {
    let aim = style.paint(Tone::Good, "the smallest rule that would change it:");
    let rule = escape::clean_lines(explanation.remedy.trim_end());
    let lines: String = rule.lines().map(|line| format!("    {line}\n")).collect();
    format!("  {aim}\n{lines}")
}

/// `file:line  forbid "id"`.
pub(crate) fn rule_line(rule: &Rule) -> String {
    format!("{}  {} \"{}\"", rule.place, rule.effect, rule.id)
}

/// The verdict and what it means.
pub(crate) const fn verdict_text(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Permitted => "permitted",
        Verdict::Forbidden => "forbidden (a rule says no)",
        Verdict::NotPermitted => "not permitted (no rule says yes)",
        Verdict::Error => "denied (a rule could not be evaluated)",
    }
}

/// The sandbox level of the sender, when the decision looked at one.
pub(crate) fn sender_level(explanation: &Explanation) -> Option<String> {
    let level = explanation
        .attributes
        .pointer("/principal/level")?
        .as_u64()?;
    Some(format!("L{level}"))
}

// `principal` → `provider acme.example, level 3`, a line for each of the three.
fn attributes(attributes: &Value) -> Vec<(String, String)> {
    let Value::Object(groups) = attributes else {
        return Vec::new();
    };
    groups
        .iter()
        .map(|(name, group)| (name.clone(), members(group)))
        .collect()
}

fn members(group: &Value) -> String {
    match group {
        Value::Object(members) => {
            // What the address says is not said again.
            let is_said = |name: &str| ["address", "scheme", "domain", "path"].contains(&name);
            let shown: Vec<_> = members
                .iter()
                .filter(|(name, value)| !is_said(name) && !is_empty(value))
                .map(|(name, value)| format!("{name} {}", short(&plain(value))))
                .collect();
            shown.join(", ")
        }
        other => plain(other),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

// A digest is told by its first letters; JSON has all of it.
fn short(text: &str) -> &str {
    match text.strip_prefix("sha256:") {
        Some(_) => text.get(..19).unwrap_or(text),
        None => text,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
#[path = "why_tests.rs"]
pub(crate) mod tests;
