//! The address that a component gets: the one it had before, or a fresh one.
//!
//! of_component → (permitted, placed) → keep

use protocol::Address;
use protocol::address::{BadAddress, RUNTIME_SCHEME};
use protocol::frame::ComponentKind;

use crate::core::Core;
use crate::event::Actions;
use crate::flows::persist::{self, Then};
use crate::rooms::allocation::ReuseKey;
use crate::rooms::catalogue::Descriptor;
use crate::user::User;

/// Chooses the address of a component. One that a living component has is not
/// given to a second: that one gets a fresh address, for as long as it lives.
pub(crate) fn of_component(
    core: &mut Core,
    descriptor: &Descriptor,
    user: &User,
    speaks_for: &str,
) -> Result<Address, BadAddress> {
    let registry = &core.rooms.registry;
    let known = core.rooms.allocation.reuse.of(&key(descriptor, user));
    let free = known
        .first()
        .filter(|address| registry.owner_of(address).is_none());
    match free {
        Some(address) => Ok(address.clone()),
        None => fresh(core, descriptor, speaks_for),
    }
}

/// Has the address kept for the next time, unless one is kept already.
///
/// Nobody waits for it: what is kept later in the name of this address is written
/// later, so that no object ever outlives its reporter's address.
pub(crate) fn keep(
    core: &mut Core,
    descriptor: &Descriptor,
    user: &User,
    address: &Address,
    out: &mut Actions,
) {
    let key = key(descriptor, user);
    if !core.rooms.allocation.reuse.of(&key).is_empty() {
        return;
    }
    let change = core.rooms.allocation.reuse.keep(key, vec![address.clone()]);
    if let Some(change) = change {
        persist::persist(core, vec![change], Then::Nothing, out);
    }
}

fn key(descriptor: &Descriptor, user: &User) -> ReuseKey {
    let kind = match descriptor.kind {
        ComponentKind::Hyperty => "hyperty",
        ComponentKind::ProtoStub => "protocolstub",
        ComponentKind::IdpProxy => "idp-proxy",
    };
    let (provider, name) = (&descriptor.provider, &descriptor.name);
    ReuseKey::new(provider, &[kind, name, user.url().as_str()])
}

// Hyperties live in their provider's domain. A stub's address is not below the
// runtime's, because published code takes what is below it for local (spec
// messaging §2.1); it is in the domain it speaks for, whoever provides it.
fn fresh(
    core: &mut Core,
    descriptor: &Descriptor,
    speaks_for: &str,
) -> Result<Address, BadAddress> {
    let provider = descriptor.provider.as_str();
    let (scheme, domain, folder) = match descriptor.kind {
        ComponentKind::Hyperty => ("hyperty", provider, ""),
        ComponentKind::ProtoStub => (RUNTIME_SCHEME, speaks_for, "protostub/"),
        ComponentKind::IdpProxy => ("domain-idp", provider, "stub/"),
    };
    core.rooms.allocation.fresh(scheme, domain, folder)
}
