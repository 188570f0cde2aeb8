//! What the supervisor and the link say, as failures for people.

use std::io::ErrorKind;
use std::path::Path;

use protocol::api::policy::{Explanation, Problem, Problems, Verdict};
use protocol::client::{Error, Failure as Refusal};
use protocol::code::Code;
use serde_json::Value;

use crate::cmd::why;
use crate::error::{Failure, Id};

/// A broken or missing link.
pub(crate) fn of_link(error: Error, endpoint: &Path) -> Failure {
    match error {
        Error::Connect { source, .. } => unreachable_at(endpoint, &source),
        Error::Closed => lost(),
        Error::Refused => Failure::new(Id::Unreachable, "the supervisor refused the link")
            .fact("endpoint", endpoint.display().to_string())
            .fact(
                "because",
                "it serves the user that started it, and nobody else",
            ),
        Error::Version(_) => Failure::new(Id::Unreachable, error.to_string())
            .fix("to start one of this build", "hyperty down && hyperty up"),
        Error::TimedOut(_) => Failure::new(Id::TimedOut, "the supervisor does not answer")
            .fact("endpoint", endpoint.display().to_string()),
        Error::TooLarge(_) | Error::Host(_) | Error::Body { .. } | Error::NoLog => {
            Failure::new(Id::Failed, error.to_string())
        }
        Error::Answered(refused) => of_code(refused.code, &refused.reason),
        Error::Socket { .. } | Error::Malformed(_) | Error::Unexpected(_) | Error::Backlog(_) => {
            Failure::new(Id::LinkLost, error.to_string())
        }
    }
}

fn unreachable_at(endpoint: &Path, source: &std::io::Error) -> Failure {
    let at = endpoint.display().to_string();
    match source.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
            Failure::new(Id::Unreachable, "no supervisor runs here")
                .fact("looked at", at)
                .fix("to start one", "hyperty up")
                .fix("to use another", "hyperty --runtime-dir DIR ps")
        }
        _ => Failure::new(Id::Unreachable, "cannot reach the supervisor")
            .fact("endpoint", at)
            .fact("because", source.to_string())
            .fix("to look for the cause", "hyperty doctor"),
    }
}

/// The supervisor went away in the middle.
pub(crate) fn lost() -> Failure {
    Failure::new(Id::LinkLost, "the supervisor ended before it answered")
        .fix("to see whether one runs", "hyperty ps")
}

/// An answer's number and reason.
pub(crate) fn of_code(code: Code, reason: &str) -> Failure {
    let id = match code {
        Code::UNAUTHORIZED => Id::Consent,
        Code::FORBIDDEN => Id::Refused,
        Code::NOT_FOUND => Id::NotFound,
        Code::TIMEOUT => Id::TimedOut,
        _ if is_below_floor(reason) => Id::BelowFloor,
        _ => Id::Failed,
    };
    let failure = Failure::new(id, reason).fact("code", code.to_string());
    match code {
        Code::NOT_FOUND => failure.fix("to see what there is", "hyperty ps; hyperty registry ls"),
        _ if id == Id::BelowFloor => failure.fix("to see what is missing", "hyperty doctor"),
        Code::BUSY => failure.fix("to go on", "try again in a second"),
        _ => failure,
    }
}

// The core tells these two apart from other failures by their words alone.
fn is_below_floor(reason: &str) -> bool {
    reason.contains("could not be locked") || reason.contains("this runtime is set to")
}

/// A failed answer, read as the field reads it.
pub(crate) fn refusal(code: Code, body: &[u8]) -> Refusal {
    let told: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or_default();
    let reason = ["desc", "description", "error"]
        .map(text)
        .into_iter()
        .find(|t| !t.is_empty());
    Refusal {
        code,
        reason: reason
            .unwrap_or("it was answered with failure and no reason")
            .to_owned(),
        decision: text("decision").to_owned(),
        body: body.to_vec(),
    }
}

/// A denial, by the decision that made it.
pub(crate) fn of_decision(explanation: &Explanation) -> Failure {
    let id = match explanation.verdict {
        Verdict::Forbidden => Id::Forbidden,
        Verdict::Error => Id::RuleFailed,
        Verdict::NotPermitted | Verdict::Permitted => Id::NotPermitted,
    };
    let (_, _, meaning) = id.entry();
    let mut failure = Failure::new(id, format!("message denied: {meaning}")).who(
        &explanation.from,
        &explanation.kind,
        &explanation.to,
    );
    for rule in &explanation.rules {
        failure = failure.fact("rule", why::rule_line(rule));
    }
    failure = failure
        .fact("kind", why::verdict_text(explanation.verdict))
        .fact(
            "sandbox",
            why::sender_level(explanation).unwrap_or_default(),
        )
        .fact("error", explanation.errors.join("\n"))
        .fact("decision", explanation.decision.as_str())
        .fix(
            "to see everything it looked at",
            format!("hyperty why {}", explanation.decision),
        );
    if explanation.remedy.is_empty() {
        return failure;
    }
    let aim = "to allow just this, add to a file of ~/.config/hyperty/policy.d/ and run \
               `hyperty policy reload`";
    failure.fix(aim, explanation.remedy.trim_end())
}

/// What is wrong with the policy files, when that is why a request was refused.
pub(crate) fn problems(body: &[u8]) -> Vec<Problem> {
    let told: Problems = serde_json::from_slice(body).unwrap_or_default();
    told.problems
}

/// Policy files that do not compile.
pub(crate) fn of_problems(reason: &str, problems: &[Problem]) -> Failure {
    let failure = Failure::new(Id::PolicyBad, reason);
    problems.iter().fold(failure, |failure, problem| {
        let help = if problem.help.is_empty() { "" } else { "\n" };
        failure.fact(
            "at",
            format!(
                "{}  {}{help}{}",
                problem.place, problem.message, problem.help
            ),
        )
    })
}
