//! What waits: requests for their answers, and bytes for their receivers.

use std::time::Duration;

use protocol::limits::REPLY_WAIT_MS_MAX;
use protocol::{Code, Reply};

use crate::core::Core;
use crate::event::Now;
use crate::flows::respond::Refusal;
use crate::ids::LinkId;
use crate::ingress::{AdmittedMessage, Gate};
use crate::limits::{
    PENDING_MAX, PENDING_PER_LINK_MAX, QUEUE_BYTES_MAX, QUEUE_BYTES_SHARE, QUEUED_BYTES_MAX,
    UNTIMED_WAIT,
};
use crate::quota::Quota;
use crate::rooms::bus::{Asked, Goes, Key, Pending};

// Notes a request that wants an answer, so that it gets exactly one.
pub(crate) fn hold(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    answerers: &[LinkId],
    now: Now,
) -> Result<(), Refusal> {
    hold_until(core, admitted, answerers, Goes::Out, now)
}

/// The same for a request whose answers end it in another way.
pub(crate) fn hold_until(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    answerers: &[LinkId],
    goes: Goes,
    now: Now,
) -> Result<(), Refusal> {
    let header = &admitted.message.header;
    let (wait, is_timed) = match header.reply {
        Reply::Unwanted => return Ok(()),
        Reply::Untimed => (UNTIMED_WAIT, false),
        Reply::Within(ms) => (
            Duration::from_millis(u64::from(ms.min(REPLY_WAIT_MS_MAX))),
            true,
        ),
    };
    let link = admitted.link;
    let bus = &mut core.rooms.bus;
    let Some(gate) = core.gates.get_mut(&link) else {
        return Ok(());
    };
    let most = u32::try_from(gate.quotas.of(Quota::Pending)).unwrap_or(u32::MAX);
    let key = bus.pending.key(header.from, header.id);
    let is_retry = bus.pending.find(key, header.from, header.id).is_some();
    if !is_retry && gate.pending >= most {
        forget_oldest(&mut bus.pending, gate, link);
    }
    if !is_retry && (gate.pending >= most || bus.pending.len() >= PENDING_MAX) {
        return Err(Refusal::busy(format!(
            "{} requests of this link wait for their answers already, its share; try later",
            gate.pending
        )));
    }
    let asked = Asked {
        from: header.from,
        to: header.to,
        kind: header.kind.as_str(),
        id: header.id,
        asker: link,
        goes,
        since: now.mono,
        deadline: now.mono + wait,
        is_timed,
    };
    let Some(request) = bus.pending.open(key, asked) else {
        return Err(Refusal::busy("try again under another number"));
    };
    request.answerers.extend_from_slice(answerers);
    if !is_retry {
        gate.pending += 1;
        if !is_timed {
            note_untimed(&bus.pending, gate, link, key);
        }
    }
    Ok(())
}

// Scripts cannot say whether they want an answer: one that only tells would fill
// its share with requests that nobody will ever answer. The oldest is as good as
// forgotten by its sender, whose own bus has given up long before.
fn forget_oldest(pending: &mut Pending, gate: &mut Gate, link: LinkId) {
    while let Some(key) = gate.untimed.pop_front() {
        if pending.forget(key, link) {
            gate.pending = gate.pending.saturating_sub(1);
            return;
        }
    }
}

// Most of those noted have been answered since, and only those are dropped: half of
// the places at least each time, so that noting costs the same however many wait.
fn note_untimed(pending: &Pending, gate: &mut Gate, link: LinkId, key: Key) {
    if gate.untimed.len() >= 2 * PENDING_PER_LINK_MAX as usize {
        gate.untimed.retain(|key| pending.is_waiting(*key, link));
    }
    gate.untimed.push_back(key);
}

pub(crate) fn release(core: &mut Core, admitted: &AdmittedMessage<'_>) {
    let header = &admitted.message.header;
    let pending = &mut core.rooms.bus.pending;
    let key = pending.key(header.from, header.id);
    if pending.find(key, header.from, header.id).is_some() {
        pending.close(key);
        uncharge(core, admitted.link);
    }
}

/// A request of this link does not wait any more.
pub(crate) fn uncharge(core: &mut Core, asker: LinkId) {
    if let Some(gate) = core.gates.get_mut(&asker) {
        gate.pending = gate.pending.saturating_sub(1);
    }
}

/// Whether whoever asks something of the core takes the answers that it has already:
/// an answer may be a hundred times as long as the question.
pub(crate) fn reads_answers(core: &Core, link: LinkId) -> Result<(), Refusal> {
    match core.gates.get(&link) {
        Some(gate) if gate.queued > QUEUE_BYTES_MAX => Err(Refusal::busy(format!(
            "{} bytes of answers wait for this link already: read them, then ask again",
            gate.queued
        ))),
        _ => Ok(()),
    }
}

pub(crate) fn room_for(core: &Core, link: LinkId, bytes: usize) -> Result<(), Refusal> {
    match core.gates.get(&link) {
        // A message longer than the share reaches who has nothing waiting, for as long as
        // not too many such messages wait.
        Some(gate)
            if core.queued > QUEUED_BYTES_MAX
                && gate.queued + bytes > QUEUE_BYTES_SHARE
                && (gate.queued > 0 || core.queued > 2 * QUEUED_BYTES_MAX) =>
        {
            Err(Refusal::busy(format!(
                "{} bytes wait for receivers that do not read, and this one has its share of \
                 {QUEUE_BYTES_SHARE}; try later",
                core.queued
            )))
        }
        Some(gate) if gate.queued + bytes <= QUEUE_BYTES_MAX => Ok(()),
        Some(_) => Err(Refusal::busy(format!(
            "the receiver does not read: {QUEUE_BYTES_MAX} bytes wait for it already; try later"
        ))),
        None => Err(Refusal::new(
            Code::UNAVAILABLE,
            "down",
            "the receiver is not running now",
        )),
    }
}
