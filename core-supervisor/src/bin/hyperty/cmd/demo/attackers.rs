//! A third provider that nobody permitted anything, and what becomes of it.

use protocol::api::bus::TapEntry;
use protocol::api::policy::{self, Explanation, Verdict, Why};
use protocol::api::user_agent::{self, Component, Select};
use serde_json::{Value, json};

use super::friends::{Friends, still_talk};
use super::stage::Stage;
use crate::cmd::why;
use crate::error::Failure;

const FORGER: (&str, &str) = ("mallory.example", "hyperty/Forger");
const ESCAPEE: (&str, &str) = ("mallory.example", "hyperty/Escapee");

/// Denials and forgeries shown of each kind; the rest is counted.
const SHOWN_MAX: usize = 3;

/// Ways out that are shown; the rest is counted.
const WAYS_SHOWN_MAX: usize = 6;

/// What was seen of the forger.
#[derive(Debug, Default)]
struct Forgery {
    /// The first decision that refused its flood.
    decision: String,
    denials: usize,
    forgeries: usize,
}

/// Lets a script flood a stranger and then speak in another's name. Returns the
/// decision that refused it.
pub(super) fn forge(stage: &mut Stage, friends: &Friends) -> Result<String, Failure> {
    stage.step("A hostile script floods a stranger, then speaks in somebody else's name")?;
    let mut looked_at = stage.messages.len();
    let names = json!({"victim": friends.board.address, "as": friends.station.address});
    let forger = stage.deploy(FORGER, names)?;
    stage.show_head()?;
    let (mut seen, mut refused, mut reason) = (Forgery::default(), 0, String::new());
    stage.until("the forger being cut off", |stage| {
        let news = stage.messages.get(looked_at..).unwrap_or_default().to_vec();
        looked_at += news.len();
        for entry in &news {
            if entry.verdict == "permit" && entry.from == forger.address {
                return Err(stage.stuck("the flood being refused"));
            }
            if seen.is_worth_showing(entry, &forger) {
                stage.show_message(entry)?;
            }
        }
        (refused, reason) = fate(stage, &forger)?;
        Ok(!seen.decision.is_empty() && seen.forgeries > 0 && !reason.is_empty())
    })?;
    let forgeries = seen.forgeries;
    stage.refused(&format!(
        "{refused} messages of the flood: no rule permits them"
    ))?;
    stage.refused(&format!(
        "{forgeries} forged senders: the link says who sends, not the message"
    ))?;
    let name = stage.names.short(&forger.address);
    stage.refused(&format!("{name}: its sandbox {reason}"))?;
    remove(stage, &forger)?;
    Ok(seen.decision)
}

impl Forgery {
    // Counts a message of the forger; the first few of each kind are shown.
    fn is_worth_showing(&mut self, entry: &TapEntry, forger: &Component) -> bool {
        if entry.from == forger.address && entry.verdict == "deny" {
            self.denials += 1;
            if self.decision.is_empty() {
                self.decision.clone_from(&entry.decision);
            }
            return self.denials <= SHOWN_MAX;
        }
        if entry.verdict == "forged-from" {
            self.forgeries += 1;
            return self.forgeries <= SHOWN_MAX;
        }
        false
    }
}

/// Lets a program try every way out. Returns how many it tried.
pub(super) fn escape(stage: &mut Stage, friends: &Friends) -> Result<usize, Failure> {
    stage.step("A hostile program tries to leave its sandbox")?;
    let (lines_before, messages_before) = (stage.lines.len(), stage.messages.len());
    let escapee = stage.deploy(ESCAPEE, json!({}))?;
    let (mut looked_at, mut ways, mut reason) = (lines_before, 0, String::new());
    stage.until("the escapee being killed", |stage| {
        // Its lines left before the news of its end: take them in first.
        (_, reason) = fate(stage, &escapee)?;
        stage.look()?;
        let news = stage.lines.get(looked_at..).unwrap_or_default().to_vec();
        looked_at += news.len();
        for line in &news {
            if line.component != escapee.address {
                continue;
            }
            if line.text.starts_with("ESCAPED") {
                return Err(stage
                    .stuck("every way out being closed")
                    .fact("but", &*line.text));
            }
            if let Some(way) = line.text.strip_prefix("refused: ") {
                ways += 1;
                if ways <= WAYS_SHOWN_MAX {
                    stage.refused(way)?;
                }
            }
        }
        Ok(ways > 0 && !reason.is_empty())
    })?;
    if ways > WAYS_SHOWN_MAX {
        stage.refused(&format!("and {} more ways out", ways - WAYS_SHOWN_MAX))?;
    }
    let name = stage.names.short(&escapee.address);
    stage.refused(&format!("{name}: its sandbox {reason}"))?;
    remove(stage, &escapee)?;
    stage.until("the others going on", |stage| {
        Ok(still_talk(stage, friends, messages_before))
    })?;
    stage.good("the others went on talking meanwhile")?;
    Ok(ways)
}

/// Explains one denial, as `hyperty why` does.
pub(super) fn explain(stage: &mut Stage, decision: &str) -> Result<(), Failure> {
    stage.step(&format!(
        "Why was the flood refused? hyperty why {decision}"
    ))?;
    let question = Why {
        decision: decision.to_owned(),
        ..Why::default()
    };
    let explanation: Explanation = stage.session.ask(policy::PATH, "read", &question)?;
    if explanation.verdict == Verdict::Permitted {
        return Err(stage.stuck("a decision that says no"));
    }
    stage.show(|style| why::text(&explanation, style))
}

// How many of its messages were refused, and why it does not run any more; no
// reason while it does.
fn fate(stage: &mut Stage, component: &Component) -> Result<(u64, String), Failure> {
    let now = stage.component(&component.address)?;
    let Some(now) = now else {
        return Ok((0, "is gone".to_owned()));
    };
    let is_first_life = now.state == "running" && now.restarts == 0;
    let reason = if is_first_life {
        String::new()
    } else {
        now.reason
    };
    Ok((now.refused, reason))
}

// It would be started again after a pause, and do the same again.
fn remove(stage: &mut Stage, component: &Component) -> Result<(), Failure> {
    let select = Select {
        resource: component.address.clone(),
        ..Select::default()
    };
    let _: Value = stage.session.ask(user_agent::PATH, "delete", &select)?;
    Ok(())
}
