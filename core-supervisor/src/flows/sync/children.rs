//! The children of an object: what any participant shares with all others.
//!
//! told → the copy is changed → noted for the disk → everybody else is told
//!
//! A `create` of an observer waits for the reporter's acknowledgement, which is
//! its first answer (code 100): who shares with nobody at the other end is told.

use protocol::api::sync::{Child as Shared, Create, Delta};
use protocol::{Code, MessageKind, Reply};
use serde_json::{Map, Value};

use super::outward::Outward;
use super::{change, fan_out, keep, relation, selected};
use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::judge::Judgement;
use crate::flows::respond::Refusal;
use crate::flows::serve::{self, Asked, Served};
use crate::flows::{hold, observe};
use crate::ids::{LinkId, ObjectId, OwnerId};
use crate::ingress::AdmittedMessage;
use crate::rooms::bus::Goes;
use crate::rooms::policy::Relation;
use crate::rooms::sync::{Bad, Child, Role};

/// The old store writes a single child under this prefix (spec services §1.8).
const OLD_PREFIX: &str = "undefined.";

/// A message to `<object>/children/`.
pub(super) fn told(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    judgement: &Judgement,
    id: ObjectId,
    now: Now,
    out: &mut Actions,
) -> Result<(), Refusal> {
    let header = &admitted.message.header;
    let writer = participant(core, judgement, id, header.from)?;
    let is_reporter = writer.1 == Relation::Reporter;
    let receivers = receivers(core, id, judgement.sender, now, out);
    let reporter = reporter(core, id);
    let waits = header.kind == MessageKind::Create && !is_reporter;
    if waits && reporter.is_none() {
        let reason = "the reporter of the object is not running: share it when it is";
        return Err(Refusal::new(Code::UNAVAILABLE, "down", reason));
    }
    if header.kind != MessageKind::Event {
        shared(core, admitted, id, &writer.0, now)?;
        keep::note_due(core);
    }
    if let (true, Some((link, _))) = (waits, reporter) {
        hold::hold_until(core, admitted, &[link], Goes::OutOnce, now)?;
    }
    observe::delivered(core, admitted, judgement, None, now);
    let outward = Outward::new(admitted, judgement);
    for to in receivers {
        if outward.hand(core, to, now, out).is_err() {
            core.rooms.sync.behind.note(to.0, id);
        }
    }
    if !waits {
        change::done(core, admitted, out);
    }
    Ok(())
}

/// A `create` with `attribute` to `/sm`: an observer's library stores what it read.
///
/// What the core heard on the channel it has already, so only what is new and the
/// sender's own is taken in. Published runtimes do not answer it.
pub(super) fn kept(
    core: &mut Core,
    asked: &Asked<'_>,
    create: Create,
    out: &mut Actions,
) -> Served {
    let id = selected(core, &create.resource)?;
    let from = super::from(asked)?;
    let Some(object) = core.rooms.sync.get(id) else {
        return Err(Refusal::not_found("the object is gone"));
    };
    let relation = relation::to_object(core, asked.owner, &from, object);
    if relation == Relation::Stranger {
        return Err(stranger());
    }
    let attribute = create.attribute.unwrap_or_default();
    let children = match (attribute.as_str(), create.value) {
        ("childrenObjects", Value::Object(children)) => children,
        (_, Value::Object(child)) => {
            let name = attribute.strip_prefix(OLD_PREFIX).unwrap_or(&attribute);
            Map::from_iter([(name.to_owned(), Value::Object(child))])
        }
        _ => return Err(Refusal::bad_request("`value` is not an object")),
    };
    for (name, stored) in children {
        store(core, id, (&name, stored), (&from, relation), asked.now)?;
    }
    keep::note_due(core);
    let _ = out;
    match asked.header().reply {
        Reply::Within(_) => serve::done(),
        Reply::Unwanted | Reply::Untimed => Ok(serve::Answer::Later),
    }
}

fn store(
    core: &mut Core,
    id: ObjectId,
    (name, stored): (&str, Value),
    (from, relation): (&protocol::Address, Relation),
    now: Now,
) -> Result<(), Refusal> {
    let object = core.rooms.sync.get(id);
    if object.is_some_and(|object| object.children.get(name).is_some()) {
        return Ok(());
    }
    let mut members = match stored {
        Value::Object(members) => members,
        other => Map::from_iter([("value".to_owned(), other)]),
    };
    let value = members.remove("value").unwrap_or_default();
    let identity = members.remove("identity").unwrap_or_default();
    // Its creator is who it says; another's child only the reporter vouches for.
    let said = value.get("reporter").and_then(Value::as_str);
    let creator = match (relation, said) {
        (Relation::Reporter, Some(said)) => said.to_owned(),
        _ => from.as_str().to_owned(),
    };
    let child = Child::new(&creator, identity, value);
    core.rooms.sync.put_child(id, (name, child), now.mono)?;
    Ok(())
}

// What is said about a child is done to the copy.
fn shared(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    id: ObjectId,
    writer: &str,
    now: Now,
) -> Result<(), Refusal> {
    let text = admitted.message.body;
    let bad = |bad: serde_json::Error| Bad::Malformed(format!("the body of a child: {bad}"));
    let shared: Shared = serde_json::from_slice(text).map_err(bad)?;
    let name = shared.resource.as_str();
    let sync = &mut core.rooms.sync;
    match admitted.message.header.kind {
        MessageKind::Create => {
            let child = Child::new(writer, shared.identity.unwrap_or_default(), shared.value);
            sync.put_child(id, (name, child), now.mono)?;
        }
        MessageKind::Update => {
            let delta: Delta = serde_json::from_slice(text).map_err(bad)?;
            sync.change_child(id, (name, writer), delta, now.mono)?;
        }
        MessageKind::Delete => sync.remove_child(id, (name, writer), now.mono)?,
        _ => return Err(super::not_understood("children", &admitted.message.header)),
    }
    Ok(())
}

// Under which name the sender takes part, and as what.
fn participant(
    core: &Core,
    judgement: &Judgement,
    id: ObjectId,
    from: &str,
) -> Result<(String, Relation), Refusal> {
    let Some(object) = core.rooms.sync.get(id) else {
        return Err(Refusal::not_found("the object is gone"));
    };
    let is_reporter = relation::is_reporter(core, judgement.sender, object);
    if is_reporter && object.role == Role::Reported {
        return Ok((object.reporter.as_str().to_owned(), Relation::Reporter));
    }
    let from = super::parse("from", from)?;
    if is_reporter {
        // Its domain's stub carries what all participants elsewhere share.
        return Ok((from.as_str().to_owned(), Relation::Reporter));
    }
    match relation::name(core, judgement.sender, &from, object) {
        Some(name) => Ok((name, Relation::Observer)),
        None => Err(stranger()),
    }
}

fn stranger() -> Refusal {
    let reason = "only who reports or observes an object shares its children: subscribe first";
    Refusal::new(Code::FORBIDDEN, "no-participant", reason)
}

// Everybody who takes part, but not the sender: each link once.
fn receivers(
    core: &mut Core,
    id: ObjectId,
    sender: OwnerId,
    now: Now,
    out: &mut Actions,
) -> Vec<(LinkId, OwnerId)> {
    let mut receivers = fan_out::observers(core, id, sender, now, out);
    if let Some((link, owner)) = reporter(core, id)
        && owner != sender
        && receivers.iter().all(|(known, _)| *known != link)
    {
        receivers.push((link, owner));
    }
    receivers
}

fn reporter(core: &Core, id: ObjectId) -> Option<(LinkId, OwnerId)> {
    let object = core.rooms.sync.get(id)?;
    match object.role {
        Role::Reported => super::ask::receiver(core, &object.reporter).ok(),
        Role::Followed => super::ask::receiver(core, &object.address).ok(),
    }
}
