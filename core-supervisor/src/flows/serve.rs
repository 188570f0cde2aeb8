//! A message to a room: the request is read, the room answers.
//!
//! Whether the asker may was decided before (flows/judge.rs); what it may do to a
//! component is asked again here, about that component.

use protocol::api;
use protocol::message::Header;
use protocol::{Address, Code, MessageKind};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::judge::{self, Judgement};
use crate::flows::respond::{self, Refusal};
use crate::flows::{
    debug, deploy, dial, observe, purge, quotas, reload, serve_admin, serve_allocation,
    serve_discovery, serve_registry, serve_storage, serve_subscriptions, stop, supervise, sync,
    trust, undeploy,
};
use crate::ids::{DeploymentId, OwnerId, RoomName};
use crate::ingress::AdmittedMessage;
use crate::limits::WATCHERS_MAX;
use crate::rooms::policy::Act;
use crate::rooms::user_agent::{Asker, Stage, Unselected};

/// Bytes of a request to a room: the largest carries a configuration.
const REQUEST_BYTES_MAX: usize = 64 * 1024;

/// What became of a request: answered, to be answered later, or refused.
pub(crate) type Served = Result<Answer, Refusal>;

/// How a request was answered.
pub(crate) enum Answer {
    /// With 200 and this body.
    Body(Vec<u8>),
    /// With this number and body: where published code expects more in a refusal
    /// than its reason.
    Coded(Code, Vec<u8>),
    /// The answer comes later.
    Later,
}

/// One request to a room.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) admitted: &'a AdmittedMessage<'a>,
    pub(crate) owner: OwnerId,
    pub(crate) now: Now,
}

impl<'a> Asked<'a> {
    pub(crate) fn header(&self) -> &'a Header<'a> {
        &self.admitted.message.header
    }

    /// Reads the body; an empty one counts as `{}`.
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let body = self.admitted.message.body;
        if body.len() > REQUEST_BYTES_MAX {
            let reason = format!(
                "a request of {} bytes is longer than {REQUEST_BYTES_MAX}",
                body.len()
            );
            return Err(Refusal::new(Code::TOO_LARGE, "too-large", reason));
        }
        let text = if body.is_empty() { b"{}" } else { body };
        serde_json::from_slice(text).map_err(|bad| Refusal::bad_request(format!("body: {bad}")))
    }

    pub(crate) fn asker(&self) -> Asker {
        let header = self.header();
        Asker {
            link: self.admitted.link,
            owner: self.owner,
            from: header.from.to_owned(),
            to: header.to.to_owned(),
            id: header.id,
        }
    }
}

/// Gives a message to a room and answers it.
pub(crate) fn room(
    core: &mut Core,
    room: RoomName,
    admitted: &AdmittedMessage<'_>,
    judgement: &Judgement,
    now: Now,
    out: &mut Actions,
) {
    let asked = Asked {
        admitted,
        owner: judgement.sender,
        now,
    };
    let served = match room {
        RoomName::Runtime => Err(not_understood("runtime", asked.header())),
        RoomName::Bus => bus(core, &asked),
        RoomName::Registry => serve_registry::registry(core, &asked),
        RoomName::Policy => serve_admin::policy(core, &asked, out),
        RoomName::UserAgent => user_agent(core, &asked, out),
        RoomName::Catalogue => serve_admin::catalogue(core, &asked, out),
        RoomName::Sandboxes => sandboxes(core, &asked, out),
        RoomName::Allocation => serve_allocation::allocation(core, &asked, out),
        RoomName::Sync => sync::serve(core, &asked, out),
        RoomName::Subscriptions => serve_subscriptions::subscriptions(core, &asked, out),
        RoomName::Discovery => serve_discovery::discovery(core, &asked, out),
        RoomName::Storage => serve_storage::storage(core, &asked, out),
        RoomName::Connections => dial::serve::connections(core, &asked, out),
    };
    let header = asked.header();
    match served {
        Ok(Answer::Body(body)) => {
            respond::answer(core, admitted.link, header, Code::OK, &body, out);
        }
        Ok(Answer::Coded(code, body)) => {
            respond::answer(core, admitted.link, header, code, &body, out);
        }
        Ok(Answer::Later) => {}
        Err(refusal) => {
            observe::turned_down(core, admitted, &refusal, now);
            respond::refuse(core, admitted.link, header, &refusal, out);
        }
    }
}

/// A message whose kind a room does not answer.
pub(crate) fn not_understood(room: &str, header: &Header<'_>) -> Refusal {
    let reason = format!(
        "`{room}` does not answer messages of type `{}`",
        header.kind
    );
    Refusal::new(Code::NOT_ALLOWED, "not-understood", reason)
}

/// An answer that carries a value.
// A `Served`, so that an arm of a `match` can end in it.
#[allow(clippy::unnecessary_wraps)]
pub(crate) fn value<T: serde::Serialize>(value: &T) -> Served {
    Ok(Answer::Body(respond::valued(value)))
}

/// An answer that carries nothing.
#[allow(clippy::unnecessary_wraps)]
pub(crate) fn done() -> Served {
    Ok(Answer::Body(br#"{"code":200}"#.to_vec()))
}

fn bus(core: &mut Core, asked: &Asked<'_>) -> Served {
    let (link, from) = (asked.admitted.link, asked.header().from);
    let bus = &mut core.rooms.bus;
    match asked.header().kind {
        MessageKind::Read => {
            bus.numbers.pending = bus.pending.len() as u64;
            bus.numbers.slots = bus.slots.len() as u64;
            value(&bus.numbers)
        }
        MessageKind::Subscribe => {
            if bus.taps.open(link, from, asked.body()?) {
                return done();
            }
            Err(Refusal::busy(format!(
                "{WATCHERS_MAX} taps are open already"
            )))
        }
        MessageKind::Unsubscribe => {
            bus.taps.close(link, from);
            done()
        }
        _ => Err(not_understood(api::bus::PATH, asked.header())),
    }
}

fn user_agent(core: &mut Core, asked: &Asked<'_>, out: &mut Actions) -> Served {
    match asked.header().kind {
        MessageKind::Create => {
            deploy::begin(core, asked.asker(), asked.body()?, asked.now, out)?;
            Ok(Answer::Later)
        }
        MessageKind::Read => components(core, asked),
        MessageKind::Delete => {
            let select: api::user_agent::Select = asked.body()?;
            if select.purge {
                return purge::component(core, asked, &select.resource, out);
            }
            let id = manageable(core, asked, &select.resource)?;
            undeploy::remove(core, id, asked.now, out);
            done()
        }
        MessageKind::Execute => {
            let method: api::user_agent::Method = asked.body()?;
            let id = manageable(core, asked, &method.resource)?;
            manage(core, asked, id, &method.method, out)
        }
        _ => Err(not_understood(api::user_agent::PATH, asked.header())),
    }
}

fn components(core: &mut Core, asked: &Asked<'_>) -> Served {
    let select: api::user_agent::Select = asked
        .body()
        .or_else(|_| Ok::<_, Refusal>(api::user_agent::Select::default()))?;
    if !select.resource.is_empty() {
        let id = selected(core, &select.resource)?;
        let view = core.component(id, asked.now).map(|mut view| {
            view.limits = quotas::shown(core, id, asked.now);
            view
        });
        return value(&view);
    }
    let ids: Vec<_> = core.rooms.user_agent.iter().map(|(id, _)| id).collect();
    let components = ids
        .into_iter()
        .filter_map(|id| core.component(id, asked.now))
        .collect();
    value(&api::user_agent::Listing { components })
}

fn manage(
    core: &mut Core,
    asked: &Asked<'_>,
    id: DeploymentId,
    method: &str,
    out: &mut Actions,
) -> Served {
    let now = asked.now;
    let is_interrupted = matches!(method, "stop" | "start" | "restart" | "debug") && {
        let reason = format!("a `{method}` came before the new code ran");
        let refusal = Refusal::new(Code::CONFLICT, "interrupted", reason);
        reload::give_up(core, id, &refusal, out).is_some()
    };
    match method {
        "debug" => return debug::begin(core, asked, id, out),
        "go" => return debug::go(core, asked, id, out),
        "stop" => {
            undeploy::leave_sandbox(core, id, now, out);
            set_stage(core, id, Stage::Stopped, "stopped by hand", now);
        }
        "start" if is_up(core, id) && !is_interrupted => {}
        "start" | "restart" => {
            undeploy::leave_sandbox(core, id, now, out);
            supervise::clear_budget(core, id);
            core.waits_for(id, asked.asker());
            supervise::restart(core, id, now, out);
            return Ok(Answer::Later);
        }
        "approve" => return trust::approve(core, asked, id, out),
        "rollback" => return trust::roll_back(core, asked, id, out),
        "reload" => {
            reload::begin(core, id, asked.asker(), out)?;
            return Ok(Answer::Later);
        }
        other => {
            return Err(Refusal::bad_request(format!(
                "`{other}` is not a method: say stop, start, restart, reload, approve, rollback, debug or go"
            )));
        }
    }
    value(&core.component(id, now))
}

fn is_up(core: &Core, id: DeploymentId) -> bool {
    core.rooms
        .user_agent
        .get(id)
        .is_some_and(|deployment| deployment.stage == Stage::Running)
}

fn set_stage(core: &mut Core, id: DeploymentId, stage: Stage, reason: &str, now: Now) {
    if let Some(deployment) = core.rooms.user_agent.get_mut(id) {
        deployment.stage = stage;
        deployment.since = now.mono;
        deployment.next_try = None;
        reason.clone_into(&mut deployment.reason);
    }
}

fn selected(core: &Core, resource: &str) -> Result<DeploymentId, Refusal> {
    core.rooms
        .user_agent
        .select(resource)
        .map_err(|unselected| match unselected {
            Unselected::None => {
                Refusal::not_found(format!("no component has the address or name `{resource}`"))
            }
            Unselected::Several => Refusal::new(
                Code::CONFLICT,
                "ambiguous",
                format!("several components are named `{resource}`: say which by its address"),
            ),
        })
}

/// Whoever may deploy a component may stop, start and remove it.
pub(crate) fn manageable(
    core: &mut Core,
    asked: &Asked<'_>,
    resource: &str,
) -> Result<DeploymentId, Refusal> {
    let id = selected(core, resource)?;
    let package = core
        .rooms
        .user_agent
        .get(id)
        .and_then(|deployment| deployment.package.as_ref());
    let Some(to) = package.map(|package| package.address.clone()) else {
        return Ok(id);
    };
    may_manage(core, asked, &to)?;
    Ok(id)
}

/// Whether whoever asks may deploy what has this address.
pub(crate) fn may_manage(core: &mut Core, asked: &Asked<'_>, to: &Address) -> Result<(), Refusal> {
    let from: Address = asked
        .header()
        .from
        .parse()
        .map_err(|_| Refusal::bad_request("`from` is not an address"))?;
    let (permit, _, decision) =
        judge::decide(core, Act::Deploy, asked.owner, (&from, to), &[], asked.now);
    if permit {
        return Ok(());
    }
    Err(Refusal::new(Code::FORBIDDEN, "deny", judge::reason(core, decision)).decided(decision))
}

fn sandboxes(core: &mut Core, asked: &Asked<'_>, out: &mut Actions) -> Served {
    #[derive(Deserialize)]
    struct Method {
        method: String,
    }
    let (link, from) = (asked.admitted.link, asked.header().from.to_owned());
    match asked.header().kind {
        MessageKind::Read => value(&serve_admin::sandboxes(core)),
        MessageKind::Execute => {
            let method: Method = asked.body()?;
            if method.method != "shutdown" {
                return Err(Refusal::bad_request(format!(
                    "`{}` is not a method: say shutdown",
                    method.method
                )));
            }
            stop::begin(core, "asked for by the operator", asked.now, out);
            done()
        }
        MessageKind::Subscribe => {
            let filter: api::sandboxes::LogFilter = asked.body()?;
            let lines = core.rooms.sandboxes.journal.last(&filter);
            if filter.follow && !core.rooms.sandboxes.journal.follow(link, &from, filter) {
                return Err(Refusal::busy(format!(
                    "{WATCHERS_MAX} followers are there already"
                )));
            }
            respond::done(core, link, asked.header(), out);
            let to = core.room_address(api::sandboxes::PATH);
            for lines in lines.chunks(32) {
                let batch = api::sandboxes::LogBatch {
                    lines: lines.to_vec(),
                    missed: 0,
                };
                observe::update(core, link, &to, &from, &respond::valued(&batch), out);
            }
            Ok(Answer::Later)
        }
        MessageKind::Unsubscribe => {
            core.rooms.sandboxes.journal.unfollow(link, &from);
            done()
        }
        _ => Err(not_understood(api::sandboxes::PATH, asked.header())),
    }
}
