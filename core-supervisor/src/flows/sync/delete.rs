//! The end of a data object.
//!
//! asked → written → the observers are told → answered
//!
//! The rows go first: an object that its observers have been told is gone must
//! not come back after a power cut.

use protocol::api::sync::{CHANGES, PATH, SUBSCRIPTION, Select};
use protocol::{Address, MessageKind};
use serde_json::json;

use super::ask::{self, Words};
use super::{body, change, identity, keep, offline, register, route, selected};
use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::persist;
use crate::flows::respond::Refusal;
use crate::flows::serve::{Asked, Served};
use crate::ids::{ObjectId, OwnerId, RoomName};
use crate::rooms::sync::{Object, Role};

/// A `delete` to `/sm`.
pub(super) fn asked(core: &mut Core, asked: &Asked<'_>, out: &mut Actions) -> Served {
    let select: Select = body::read(asked)?;
    let id = selected(core, &select.resource)?;
    change::own(core, asked, id)?;
    persist::has_room(core, asked.admitted.link)?;
    offline::unregister(core, id, &asked.asker(), asked.now, out);
    let Some((object, rows)) = remove(core, id) else {
        return Err(Refusal::not_found("the object is gone"));
    };
    // Written in the order of these calls, so told after what is written.
    let answer = keep::and_answer(core, rows, asked, br#"{"code":200}"#.to_vec(), out);
    tell(core, &object, asked.now, out);
    register::gone(core, &object.address, asked.now, out);
    end_questions(core, id, asked.now, out);
    answer
}

/// Ends an object whose reporter can never come back.
pub(super) fn end(core: &mut Core, id: ObjectId, now: Now, out: &mut Actions) {
    if let Some((object, rows)) = remove(core, id) {
        keep::only(core, rows, out);
        tell(core, &object, now, out);
        register::gone(core, &object.address, now, out);
        end_questions(core, id, now, out);
    }
}

/// Takes an object out of every book.
pub(super) fn remove(core: &mut Core, id: ObjectId) -> Option<(Object, Vec<crate::store::Change>)> {
    let (object, rows) = core.rooms.sync.remove(id)?;
    let registry = &mut core.rooms.registry;
    if let Some(owner) = registry.owner_of(&object.address) {
        registry.unassign(&object.address, owner);
    }
    if let Ok(subscription) = object.address.join(SUBSCRIPTION) {
        registry.unassign(&subscription, OwnerId::Room(RoomName::Sync));
    }
    core.epoch += 1;
    Some((object, rows))
}

/// Tells who observes it here, and the world outside, that an object is gone.
pub(super) fn tell(core: &mut Core, object: &Object, now: Now, out: &mut Actions) {
    let from = format!("{}/{SUBSCRIPTION}", object.address);
    let body = json!({
        "resource": object.address.as_str(),
        "identity": identity::of(core, &object.reporter),
    });
    for (url, observer) in &object.observers {
        let (Some(owner), Ok(to)) = (observer.owner, url.parse::<Address>()) else {
            continue;
        };
        // Those elsewhere hear it from the message to the changes.
        if core.rooms.registry.owner_of(&to) == Some(owner) {
            let words = Words {
                kind: MessageKind::Delete,
                from: &from,
                to: &to,
                body: &body,
            };
            ask::tell(core, words, now, out);
        }
    }
    if object.role == Role::Reported {
        tell_outside(core, object, &from, now, out);
    }
}

fn tell_outside(core: &mut Core, object: &Object, from: &str, now: Now, out: &mut Actions) {
    let domain = object.address.domain();
    let Some(node) = route::node(core, domain, "object-address-allocation") else {
        return;
    };
    let (Ok((stub, _)), Ok(changes)) = (ask::receiver(core, &node), object.address.join(CHANGES))
    else {
        return;
    };
    // Never without a body: the other side looks for an identity in it.
    let empty = json!({});
    let words = Words {
        kind: MessageKind::Delete,
        from,
        to: &changes,
        body: &empty,
    };
    ask::tell_link(core, stub, words, now, out);
    let routes = route::reported(object).concat();
    route::close(core, &object.address, &routes, &object.reporter, now, out);
    let body = json!({
        "resource": object.address.as_str(),
        "childrenResources": object.collections,
    });
    let room = core.published_room(PATH);
    let words = Words {
        kind: MessageKind::Delete,
        from: &room,
        to: &node,
        body: &body,
    };
    ask::tell(core, words, now, out);
}

fn end_questions(core: &mut Core, id: ObjectId, now: Now, out: &mut Actions) {
    let refusal = Refusal::not_found("the object was deleted before its reporter answered");
    for (number, from) in core.questions.about(id) {
        ask::end(core, (number, &from), &refusal, now, out);
    }
}
