//! The connector, from the first dial to its end.
//!
//! ensure → read → (connect: greeted → confined) → ready → up → gone
//!
//! It is a sandbox like others, with a profile of its own. When it ends, every dial
//! that it had is answered 503, its listeners are gone, and the next dial starts it
//! again, after a rest that grows.

use std::time::Duration;

use protocol::api::connections::{self, Names};
use protocol::dial::Connect;
use protocol::frame::{Exec, Level, LogLevel, Start};
use protocol::nursery::Engine;
use protocol::{Code, CoreFrame, Message, MessageKind};

use crate::core::Core;
use crate::event::{Action, Actions, ConnectorRead, Job, LaunchSpec, Now};
use crate::flows::respond::{self, Refusal};
use crate::flows::{dial, supervise};
use crate::ids::{LinkId, SandboxId, Ticket};
use crate::limits::{LOAD_MAX, NAMES_EVERY, READY_MAX};
use crate::quota::Share;
use crate::rooms::connections::{JobId, State};
use crate::rooms::sandboxes::{Cause, Sandbox};

/// The profile that makes a sandbox the connector's.
pub(crate) const PROFILE: &str = "connector";

/// A dial waits for the connector: it is told at once, or once it is there.
pub(crate) fn ensure(core: &mut Core, job: JobId, now: Now, out: &mut Actions) {
    let connector = &core.rooms.connections.connector;
    if let Some(rest) = connector.rests(now.mono) {
        let reason = format!(
            "the connector {}; it is tried again in {} ms",
            connector.ended,
            rest.as_millis().max(1)
        );
        return dial::not_connected(core, job, Code::UNAVAILABLE, &reason, out);
    }
    match connector.state {
        State::Idle => read(core, now, out),
        State::Running(_, link) => {
            refresh(core, now, out);
            send_jobs(core, link, now, out);
        }
        State::Reading(_) | State::Starting(_) => {}
    }
}

fn read(core: &mut Core, now: Now, out: &mut Actions) {
    let ticket = core.next_ticket();
    core.rooms
        .connections
        .connector
        .enter(State::Reading(ticket), now.mono);
    out.list.push(Action::Work(Job::ReadConnector { ticket }));
}

/// Its program is here, and what the machine's files say about names.
pub(crate) fn was_read(
    core: &mut Core,
    ticket: Ticket,
    result: Result<ConnectorRead, String>,
    now: Now,
    out: &mut Actions,
) {
    if core.rooms.connections.connector.state != State::Reading(ticket) {
        return;
    }
    let read = match result {
        Ok(read) => read,
        Err(reason) => return failed(core, &format!("cannot be started: {reason}"), now, out),
    };
    let before = core
        .rooms
        .connections
        .connector
        .program
        .replace(read.program);
    if let Some(program) = before {
        out.list.push(Action::Forget { program });
    }
    let sandbox = core.next_sandbox();
    let connector = &mut core.rooms.connections.connector;
    connector.names = read.names;
    connector.names_read = Some(now.mono);
    connector.enter(State::Starting(sandbox), now.mono);
    // With the machine's network it cannot be at L3, whatever the floor is.
    let spec = LaunchSpec {
        engine: Engine::Native,
        profile: PROFILE.to_owned(),
        min_level: core.settings.min_level.min(Level::L2),
        max_level: core.settings.max_level.min(Level::L2),
        share: Share::default(),
    };
    core.check_by(now.mono + READY_MAX + LOAD_MAX);
    let made = Sandbox::new(None, spec, now.mono);
    core.rooms.sandboxes.queue(sandbox, made);
    supervise::start_next(core, now, out);
}

/// Its process is confirmed: it gets its program.
pub(crate) fn ready(core: &mut Core, sandbox: SandboxId, link: LinkId, out: &mut Actions) {
    let connector = &core.rooms.connections.connector;
    let (true, Some(program)) = (connector.sandbox() == Some(sandbox), connector.program) else {
        return;
    };
    let address = address(core);
    let exec = Exec {
        component: &address,
        name: PROFILE,
    };
    let Some(bytes) = respond::encoded(core, link, &CoreFrame::Exec(exec), out) else {
        return;
    };
    out.list.push(Action::SendProgram {
        link,
        bytes,
        program,
    });
    let runtime = core.settings.runtime.clone();
    let begin = Start {
        address: &address,
        runtime: runtime.as_str(),
        config: "{}",
    };
    respond::send(core, link, &CoreFrame::Start(begin), out);
}

/// It runs: it is told about names, and what was dialled meanwhile.
pub(crate) fn up(core: &mut Core, link: LinkId, now: Now, out: &mut Actions) {
    let connector = &mut core.rooms.connections.connector;
    if let State::Starting(sandbox) = connector.state {
        connector.enter(State::Running(sandbox, link), now.mono);
        tell_names(core, link, out);
        send_jobs(core, link, now, out);
    }
}

/// It has no program: the reason is its own.
pub(crate) fn load_failed(core: &mut Core, reason: &str, now: Now, out: &mut Actions) {
    end(core, &format!("could not be executed: {reason}"), now, out);
}

/// The machine's files were read again.
pub(crate) fn names_read(core: &mut Core, names: Names, out: &mut Actions) {
    let connector = &mut core.rooms.connections.connector;
    if connector.names == names {
        return;
    }
    connector.names = names;
    if let Some(link) = connector.link() {
        tell_names(core, link, out);
    }
}

/// A sandbox has ended: if it was the connector's, so has all that it did.
pub(crate) fn gone(core: &mut Core, sandbox: SandboxId, reason: &str, now: Now, out: &mut Actions) {
    if core.rooms.connections.connector.sandbox() == Some(sandbox) {
        failed(core, reason, now, out);
    }
}

/// It did not come up in time.
pub(crate) fn deadlines(core: &mut Core, now: Now, out: &mut Actions) {
    if deadline(core).is_some_and(|at| at <= now.mono) {
        end(core, "did not come up in time", now, out);
    }
}

/// When `deadlines` may have something to do.
pub(crate) fn deadline(core: &Core) -> Option<Duration> {
    let connector = &core.rooms.connections.connector;
    match connector.state {
        State::Starting(_) => Some(connector.since + READY_MAX + LOAD_MAX),
        State::Idle | State::Reading(_) | State::Running(..) => None,
    }
}

fn end(core: &mut Core, reason: &str, now: Now, out: &mut Actions) {
    let sandbox = core.rooms.connections.connector.sandbox();
    failed(core, reason, now, out);
    if let Some(sandbox) = sandbox {
        let link = core.rooms.sandboxes.get(sandbox).and_then(|it| it.link);
        supervise::end(core, sandbox, Cause::Dismissed, now, out);
        if let Some(link) = link {
            supervise::cut(core, link, now, out);
        }
    }
}

fn failed(core: &mut Core, reason: &str, now: Now, out: &mut Actions) {
    core.rooms.connections.connector.fail(reason, now.mono);
    if core.stopping.is_none() {
        let text = format!("the connector {reason}");
        let level = LogLevel::Warn;
        out.list.push(Action::Record { level, text });
    }
    let told = format!("the connector {reason}");
    let jobs: Vec<_> = core.rooms.connections.jobs().map(|(id, _)| id).collect();
    for id in jobs {
        if let Some(job) = core.rooms.connections.end(id) {
            let refusal = Refusal::new(Code::UNAVAILABLE, "connector", told.clone());
            dial::refuse(core, job.link, job.request, &refusal, out);
        }
    }
    let sockets = core.rooms.connections.sockets();
    let listeners: Vec<_> = sockets
        .filter(|(_, open)| open.job.is_some())
        .map(|(id, _)| id)
        .collect();
    for listener in listeners {
        dial::hang_up(core, listener, &told, out);
    }
}

fn send_jobs(core: &mut Core, link: LinkId, now: Now, out: &mut Actions) {
    for (id, job) in core.rooms.connections.unsent() {
        let connect = Connect {
            job: id,
            host: &job.place.host,
            port: job.place.port,
            transport: job.place.transport,
            allow_private: job.place.private,
            wait_ms: dial::time_for(&job, now),
        };
        respond::send(core, link, &CoreFrame::Connect(connect), out);
    }
}

// A machine moves between networks: what its files say is looked at again while
// somebody dials, and no more often than it is worth.
fn refresh(core: &mut Core, now: Now, out: &mut Actions) {
    let connector = &mut core.rooms.connections.connector;
    if connector
        .names_read
        .is_none_or(|at| now.mono >= at + NAMES_EVERY)
    {
        connector.names_read = Some(now.mono);
        out.list.push(Action::Work(Job::ReadNames));
    }
}

fn tell_names(core: &mut Core, link: LinkId, out: &mut Actions) {
    let body = serde_json::to_vec(&core.rooms.connections.connector.names).unwrap_or_default();
    let (from, to) = (core.room_address(connections::PATH), address(core));
    let message = Message::new(MessageKind::Update, &from, &to, &body);
    respond::send(core, link, &CoreFrame::Deliver(message), out);
}

fn address(core: &Core) -> String {
    format!("{}/connector", core.room_address(connections::PATH))
}
