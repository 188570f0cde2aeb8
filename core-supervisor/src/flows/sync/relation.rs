//! What a sender is to the data object that it addresses.

use protocol::Address;

use crate::core::Core;
use crate::ids::{OwnerId, RoomName};
use crate::party::PartyKind;
use crate::rooms::policy::{Party, Relation};
use crate::rooms::registry::Registry;
use crate::rooms::sync::{Object, Role, Sync};

/// The relation to the object whose address `to` is, or is below.
pub(crate) fn of(core: &Core, sender: OwnerId, from: &Address, to: &Address) -> Relation {
    let sync = &core.rooms.sync;
    if sync.is_empty() {
        return Relation::Stranger;
    }
    let mut place = Some(to.clone());
    while let Some(address) = place {
        if let Some(object) = sync.find(address.as_str()).and_then(|id| sync.get(id)) {
            return to_object(core, sender, from, object);
        }
        place = address.parent();
    }
    Relation::Stranger
}

/// The object that an address names, or is below, as a party of a question while
/// no component reports it: its provider's, as it will be again.
pub(crate) fn object_without_reporter<'a>(
    registry: &Registry,
    sync: &'a Sync,
    to: &'a Address,
) -> Option<Party<'a>> {
    let object = sync.find(to.as_str()).or_else(|| Some(sync.channel(to)?.0));
    let object = sync.get(object?)?;
    let owner = registry.owner_of(&object.address);
    (owner == Some(OwnerId::Room(RoomName::Sync))).then(|| Party {
        kind: PartyKind::Hyperty,
        address: to,
        provider: &object.provider,
        name: "",
        user: &object.user,
        level: None,
        digest: "",
    })
}

/// The relation to an object.
pub(crate) fn to_object(core: &Core, sender: OwnerId, from: &Address, object: &Object) -> Relation {
    if is_reporter(core, sender, object) {
        return Relation::Reporter;
    }
    match name(core, sender, from, object) {
        Some(_) => Relation::Observer,
        None => Relation::Stranger,
    }
}

/// Whether it is this party that reports the object, here or through its stub.
pub(crate) fn is_reporter(core: &Core, sender: OwnerId, object: &Object) -> bool {
    let registry = &core.rooms.registry;
    let reporter = match object.role {
        Role::Reported => registry.owner_of(&object.reporter),
        Role::Followed => registry.stub_for(object.address.domain()),
    };
    reporter == Some(sender)
}

/// Under which address a sender observes the object: the one it says, or its own.
pub(crate) fn name(
    core: &Core,
    sender: OwnerId,
    from: &Address,
    object: &Object,
) -> Option<String> {
    let observes = |url: &str| {
        let observer = object.observers.get(url);
        observer.is_some_and(|observer| observer.owner == Some(sender))
    };
    let standing = core.rooms.registry.standing(sender);
    let home = standing.map(|standing| standing.home.as_str());
    let names = [Some(from.as_str()), home];
    let name = names.into_iter().flatten().find(|url| observes(url));
    name.map(str::to_owned)
}
