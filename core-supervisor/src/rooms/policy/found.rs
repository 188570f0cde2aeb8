//! What is wrong with policy files, collected so that all of it is told at once.

use miette::Diagnostic;
use protocol::api::policy::{Problem, Problems};

use super::limits::PROBLEMS_MAX;
use super::text::Lines;

/// The problems found so far.
#[derive(Default)]
pub(super) struct Found {
    problems: Vec<Problem>,
}

impl Found {
    /// A failure that belongs to no file.
    pub(super) fn one(message: &str) -> Problems {
        let mut found = Self::default();
        found.add(String::new(), message, "");
        Problems {
            problems: found.problems,
        }
    }

    pub(super) fn add(
        &mut self,
        place: String,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(Problem {
                place,
                message: printable(&message.into()),
                help: printable(&help.into()),
            });
        }
    }

    /// Adds what Cedar found in the rule that begins at `start`.
    pub(super) fn report(&mut self, problem: &dyn Diagnostic, lines: &Lines<'_>, start: usize) {
        let place = lines.place(start + label(problem).unwrap_or(0));
        let help = problem.help().map(|help| help.to_string());
        let message = problem.to_string();
        // The place says which rule it is.
        let rule = message.strip_prefix("for policy `");
        let said = rule.and_then(|rest| rest.split_once("`, "));
        let message = said.map_or(message.as_str(), |(_, said)| said);
        self.add(place, message, help.unwrap_or_default());
    }

    /// Puts them in order of file and place.
    pub(super) fn sort(&mut self) {
        let number = |part: Option<&str>| part.and_then(|part| part.parse::<usize>().ok());
        self.problems.sort_by_cached_key(|problem| {
            let mut parts = problem.place.rsplitn(3, ':');
            let (column, line) = (number(parts.next()), number(parts.next()));
            (parts.next().map(str::to_owned), line, column)
        });
    }

    /// Ends the step when something was found in it.
    pub(super) fn or_stop(&mut self) -> Result<(), Problems> {
        if self.problems.is_empty() {
            return Ok(());
        }
        let problems = std::mem::take(&mut self.problems);
        Err(Problems { problems })
    }
}

/// Where in the rule's text a problem is.
pub(super) fn label(problem: &dyn Diagnostic) -> Option<usize> {
    problem.labels()?.next().map(|label| label.offset())
}

// One line, and nothing in it that changes how a terminal shows the rest: the
// text of a rule is quoted here, whoever wrote it.
fn printable(text: &str) -> String {
    let hides = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut shown = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !shown.is_empty() {
            shown.push(' ');
        }
        for c in word.chars() {
            if hides(c) {
                shown.extend(c.escape_unicode());
            } else {
                shown.push(c);
            }
        }
    }
    shown
}
