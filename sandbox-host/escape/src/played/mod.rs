//! Cases that take more than one attempt: several parties, a supervisor of their own, or the
//! operator's files. The suite plays them itself; components are its means.

mod bus;
mod files;
mod files_of_rules;
mod floods;
mod processes;
mod rules;
mod shares;
mod words;

pub(crate) use self::processes::claim;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use protocol::frame::Level;
use serde_json::{Value, json};

use crate::case::{By, Case};
use crate::process;
use crate::runtime::{PATIENCE, Runtime, Setup, VICTIM};
use crate::verdict::Verdict;

/// What the core may grow by while something is played: as for a flood (`bus.rs`).
const GROWTH_MAX: u64 = 32 << 20;

/// One case, as the suite plays it. An error says why it cannot be judged.
pub(crate) type Play = fn(&mut Stage<'_>) -> Result<Verdict>;

/// What a play has.
#[derive(Debug)]
pub(crate) struct Stage<'a> {
    pub(crate) runtime: &'a mut Runtime,
    pub(crate) witness: &'a str,
    /// A folder of its own, removed afterwards.
    pub(crate) home: &'a Path,
    pub(crate) attempts: &'a Path,
    pub(crate) level: Level,
}

/// The cases of this folder.
pub(crate) fn cases() -> impl Iterator<Item = Case> {
    let all = [
        files::CASES,
        processes::CASES,
        bus::CASES,
        words::CASES,
        floods::CASES,
        shares::CASES,
        files_of_rules::CASES,
        rules::CASES,
    ];
    all.into_iter().flatten().map(|(id, title, play)| Case {
        id: (*id).to_owned(),
        title: (*title).to_owned(),
        by: By::Play(*play),
    })
}

/// Plays a case, and looks at the core afterwards.
pub(crate) fn act(stage: &mut Stage<'_>, play: Play, case: &Case) -> Result<Verdict> {
    let core = stage.runtime.core();
    let (_, descriptors_before) = process::size(core);
    let seen = process::look(core);
    let verdict = play(stage)?;
    let (_, descriptors) = process::size(core);
    let mut harm = process::look(core).changes(&seen);
    // A link that just ended may still be counted; one that stays is a leak.
    if descriptors > descriptors_before + 8 {
        harm.push(format!(
            "{descriptors} descriptors, {descriptors_before} before"
        ));
    }
    if harm.is_empty() {
        return Ok(match verdict {
            Verdict::Escaped(what) => match case.gap(stage.level) {
                Some(why) => Verdict::Gap(format!("{what}: {why}")),
                None => Verdict::Escaped(what),
            },
            other => other,
        });
    }
    Ok(Verdict::Escaped(format!("the core: {}", harm.join("; "))))
}

impl Stage<'_> {
    /// A supervisor of its own, with these rules; it ends when it is dropped.
    pub(crate) fn own(&self, rules: &str) -> Result<Runtime> {
        self.own_with(Setup {
            rules: Some(rules.to_owned()),
            ..Setup::default()
        })
    }

    /// A supervisor of its own.
    pub(crate) fn own_with(&self, setup: Setup) -> Result<Runtime> {
        let setup = Setup {
            level: Some(self.level),
            ..setup
        };
        Runtime::start(&self.place("own"), self.attempts, &setup)
    }

    /// A new folder below its own.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        let place = self.home.join(name);
        let _ = std::fs::create_dir_all(&place);
        place
    }
}

/// Nothing was touched.
#[allow(clippy::unnecessary_wraps, reason = "the last words of a play")]
pub(super) fn held(how: impl Into<String>) -> Result<Verdict> {
    Ok(Verdict::Held(how.into()))
}

/// It got through.
#[allow(clippy::unnecessary_wraps, reason = "the last words of a play")]
pub(super) fn escaped(what: impl Into<String>) -> Result<Verdict> {
    Ok(Verdict::Escaped(what.into()))
}

/// The harmless twin: what must be possible, or holding the attempt proves nothing.
pub(super) fn twin(is_so: bool, what: &str) -> Result<()> {
    ensure!(is_so, "its harmless twin failed: {what}");
    Ok(())
}

/// A player of the attackers' provider, or of the victim's.
pub(super) fn player(runtime: &mut Runtime, provider: &str, config: Value) -> Result<String> {
    Ok(runtime.deploy_of(provider, "Player", config)?.address)
}

/// A player of the victim's provider that answers everything with 200.
pub(super) fn willing(runtime: &mut Runtime) -> Result<String> {
    player(runtime, VICTIM, json!({ "answers": true, "accepts": true }))
}

/// Has a player say something.
pub(super) fn play(runtime: &mut Runtime, player: &str, messages: &[Value]) -> Result<()> {
    runtime.tell(player, &json!({ "play": messages }))
}

/// What a player heard, and what it was answered, since it was asked last.
pub(super) fn heard(runtime: &mut Runtime, player: &str) -> Result<(Vec<Value>, Vec<Value>)> {
    let answer = runtime.ask(player, &json!({ "what": "heard" }))?;
    let list = |name: &str| {
        let list = answer.pointer(&format!("/value/{name}"));
        list.and_then(Value::as_array).cloned()
    };
    let heard = list("heard").with_context(|| format!("`{player}` does not answer: {answer}"))?;
    Ok((heard, list("answers").unwrap_or_default()))
}

/// Has a player say something, and waits for so many answers: their numbers.
pub(super) fn answered(
    runtime: &mut Runtime,
    player: &str,
    messages: &[Value],
) -> Result<Vec<Value>> {
    play(runtime, player, messages)?;
    let mut answers = Vec::new();
    until("every message is answered", || {
        answers.extend(heard(runtime, player)?.1);
        // A provisional answer is none.
        let last = answers.iter().filter(|it| code(it) >= 200).count();
        Ok(last >= messages.len())
    })?;
    Ok(answers)
}

/// The number of an answer.
pub(super) fn code(answer: &Value) -> u64 {
    answer.get("code").and_then(Value::as_u64).unwrap_or(0)
}

/// Waits for a named condition.
pub(super) fn until(what: &str, mut is_so: impl FnMut() -> Result<bool>) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !is_so()? {
        ensure!(Instant::now() < deadline, "it never came about that {what}");
        thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// Whether the core has not grown by more than it may.
pub(super) fn growth(core: u32, before: u64) -> Option<String> {
    let (now, _) = process::size(core);
    (now > before + GROWTH_MAX).then(|| format!("the core grew by {} MiB", (now - before) >> 20))
}
