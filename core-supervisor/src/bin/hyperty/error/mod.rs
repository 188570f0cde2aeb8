//! # Errors — what, who, why, and what to do
//!
//! ```text
//! error[HY-D001]: denied: a rule forbids it
//!   hyperty://a.example/1  ──create──▶  hyperty://b.example/2
//!   rule      ~/.config/hyperty/policy.d/30-user.cedar:14  forbid "no-acme"
//!   kind      forbidden (a rule says no)
//!   decision  d-3-17
//!   to see all of it:  hyperty why d-3-17
//! ```
//!
//! The number in brackets names the kind of error for good; the exit status
//! tells a script who must act.

use std::io::{self, Write};

use serde::Serialize;

use crate::output::{Style, Tone, clean, document, escape};

mod id;

pub(crate) use id::{Exit, Id};

/// Who wanted what of whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Who {
    /// The sender's address.
    pub(crate) from: String,
    /// The message type.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    /// The receiver's address.
    pub(crate) to: String,
}

/// Something to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Fix {
    /// What it achieves: `to allow just this`.
    pub(crate) aim: String,
    /// A command, or text of several lines.
    pub(crate) what: String,
}

/// Why a command did not do what it was asked.
///
/// Built with [`Failure::new`] and the methods that add to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure(Box<Report>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Report {
    // None: nothing to print, only an exit status.
    id: Option<Id>,
    exit: Exit,
    what: String,
    who: Option<Who>,
    facts: Vec<(&'static str, String)>,
    fixes: Vec<Fix>,
}

impl Failure {
    /// A failure of this kind, told in one sentence without a full stop.
    pub(crate) fn new(id: Id, what: impl Into<String>) -> Self {
        let (_, exit, _) = id.entry();
        Self(Box::new(Report {
            id: Some(id),
            exit,
            what: what.into(),
            who: None,
            facts: Vec::new(),
            fixes: Vec::new(),
        }))
    }

    /// Ends the program with this status; everything has been said already.
    pub(crate) fn silent(exit: Exit) -> Self {
        let mut failure = Self::new(Id::Failed, "");
        failure.0.id = None;
        failure.0.exit = exit;
        failure
    }

    /// Says who wanted what of whom.
    #[must_use]
    pub(crate) fn who(mut self, from: &str, kind: &str, to: &str) -> Self {
        let [from, kind, to] = [from, kind, to].map(str::to_owned);
        self.0.who = Some(Who { from, kind, to });
        self
    }

    /// Adds a labelled fact; an empty one is left out.
    #[must_use]
    pub(crate) fn fact(mut self, label: &'static str, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.0.facts.push((label, text));
        }
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub(crate) fn fix(mut self, aim: &str, what: impl Into<String>) -> Self {
        self.0.fixes.push(Fix {
            aim: aim.to_owned(),
            what: what.into(),
        });
        self
    }

    /// Whether it has this text anywhere.
    pub(crate) fn says(&self, text: &str) -> bool {
        let mut facts = self.0.facts.iter();
        self.0.what.contains(text) || facts.any(|(_, fact)| fact.contains(text))
    }

    /// Says the same in other words: places as the author wrote them.
    #[must_use]
    pub(crate) fn in_words(mut self, other: impl Fn(&str) -> String) -> Self {
        self.0.what = other(&self.0.what);
        for (_, text) in &mut self.0.facts {
            *text = other(text);
        }
        self
    }

    /// Ends with another status than the kind's own.
    #[must_use]
    pub(crate) fn exit_as(mut self, exit: Exit) -> Self {
        self.0.exit = exit;
        self
    }

    /// The status to end with.
    pub(crate) const fn exit(&self) -> Exit {
        self.0.exit
    }

    /// The sentence.
    pub(crate) fn what(&self) -> &str {
        &self.0.what
    }

    /// Writes it to stderr, in the form that the reader of stdout expects.
    pub(crate) fn print(&self, json: bool, style: Style) {
        if self.0.id.is_none() {
            return;
        }
        let text = if json { self.json() } else { self.text(style) };
        // Nobody can be told when stderr is gone.
        let _ = io::stderr().write_all(text.as_bytes());
    }

    /// The form for people.
    pub(crate) fn text(&self, style: Style) -> String {
        let number = self.0.id.map_or("", |id| id.entry().0);
        let mut text = format!(
            "{}: {}\n",
            style.paint(Tone::Bad, &format!("error[{number}]")),
            style.paint(Tone::Strong, &clean(&self.0.what))
        );
        if let Some(who) = &self.0.who {
            text.push_str(&style.who_line(&who.from, &who.kind, &who.to));
        }
        let label_width = self
            .0
            .facts
            .iter()
            .map(|(label, _)| label.len())
            .max()
            .unwrap_or(0);
        for (label, fact) in &self.0.facts {
            let label = style.paint(Tone::Faint, &format!("{label:label_width$}"));
            let fact = escape::clean_lines(fact);
            let fact = fact.replace('\n', &format!("\n{:1$}", "", label_width + 4));
            text.push_str(&format!("  {label}  {fact}\n"));
        }
        for fix in &self.0.fixes {
            text.push_str(&fix_text(fix, style));
        }
        text
    }

    fn json(&self) -> String {
        let (id, ..) = self.0.id.map_or(("", Exit::Failed, ""), Id::entry);
        let facts: serde_json::Map<_, _> = self
            .0
            .facts
            .iter()
            .map(|(label, text)| ((*label).to_owned(), text.clone().into()))
            .collect();
        let content = serde_json::json!({
            "id": id,
            "exit": self.0.exit as i32,
            "what": self.0.what,
            "who": self.0.who,
            "facts": facts,
            "fixes": self.0.fixes,
        });
        document("hyperty.error/1", &content, false).unwrap_or_default()
    }
}

fn fix_text(fix: &Fix, style: Style) -> String {
    let what = escape::clean_lines(&fix.what);
    let aim = style.paint(Tone::Good, &format!("{}:", fix.aim));
    if what.contains('\n') {
        let lines: String = what.lines().map(|line| format!("    {line}\n")).collect();
        format!("  {aim}\n{lines}")
    } else {
        format!("  {aim}  {what}\n")
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        // A reader that has seen enough (`| head`) is no error.
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::silent(Exit::Ok),
            _ => Self::new(Id::Local, format!("cannot write the output: {error}")),
        }
    }
}

#[cfg(test)]
mod tests;
