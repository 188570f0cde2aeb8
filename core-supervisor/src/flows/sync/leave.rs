//! An observer leaves; a component goes down, for a while or for good.

use protocol::api::sync::{PATH, SUBSCRIPTION, Select};
use protocol::{Address, MessageKind};
use serde_json::json;

use super::ask::{self, Words};
use super::{body, delete, from, identity, keep, relation, route, selected};
use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::persist;
use crate::flows::respond::Refusal;
use crate::flows::serve::{Asked, Served};
use crate::ids::{ObjectId, OwnerId, RoomName};
use crate::party::PartyKind;
use crate::rooms::sync::Role;
use crate::store::Change;

/// An `unsubscribe` to `/sm`.
pub(super) fn unsubscribed(core: &mut Core, asked: &Asked<'_>, out: &mut Actions) -> Served {
    let select: Select = body::read(asked)?;
    let id = selected(core, &select.resource)?;
    let observer = from(asked)?;
    persist::has_room(core, asked.admitted.link)?;
    let Some(object) = core.rooms.sync.get(id) else {
        return Err(Refusal::not_found("the object is gone"));
    };
    let Some(name) = relation::name(core, asked.owner, &observer, object) else {
        let reason = format!("`{observer}` does not observe `{}`", object.address);
        return Err(Refusal::not_found(reason));
    };
    let (address, reporter) = (object.address.clone(), object.reporter.clone());
    if object.role == Role::Followed {
        return far_left(core, asked, id, (&address, &observer, &name), out);
    }
    let changes = forget(core, id, &name);
    let body = json!({
        "type": "unsubscribe",
        "from": name,
        "to": address.as_str(),
        "identity": identity::of(core, &observer),
    });
    let words = Words {
        kind: MessageKind::Forward,
        from: address.as_str(),
        to: &reporter,
        body: &body,
    };
    ask::tell(core, words, asked.now, out);
    keep::and_answer(core, changes, asked, br#"{"code":200}"#.to_vec(), out)
}

// The reporter's runtime is told; the last one here takes the copy along.
fn far_left(
    core: &mut Core,
    asked: &Asked<'_>,
    id: ObjectId,
    (address, observer, name): (&Address, &Address, &str),
    out: &mut Actions,
) -> Served {
    let mut changes = forget(core, id, name);
    let body = json!({ "source": name, "identity": identity::of(core, observer) });
    let room = core.published_room(PATH);
    if let Ok(to) = address.join(SUBSCRIPTION) {
        let words = Words {
            kind: MessageKind::Unsubscribe,
            from: &room,
            to: &to,
            body: &body,
        };
        ask::tell(core, words, asked.now, out);
    }
    let object = core.rooms.sync.get(id);
    if object.is_some_and(|object| object.observers.is_empty()) {
        let routes = route::observed(address);
        route::close(core, address, &routes, observer, asked.now, out);
        let gone = delete::remove(core, id);
        changes.extend(gone.into_iter().flat_map(|(_, rows)| rows));
    }
    keep::and_answer(core, changes, asked, br#"{"code":200}"#.to_vec(), out)
}

/// Takes an observer out of an object; gives back what to write.
pub(super) fn forget(core: &mut Core, id: ObjectId, observer: &str) -> Vec<Change> {
    if let Some(object) = core.rooms.sync.get_mut(id) {
        object.observers.remove(observer);
        core.epoch += 1;
    }
    core.rooms.sync.remembered(id, observer)
}

/// A component has no link any more: it observes nothing until it comes back.
pub(crate) fn taken_down(core: &mut Core, owner: OwnerId) {
    for (id, url) in core.rooms.sync.live_for(owner) {
        let object = core.rooms.sync.get_mut(id);
        if let Some(observer) = object.and_then(|object| object.observers.get_mut(&url)) {
            observer.owner = None;
        }
    }
    core.epoch += 1;
}

/// A stub runs: whom it speaks for, and who observed something, goes on.
pub(crate) fn stub_up(core: &mut Core, stub: OwnerId) {
    let registry = &core.rooms.registry;
    let standing = registry.standing(stub);
    if standing.is_none_or(|standing| standing.kind != PartyKind::ProtoStub) {
        return;
    }
    let is_its = |url: &str| {
        let address = url.parse::<Address>().ok();
        address.is_some_and(|a| {
            registry.owner_of(&a).is_none() && registry.stub_for(a.domain()) == Some(stub)
        })
    };
    for object in core.rooms.sync.iter_mut() {
        let gone = object
            .observers
            .iter_mut()
            // Who lives here and is not deployed yet comes back by itself.
            .filter(|(_, o)| o.is_far && o.owner.is_none());
        for (_, observer) in gone.filter(|(url, _)| is_its(url)) {
            observer.owner = Some(stub);
            observer.permitted_by = 0;
        }
    }
    core.epoch += 1;
}

/// An owner is about to be taken out of the registry.
///
/// A component may be deployed again and take up what it reported; until then
/// the room answers at its objects' addresses. An application's address is never
/// given again: its objects end with it, and it is forgotten as an observer.
pub(crate) fn left(core: &mut Core, owner: OwnerId, now: Now, out: &mut Actions) {
    let is_local = matches!(owner, OwnerId::Local(_));
    if is_local {
        for (id, url) in core.rooms.sync.live_for(owner) {
            let changes = forget(core, id, &url);
            keep::only(core, changes, out);
        }
    }
    taken_down(core, owner);
    let reported: Vec<ObjectId> = {
        let objects = core.rooms.sync.iter();
        let its = objects.filter(|(_, o)| relation::is_reporter(core, owner, o));
        its.map(|(id, _)| id).collect()
    };
    for id in reported {
        if is_local {
            delete::end(core, id, now, out);
        } else if let Some(object) = core.rooms.sync.get(id) {
            let address = object.address.clone();
            core.rooms.registry.unassign(&address, owner);
            let room = OwnerId::Room(RoomName::Sync);
            core.rooms.registry.assign(&address, room);
        }
    }
}
