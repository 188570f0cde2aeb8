//! Messages to `/address-allocation`.

use protocol::{Address, MessageKind, api};

use crate::core::Core;
use crate::flows::respond::Refusal;
use crate::flows::serve::{Asked, Served, done, not_understood, value};
use crate::limits::OBJECTS_PER_COMPONENT_MAX;

/// Addresses are asked for, or given back.
pub(crate) fn allocation(core: &mut Core, asked: &Asked<'_>) -> Served {
    match asked.header().kind {
        MessageKind::Create => allocate(core, asked),
        MessageKind::Delete => {
            let release: api::allocation::Release = asked.body()?;
            for resource in &release.resources {
                let address = resource
                    .parse::<Address>()
                    .map_err(|bad| Refusal::bad_request(bad.to_string()))?;
                let is_home = core
                    .rooms
                    .registry
                    .standing(asked.owner)
                    .is_some_and(|s| s.home == address);
                if is_home || !core.rooms.registry.unassign(&address, asked.owner) {
                    return Err(Refusal::not_found(format!(
                        "`{resource}` was not given to you"
                    )));
                }
            }
            core.epoch += 1;
            done()
        }
        _ => Err(not_understood(api::allocation::PATH, asked.header())),
    }
}

fn allocate(core: &mut Core, asked: &Asked<'_>) -> Served {
    let wanted: api::allocation::Allocate = asked.body()?;
    if !(1..=64).contains(&wanted.number) {
        return Err(Refusal::bad_request("`number` must be 1 to 64"));
    }
    let held = core.rooms.registry.objects_of(asked.owner);
    if held + usize::from(wanted.number) > OBJECTS_PER_COMPONENT_MAX {
        return Err(Refusal::busy(format!(
            "you hold {held} of {OBJECTS_PER_COMPONENT_MAX} addresses; release some"
        )));
    }
    let provider = core
        .rooms
        .registry
        .standing(asked.owner)
        .map(|standing| standing.provider.clone());
    let provider = provider.filter(|provider| !provider.is_empty());
    let domain = provider.unwrap_or_else(|| core.settings.runtime.domain().to_owned());
    let mut allocated = Vec::new();
    for _ in 0..wanted.number {
        let address = core
            .rooms
            .allocation
            .object(&wanted.scheme, &domain)
            .map_err(|bad| Refusal::bad_request(bad.to_string()))?;
        core.rooms.registry.assign(&address, asked.owner);
        allocated.push(address.as_str().to_owned());
    }
    core.epoch += 1;
    value(&api::allocation::Allocated { allocated })
}
