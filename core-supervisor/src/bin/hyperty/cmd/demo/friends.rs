//! Two providers that trust each other as far as a rule says, and a stub.

use protocol::api::bus::TapEntry;
use protocol::api::user_agent::Component;
use serde_json::json;

use super::stage::Stage;
use crate::cmd::ps;
use crate::error::Failure;

const STUB: (&str, &str) = ("weather.example", "protocolstub/loopback");
const STATION: (&str, &str) = ("weather.example", "hyperty/Station");
const BOARD: (&str, &str) = ("family.example", "hyperty/Board");

/// An address of the station's domain that is nowhere in this runtime: the stub
/// speaks for it.
const FAR: &str = "hyperty://weather.example/harbour";

/// Messages shown live; more would push the rest off the screen.
const SHOWN_MAX: usize = 16;

/// Those who talk.
#[derive(Debug)]
pub(super) struct Friends {
    /// Asks and observes.
    pub(super) board: Component,
    /// Reports and answers.
    pub(super) station: Component,
}

/// Deploys the stub, the station and the board.
pub(super) fn arrive(stage: &mut Stage) -> Result<Friends, Failure> {
    stage.step("Two providers and a protocol stub arrive, each locked in a process of its own")?;
    let stub = stage.deploy(STUB, json!({}))?;
    arrived(stage, &stub)?;
    let station = stage.deploy(STATION, json!({}))?;
    arrived(stage, &station)?;
    let board = stage.deploy(BOARD, json!({"station": station.address, "far": FAR}))?;
    arrived(stage, &board)?;
    let pids = [stub.pid, station.pid, board.pid];
    if pids.contains(&None) || pids[0] == pids[1] || pids[1] == pids[2] || pids[0] == pids[2] {
        return Err(stage.stuck("three processes"));
    }
    stage.level = board
        .level
        .map(|level| level.to_string())
        .unwrap_or_default();
    Ok(Friends { board, station })
}

fn arrived(stage: &Stage, component: &Component) -> Result<(), Failure> {
    let Component {
        address,
        state,
        level,
        pid,
        ..
    } = component;
    let level = level.map_or_else(|| "no level".to_owned(), |level| level.to_string());
    let pid = pid.map_or_else(|| "none".to_owned(), |pid| pid.to_string());
    let name = stage.names.short(address);
    stage.good(&format!("{name:28} {state}   {level}   pid {pid}"))
}

/// Waits for a request, a response, a subscription, updates and a message that
/// went through the stub, and shows the traffic meanwhile.
pub(super) fn talk(stage: &mut Stage, friends: &Friends) -> Result<(), Failure> {
    stage.step("They talk. Every message is decided before it is delivered")?;
    stage.show_head()?;
    let (mut looked_at, mut shown) = (0, 0);
    stage.until("requests, responses, a subscription and updates", |stage| {
        let news = stage.messages.get(looked_at..).unwrap_or_default().to_vec();
        looked_at += news.len();
        for entry in &news {
            if shown < SHOWN_MAX && !is_operators(stage, entry) {
                shown += 1;
                stage.show_message(entry)?;
            }
        }
        Ok(Seen::of(stage, friends).is_everything())
    })?;
    let Seen {
        requests,
        responses,
        subscriptions,
        updates,
        through_stub,
    } = Seen::of(stage, friends);
    let counted = [
        count(requests, "request"),
        count(responses, "response"),
        count(subscriptions, "subscription"),
        count(updates, "update"),
    ];
    stage.good(&format!(
        "{}; {through_stub} went through the stub",
        counted.join(", ")
    ))
}

fn count(number: usize, what: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {what}{ending}")
}

/// Whether the board has heard of a change since this message of the tap.
pub(super) fn still_talk(stage: &Stage, friends: &Friends, since: usize) -> bool {
    let mut later = stage.messages.iter().skip(since);
    later.any(|entry| is_update(friends, entry))
}

/// Lists what runs, as `hyperty ps` does.
pub(super) fn list(stage: &mut Stage) -> Result<(), Failure> {
    stage.step("What runs now: hyperty ps")?;
    let listing = stage.components()?;
    stage.show(|style| ps::table(&listing, false, style))
}

#[derive(Debug, Default)]
struct Seen {
    requests: usize,
    responses: usize,
    subscriptions: usize,
    updates: usize,
    through_stub: usize,
}

impl Seen {
    fn of(stage: &Stage, friends: &Friends) -> Self {
        let permitted = || {
            stage
                .messages
                .iter()
                .filter(|entry| entry.verdict == "permit")
        };
        let (board, station) = (&friends.board.address, &friends.station.address);
        let count = |test: &dyn Fn(&TapEntry) -> bool| permitted().filter(|e| test(e)).count();
        Self {
            requests: count(&|e| e.kind == "read" && e.from == *board && e.to == *station),
            responses: count(&|e| e.kind == "response" && e.from == *station && e.to == *board),
            subscriptions: count(&|e| e.kind == "subscribe" && e.from == *board),
            updates: count(&|e| is_update(friends, e)),
            through_stub: count(&|e| e.kind == "response" && e.from == FAR && e.to == *board),
        }
    }

    const fn is_everything(&self) -> bool {
        self.requests > 0
            && self.responses > 0
            && self.subscriptions > 0
            && self.updates > 1
            && self.through_stub > 0
    }
}

// A change of the station's data object, which lives in the station's domain.
fn is_update(friends: &Friends, entry: &TapEntry) -> bool {
    entry.kind == "update"
        && entry.verdict == "permit"
        && entry.to.ends_with("/changes")
        && entry.from.contains(&friends.station.provider)
}

fn is_operators(stage: &Stage, entry: &TapEntry) -> bool {
    [&entry.from, &entry.to]
        .iter()
        .any(|address| stage.names.short(address).starts_with("you"))
}
