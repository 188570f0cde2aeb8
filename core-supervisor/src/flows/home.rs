//! The stubs of the domains that this runtime belongs to are kept up, and published
//! ones that cannot help themselves are started anew.

use protocol::nursery::Engine;

use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::{reach, undeploy};
use crate::limits::{WAY_REST_FIRST, WAY_REST_LONGEST};
use crate::rooms::user_agent::Stage;

/// Brings up the stubs of the domains that this runtime belongs to.
pub(crate) fn keep_up(core: &mut Core, now: Now, out: &mut Actions) {
    if core.stopping.is_some() {
        return;
    }
    for domain in core.settings.homes.clone() {
        let registry = &core.rooms.registry;
        let is_there = registry.stub_of(&domain).is_some() || reach::is_on_its_way(core, &domain);
        if !is_there && registry.ways.shut(&domain, now.mono).is_none() {
            reach::begin(core, &domain, None, now, out);
        }
    }
}

/// Published stubs repeat for ever what their node has refused once: only a new one
/// begins anew (spec messaging §10.1). Programs of this project come back by themselves.
pub(crate) fn restart_failed(core: &mut Core, now: Now, out: &mut Actions) {
    let deployments = core.rooms.user_agent.iter();
    let failed = deployments.filter(|(_, deployment)| {
        let engine = deployment.package.as_ref().map(|package| package.engine);
        deployment.session.word == "failed"
            && deployment.stage == Stage::Running
            && engine == Some(Engine::Script)
    });
    let failed: Vec<_> = failed.map(|(id, d)| (id, d.restarts)).collect();
    for (id, restarts) in failed {
        undeploy::leave_sandbox(core, id, now, out);
        let rest = WAY_REST_FIRST * 2_u32.saturating_pow(restarts.min(16));
        let at = now.mono + rest.min(WAY_REST_LONGEST);
        if let Some(deployment) = core.rooms.user_agent.get_mut(id) {
            deployment.stage = Stage::Waiting;
            deployment.since = now.mono;
            deployment.next_try = Some(at);
            deployment.reason = format!("its node refused it: {}", deployment.session.desc);
            core.check_by(at);
        }
    }
}
