//! What no catalogue here has, fetched from the catalogue of its domain.
//!
//! absent → (stub_up) → head → body … → kept → (head → body … → kept) → concluded
//!
//! The descriptor first, then the code that it leads to; both by `stub-catalogue`,
//! which is brought up when it is first needed. The shell verifies and keeps; who
//! waited then reads the package as it would have read it here. When there is an
//! older copy and elsewhere cannot be asked, that one serves. Every fetch ends, by
//! its last answer or after five minutes, and everybody who waits is told.

mod books;
mod conclude;
mod named;
mod run;
mod serve;
mod transfer;

use protocol::{Code, MessageKind};

pub(crate) use books::{Fetch, Fetches, Key, Part, Step, Waiter};
pub(crate) use named::grant as grant_named;
pub(crate) use serve::{listed, serve};
pub(crate) use transfer::answered;
use transfer::{give_up, head};

use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::respond::Refusal;
use crate::flows::{deploy, judge, sync};
use crate::ids::{DeploymentId, LinkId, OwnerId, RoomName, Ticket};
use crate::rooms::catalogue::elsewhere::{self, AskedFor, Elsewhere, Mode, Next, Piece};
use crate::rooms::catalogue::limits::{FETCH_WITHIN, FETCHES_MAX, WAITERS_MAX};
use crate::rooms::catalogue::{Item, PackageFailure, PackageRead};
use crate::rooms::policy::Act;
use crate::rooms::user_agent::Stage;

/// A package was read, or is to be had elsewhere: then it is fetched. `false` when
/// that is not so, and the result is whoever's it was.
pub(crate) fn package_read(
    core: &mut Core,
    ticket: Ticket,
    result: &mut Result<PackageRead, PackageFailure>,
    now: Now,
    out: &mut Actions,
) -> bool {
    let Err(failure) = result else {
        return false;
    };
    let Some(elsewhere) = failure.elsewhere.take() else {
        return false;
    };
    let AskedFor::Package(wanted) = elsewhere.asked.clone() else {
        return false;
    };
    let waiter = Waiter::Package(ticket, wanted);
    absent(core, *elsewhere, (waiter, Mode::Take), now, out);
    true
}

/// The catalogues were asked for a schema: it was read, or is to be had elsewhere.
pub(crate) fn schema_read(
    core: &mut Core,
    ticket: Ticket,
    result: Result<Option<Vec<u8>>, String>,
    elsewhere: Option<Box<Elsewhere>>,
    now: Now,
    out: &mut Actions,
) {
    let elsewhere = elsewhere.map(|elsewhere| (elsewhere.asked.clone(), *elsewhere));
    match elsewhere {
        Some((AskedFor::Schema(wanted), elsewhere)) => {
            let waiter = Waiter::Schema(ticket, wanted);
            absent(core, elsewhere, (waiter, Mode::Take), now, out);
        }
        _ => sync::read(core, ticket, result, now, out),
    }
}

/// Fetches something, or waits for it with those who do already.
pub(super) fn absent(
    core: &mut Core,
    elsewhere: Elsewhere,
    (waiter, mode): (Waiter, Mode),
    now: Now,
    out: &mut Actions,
) {
    let Elsewhere { item, held, .. } = elsewhere;
    let key = (item, mode == Mode::Look);
    if let Some(fetch) = core.fetches.open.get_mut(&key)
        && fetch.waiters.len() < WAITERS_MAX
    {
        fetch.mode = fetch.mode.max(mode);
        fetch.waiters.push(waiter);
        return;
    }
    let insists = matches!(waiter, Waiter::Asker(_) | Waiter::Run(_));
    let shut = core.fetches.shut(&key.0, now.mono).filter(|_| !insists);
    let barred = shut.cloned().or_else(|| barred(core, &key, now).err());
    let has_copy = held.is_some();
    let fetch = Fetch {
        waiters: vec![waiter],
        part: Part::first(&key.0),
        step: Step::Stub,
        mode,
        held,
        bytes: Vec::new(),
        total: None,
        piece: Piece::default(),
        descriptor: Piece::default(),
        deadline: now.mono + FETCH_WITHIN,
    };
    if let Some(failure) = barred {
        return conclude::failed(core, (key.0, fetch.waiters), has_copy, &failure, now, out);
    }
    core.fetches.open.insert(key.clone(), fetch);
    core.check_by(now.mono + FETCH_WITHIN);
    match stub(core, now, out) {
        Ok(Some(link)) => head(core, &key, link, now, out),
        Ok(None) => {}
        Err(failure) => conclude::end(core, &key, failure, now, out),
    }
}

// Whether this may be fetched now: by its number, and by policy.
fn barred(core: &mut Core, (item, _): &Key, now: Now) -> Result<(), PackageFailure> {
    if core.fetches.open.len() >= FETCHES_MAX {
        let reason = format!("{FETCHES_MAX} fetches are under way; try later");
        return Err(failure(Code::BUSY, reason));
    }
    let room = core.room_address(protocol::api::catalogue::PATH).parse();
    let (Ok(room), Some(to)) = (room, elsewhere::address_of(item)) else {
        let reason = format!("`{}` of {} has no address", item.name, item.provider);
        return Err(failure(Code::BAD_REQUEST, reason));
    };
    let act = Act::Message(MessageKind::Read.as_str());
    let owner = OwnerId::Room(RoomName::Catalogue);
    let (permit, _, decision) = judge::decide(core, act, owner, (&room, &to), &[], now);
    if permit {
        return Ok(());
    }
    let reason = format!(
        "`{}` of {} is not fetched: {} (decision {decision})",
        item.name,
        item.provider,
        judge::reason(core, decision),
    );
    Err(failure(Code::FORBIDDEN, reason))
}

// The link of the stub, once it runs; it is deployed if it is not.
fn stub(core: &mut Core, now: Now, out: &mut Actions) -> Result<Option<LinkId>, PackageFailure> {
    let deployed = core.fetches.stub;
    let known = deployed.and_then(|id| Some((id, core.rooms.user_agent.get(id)?.stage)));
    let Some((id, stage)) = known else {
        let place = crate::rooms::registry::Place {
            component: "protocolstub/catalogue".to_owned(),
            provider: elsewhere::SHIPPED_PROVIDER.to_owned(),
        };
        let begun = deploy::shipped(core, place, now, out);
        let begun = begun.map_err(|refusal| failure(refusal.code, refusal.reason))?;
        core.fetches.stub = Some(begun);
        return Ok(None);
    };
    match stage {
        Stage::Running => {
            let standing = core.rooms.registry.standing(OwnerId::Component(id));
            Ok(standing.and_then(|standing| standing.link))
        }
        Stage::Reading | Stage::Launching | Stage::Loading | Stage::Waiting => Ok(None),
        Stage::Stopped | Stage::Failed => Err(failure(
            Code::UNAVAILABLE,
            "the component that fetches does not run: `hyperty start catalogue`".to_owned(),
        )),
    }
}

/// A component runs: if it is the stub, what waits for it begins.
pub(crate) fn stub_up(core: &mut Core, id: DeploymentId, now: Now, out: &mut Actions) {
    if core.fetches.stub != Some(id) {
        return;
    }
    let waiting: Vec<Key> = {
        let open = core.fetches.open.iter();
        let waiting = open.filter(|(_, fetch)| fetch.step == Step::Stub);
        waiting.map(|(key, _)| key.clone()).collect()
    };
    for key in waiting {
        match stub(core, now, out) {
            Ok(Some(link)) => head(core, &key, link, now, out),
            Ok(None) => {}
            Err(failure) => conclude::end(core, &key, failure, now, out),
        }
    }
}

/// A deployment has ended: if it was the stub's, what waits for it has failed.
pub(crate) fn stub_gone(
    core: &mut Core,
    id: DeploymentId,
    refusal: &Refusal,
    now: Now,
    out: &mut Actions,
) {
    if core.fetches.stub != Some(id) {
        return;
    }
    core.fetches.stub = None;
    let open: Vec<Key> = core.fetches.open.keys().cloned().collect();
    for key in open {
        let reason = format!("the component that fetches is gone: {}", refusal.reason);
        let is_waiting = |fetch: &Fetch| fetch.step == Step::Stub;
        if core.fetches.open.get(&key).is_some_and(is_waiting) {
            conclude::end(core, &key, failure(Code::UNAVAILABLE, reason), now, out);
        }
    }
}

/// The shell has looked at what came.
pub(crate) fn kept(
    core: &mut Core,
    ticket: Ticket,
    result: Result<Next, PackageFailure>,
    now: Now,
    out: &mut Actions,
) {
    let Some(key) = core.fetches.kept_for(ticket) else {
        return serve::managed(core, ticket, result, out);
    };
    match result {
        Ok(Next::Code(code)) => {
            if let Some(fetch) = core.fetches.open.get_mut(&key) {
                fetch.part = Part::Code(code);
                fetch.step = Step::Stub;
            }
            match stub(core, now, out) {
                Ok(Some(link)) => head(core, &key, link, now, out),
                Ok(None) => {}
                Err(failure) => conclude::end(core, &key, failure, now, out),
            }
        }
        Ok(next) => conclude::done(core, &key, next, now, out),
        Err(failure) => conclude::end(core, &key, failure, now, out),
    }
}

/// Ends what has taken too long.
pub(crate) fn review(core: &mut Core, now: Now, out: &mut Actions) {
    let open = core.fetches.open.iter();
    let late = open.filter(|(_, fetch)| fetch.deadline <= now.mono);
    let late: Vec<Key> = late.map(|(key, _)| key.clone()).collect();
    for key in late {
        let step = core.fetches.open.get(&key).map(|fetch| fetch.step.clone());
        if let Some(Step::Body(transfer)) = step {
            give_up(core, &key, transfer, now, out);
        }
        let reason = format!(
            "`{}` could not be fetched from {} within {} s",
            key.0.name,
            key.0.base,
            FETCH_WITHIN.as_secs(),
        );
        conclude::end(core, &key, failure(Code::TIMEOUT, reason), now, out);
    }
}

/// A failure without a place elsewhere.
pub(super) const fn failure(code: Code, reason: String) -> PackageFailure {
    PackageFailure {
        code,
        reason,
        elsewhere: None,
    }
}

/// What is said of an item, for people.
pub(super) fn shown(item: &Item) -> String {
    format!("{}/{} of {}", item.kind, item.name, item.provider)
}
