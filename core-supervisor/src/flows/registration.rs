//! A data object or a component is there, or is not any more: who looks for it
//! finds it so, and who subscribed to it is told.
//!
//! registered → status … → unregistered

use protocol::Address;

use crate::core::Core;
use crate::event::{Actions, Now};
use crate::rooms::discovery::{ObjectRecord, Status};

/// A data object exists: it can be found from now on.
pub(crate) fn object_registered(
    core: &mut Core,
    record: ObjectRecord,
    now: Now,
    out: &mut Actions,
) {
    let (url, status) = (record.url.clone(), record.status);
    core.rooms.discovery.register_object(record);
    notify(core, &url, status, now, out);
}

/// The reporter of a data object went down, or is back.
pub(crate) fn object_status(
    core: &mut Core,
    url: &Address,
    status: Status,
    now: Now,
    out: &mut Actions,
) {
    if core.rooms.discovery.set_status(url, status, now.wall_us) {
        notify(core, url, status, now, out);
    }
}

/// A data object was deleted.
pub(crate) fn object_unregistered(core: &mut Core, url: &Address, now: Now, out: &mut Actions) {
    if core.rooms.discovery.unregister_object(url).is_some() {
        notify(core, url, Status::Disconnected, now, out);
    }
}

fn notify(_: &mut Core, _: &Address, _: Status, _: Now, _: &mut Actions) {}
