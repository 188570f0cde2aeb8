//! A catalogue that the operator names is granted by that.
//!
//! `hyperty deploy Echo --catalogue https://localhost:8443` says where to ask, so the
//! stub that fetches may reach this host and port, wherever the name leads to. It is a
//! grant of the operator like any other: shown, kept, and taken back in the same way.

use protocol::api::connections::{Grant, Pattern, Source};
use protocol::dial::Transport;

use crate::core::Core;
use crate::event::Actions;
use crate::flows::audit;
use crate::flows::persist::{self, Then};
use crate::flows::respond::Refusal;
use crate::party::PartyKind;
use crate::place::Place;
use crate::rooms::catalogue::elsewhere::{self, SHIPPED_PROVIDER};
use crate::rooms::user_agent::Asker;

/// What the grant is for: `provider/name` of the stub that fetches.
fn grantee() -> String {
    format!("{SHIPPED_PROVIDER}/catalogue")
}

/// Grants the host and port of a catalogue, if it is the operator who names it.
///
/// A provider's own catalogue, `https://<provider>`, is asked in any case, and only
/// where that is a public address. What was revoked stays so.
pub(crate) fn grant(
    core: &mut Core,
    asker: &Asker,
    (catalogue, provider): (&str, &str),
    out: &mut Actions,
) -> Result<(), Refusal> {
    let standing = core.rooms.registry.standing(asker.owner);
    let is_operator = standing.is_some_and(|standing| standing.kind == PartyKind::Operator);
    let Ok(base) = elsewhere::base(catalogue) else {
        return Ok(());
    };
    let (host, port) = elsewhere::authority(&base);
    let is_own = port == 443 && (provider.is_empty() || provider == host);
    if !is_operator || is_own {
        return Ok(());
    }
    let place = Place::read(host, port, Transport::Tcp).map_err(Refusal::bad_request)?;
    let grants = &core.rooms.connections.grants;
    let said = grants.cover(&grantee(), &[], &place);
    if said.is_some_and(|said| said.source == Source::Revoked || said.pattern.private) {
        return Ok(());
    }
    persist::has_room(core, asker.link)?;
    let grant = Grant {
        component: grantee(),
        pattern: Pattern {
            host: place.host,
            port,
            protocol: Transport::Tcp,
            private: true,
            count: 0,
        },
    };
    let added = core
        .rooms
        .connections
        .grants
        .add(Source::Operator, grant.clone());
    let changes = added.map_err(Refusal::busy)?;
    audit::grant(core, asker.owner, "granted", &grant, out);
    persist::persist(core, changes, Then::Nothing, out);
    Ok(())
}
