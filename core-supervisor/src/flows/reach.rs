//! A message for a domain that no stub speaks for yet.
//!
//! wait → (shut | permitted → opened by deploy → up | failed) → judged again
//!
//! The stub is looked for where the field looks for it: in the catalogue of the
//! domain under `default`, then in that of this runtime's domain under the name of
//! the other (spec messaging §4.2). That is so as well where components of the domain
//! live here: whether one that is not here lives elsewhere, only the stub can know.
//! What waits was permitted when it came, which may
//! be a while ago: it is judged again when it goes on (invariant I5).

use std::time::Duration;

use protocol::limits::REPLY_WAIT_MS_MAX;
use protocol::{Address, Code, HostFrame, Message, Reply, codec};

use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::judge;
use crate::flows::respond::{self, Refusal};
use crate::flows::serve::Asked;
use crate::flows::{deliver, deploy, home, legacy, supervise};
use crate::ids::{DeploymentId, OwnerId};
use crate::ingress::AdmittedMessage;
use crate::limits::{PARKED_FOR, PARKED_PER_LINK_MAX, STUBS_ON_DEMAND_MAX, WAYS_PER_SECOND_MAX};
use crate::rooms::bus::{Held, NoRoom};
use crate::rooms::policy::Act;
use crate::rooms::registry::{Place, Route};
use crate::rooms::user_agent::Stage;

/// Lets a message wait for the stub of a domain, which is brought up meanwhile.
pub(crate) fn wait(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    sender: OwnerId,
    to: &Address,
    now: Now,
    out: &mut Actions,
) -> Result<(), Refusal> {
    let domain = domain_of(core, to);
    if let Some(shut) = core.rooms.registry.ways.shut(&domain, now.mono) {
        let wait = shut.until.saturating_sub(now.mono).as_secs() + 1;
        let reason = format!("{}; it may be tried again in {wait} s", shut.reason);
        return Err(Refusal::new(shut.code, "no-way", reason));
    }
    if !is_on_its_way(core, &domain) {
        may_reach(core, admitted, sender, to, now)?;
        may_begin(core, admitted, now)?;
    }
    park(core, admitted, sender, &domain, now)?;
    if !is_on_its_way(core, &domain) {
        begin(core, &domain, Some(to), now, out);
    }
    Ok(())
}

/// Brings up the stub of a domain, unless that is under way.
pub(crate) fn begin(
    core: &mut Core,
    domain: &str,
    to: Option<&Address>,
    now: Now,
    out: &mut Actions,
) {
    let own = core.settings.runtime.domain().to_owned();
    let at = |name: &str, provider: &str| Place {
        component: format!("protocolstub/{name}"),
        provider: provider.to_owned(),
    };
    let mut tries = vec![at("default", domain)];
    if domain != own {
        tries.push(at(domain, &own));
    }
    if !core.rooms.registry.ways.begin(domain, tries) {
        let refusal = Refusal::busy("the stubs of other domains are being brought up; try later");
        return settle(core, domain, &refusal, now, out);
    }
    if to.is_none_or(|to| !legacy::ask(core, domain, to, out)) {
        go_on(core, domain, now, out);
    }
}

/// Tries the next place where the stub of a domain may be.
pub(crate) fn go_on(core: &mut Core, domain: &str, now: Now, out: &mut Actions) {
    let Some(place) = core.rooms.registry.ways.next_try(domain) else {
        let reason = format!("no protocol stub for `{domain}` can be had");
        return failed(core, domain, &Refusal::not_found(reason), now, out);
    };
    if let Err(refusal) = deploy::on_demand(core, domain, place, now, out) {
        failed(core, domain, &refusal, now, out);
    }
}

/// The deployment of a stub for a domain has failed: the next place is tried, or
/// everybody who waits is told.
pub(crate) fn failed(
    core: &mut Core,
    domain: &str,
    refusal: &Refusal,
    now: Now,
    out: &mut Actions,
) {
    if !core.rooms.registry.ways.is_opening(domain) {
        return;
    }
    let was_absent = (refusal.code, refusal.gate) == (Code::NOT_FOUND, "package");
    if was_absent && let Some(place) = core.rooms.registry.ways.next_try(domain) {
        if let Err(refusal) = deploy::on_demand(core, domain, place, now, out) {
            failed(core, domain, &refusal, now, out);
        }
        return;
    }
    let code = match refusal.code {
        code @ (Code::NOT_FOUND | Code::BUSY | Code::UNAVAILABLE) => code,
        _ => Code::FAILED,
    };
    let reason = format!("no protocol stub speaks for `{domain}`: {}", refusal.reason);
    let until = core
        .rooms
        .registry
        .ways
        .fail(domain, code, &reason, now.mono);
    core.check_by(until);
    // What was remembered of messages to it holds no more than what is known now.
    core.epoch += 1;
    settle(
        core,
        domain,
        &Refusal::new(code, "no-way", reason),
        now,
        out,
    );
}

/// A stub runs: what waits for its domain goes on.
pub(crate) fn up(core: &mut Core, id: DeploymentId, now: Now, out: &mut Actions) {
    let standing = core.rooms.registry.standing(OwnerId::Component(id));
    let Some(domain) = standing.map(|standing| standing.speaks_for.clone()) else {
        return;
    };
    if !domain.is_empty() {
        core.rooms.registry.ways.forget(&domain);
        core.epoch += 1;
        release(core, &domain, now, out);
    }
}

/// A component leaves its link, on which others may stay: what waits of it is answered
/// as everything else that it has asked.
pub(crate) fn sender_left(core: &mut Core, sender: OwnerId, now: Now, out: &mut Actions) {
    let reason = "the sender was removed before its message went on";
    let refusal = Refusal::new(Code::UNAVAILABLE, "removed", reason);
    for held in core.rooms.bus.parked.take_of(sender) {
        refuse(core, &held, &refusal, now, out);
    }
}

/// What waits and need not, or not any longer, goes on; stubs that belong to this
/// runtime are brought up again.
pub(crate) fn review(core: &mut Core, now: Now, out: &mut Actions) {
    for held in core.rooms.bus.parked.take_late(now.mono) {
        let why = "the protocol stub of its domain did not run in time";
        refuse(core, &held, &Refusal::timeout_of(why), now, out);
    }
    let domains: Vec<_> = {
        let parked = &core.rooms.bus.parked;
        let idle = parked
            .domains()
            .filter(|domain| !is_on_its_way(core, domain));
        idle.map(str::to_owned).collect()
    };
    for domain in domains {
        release(core, &domain, now, out);
    }
    home::restart_failed(core, now, out);
    home::keep_up(core, now, out);
}

/// When `review` may have something to do.
pub(crate) fn next_deadline(core: &Core) -> Option<Duration> {
    let ways = &core.rooms.registry.ways;
    let homes = core.settings.homes.iter();
    let again = homes.filter_map(|home| Some(ways.shut(home, core.time)?.until));
    again.chain(core.rooms.bus.parked.next_deadline()).min()
}

/// Whether whoever searches may ask a registry elsewhere, and wait for the way there.
pub(crate) fn may_search(core: &mut Core, asked: &Asked<'_>, registry: &Address) -> bool {
    let Ok(from) = asked.header().from.parse() else {
        return false;
    };
    let (act, parties) = (Act::Message("read"), (&from, registry));
    judge::decide(core, act, asked.owner, parties, &[], asked.now).0
}

/// Whether an address is in a domain whose stub is not there, or not yet.
pub(crate) fn is_unreached(core: &Core, to: &Address) -> bool {
    match core.rooms.registry.resolve(to, &core.settings.runtime) {
        Route::Foreign => true,
        Route::Stub(stub) => is_coming(core, stub),
        Route::Owner(_) | Route::Absent => false,
    }
}

/// Whether the stub of a component is about to run, so that messages wait for it.
pub(crate) fn is_coming(core: &Core, stub: OwnerId) -> bool {
    let OwnerId::Component(id) = stub else {
        return false;
    };
    core.rooms.user_agent.get(id).is_some_and(|deployment| {
        match deployment.stage {
            Stage::Reading | Stage::Launching | Stage::Loading => true,
            // After a crash it is back soon; one that rests is down.
            Stage::Waiting => deployment
                .next_try
                .is_some_and(|at| at <= core.time + PARKED_FOR),
            Stage::Running | Stage::Stopped | Stage::Failed => false,
        }
    })
}

/// The domain whose stub a message for an address waits for.
pub(crate) fn domain_of(core: &Core, to: &Address) -> String {
    core.rooms.registry.way_to(to, &core.settings.runtime)
}

/// Whether a stub for the domain is being looked for, or started.
pub(crate) fn is_on_its_way(core: &Core, domain: &str) -> bool {
    let registry = &core.rooms.registry;
    let stub = registry.stub_for(domain);
    registry.ways.is_opening(domain) || stub.is_some_and(|stub| is_coming(core, stub))
}

fn may_reach(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    sender: OwnerId,
    to: &Address,
    now: Now,
) -> Result<(), Refusal> {
    let from: Address = admitted
        .message
        .header
        .from
        .parse()
        .map_err(|_| Refusal::bad_request("`from` is not an address"))?;
    let (permit, _, decision) = judge::decide(core, Act::Reach, sender, (&from, to), &[], now);
    if permit {
        return Ok(());
    }
    let reason = judge::reason(core, decision);
    Err(Refusal::new(Code::FORBIDDEN, "deny", reason).decided(decision))
}

// Looking for a stub costs a look at catalogues, and starting one a process.
fn may_begin(core: &mut Core, admitted: &AdmittedMessage<'_>, now: Now) -> Result<(), Refusal> {
    let Some(gate) = core.gates.get_mut(&admitted.link) else {
        return Ok(());
    };
    if gate.reached.count(now.mono, Duration::from_secs(1)) > WAYS_PER_SECOND_MAX {
        return Err(Refusal::busy(format!(
            "more than {WAYS_PER_SECOND_MAX} new domains within a second; try later"
        )));
    }
    let deployments = core.rooms.user_agent.iter();
    let on_demand = deployments.filter(|(_, d)| d.way.is_some()).count();
    if on_demand >= STUBS_ON_DEMAND_MAX {
        return Err(Refusal::busy(format!(
            "{STUBS_ON_DEMAND_MAX} stubs were brought up for messages already: remove some \
             with `hyperty rm`, or deploy this one by hand"
        )));
    }
    Ok(())
}

fn park(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    sender: OwnerId,
    domain: &str,
    now: Now,
) -> Result<(), Refusal> {
    if admitted.body_in.is_some() {
        let reason = format!("the way to `{domain}` was closed; send it again");
        return Err(Refusal::new(Code::UNAVAILABLE, "no-way", reason));
    }
    let header = &admitted.message.header;
    let deadline = now.mono + wait_of(header.reply);
    let held = Held::new(
        (admitted.link, sender),
        header,
        admitted.raw.bytes,
        deadline,
    );
    let parked = core.rooms.bus.parked.park(domain, held);
    parked.map_err(|no_room| {
        Refusal::busy(match no_room {
            NoRoom::Share => format!(
                "{PARKED_PER_LINK_MAX} messages of this link wait for stubs already, its share; \
                 try later"
            ),
            NoRoom::Full => "too many messages wait for stubs; try later".to_owned(),
        })
    })?;
    core.check_by(deadline);
    Ok(())
}

fn wait_of(reply: Reply) -> Duration {
    match reply {
        Reply::Within(ms) => Duration::from_millis(ms.min(REPLY_WAIT_MS_MAX).into()),
        Reply::Untimed | Reply::Unwanted => PARKED_FOR,
    }
}

// Everything that waits for a domain is judged again, in the order in which it came.
pub(crate) fn release(core: &mut Core, domain: &str, now: Now, out: &mut Actions) {
    for held in core.rooms.bus.parked.take(domain) {
        let Some((raw, mut message)) = reread(&held.frame) else {
            continue;
        };
        // It has waited for a part of its time, perhaps more than once.
        if let Reply::Within(ms) = message.header.reply {
            let rest = held.deadline.saturating_sub(now.mono).as_millis();
            let rest = u32::try_from(rest).unwrap_or(u32::MAX).clamp(1, ms.max(1));
            message.header.reply = Reply::Within(rest);
        }
        let admitted = AdmittedMessage {
            link: held.link,
            message,
            raw,
            body_in: None,
        };
        // Its link may have been cut because of one before it.
        if core.gates.contains_key(&held.link)
            && let Err(fault) = deliver::message(core, admitted, now, out)
        {
            supervise::fault(core, held.link, &fault, now, out);
        }
    }
}

// Everybody who waits for a domain hears why it is in vain.
fn settle(core: &mut Core, domain: &str, refusal: &Refusal, now: Now, out: &mut Actions) {
    for held in core.rooms.bus.parked.take(domain) {
        refuse(core, &held, refusal, now, out);
    }
}

fn refuse(core: &mut Core, held: &Held, refusal: &Refusal, _: Now, out: &mut Actions) {
    if let Some((_, message)) = reread(&held.frame) {
        core.rooms.bus.numbers.refused += 1;
        respond::refuse(core, held.link, &message.header, refusal, out);
    }
}

// It was admitted as this when it came.
fn reread(frame: &[u8]) -> Option<(codec::RawFrame<'_>, Message<'_>)> {
    let raw = codec::split(frame).ok()??;
    match HostFrame::decode(raw).ok()? {
        HostFrame::Send(message) => Some((raw, message)),
        _ => None,
    }
}
