//! A component goes, and what it kept goes with it.
//!
//! removed → its files and items forgotten → written → answered
//!
//! Without `purge` both stay: who is deployed again by provider, name and user has
//! them again. Data objects stay in any case, because others observe them.

use protocol::Address;
use protocol::api::user_agent::Purged;

use crate::core::Core;
use crate::event::Actions;
use crate::flows::persist::{self, Then};
use crate::flows::respond::{self, Refusal};
use crate::flows::serve::{Answer, Asked, Served, manageable, may_manage};
use crate::flows::{audit, undeploy};

/// Removes a component with what it kept, or what one that was removed before left.
pub(crate) fn component(
    core: &mut Core,
    asked: &Asked<'_>,
    resource: &str,
    out: &mut Actions,
) -> Served {
    persist::has_room(core, asked.admitted.link)?;
    let home = match manageable(core, asked, resource) {
        Ok(id) => {
            let deployment = core.rooms.user_agent.get(id);
            let package = deployment.and_then(|deployment| deployment.package.as_ref());
            let home = package.map(|package| package.address.as_str().to_owned());
            undeploy::remove(core, id, asked.now, out);
            home.unwrap_or_default()
        }
        Err(refusal) => left(core, asked, resource)?.ok_or(refusal)?,
    };
    let storage = &mut core.rooms.storage;
    let bytes = storage.bytes_of(&home);
    let changes = storage.purge(&home);
    audit::purged(core, asked.owner, &home, bytes, out);
    let body = respond::valued(&Purged { bytes });
    persist::persist(core, changes, Then::Answer(asked.asker(), body), out);
    Ok(Answer::Later)
}

// The address of what is not deployed any more and has left something. A living
// owner of another kind keeps what it has.
fn left(core: &mut Core, asked: &Asked<'_>, resource: &str) -> Result<Option<String>, Refusal> {
    let Ok(address) = resource.parse::<Address>() else {
        return Ok(None);
    };
    if core.rooms.registry.owner_of(&address).is_some() {
        return Ok(None);
    }
    // Before it is looked at: whether there is anything is not for everybody.
    may_manage(core, asked, &address)?;
    let is_something = core.rooms.storage.bytes_of(address.as_str()) > 0;
    Ok(is_something.then(|| address.as_str().to_owned()))
}
