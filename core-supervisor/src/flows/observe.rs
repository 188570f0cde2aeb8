//! What is shown of the traffic, and what components write.
//!
//! While nobody taps, a delivered message costs three counters.

use std::time::Duration;

use protocol::api::bus::TapEntry;
use protocol::api::sandboxes::{LogBatch, LogLine};
use protocol::frame::{Log, LogLevel};
use protocol::limits::LOG_BYTES_MAX;
use protocol::{Address, CoreFrame, Message, MessageKind};

use crate::core::Core;
use crate::event::{Action, Actions, Now};
use crate::flows::judge::{self, Judgement};
use crate::flows::respond::{self, Refusal};
use crate::ids::{LinkId, OwnerId};
use crate::ingress::{AdmittedMessage, Fault, LinkKind};
use crate::quota::Quota;
use crate::rooms::sandboxes::{Line, escape};

/// A message went to a receiver, or to a room.
pub(crate) fn delivered(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    judgement: &Judgement,
    receiver: Option<(OwnerId, Option<Duration>)>,
    now: Now,
) {
    core.rooms.bus.numbers.delivered += 1;
    core.rooms.bus.numbers.by_slot += u64::from(admitted.body_in.is_some());
    if let OwnerId::Component(id) = judgement.sender
        && let Some(traffic) = core.rooms.user_agent.traffic_mut(id)
    {
        traffic.sent += 1;
    }
    if let Some((OwnerId::Component(id), _)) = receiver
        && let Some(traffic) = core.rooms.user_agent.traffic_mut(id)
    {
        traffic.received += 1;
    }
    if core.rooms.bus.taps.is_empty() {
        return;
    }
    let mut entry = entry(core, admitted, now);
    "permit".clone_into(&mut entry.verdict);
    entry.decision = judgement.decision.to_string();
    entry.rule = judge::rule(core, judgement.decision);
    let latency = receiver.and_then(|(_, latency)| latency);
    entry.latency_us = latency.map(|span| u64::try_from(span.as_micros()).unwrap_or(u64::MAX));
    core.rooms.bus.taps.push(&entry, now.mono);
}

/// A message was refused.
pub(crate) fn refused(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    judgement: Option<&Judgement>,
    refusal: &Refusal,
    now: Now,
) {
    let numbers = &mut core.rooms.bus.numbers;
    if refusal.gate == "deny" {
        numbers.denied += 1;
    } else {
        numbers.refused += 1;
    }
    let sender = match judgement {
        Some(judgement) => Some(judgement.sender),
        None => only_component(core, admitted.link),
    };
    if let Some(OwnerId::Component(id)) = sender
        && let Some(traffic) = core.rooms.user_agent.traffic_mut(id)
    {
        traffic.refused += 1;
    }
    if core.rooms.bus.taps.is_empty() {
        return;
    }
    let entry = entry(core, admitted, now);
    push_refusal(core, entry, refusal, now);
}

fn push_refusal(core: &mut Core, mut entry: TapEntry, refusal: &Refusal, now: Now) {
    refusal.gate.clone_into(&mut entry.verdict);
    entry.decision = refusal
        .decision
        .map(|id| id.to_string())
        .unwrap_or_default();
    entry.rule = match refusal.decision {
        Some(decision) => judge::rule(core, decision),
        None => refusal.reason.clone(),
    };
    core.rooms.bus.taps.push(&entry, now.mono);
}

/// A room turned down a request that had reached it.
pub(crate) fn turned_down(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    refusal: &Refusal,
    now: Now,
) {
    if core.rooms.bus.taps.is_empty() {
        return;
    }
    let entry = entry(core, admitted, now);
    push_refusal(core, entry, refusal, now);
}

/// The runtime said something of its own accord.
pub(crate) fn said(core: &mut Core, message: &Message<'_>, now: Now) {
    if core.rooms.bus.taps.is_empty() {
        return;
    }
    let mut entry = entry_of(core, message, message.body.len(), now);
    "permit".clone_into(&mut entry.verdict);
    "the runtime says so".clone_into(&mut entry.rule);
    core.rooms.bus.taps.push(&entry, now.mono);
}

/// A component wrote a line.
pub(crate) fn log(
    core: &mut Core,
    link: LinkId,
    log: &Log<'_>,
    text: &[u8],
    now: Now,
    out: &mut Actions,
) -> Result<(), Fault> {
    let Some(gate) = core.gates.get_mut(&link) else {
        return Ok(());
    };
    let count = gate.logged.count(now.mono, Duration::from_secs(1));
    let most = gate.quotas.of(Quota::LogLines);
    if u64::from(count) > most {
        return Ok(());
    }
    let (component, name) = writer(core, link, log.component)?;
    let text = escape(&String::from_utf8_lossy(text), LOG_BYTES_MAX);
    let line = |level, text: String| LogLine {
        at_us: now.wall_us,
        component: component.clone(),
        level,
        text,
        place: escape(log.place, 256),
    };
    write(
        core,
        Line {
            line: line(log.level, text),
            name: name.clone(),
        },
        out,
    );
    if u64::from(count) == most {
        let text = format!(
            "more than {most} lines within a second (`limits.logLines`): the rest of them is left out"
        );
        write(
            core,
            Line {
                line: line(LogLevel::Warn, text),
                name,
            },
            out,
        );
    }
    Ok(())
}

/// The core writes a line about a component.
pub(crate) fn note(
    core: &mut Core,
    about: &Address,
    name: &str,
    level: LogLevel,
    text: &str,
    now: Now,
    out: &mut Actions,
) {
    let line = LogLine {
        at_us: now.wall_us,
        component: about.as_str().to_owned(),
        level,
        text: escape(text, LOG_BYTES_MAX),
        place: String::new(),
    };
    out.list.push(Action::Record {
        level,
        text: format!("component={about} {}", line.text),
    });
    write(
        core,
        Line {
            line,
            name: name.to_owned(),
        },
        out,
    );
}

/// A component may not listen to an address.
pub(crate) fn not_listening(
    core: &mut Core,
    about: &Address,
    address: &str,
    reason: &str,
    now: Now,
    out: &mut Actions,
) {
    let text = format!("may not listen to `{}`: {reason}", escape(address, 256));
    note(core, about, "", LogLevel::Warn, &text, now, out);
}

/// Sends the tap batches that are due.
pub(crate) fn flush_taps(core: &mut Core, now: Now, out: &mut Actions) {
    let from = core.room_address(protocol::api::bus::PATH);
    for (link, to, batch) in core.rooms.bus.taps.take_due(now.mono) {
        let body = respond::valued(&batch);
        update(core, link, &from, &to, &body, out);
    }
}

/// Sends an `update` of a room to whoever watches it.
pub(crate) fn update(
    core: &mut Core,
    link: LinkId,
    from: &str,
    to: &str,
    body: &[u8],
    out: &mut Actions,
) {
    let message = Message::new(MessageKind::Update, from, to, body);
    respond::send(core, link, &CoreFrame::Deliver(message), out);
}

fn write(core: &mut Core, line: Line, out: &mut Actions) {
    let from = core.room_address(protocol::api::sandboxes::PATH);
    let followers: Vec<_> = core
        .rooms
        .sandboxes
        .journal
        .followers_of(&line)
        .map(|follower| (follower.link, follower.address.clone()))
        .collect();
    for (link, to) in followers {
        let batch = LogBatch {
            lines: vec![line.line.clone()],
            missed: 0,
        };
        update(core, link, &from, &to, &respond::valued(&batch), out);
    }
    core.rooms.sandboxes.journal.keep(line);
}

// The host itself writes without naming a component; it is then spoken of as its sandbox.
fn writer(core: &Core, link: LinkId, component: &str) -> Result<(String, String), Fault> {
    if component.is_empty() {
        let name = match core.gates.get(&link).map(|gate| gate.kind) {
            Some(LinkKind::Sandbox(sandbox)) => format!("sandbox {sandbox}"),
            _ => "application".to_owned(),
        };
        return Ok((core.room_address(protocol::api::sandboxes::PATH), name));
    }
    let foreign = || Fault::Component(component.to_owned());
    let address: Address = component.parse().map_err(|_| foreign())?;
    // A component that is being removed may still have lines under way.
    let owner = core.rooms.registry.owner_of(&address);
    let standing = owner.and_then(|owner| core.rooms.registry.standing(owner));
    match standing {
        Some(standing) if standing.link == Some(link) => {
            Ok((standing.home.as_str().to_owned(), standing.name.clone()))
        }
        Some(_) => Err(foreign()),
        None => Ok((address.as_str().to_owned(), String::new())),
    }
}

// Whose a message is that nobody could have sent under its `from`: certain only
// where a link serves one component.
fn only_component(core: &Core, link: LinkId) -> Option<OwnerId> {
    let LinkKind::Sandbox(sandbox) = core.gates.get(&link)?.kind else {
        return None;
    };
    match core.rooms.sandboxes.get(sandbox)?.components.as_slice() {
        [component] => Some(OwnerId::Component(*component)),
        _ => None,
    }
}

fn entry(core: &Core, admitted: &AdmittedMessage<'_>, now: Now) -> TapEntry {
    entry_of(core, &admitted.message, admitted.body_bytes(), now)
}

fn entry_of(core: &Core, message: &Message<'_>, bytes: usize, now: Now) -> TapEntry {
    let header = &message.header;
    let body = core.rooms.bus.taps.wants_bodies();
    TapEntry {
        at_us: now.wall_us,
        from: escape(header.from, 1024),
        to: escape(header.to, 1024),
        kind: header.kind.as_str().to_owned(),
        id: header.id,
        bytes: bytes as u64,
        body: body.then(|| crate::rooms::bus::redact(message.body)),
        ..TapEntry::default()
    }
}
