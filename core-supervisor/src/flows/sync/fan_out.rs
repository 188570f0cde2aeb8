//! Who is told of what happens to an object: every participant's link, once.
//!
//! A change goes to those who observe as of now: whoever policy does not permit
//! to subscribe any more is told so and told nothing else. Who cannot take a
//! message hears once, when there is room again, that there is something to read.

use std::collections::BTreeSet;

use protocol::{Address, MessageKind};
use serde_json::json;

use super::ask::{self, Words};
use super::outward::Outward;
use super::{keep, leave};
use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::judge::{self, Judgement};
use crate::flows::respond;
use crate::ids::{LinkId, ObjectId, OwnerId};
use crate::ingress::AdmittedMessage;
use crate::limits::QUEUE_BYTES_MAX;
use crate::rooms::policy::{Act, Reuse};

/// The links of an object's observers, each once, with one owner on it.
///
/// Not those of `but`, who knows already.
pub(super) fn observers(
    core: &mut Core,
    object: ObjectId,
    but: OwnerId,
    now: Now,
    out: &mut Actions,
) -> Vec<(LinkId, OwnerId)> {
    end_revoked(core, object, now, out);
    let Some(object) = core.rooms.sync.get(object) else {
        return Vec::new();
    };
    let mut links = BTreeSet::new();
    let owners = object.observers.values().filter_map(|o| o.owner);
    let owners = owners.filter(|owner| *owner != but);
    owners
        .filter_map(|owner| Some((core.rooms.registry.standing(owner)?.link?, owner)))
        .filter(|(link, _)| links.insert(*link))
        .collect()
}

/// Hands a change on.
pub(super) fn change(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    judgement: &Judgement,
    object: ObjectId,
    now: Now,
    out: &mut Actions,
) {
    let outward = Outward::new(admitted, judgement);
    for to in observers(core, object, judgement.sender, now, out) {
        let is_behind = core.rooms.sync.behind.is_behind(to.0, object);
        if is_behind || outward.hand(core, to, now, out).is_err() {
            core.rooms.sync.behind.note(to.0, object);
        }
    }
}

/// Tells the observers that there is something to be read.
pub(super) fn say_behind(
    core: &mut Core,
    object: ObjectId,
    but: OwnerId,
    now: Now,
    out: &mut Actions,
) {
    for (link, _) in observers(core, object, but, now, out) {
        core.rooms.sync.behind.note(link, object);
        drained(core, link, now, out);
    }
}

/// A link has room again: it hears of the objects whose changes it missed.
pub(crate) fn drained(core: &mut Core, link: LinkId, now: Now, out: &mut Actions) {
    if core.rooms.sync.behind.is_empty() {
        return;
    }
    // Half empty will do: a link that always has something queued is not deaf.
    let queued = core.gates.get(&link).map_or(0, |gate| gate.queued);
    if queued > QUEUE_BYTES_MAX / 2 {
        return;
    }
    for id in core.rooms.sync.behind.take(link) {
        let Some(object) = core.rooms.sync.get(id) else {
            continue;
        };
        let (from, version) = (object.address.clone(), object.version());
        let source = object.reporter.as_str().to_owned();
        let body = json!({ "version": version, "source": source, "behind": true });
        let Ok(to) = from.join(protocol::api::sync::CHANGES) else {
            continue;
        };
        let text = body.to_string();
        // With a number: nodes drop what has none.
        let number = core.questions.number();
        let message = protocol::Message::new(
            MessageKind::Update,
            from.as_str(),
            to.as_str(),
            text.as_bytes(),
        )
        .with_id(number);
        respond::send(core, link, &protocol::CoreFrame::Deliver(message), out);
        crate::flows::heartbeat::heartbeat_soon(core, link, now);
    }
}

// "At the next message": what is revoked is heard no more (BU-09).
fn end_revoked(core: &mut Core, id: ObjectId, now: Now, out: &mut Actions) {
    let version = core.rooms.policy.version();
    let Some(object) = core.rooms.sync.get(id) else {
        return;
    };
    let address = object.address.clone();
    let stale = object.observers.iter().filter_map(|(url, observer)| {
        let owner = observer
            .owner
            .filter(|_| observer.permitted_by != version)?;
        Some((url.parse::<Address>().ok()?, owner))
    });
    let stale: Vec<(Address, OwnerId)> = stale.collect();
    for (url, owner) in stale {
        match permitted(core, owner, (&url, &address), now) {
            Ok(permitted_by) => {
                let object = core.rooms.sync.get_mut(id);
                let observer = object.and_then(|o| o.observers.get_mut(url.as_str()));
                if let Some(observer) = observer {
                    observer.permitted_by = permitted_by;
                }
            }
            Err(reason) => revoke(core, id, (&url, &address), &reason, now, out),
        }
    }
}

/// Whether somebody may observe an object now: the version that holds for, or why not.
pub(super) fn permitted(
    core: &mut Core,
    owner: OwnerId,
    (observer, object): (&Address, &Address),
    now: Now,
) -> Result<u64, respond::Refusal> {
    let act = Act::Message("subscribe");
    let (permit, reuse, decision) = judge::decide(core, act, owner, (observer, object), &[], now);
    if !permit {
        let reason = judge::reason(core, decision);
        let refusal = respond::Refusal::new(protocol::Code::FORBIDDEN, "deny", reason);
        return Err(refusal.decided(decision));
    }
    Ok(if reuse == Reuse::Version {
        core.rooms.policy.version()
    } else {
        0
    })
}

// What published observers understand: they let go of the object.
fn revoke(
    core: &mut Core,
    id: ObjectId,
    (observer, object): (&Address, &Address),
    refusal: &respond::Refusal,
    now: Now,
    out: &mut Actions,
) {
    let changes = leave::forget(core, id, observer.as_str());
    keep::only(core, changes, out);
    let Ok(from) = object.join(protocol::api::sync::SUBSCRIPTION) else {
        return;
    };
    let body = json!({
        "resource": object.as_str(),
        "code": refusal.code.0,
        "desc": refusal.reason,
        "description": refusal.reason,
    });
    let words = Words {
        kind: MessageKind::Delete,
        from: from.as_str(),
        to: observer,
        body: &body,
    };
    ask::tell(core, words, now, out);
}
