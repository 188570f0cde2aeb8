//! What did not happen in time: requests without their answer, links that do not move on.

use std::time::Duration;

use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::orphan::Orphan;
use crate::flows::respond::Refusal;
use crate::flows::{orphan, supervise};
use crate::ids::OwnerId;
use crate::ingress::{Fault, Gate, LinkKind};
use crate::limits::{GREETING_MAX, PARTIAL_FRAME_MAX, STALL_MAX};
use crate::rooms::registry::Route;

/// Ends the requests whose deadline has come.
pub(crate) fn end_late_requests(core: &mut Core, now: Now, out: &mut Actions) {
    let mut late = Vec::new();
    let mut forgotten = Vec::new();
    core.rooms.bus.pending.sweep(now.mono, |request| {
        if request.is_timed {
            late.push(Orphan::of(request));
        } else {
            forgotten.push(request.asker);
        }
    });
    for asker in forgotten {
        if let Some(gate) = core.gates.get_mut(&asker) {
            gate.pending = gate.pending.saturating_sub(1);
        }
    }
    for request in late {
        let refusal = too_late(core, request.to());
        orphan::answer_all(core, vec![request], &refusal, now, out);
    }
}

// Whoever asks somebody elsewhere cannot see that a stub is in between.
fn too_late(core: &Core, to: &str) -> Refusal {
    let registry = &core.rooms.registry;
    let route = to
        .parse()
        .map(|to| registry.resolve(&to, &core.settings.runtime));
    let Ok(Route::Stub(stub)) = route else {
        return Refusal::timeout();
    };
    let domain = registry.standing(stub).map(|standing| &standing.speaks_for);
    let said = match stub {
        OwnerId::Component(id) => core.rooms.user_agent.get(id),
        OwnerId::Room(_) | OwnerId::Local(_) => None,
    };
    let said = said.map(|deployment| deployment.session.word.as_str());
    let said = said.filter(|word| !word.is_empty()).unwrap_or("nothing");
    Refusal::timeout_of(&format!(
        "nobody answered through the protocol stub for `{}`, which last said `{said}` of itself",
        domain.map_or("", String::as_str)
    ))
}

/// Cuts the links that had to move on and did not.
pub(crate) fn cut_late_links(core: &mut Core, now: Now, out: &mut Actions) {
    let late: Vec<_> = core
        .gates
        .iter()
        .filter_map(|(link, gate)| {
            Some((
                *link,
                link_deadline(gate).filter(|(at, _)| *at <= now.mono)?.1,
            ))
        })
        .collect();
    for (link, fault) in late {
        supervise::fault(core, link, &fault, now, out);
    }
}

/// The nearest moment at which a link must have moved on, and the fault if it has not.
pub(crate) fn link_deadline(gate: &Gate) -> Option<(Duration, Fault)> {
    let greeting =
        (gate.kind == LinkKind::Stranger).then(|| (gate.since + GREETING_MAX, Fault::NoGreeting));
    let partial = gate
        .partial_since
        .map(|since| (since + PARTIAL_FRAME_MAX, Fault::HalfFrame));
    let stalled = gate
        .stalled_since
        .map(|since| (since + STALL_MAX, Fault::NeverReads));
    [greeting, partial, stalled]
        .into_iter()
        .flatten()
        .min_by_key(|(at, _)| *at)
}
