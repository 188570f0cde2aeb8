//! How much of everything a component may have, and has.
//!
//! Most quotas are looked at where the thing is given out (`hold`, `listen`,
//! `serve_allocation`, `serve_storage`, `dial/share`, `observe`); here stands who has
//! which, what is sent, and what is shown.

use std::time::Duration;

use protocol::api::user_agent::Limit;
use protocol::nursery::Engine;

use crate::core::Core;
use crate::event::Now;
use crate::flows::respond::Refusal;
use crate::ids::{DeploymentId, LinkId, OwnerId};
use crate::ingress::{AdmittedMessage, Gate};
use crate::quota::{Quota, UNBOUNDED};
use crate::rooms::user_agent::Package;

const SECOND: Duration = Duration::from_secs(1);

/// How much of it an owner may have.
pub(crate) fn of(core: &Core, owner: OwnerId, quota: Quota) -> u64 {
    package(core, owner).map_or_else(
        // The operator and applications have no descriptor.
        || quota.usual(Engine::Script),
        |package| package.limits.quotas.of(quota),
    )
}

/// The same as a number of things in memory.
pub(crate) fn count_of(core: &Core, owner: OwnerId, quota: Quota) -> usize {
    usize::try_from(of(core, owner, quota)).unwrap_or(usize::MAX)
}

/// The components of a sandbox have been read: its link gets what they may have, which
/// is the same for all of them.
pub(crate) fn enter(core: &mut Core, link: LinkId, package: &Package) {
    if let Some(gate) = core.gates.get_mut(&link) {
        gate.quotas = package.limits.quotas;
    }
}

/// Charges a message to the link that it came in on.
pub(crate) fn charge(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    now: Now,
) -> Result<(), Refusal> {
    let bytes = admitted.bytes() as u64;
    let Some(gate) = core.gates.get_mut(&admitted.link) else {
        return Ok(());
    };
    let (messages_max, bytes_max) = (
        gate.quotas.of(Quota::Messages),
        gate.quotas.of(Quota::Bytes),
    );
    let sent = gate.sent.within(now.mono, SECOND);
    let what = if sent.messages >= messages_max {
        format!("{messages_max} messages (`limits.messages`)")
    } else if sent.bytes.saturating_add(bytes) > bytes_max {
        format!("{bytes_max} bytes (`limits.bytes`)")
    } else {
        sent.messages += 1;
        sent.bytes = sent.bytes.saturating_add(bytes);
        return Ok(());
    };
    Err(Refusal::busy(format!(
        "this sandbox may send {what} within a second, and has: slow down"
    )))
}

/// What a component may have, and has.
pub(crate) fn shown(core: &Core, id: DeploymentId, now: Now) -> Vec<Limit> {
    let owner = OwnerId::Component(id);
    let Some(package) = package(core, owner) else {
        return Vec::new();
    };
    let used = |quota| used(core, id, package, quota, now);
    let shown = |quota: Quota| {
        let number = package.limits.quotas.of(quota);
        Limit {
            name: quota.row().member.to_owned(),
            most: (number != UNBOUNDED).then_some(number),
            unit: quota.row().unit.to_owned(),
            origin: package.limits.origin(quota).to_owned(),
            used: used(quota),
        }
    };
    Quota::ALL.into_iter().map(shown).collect()
}

// What is a matter of the process or the link is what all of its components use.
fn used(core: &Core, id: DeploymentId, package: &Package, quota: Quota, now: Now) -> Option<u64> {
    let owner = OwnerId::Component(id);
    let link = core.rooms.registry.standing(owner)?.link;
    let gate = link.and_then(|link| core.gates.get(&link));
    let home = package.address.as_str();
    let storage = &core.rooms.storage;
    let of_gate = |number: fn(&Gate, Now) -> u64| gate.map(|gate| number(gate, now));
    match quota {
        Quota::Messages => of_gate(|gate, now| gate.sent.now(now.mono, SECOND).messages),
        Quota::Bytes => of_gate(|gate, now| gate.sent.now(now.mono, SECOND).bytes),
        Quota::Pending => of_gate(|gate, _| u64::from(gate.pending)),
        Quota::LogLines => of_gate(|gate, now| u64::from(gate.logged.now(now.mono, SECOND))),
        Quota::Sockets => link.map(|link| {
            let (sockets, dials) = core.rooms.connections.of_link(link);
            (sockets + dials) as u64
        }),
        Quota::Listeners => Some(core.rooms.bus.listeners.of_owner(owner) as u64),
        Quota::Addresses => Some(core.rooms.registry.objects_of(owner) as u64),
        Quota::Storage => Some(storage.items.units_of(home) as u64),
        Quota::Files => Some(storage.files.bytes_of(home) as u64),
        // The system and the engine count them.
        Quota::Timers | Quota::Descriptors | Quota::Memory | Quota::Cpu => None,
    }
}

fn package(core: &Core, owner: OwnerId) -> Option<&Package> {
    let OwnerId::Component(id) = owner else {
        return None;
    };
    core.rooms.user_agent.get(id)?.package.as_ref()
}
