//! The table on the terminal, or one JSON object per line.

use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

use crate::case::Case;
use crate::score::Score;
use crate::verdict::Verdict;

/// Characters of a detail that are shown; `--json` has all of them.
const DETAIL_MAX: usize = 160;

/// Shows the run while it goes on.
#[derive(Debug)]
pub(crate) struct Report {
    is_json: bool,
    has_colour: bool,
}

/// One case with what became of it.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    pub(crate) case: &'a Case,
    pub(crate) verdict: Verdict,
    /// What became of the same attempt without a sandbox.
    pub(crate) control: Option<String>,
}

#[derive(Serialize)]
struct JsonLine<'a> {
    schema: &'static str,
    id: &'a str,
    title: &'a str,
    #[serde(flatten)]
    verdict: &'a Verdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    without_sandbox: Option<&'a str>,
}

#[derive(Serialize)]
struct JsonScore<'a> {
    schema: &'static str,
    #[serde(flatten)]
    score: &'a Score,
}

impl Report {
    pub(crate) fn new(is_json: bool) -> Self {
        let has_colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self {
            is_json,
            has_colour,
        }
    }

    pub(crate) fn list(&self, cases: &[Case]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        for Case { id, title, .. } in cases {
            if self.is_json {
                writeln!(out, "{}", serde_json::json!({ "id": id, "title": title }))?;
            } else {
                writeln!(out, "{id:<8} {title}")?;
            }
        }
        Ok(())
    }

    pub(crate) fn begin(&self, sandbox: &str) -> io::Result<()> {
        if self.is_json {
            return Ok(());
        }
        let who = if rustix::process::geteuid().is_root() {
            "root".to_owned()
        } else {
            format!("uid {}", rustix::process::geteuid().as_raw())
        };
        writeln!(
            io::stdout(),
            "Ways out of a sandbox · {sandbox} · as {who}\n"
        )
    }

    pub(crate) fn line(&self, line: &Line<'_>) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let Case { id, title, .. } = line.case;
        if self.is_json {
            let line = JsonLine {
                schema: "hyperty.escape.case/1",
                id,
                title,
                verdict: &line.verdict,
                without_sandbox: line.control.as_deref(),
            };
            return writeln!(out, "{}", serde_json::to_string(&line)?);
        }
        let (word, colour, detail) = match &line.verdict {
            Verdict::Held(how) => ("held", "32", how),
            Verdict::Gap(what) => ("gap", "33", what),
            Verdict::Escaped(what) => ("ESCAPED", "1;31", what),
            Verdict::Skipped(why) => ("skipped", "33", why),
            Verdict::Broken(why) => ("BROKEN", "1;31", why),
        };
        let word = self.paint(&format!("{word:<8}"), colour);
        let detail: String = detail
            .chars()
            .take(DETAIL_MAX)
            .map(|it| if it.is_control() { '·' } else { it })
            .collect();
        write!(out, "{id:<8} {word} {title:<52} {detail}")?;
        match line.control.as_deref() {
            Some("gets through") | None => writeln!(out),
            Some(other) => writeln!(out, "  ({other} without a sandbox)"),
        }
    }

    pub(crate) fn end(&self, score: &Score) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.is_json {
            let score = JsonScore {
                schema: "hyperty.escape.score/1",
                score,
            };
            return writeln!(out, "{}", serde_json::to_string(&score)?);
        }
        writeln!(out)?;
        if let Some(((bytes, descriptors), (bytes_after, descriptors_after))) = score.core {
            writeln!(
                out,
                "The core has {} KiB, {} before; {descriptors_after} descriptors, {descriptors} before.",
                bytes_after / 1024,
                bytes / 1024
            )?;
        }
        writeln!(
            out,
            "Of the held, {} were seen to get through without a sandbox; the others are refused anyway, or too harmful to try.",
            score.proved
        )?;
        let Score {
            cases,
            held,
            gaps,
            escaped,
            skipped,
            broken,
            ..
        } = score;
        writeln!(
            out,
            "{cases} cases: {held} held, {gaps} known gaps, {escaped} escaped, {skipped} skipped, {broken} not judged"
        )
    }

    fn paint(&self, text: &str, colour: &str) -> String {
        if self.has_colour {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}
