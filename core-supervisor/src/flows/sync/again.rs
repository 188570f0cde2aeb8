//! After a way was closed: what passed meanwhile passed nobody by for good.
//!
//! A node, a stub or a runtime was away, so changes and children may not have come
//! through. As soon as the way is open again, each end says so: the runtime of a
//! reporter to those elsewhere who observe, the runtime of an observer to itself. What
//! was missed is then read, by whoever wants it (spec services §1.7).

use super::fan_out;
use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::judge::Judgement;
use crate::ids::{LinkId, ObjectId, OwnerId};
use crate::party::PartyKind;
use crate::rooms::sync::Role;

/// A node brings the messages of an object again.
pub(crate) fn routed(core: &mut Core, url: &str, now: Now, out: &mut Actions) {
    let Some(id) = core.rooms.sync.find(url) else {
        return;
    };
    match core.rooms.sync.get(id).map(|object| object.role) {
        Some(Role::Followed) => {
            core.rooms.sync.note_missed(id);
            let nobody = OwnerId::Room(crate::ids::RoomName::Sync);
            fan_out::say_behind(core, id, nobody, now, out);
        }
        Some(Role::Reported) => reported(core, id, now, out),
        None => {}
    }
}

/// What is said to an object that somebody here is about to observe has overtaken the
/// answer that lets them: it is refused as any stranger's, and read once they may.
pub(crate) fn overtook(core: &mut Core, judgement: &Judgement, to: &str) {
    if judgement.is_abroad {
        core.questions.note_missed(to);
    }
}

/// An object is reported again: who observes it elsewhere may have missed something.
pub(super) fn reported(core: &mut Core, id: ObjectId, now: Now, out: &mut Actions) {
    for link in stubs(core, id) {
        core.rooms.sync.behind.note(link, id);
        fan_out::drained(core, link, now, out);
    }
}

// The links of the stubs by which somebody observes an object.
fn stubs(core: &Core, id: ObjectId) -> Vec<LinkId> {
    let Some(object) = core.rooms.sync.get(id) else {
        return Vec::new();
    };
    let owners = object
        .observers
        .values()
        .filter_map(|observer| observer.owner);
    let standings = owners.filter_map(|owner| core.rooms.registry.standing(owner));
    let stubs = standings.filter(|standing| standing.kind == PartyKind::ProtoStub);
    let mut links: Vec<_> = stubs.filter_map(|standing| standing.link).collect();
    links.sort_unstable();
    links.dedup();
    links
}
