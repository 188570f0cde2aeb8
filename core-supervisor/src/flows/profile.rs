//! Who a component acts for, as other components are told.
//!
//! The core knows it from the deployment; what a component says about itself is
//! never taken for it.

use protocol::Address;
use serde_json::{Value, json};

use crate::core::Core;
use crate::ids::OwnerId;
use crate::user::User;

/// The profile of an owner's user (spec services §3.1); rooms have none.
///
/// `{userURL, guid, preferred_username, name, email}`; `locale` and `picture` come
/// with an identity, which nobody has proved yet.
pub(crate) fn of(core: &Core, owner: OwnerId) -> Option<Value> {
    let standing = core.rooms.registry.standing(owner)?;
    standing.user.as_ref().map(profile)
}

/// The profile behind an address: a hyperty's, or its data object's.
pub(crate) fn of_address(core: &Core, address: &Address) -> Option<Value> {
    of(core, core.rooms.registry.owner_of(address)?)
}

fn profile(user: &User) -> Value {
    json!({
        "userURL": user.url().as_str(),
        "guid": user.guid(),
        "preferred_username": user.name(),
        "name": user.name(),
        "email": user.email(),
    })
}
