//! What a package must meet before it becomes a component, and what becomes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::api::capabilities::Met;
use protocol::{Address, Code};

use crate::core::Core;
use crate::event::Now;
use crate::flows::judge;
use crate::flows::respond::Refusal;
use crate::ids::OwnerId;
use crate::quota::{Limits, settle};
use crate::rooms::catalogue::{self, Descriptor};
use crate::rooms::policy::Act;
use crate::rooms::user_agent::Loadable;
use crate::schemes;

// A descriptor that is understood, and asks for what is not here.
const UNMET: Code = Code(422);

// An asker that has gone meanwhile leaves nobody on whose word to deploy.
pub(crate) fn may_deploy(
    core: &mut Core,
    asker: Option<OwnerId>,
    address: &Address,
    now: Now,
) -> Result<(), Refusal> {
    let gone = || Refusal::new(Code::UNAVAILABLE, "gone", "whoever asked for it is gone");
    let owner = asker.ok_or_else(gone)?;
    let home = core
        .rooms
        .registry
        .standing(owner)
        .map(|standing| standing.home.clone());
    let home = home.ok_or_else(gone)?;
    let (permit, _, decision) = judge::decide(core, Act::Deploy, owner, (&home, address), &[], now);
    if permit {
        return Ok(());
    }
    Err(Refusal::new(Code::FORBIDDEN, "deny", judge::reason(core, decision)).decided(decision))
}

/// How this runtime meets what a component asks for; refused where it needs what is not there.
pub(crate) fn meets(descriptor: &Descriptor) -> Result<BTreeMap<String, Met>, Refusal> {
    catalogue::constraints::met(&descriptor.constraints).map_err(|reason| {
        let Descriptor { name, provider, .. } = descriptor;
        let reason = format!("`{name}` of {provider} cannot run here: {reason}");
        Refusal::new(UNMET, "constraints", reason)
    })
}

/// How much of everything a component may have; refused where it asks for more than the
/// operator lets it, unless that is clipped.
pub(crate) fn limits(core: &Core, descriptor: &Descriptor) -> Result<Limits, Refusal> {
    let settled = settle(
        &descriptor.limits,
        descriptor.engine,
        &core.settings.ceiling,
    );
    settled.map_err(|over| {
        let Descriptor { name, provider, .. } = descriptor;
        Refusal::new(UNMET, "limits", format!("`{name}` of {provider}: {over}"))
    })
}

/// The configuration that a component gets: JSON object text.
pub(crate) fn configuration(
    core: &Core,
    descriptor: &Descriptor,
    overrides: Option<serde_json::Value>,
) -> Result<String, Refusal> {
    let mut config = descriptor.configuration.clone();
    match overrides {
        None => {}
        Some(serde_json::Value::Object(members)) => config.extend(members),
        Some(_) => {
            return Err(Refusal::bad_request(
                "`configuration` must be a JSON object",
            ));
        }
    }
    config.insert(
        "runtimeURL".to_owned(),
        core.settings.runtime.published().into(),
    );
    let text = serde_json::Value::Object(config).to_string();
    if text.len() > protocol::limits::HEADER_BYTES_MAX / 2 {
        return Err(Refusal::bad_request(format!(
            "`configuration` of {} bytes is longer than {}",
            text.len(),
            protocol::limits::HEADER_BYTES_MAX / 2
        )));
    }
    Ok(text)
}

/// The schemes of the data objects that a component says it handles.
pub(crate) fn data_schemes(descriptor: &Descriptor) -> Vec<String> {
    let schemas = descriptor.data_objects.iter();
    let mut schemes: Vec<_> = schemas
        .map(|url| schemes::of_schema(url).to_owned())
        .collect();
    schemes.sort();
    schemes.dedup();
    schemes
}

/// Code as it is kept, to be loaded again.
pub(crate) fn loadable(code: &catalogue::Code) -> Loadable {
    match code {
        catalogue::Code::Script { file, text } => {
            Loadable::Script(file.clone(), Arc::new(text.clone()))
        }
        catalogue::Code::Program(program) => Loadable::Program(*program),
    }
}
