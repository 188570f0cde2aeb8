//! Every case, and what is known about it before it is tried.

use std::process::Command;

use anyhow::{Context as _, Result};
use protocol::frame::Level;

use crate::bus;
use crate::frames::Frames;
use crate::played::{self, Play};
use crate::script;

/// One thing to be tried.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// As in SECURITY.md; a letter tells variants apart.
    pub(crate) id: String,
    /// What is tried.
    pub(crate) title: String,
    /// By what.
    pub(crate) by: By,
}

/// What tries it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum By {
    /// The attempt of this id in the program of attempts.
    Program,
    /// The function of this id in `attempts/script.js`.
    Script,
    /// Bytes on the link of a program, so many times.
    Frames(Frames, u32),
    /// The suite itself, with components as its means.
    Play(Play),
}

/// Believing in success proves nothing here; the victims, the log and the end of the process do.
const HARMLESS_SUCCESS: &[&str] = &["FD-10", "PR-13", "RS-05", "RS-09"];

/// What would harm this machine, or outlive the control, when nothing holds it.
const NOT_WITHOUT_A_SANDBOX: &[&str] = &[
    "FS-14", "PR-09", "PR-10", "PR-11b", "KR-02", "KR-03a", "KR-09", "KR-15", "RS-01", "RS-03d",
    "RS-04", "RS-05", "RS-06", "RS-09", "RS-11", "FD-10",
];

/// What is not held below a level, and why that is known.
const GAPS: &[(&str, Level, &str)] = &[(
    "",
    Level::L2,
    "L1 separates processes; it refuses no system call",
)];

impl Case {
    /// Whether success, as the attempt sees it, is an escape.
    pub(crate) fn counts_success(&self) -> bool {
        !HARMLESS_SUCCESS.iter().any(|id| self.id.starts_with(id))
    }

    /// Whether it may be tried where nothing holds it.
    pub(crate) fn has_control(&self) -> bool {
        matches!(self.by, By::Program)
            && !NOT_WITHOUT_A_SANDBOX
                .iter()
                .any(|id| self.id.starts_with(id))
    }

    /// Why it is known not to be held at this level.
    pub(crate) fn gap(&self, level: Level) -> Option<&'static str> {
        let known = GAPS
            .iter()
            .find(|(id, held_from, _)| self.id.starts_with(id) && level < *held_from);
        known.map(|(_, _, why)| *why)
    }
}

/// All of them: the program of attempts says what it has.
pub(crate) fn all(attempts: &std::path::Path) -> Result<Vec<Case>> {
    let listed = Command::new(attempts)
        .arg("--list")
        .output()
        .context("asking the program of attempts what it has")?;
    let listed = String::from_utf8(listed.stdout)?;
    let mut cases: Vec<Case> = listed
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .filter(|(id, _)| !bus::MEANS.contains(id))
        .map(|(id, title)| Case {
            id: id.to_owned(),
            title: title.to_owned(),
            by: By::Program,
        })
        .collect();
    cases.extend(bus::cases());
    cases.extend(script::cases());
    cases.extend(played::cases());
    Ok(cases)
}
