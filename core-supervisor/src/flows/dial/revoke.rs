//! Rules or grants have changed: what is open is asked for again.

use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::dial::{hang_up, permit};
use crate::flows::respond::Refusal;

/// Takes back every socket that would not be given any more; how many.
pub(crate) fn look_again(core: &mut Core, now: Now, out: &mut Actions) -> usize {
    let room = &mut core.rooms.connections;
    room.looked_at = (core.rooms.policy.version(), room.grants.version);
    let sockets = room.sockets();
    let sockets: Vec<_> = sockets
        .map(|(id, open)| (id, open.component, open.place.clone()))
        .collect();
    let mut closed = 0;
    for (id, component, place) in sockets {
        let refusal = match permit::decide(core, component, &place.with_private(false), now) {
            Ok(permitted) if permitted.place.private || !place.private => continue,
            Ok(_) => Refusal::bad_request("private addresses are not granted any more"),
            Err(refusal) => refusal,
        };
        closed += 1;
        hang_up(
            core,
            id,
            &format!("the grant was taken back: {}", refusal.reason),
            out,
        );
    }
    closed
}

/// Whether rules or grants are others than those under which the sockets were looked at.
pub(crate) fn is_due(core: &Core) -> bool {
    let room = &core.rooms.connections;
    room.looked_at != (core.rooms.policy.version(), room.grants.version)
}
