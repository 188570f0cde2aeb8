//! May this component reach that host?
//!
//! Its descriptor asks, the operator grants or revokes, and the rules decide about
//! what came of it. For addresses that are not public the question is asked with
//! the word `private`; when that is refused, once more without.

use protocol::api::connections::{Pattern, Source};
use protocol::frame::Level;
use protocol::{Address, Code};

use crate::core::Core;
use crate::event::Now;
use crate::flows::dial::is_listener;
use crate::flows::judge;
use crate::flows::respond::Refusal;
use crate::ids::{DeploymentId, OwnerId};
use crate::party::PartyKind;
use crate::place::Place;
use crate::rooms::policy::{Act, Decided, DecisionId, Party, Question, Relation};

/// A dial that may be.
#[derive(Debug, Clone)]
pub(super) struct Permitted {
    pub(super) place: Place,
    pub(super) grant: Option<(Source, Pattern)>,
    pub(super) decision: DecisionId,
}

/// Asks the rules about a dial.
pub(super) fn decide(
    core: &mut Core,
    component: DeploymentId,
    place: &Place,
    now: Now,
) -> Result<Permitted, Refusal> {
    let covered = covered(core, component, place);
    let source = covered.as_ref().map(|(source, _)| *source);
    let asks_private = covered.as_ref().is_some_and(|(_, pattern)| pattern.private);
    let mut decided = ask(
        core,
        component,
        &place.with_private(asks_private),
        source,
        now,
    )?;
    let mut private = asks_private;
    if !decided.permit && asks_private {
        let without = ask(core, component, &place.with_private(false), source, now)?;
        // What is told is the refusal of what was meant.
        if without.permit {
            (decided, private) = (without, false);
        }
    }
    if decided.permit {
        return Ok(Permitted {
            place: place.with_private(private),
            grant: covered,
            decision: decided.id,
        });
    }
    Err(refusal(core, component, place, source, decided.id))
}

/// The decision about a dial that nobody makes: the same as for one that is made.
pub(crate) fn would_decide(
    core: &mut Core,
    owner: OwnerId,
    place: &Place,
    now: Now,
) -> Result<DecisionId, Refusal> {
    let OwnerId::Component(component) = owner else {
        let reason = "only components reach hosts: say `from` which";
        return Err(Refusal::bad_request(reason));
    };
    match decide(core, component, place, now) {
        Ok(permitted) => Ok(permitted.decision),
        Err(refusal) => refusal.decision.ok_or(refusal),
    }
}

/// Whether the grant has room for one more.
pub(super) fn within_count(
    core: &Core,
    component: DeploymentId,
    permitted: &Permitted,
) -> Result<(), Refusal> {
    let Some(grant) = &permitted.grant else {
        return Ok(());
    };
    let count = grant.1.count as usize;
    let (open, dialled) = core.rooms.connections.by_grant(component, grant);
    if count == 0 || open + dialled < count {
        return Ok(());
    }
    let reason = format!(
        "the grant for `{}` is for {count} sockets at a time",
        grant.1.host
    );
    Err(Refusal::busy(reason))
}

fn covered(core: &Core, component: DeploymentId, place: &Place) -> Option<(Source, Pattern)> {
    let package = core.rooms.user_agent.get(component)?.package.as_ref()?;
    let whose = format!("{}/{}", package.provider, package.name);
    let grants = &core.rooms.connections.grants;
    let covered = grants.cover(&whose, &package.network, place)?;
    Some((covered.source, covered.pattern))
}

fn ask(
    core: &mut Core,
    component: DeploymentId,
    place: &Place,
    source: Option<Source>,
    now: Now,
) -> Result<Decided, Refusal> {
    let bad = || Refusal::bad_request("it is no component, or no host");
    let address: Address = place.address().ok_or_else(bad)?;
    let owner = OwnerId::Component(component);
    let standing = core.rooms.registry.standing(owner).ok_or_else(bad)?;
    let question = Question {
        act: if is_listener(place.transport) {
            Act::Bind(source)
        } else {
            Act::Connect(source)
        },
        from: Party {
            kind: standing.kind,
            address: &standing.home,
            provider: &standing.provider,
            name: &standing.name,
            user: standing.acts_for(),
            level: standing.level,
            digest: &standing.digest,
        },
        to: Party {
            kind: PartyKind::Host,
            address: &address,
            provider: "",
            name: &place.host,
            user: "",
            level: None::<Level>,
            digest: "",
        },
        relation: Relation::Stranger,
        body: None,
        wall_us: now.wall_us,
    };
    Ok(core.rooms.policy.decide(&question))
}

fn refusal(
    core: &Core,
    component: DeploymentId,
    place: &Place,
    source: Option<Source>,
    decision: DecisionId,
) -> Refusal {
    let mut reason = judge::reason(core, decision);
    let package = core.rooms.user_agent.get(component);
    let package = package.and_then(|deployment| deployment.package.as_ref());
    if let (None, Some(package)) = (source, package) {
        use std::fmt::Write as _;

        let listen = if is_listener(place.transport) {
            " --protocol listen"
        } else {
            ""
        };
        let (provider, name) = (&package.provider, &package.name);
        let _ = write!(
            reason,
            "; its descriptor does not ask for it (`network`), and the operator has not granted it: \
             `hyperty grants add {provider}/{name} {place}{listen}`"
        );
    }
    Refusal::new(Code::FORBIDDEN, "deny", reason).decided(decision)
}
