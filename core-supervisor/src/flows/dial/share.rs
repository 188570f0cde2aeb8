//! How much of the network one sandbox may have.

use std::time::Duration;

use crate::core::Core;
use crate::event::Now;
use crate::flows::respond::Refusal;
use crate::ids::LinkId;
use crate::limits::{DIALS_MAX, DIALS_PER_LINK_MAX, DIALS_PER_SECOND_MAX};
use crate::quota::Quota;

/// Whether a link may dial once more.
pub(super) fn is_left(
    core: &mut Core,
    link: LinkId,
    request: u64,
    now: Now,
) -> Result<(), Refusal> {
    const SECOND: Duration = Duration::from_secs(1);
    let gate = core.gates.get_mut(&link);
    let count = gate.map_or(0, |gate| gate.dialled.count(now.mono, SECOND));
    if count > DIALS_PER_SECOND_MAX {
        let reason = format!("more than {DIALS_PER_SECOND_MAX} dials within a second: slow down");
        return Err(Refusal::busy(reason));
    }
    let room = &core.rooms.connections;
    if room.is_under_way(link, request) {
        let reason = format!("dial {request} is under way already: take another number");
        return Err(Refusal::bad_request(reason));
    }
    let (sockets, jobs) = room.of_link(link);
    let most = most(core, link);
    if sockets + jobs >= most {
        let reason = format!(
            "{most} sockets are open or being dialled in this sandbox (`limits.sockets`): hang one up"
        );
        return Err(Refusal::busy(reason));
    }
    if jobs >= DIALS_PER_LINK_MAX {
        let reason = format!("{DIALS_PER_LINK_MAX} dials of this sandbox are under way already");
        return Err(Refusal::busy(reason));
    }
    let (all, under_way) = room.len();
    if under_way >= DIALS_MAX || all + under_way >= core.settings.sockets_max {
        let reason = format!("{all} sockets are open in this runtime and {under_way} dialled");
        return Err(Refusal::busy(reason));
    }
    Ok(())
}

/// Sockets that a link may have open or be dialling.
pub(super) fn most(core: &Core, link: LinkId) -> usize {
    let gate = core.gates.get(&link);
    gate.map_or(0, |gate| gate.quotas.count(Quota::Sockets))
}
