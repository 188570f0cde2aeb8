//! What is done once, before the first event: the rooms get their addresses, and
//! back what they had kept.

use crate::core::Core;
use crate::flows::{registration, sync};
use crate::ids::{OwnerId, RoomName};
use crate::party::PartyKind;
use crate::rooms::registry::Standing;
use crate::store::{Record, Table};

/// Gives every room its address.
pub(crate) fn register_rooms(core: &mut Core) {
    use protocol::api;
    let rooms = [
        (RoomName::Runtime, ""),
        (RoomName::Bus, api::bus::PATH),
        (RoomName::Registry, api::registry::PATH),
        (RoomName::Policy, api::policy::PATH),
        (RoomName::UserAgent, api::user_agent::PATH),
        (RoomName::Catalogue, api::catalogue::PATH),
        (RoomName::Sandboxes, api::sandboxes::PATH),
        (RoomName::Allocation, api::allocation::PATH),
        (RoomName::Sync, api::sync::PATH),
        (RoomName::Subscriptions, api::subscriptions::PATH),
        (RoomName::Discovery, api::discovery::PATH),
        (RoomName::Storage, api::storage::PATH),
        (RoomName::Connections, api::connections::PATH),
    ];
    for (room, path) in rooms {
        let runtime = &core.settings.runtime;
        let home = if path.is_empty() {
            Ok(runtime.clone())
        } else {
            runtime.join(path)
        };
        let Ok(home) = home else { continue };
        let standing = Standing {
            kind: PartyKind::Room,
            provider: String::new(),
            speaks_for: String::new(),
            name: if path.is_empty() { "runtime" } else { path }.to_owned(),
            user: None,
            home,
            link: None,
            level: None,
            digest: String::new(),
        };
        core.rooms.registry.register(OwnerId::Room(room), standing);
    }
    register_topics(core);
}

// An address of a room besides its own: where stubs' statuses are told.
fn register_topics(core: &mut Core) {
    if let Ok(status) = core.settings.runtime.join(registration::STATUS) {
        let room = OwnerId::Room(RoomName::Runtime);
        core.rooms.registry.assign(&status, room);
    }
}

/// Hands the rooms what they had kept.
pub(crate) fn restore(core: &mut Core, records: Vec<Record>) {
    let mut objects = Vec::new();
    for record in records {
        match record.table {
            Table::Addresses => core.rooms.allocation.reuse.restore(&record),
            Table::Objects | Table::Deltas | Table::Children => objects.push(record),
            Table::Subscriptions => core.rooms.subscriptions.restore(&record),
            Table::Storage => core.rooms.storage.restore(&record),
            Table::Grants => core.rooms.connections.grants.restore(&record),
            Table::Trust => core.trust.restore(&record),
        }
    }
    sync::keep::restore(core, objects);
}
