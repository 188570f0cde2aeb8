//! What is kept of data objects, and what is said once it is.

use std::time::Duration;

use protocol::Address;
use protocol::frame::LogLevel;

use crate::core::Core;
use crate::event::{Action, Actions, Now};
use crate::flows::persist::{self, Then};
use crate::flows::serve::{Answer, Asked, Served};
use crate::ids::{ObjectId, OwnerId, RoomName};
use crate::rooms::discovery::Status;
use crate::rooms::sync::Role;
use crate::rooms::sync::limits::GATHERED_FOR;
use crate::store::{Change, Record};

use super::{create, register};

/// Writes changes and answers with `body` once they are written.
// A `Served`, so that an arm of a `match` can end in it.
#[allow(clippy::unnecessary_wraps)]
pub(super) fn and_answer(
    core: &mut Core,
    changes: Vec<Change>,
    asked: &Asked<'_>,
    body: Vec<u8>,
    out: &mut Actions,
) -> Served {
    let then = Then::Answer(asked.asker(), body);
    persist::persist(core, changes, then, out);
    Ok(Answer::Later)
}

/// Writes changes for which nobody waits.
pub(super) fn only(core: &mut Core, changes: Vec<Change>, out: &mut Actions) {
    if !changes.is_empty() {
        persist::persist(core, changes, Then::Nothing, out);
    }
}

/// Takes in the rows that were kept, before the first event.
pub(crate) fn restore(core: &mut Core, records: Vec<Record>) {
    core.restored = core.rooms.sync.restore(records);
    let objects = core.rooms.sync.iter();
    // One that is reported elsewhere is there, as it was before.
    let reported = objects.filter(|(_, object)| object.role == Role::Reported);
    let reported: Vec<Address> = reported.map(|(_, object)| object.address.clone()).collect();
    for address in reported {
        // Until its reporter comes back the room answers for it.
        create::attach(core, &address, OwnerId::Room(RoomName::Sync));
    }
}

/// Writes what the reading changed: versions have moved on.
pub(crate) fn begin(core: &mut Core, now: Now, out: &mut Actions) {
    let ids: Vec<ObjectId> = core.rooms.sync.iter().map(|(id, _)| id).collect();
    for id in ids {
        register::there(core, id, Status::Disconnected, now, out);
    }
    let (changes, problems) = std::mem::take(&mut core.restored);
    only(core, changes, out);
    for problem in problems {
        out.list.push(Action::Record {
            level: LogLevel::Error,
            text: format!("act=restore problem=`{problem}`"),
        });
    }
}

/// Writes what was gathered long enough.
pub(crate) fn write_due(core: &mut Core, now: Now, out: &mut Actions) {
    // Otherwise it goes on gathering.
    if persist::has_space(core) {
        let changes = core.rooms.sync.take_due(now.mono);
        only(core, changes, out);
    }
}

/// Writes everything that was gathered: the supervisor ends.
pub(crate) fn write_all(core: &mut Core, out: &mut Actions) {
    let changes = core.rooms.sync.take_due(Duration::MAX);
    only(core, changes, out);
}

/// When something has to be written: soon again, if the disk cannot keep up.
pub(crate) fn next_due(core: &Core) -> Option<Duration> {
    let due = core.rooms.sync.next_due()?;
    Some(if persist::has_space(core) {
        due
    } else {
        due.max(core.time + GATHERED_FOR)
    })
}

/// Looks again when the next of what was gathered is due.
pub(super) fn note_due(core: &mut Core) {
    if let Some(due) = next_due(core) {
        core.check_by(due);
    }
}
