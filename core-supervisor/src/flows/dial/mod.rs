//! A component reaches the network.
//!
//! dial → (connector::ensure) → connected | bound → accepted … | not_connected
//!      → hangup | revoke::look_again | forget
//!
//! The component pays: what is under way and what is open counts against its link.
//! Every dial ends in one answer: by the connector, by its end, by its time, or
//! because its asker is gone and nobody is left to be answered.

pub(crate) mod connector;
mod permit;
pub(crate) mod revoke;
pub(crate) mod roots;
pub(crate) mod serve;
mod share;

pub(crate) use permit::would_decide;

use std::time::Duration;

use protocol::dial::{Dial, NotDialled, Transport};
use protocol::limits::{DIAL_WAIT_MS, DIAL_WAIT_MS_MAX};
use protocol::{Address, Code, CoreFrame, HostFrame};

use crate::core::Core;
use crate::event::{Action, Actions, Now};
use crate::flows::respond::{self, Refusal};
use crate::ids::{DeploymentId, LinkId, OwnerId, SocketId};
use crate::ingress::Fault;
use crate::place::Place;
use crate::rooms::connections::{Job, JobId, Open};

/// What the connector's own time is shorter than the core's: its answer says more.
const CONNECTOR_AHEAD: Duration = Duration::from_millis(250);

/// A component, or the connector, says something about sockets.
pub(crate) fn said(
    core: &mut Core,
    link: LinkId,
    frame: &HostFrame<'_>,
    now: Now,
    out: &mut Actions,
) -> Result<(), Fault> {
    match *frame {
        HostFrame::Dial(asked) => return dial(core, link, &asked, now, out),
        HostFrame::Hangup { socket } => hangup(core, link, SocketId(socket), out),
        HostFrame::TakeRoots => roots::take(core, link, now, out),
        HostFrame::Connected { job, peer } => connected(core, link, job, peer, now, out),
        HostFrame::Bound { job, local } => bound(core, job, local, now, out),
        HostFrame::Accepted { job, peer } => accepted(core, link, job, peer, now, out),
        HostFrame::NotConnected { job, code, reason } => {
            not_connected(core, job, code, reason, out);
        }
        HostFrame::Hello(_)
        | HostFrame::Confined(_)
        | HostFrame::Loaded { .. }
        | HostFrame::LoadFailed(_)
        | HostFrame::Unloaded { .. }
        | HostFrame::Send(_)
        | HostFrame::Listen { .. }
        | HostFrame::Unlisten { .. }
        | HostFrame::Log(..)
        | HostFrame::Pong { .. }
        | HostFrame::TakeSlots { .. }
        | HostFrame::SendBy(_)
        | HostFrame::Return { .. } => {}
    }
    Ok(())
}

/// A component wants a socket.
fn dial(
    core: &mut Core,
    link: LinkId,
    dial: &Dial<'_>,
    now: Now,
    out: &mut Actions,
) -> Result<(), Fault> {
    let component = component_on(core, link, dial.component)?;
    match begin(core, link, component, dial, now) {
        Ok(job) => connector::ensure(core, job, now, out),
        Err(refusal) => refuse(core, link, dial.request, &refusal, out),
    }
    Ok(())
}

fn begin(
    core: &mut Core,
    link: LinkId,
    component: DeploymentId,
    dial: &Dial<'_>,
    now: Now,
) -> Result<JobId, Refusal> {
    share::is_left(core, link, dial.request, now)?;
    let place = Place::read(dial.host, dial.port, dial.transport).map_err(Refusal::bad_request)?;
    let permitted = permit::decide(core, component, &place, now)?;
    permit::within_count(core, component, &permitted)?;
    let wait = match dial.wait_ms {
        0 => DIAL_WAIT_MS,
        asked => asked.min(DIAL_WAIT_MS_MAX),
    };
    let until = now.mono + Duration::from_millis(u64::from(wait));
    core.check_by(until);
    Ok(core.rooms.connections.begin(Job {
        link,
        component,
        request: dial.request,
        place: permitted.place,
        grant: permitted.grant,
        decision: permitted.decision,
        until,
        is_sent: false,
    }))
}

/// The connector has a socket.
fn connected(core: &mut Core, link: LinkId, id: JobId, peer: &str, now: Now, out: &mut Actions) {
    let Some(job) = core.rooms.connections.end(id) else {
        // Its asker is gone, or its time was over: it is closed.
        return take(link, None, out);
    };
    let (asker, request) = (job.link, job.request);
    let socket = core.rooms.connections.open(opened(job, peer, now));
    take(link, Some(socket), out);
    let frame = CoreFrame::Socket {
        request,
        socket: socket.0,
        peer,
    };
    hand_over(core, asker, socket, &frame, out);
}

/// The connector listens.
fn bound(core: &mut Core, id: JobId, local: &str, now: Now, out: &mut Actions) {
    let Some(job) = core.rooms.connections.end(id) else {
        return disconnect(core, id, out);
    };
    let (asker, request) = (job.link, job.request);
    let socket = core.rooms.connections.open(Open {
        job: Some(id),
        ..opened(job, local, now)
    });
    let frame = CoreFrame::Bound {
        request,
        socket: socket.0,
        local,
    };
    respond::send(core, asker, &frame, out);
}

/// Somebody called a listener.
fn accepted(core: &mut Core, link: LinkId, id: JobId, peer: &str, now: Now, out: &mut Actions) {
    let room = &core.rooms.connections;
    let listener = room.listener(id).map(|(id, open)| (id, open.clone()));
    let has_room = |open: &Open| {
        let (sockets, jobs) = room.of_link(open.link);
        let grant = open.grant.as_ref();
        let by_grant = grant.map_or(0, |grant| room.by_grant(open.component, grant).0);
        // The listener is one of those that are open by its grant.
        let count = grant.map_or(0, |(_, pattern)| pattern.count as usize);
        sockets + jobs < share::most(core, open.link)
            && room.len().0 < core.settings.sockets_max
            && (count == 0 || by_grant <= count)
    };
    let Some((listener, open)) = listener.filter(|(_, open)| has_room(open)) else {
        return take(link, None, out);
    };
    let asker = open.link;
    let socket = core.rooms.connections.open(Open {
        job: None,
        listener: Some(listener),
        peer: peer.to_owned(),
        since: now.mono,
        request: 0,
        ..open
    });
    take(link, Some(socket), out);
    let frame = CoreFrame::Accepted {
        listener: listener.0,
        socket: socket.0,
        peer,
    };
    hand_over(core, asker, socket, &frame, out);
}

/// The connector has none, or a listener of its has ended.
pub(crate) fn not_connected(
    core: &mut Core,
    id: JobId,
    code: Code,
    reason: &str,
    out: &mut Actions,
) {
    if let Some(job) = core.rooms.connections.end(id) {
        let refusal = Refusal::new(code, "connector", reason).decided(job.decision);
        return refuse(core, job.link, job.request, &refusal, out);
    }
    let listener = core.rooms.connections.listener(id).map(|(id, _)| id);
    if let Some(listener) = listener {
        hang_up(core, listener, reason, out);
    }
}

/// The shell found no socket beside the connector's frame.
pub(crate) fn not_taken(core: &mut Core, socket: SocketId, reason: &str, out: &mut Actions) {
    let Some(open) = core.rooms.connections.close(socket) else {
        return;
    };
    if open.listener.is_none() {
        let refusal = Refusal::new(Code::UNAVAILABLE, "connector", reason);
        refuse(core, open.link, open.request, &refusal, out);
    }
}

/// A component has closed its end.
fn hangup(core: &mut Core, link: LinkId, socket: SocketId, out: &mut Actions) {
    let open = core.rooms.connections.socket(socket);
    // One that was taken back meanwhile, or somebody else's: of no interest.
    if open.is_some_and(|open| open.link == link) {
        close(core, socket, out);
    }
}

/// Takes a socket back, and tells who has it.
pub(crate) fn hang_up(core: &mut Core, socket: SocketId, reason: &str, out: &mut Actions) {
    if let Some(open) = close(core, socket, out) {
        let frame = CoreFrame::Hungup {
            socket: socket.0,
            reason,
        };
        respond::send(core, open.link, &frame, out);
    }
}

/// Whatever these had is closed: their link, or the component, is gone.
pub(crate) fn forget(
    core: &mut Core,
    is_its: impl Fn(LinkId, DeploymentId) -> bool,
    out: &mut Actions,
) {
    let room = &core.rooms.connections;
    let jobs = room
        .jobs()
        .filter(|(_, job)| is_its(job.link, job.component));
    let jobs: Vec<_> = jobs.map(|(id, _)| id).collect();
    let sockets = room
        .sockets()
        .filter(|(_, open)| is_its(open.link, open.component));
    let sockets: Vec<_> = sockets.map(|(id, _)| id).collect();
    for id in jobs {
        core.rooms.connections.end(id);
        disconnect(core, id, out);
    }
    for socket in sockets {
        close(core, socket, out);
    }
}

/// Ends the dials whose time is over.
pub(crate) fn deadlines(core: &mut Core, now: Now, out: &mut Actions) {
    let jobs = core.rooms.connections.jobs();
    let late: Vec<_> = jobs
        .filter(|(_, job)| job.until <= now.mono)
        .map(|(id, _)| id)
        .collect();
    for id in late {
        let Some(job) = core.rooms.connections.end(id) else {
            continue;
        };
        disconnect(core, id, out);
        let reason = format!("`{}` did not answer in time", job.place);
        let refusal = Refusal::new(Code::TIMEOUT, "timeout", reason);
        refuse(core, job.link, job.request, &refusal, out);
    }
}

/// When `deadlines` may have something to do.
pub(crate) fn next_deadline(core: &Core) -> Option<Duration> {
    let jobs = core.rooms.connections.next_deadline();
    jobs.into_iter().chain(connector::deadline(core)).min()
}

fn opened(job: Job, peer: &str, now: Now) -> Open {
    Open {
        link: job.link,
        component: job.component,
        request: job.request,
        place: job.place,
        grant: job.grant,
        decision: job.decision,
        peer: peer.to_owned(),
        job: None,
        listener: None,
        since: now.mono,
    }
}

// Shut as well as forgotten: whoever keeps the descriptor after all has nothing of it.
fn close(core: &mut Core, socket: SocketId, out: &mut Actions) -> Option<Open> {
    let open = core.rooms.connections.close(socket)?;
    match open.job {
        Some(job) => disconnect(core, job, out),
        None => out.list.push(Action::Shut { socket }),
    }
    Some(open)
}

fn disconnect(core: &mut Core, job: JobId, out: &mut Actions) {
    if let Some(link) = core.rooms.connections.connector.link() {
        respond::send(core, link, &CoreFrame::Disconnect { job }, out);
    }
}

fn take(link: LinkId, socket: Option<SocketId>, out: &mut Actions) {
    out.list.push(Action::TakeSocket { link, socket });
}

fn hand_over(
    core: &mut Core,
    link: LinkId,
    socket: SocketId,
    frame: &CoreFrame<'_>,
    out: &mut Actions,
) {
    if let Some(bytes) = respond::encoded(core, link, frame, out) {
        out.list.push(Action::SendSocket {
            link,
            bytes,
            socket,
        });
    }
}

/// Tells that there is no socket.
pub(crate) fn refuse(
    core: &mut Core,
    link: LinkId,
    request: u64,
    refusal: &Refusal,
    out: &mut Actions,
) {
    let decision = refusal.decision.map(|id| id.to_string());
    let told = CoreFrame::NotDialled(NotDialled {
        request,
        code: refusal.code,
        reason: &refusal.reason,
        decision: decision.as_deref().unwrap_or_default(),
    });
    respond::send(core, link, &told, out);
}

/// How long the connector is given for a job.
pub(crate) fn time_for(job: &Job, now: Now) -> u32 {
    let left = job.until.saturating_sub(now.mono);
    let left = left.saturating_sub(CONNECTOR_AHEAD.min(left / 4));
    u32::try_from(left.as_millis()).unwrap_or(u32::MAX).max(1)
}

// Which of the components on this link speaks: it is to be its own.
fn component_on(core: &Core, link: LinkId, component: &str) -> Result<DeploymentId, Fault> {
    let fault = || Fault::Component(component.to_owned());
    let address: Address = component.parse().map_err(|_| fault())?;
    let owner = core.rooms.registry.owner_of(&address).ok_or_else(fault)?;
    let standing = core.rooms.registry.standing(owner);
    match owner {
        OwnerId::Component(id) if standing.is_some_and(|it| it.link == Some(link)) => Ok(id),
        OwnerId::Component(_) | OwnerId::Room(_) | OwnerId::Local(_) => Err(fault()),
    }
}

/// What is dialled is at its other end, for grants and rules as for people.
pub(crate) const fn is_listener(transport: Transport) -> bool {
    matches!(transport, Transport::Listen)
}
