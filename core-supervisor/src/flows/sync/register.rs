//! A data object can be found (spec messaging §6.4): the one place that says so.

use protocol::Address;
use serde_json::Value;

use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::registration;
use crate::ids::ObjectId;
use crate::rooms::discovery::{ObjectRecord, Status};
use crate::rooms::sync::Role;

/// Seconds a registration holds when the object does not say.
const EXPIRES_S: u64 = 3600;

/// An object is there, with or without its reporter.
pub(super) fn there(core: &mut Core, id: ObjectId, status: Status, now: Now, out: &mut Actions) {
    let runtime = core.settings.runtime.clone();
    let Some(object) = core.rooms.sync.get(id) else {
        return;
    };
    if object.role != Role::Reported {
        return;
    }
    let text = |member: &str| object.meta(member).and_then(Value::as_str);
    let resources = object.meta("resources").and_then(Value::as_array);
    let resources = resources.into_iter().flatten().filter_map(Value::as_str);
    let record = ObjectRecord {
        url: object.address.clone(),
        name: text("name").unwrap_or("no name").to_owned(),
        schema: object.schema.clone(),
        reporter: object.reporter.clone(),
        resources: resources.map(str::to_owned).collect(),
        data_schemes: vec![object.address.scheme().to_owned()],
        status,
        runtime,
        starting_us: now.wall_us,
        modified_us: now.wall_us,
        expires_s: object
            .meta("expires")
            .and_then(Value::as_u64)
            .unwrap_or(EXPIRES_S),
    };
    registration::object_registered(core, record, now, out);
}

/// An object is gone.
pub(super) fn gone(core: &mut Core, address: &Address, now: Now, out: &mut Actions) {
    registration::object_unregistered(core, address, now, out);
}
