//! Does what the core wants done, one action after the other.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use protocol::frame::LogLevel;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::Signal;

use super::Brain;
use super::deadlines::DRAIN;
use super::launcher::Launcher;
use super::link::Link;
use super::poller::{Interest, Source};
use super::run_loop::{Ending, RunLoop, mark, watch_output};
use super::store::Write;
use crate::event::{Action, Event, Job, LaunchSpec, Peer, SlotEnd};
use crate::flows::dial::connector;
use crate::ids::{LinkId, ProgramId, SandboxId, SlotId, SocketId};

impl<B: Brain> RunLoop<B> {
    /// Does one thing; `bytes` is what the ranges in the actions refer to.
    pub(super) fn act(&mut self, action: Action, bytes: &[u8]) {
        match action {
            Action::Send { link, bytes: range } => {
                self.send(link, bytes.get(range).unwrap_or_default());
            }
            Action::SendProgram {
                link,
                bytes: range,
                program,
            } => self.send_program(link, bytes.get(range).unwrap_or_default(), program),
            Action::SendSlot {
                link,
                bytes: range,
                slot,
                end,
            } => self.send_slot(link, bytes.get(range).unwrap_or_default(), slot, end),
            Action::Seal { slot } => self.slots.seal(slot),
            Action::TakeSocket { link, socket } => self.take_socket(link, socket),
            Action::SendSocket {
                link,
                bytes: range,
                socket,
            } => self.send_socket(link, bytes.get(range).unwrap_or_default(), socket),
            Action::Shut { socket } => self.sockets.shut(socket),
            Action::Close { link, drain } => self.close(link, drain),
            Action::Launch { sandbox, spec } => self.launch(sandbox, &spec),
            Action::Kill { sandbox } => self.launcher_of(sandbox).kill(sandbox),
            Action::Pause { sandbox } => self.launcher_of(sandbox).signal(sandbox, Signal::STOP),
            Action::Resume { sandbox } => self.launcher_of(sandbox).signal(sandbox, Signal::CONT),
            Action::Inspect { sandbox, pid: _ } => {
                let seen = self.launcher_of(sandbox).inspect(sandbox);
                self.happened.push_back(seen);
            }
            Action::Work(job) => self.hand_over(job),
            Action::Persist { ticket, changes } => {
                if self.writes.send(Write { ticket, changes }).is_err() {
                    tracing::error!("the store's thread has ended");
                }
            }
            Action::Forget { program } => self.programs.forget(program),
            Action::Audit { entry } => self.audit_log.note(self.now.wall_us, *entry),
            Action::Record { level, text } => record(level, &text),
            Action::Exit => {
                self.ending.get_or_insert(Ending::Orderly);
            }
        }
    }

    fn send(&mut self, id: LinkId, bytes: &[u8]) {
        // A link may have closed in this very turn; the core will hear of it.
        if let Some(link) = self.links.get(id).filter(|link| !link.is_draining) {
            link.queue(bytes, &mut self.buffers);
            mark(&mut self.dirty, id, link);
        }
    }

    fn send_program(&mut self, id: LinkId, frame: &[u8], program: ProgramId) {
        let Some(descriptor) = self.programs.get(program) else {
            tracing::error!(%program, link = %id, "a program that is not kept was to be sent");
            return self.lose(id);
        };
        if let Some(link) = self.links.get(id).filter(|link| !link.is_draining) {
            link.queue_with(frame, descriptor, &mut self.buffers);
            mark(&mut self.dirty, id, link);
        }
    }

    fn send_slot(&mut self, id: LinkId, frame: &[u8], slot: SlotId, end: SlotEnd) {
        let descriptor = match end {
            SlotEnd::Reading => self.make_slot(slot),
            SlotEnd::Writing => self
                .slots
                .writing_end(slot)
                .ok_or_else(|| "is gone".to_owned()),
        };
        match (descriptor, self.links.get(id)) {
            (Ok(descriptor), Some(link)) if !link.is_draining => {
                link.queue_with(frame, descriptor, &mut self.buffers);
                mark(&mut self.dirty, id, link);
            }
            // The core will hear, or has said, that this link is closed.
            (Ok(_), _) => {}
            (Err(reason), _) => {
                tracing::warn!(%slot, reason, "no slot is lent; large bodies go by stream");
                self.happened.push_back(Event::NotLent { slot });
            }
        }
    }

    // What came beside the connector's frame that the core has just read.
    fn take_socket(&mut self, id: LinkId, socket: Option<SocketId>) {
        let came = self.links.get(id).and_then(Link::take_descriptor);
        let Some(socket) = socket else {
            return; // It is closed.
        };
        let kept = match (came, self.may_open(1)) {
            (Some(descriptor), Ok(())) => self.sockets.keep(socket, descriptor),
            (Some(_), Err(_)) => Err("the supervisor has as many open descriptors as it may"),
            (None, _) => Err("the connector sent no socket along"),
        };
        if let Err(reason) = kept {
            tracing::warn!(%socket, reason, "a socket is not handed over");
            self.happened.push_back(Event::NotTaken { socket, reason });
        }
    }

    // Without a descriptor the core hears that there is none, and tells its asker.
    fn send_socket(&mut self, id: LinkId, frame: &[u8], socket: SocketId) {
        if let (Some(descriptor), Some(link)) = (self.sockets.get(socket), self.links.get(id))
            && !link.is_draining
        {
            link.queue_with(frame, descriptor, &mut self.buffers);
            mark(&mut self.dirty, id, link);
        }
    }

    fn make_slot(&mut self, slot: SlotId) -> Result<Arc<OwnedFd>, String> {
        self.may_open(2)?;
        let made = self.slots.make(slot);
        made.map_err(|error| format!("cannot make its memory: {error}"))
    }

    // The core has said its last about this link: it hears no more of it.
    fn close(&mut self, id: LinkId, drain: bool) {
        let Some(link) = self.links.get(id) else {
            return;
        };
        if !drain || link.is_empty() {
            self.links.remove(id);
        } else if !link.is_draining {
            link.is_draining = true;
            link.is_waiting = true;
            watch_output(&self.poller, id, link);
            mark(&mut self.dirty, id, link);
            self.draining.push_back((self.now.mono + DRAIN, id));
        }
    }

    fn hand_over(&self, job: Job) {
        if self.jobs.send(job).is_err() {
            tracing::error!("the thread for files has ended");
        }
    }

    fn launch(&mut self, sandbox: SandboxId, spec: &LaunchSpec) {
        let started = self
            .pair()
            .and_then(|(ours, theirs)| {
                self.launcher_for(spec)?.launch(sandbox, spec, theirs)?;
                Ok(ours)
            })
            .map(|ours| self.connect(ours, Peer::Sandbox(sandbox)));
        self.watch_output_of_nursery();
        if let Ok(Ok(link)) = started
            && is_connector(spec)
            && let Some(link) = self.links.get(link)
        {
            link.takes_descriptors();
        }
        let reason = match started {
            Ok(Ok(_)) => return,
            // The process is on its way already: it is not to live without a link.
            Ok(Err(reason)) => {
                self.launcher_of(sandbox).kill(sandbox);
                tracing::error!(%sandbox, reason, "a sandbox has no link");
                return;
            }
            Err(reason) => reason,
        };
        self.happened
            .push_back(Event::NotLaunched { sandbox, reason });
    }

    fn pair(&self) -> Result<(OwnedFd, OwnedFd), String> {
        self.may_open(2)?;
        socketpair(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        )
        .map_err(|error| format!("cannot make the sandbox's link: {error}"))
    }

    // FT-12: links and processes never use the last descriptors, so that files
    // can still be read and the nursery be started again.
    fn may_open(&self, more: usize) -> Result<(), String> {
        let open = self.links.len()
            + self.launcher.descriptors()
            + self.programs.descriptors()
            + self.slots.descriptors()
            + self.sockets.descriptors()
            + self.outdoors.as_ref().map_or(0, Launcher::descriptors);
        let limit = self.budget.limit.saturating_sub(self.budget.reserved);
        if open + more <= limit {
            return Ok(());
        }
        Err(format!(
            "{open} of {limit} descriptors are in use: raise the limit (`ulimit -n`, \
             `LimitNOFILE=`), now {}",
            self.budget.limit
        ))
    }

    // The connector is born outside of the empty network that the others are in.
    fn launcher_for(&mut self, spec: &LaunchSpec) -> Result<&mut Launcher, String> {
        if !is_connector(spec) {
            return Ok(&mut self.launcher);
        }
        if self.outdoors.is_none() {
            let failed = |error| format!("cannot start the nursery with a network: {error}");
            let outdoors = self.launcher.outdoors().map_err(failed)?;
            if let Some(socket) = outdoors.socket() {
                let added = self.poller.add(Source::Outdoors, socket, true);
                added.map_err(|error| format!("cannot wait on a nursery: {error}"))?;
            }
            self.outdoors = Some(outdoors);
        }
        Ok(self.outdoors.as_mut().unwrap_or(&mut self.launcher))
    }

    /// Who has started this sandbox.
    fn launcher_of(&mut self, sandbox: SandboxId) -> &mut Launcher {
        match &mut self.outdoors {
            Some(outdoors) if outdoors.has(sandbox) => outdoors,
            _ => &mut self.launcher,
        }
    }

    /// Takes the reports about the connector. A nursery that has gone is started
    /// again when the connector is.
    pub(super) fn serve_outdoors(&mut self) {
        if let Some(outdoors) = &mut self.outdoors {
            outdoors.send_waiting();
            if !outdoors.receive(self.now.mono, &mut self.happened) {
                self.outdoors = None;
            }
        }
    }

    /// Makes a link of a socket and tells the core.
    pub(super) fn connect(&mut self, socket: OwnedFd, peer: Peer) -> Result<LinkId, String> {
        self.may_open(1)?;
        let control = matches!(peer, Peer::Local { .. });
        let link = self.links.add(Link::new(socket, control));
        let added = self
            .links
            .get(link)
            .map(|added| self.poller.add(Source::Link(link), &*added, control));
        if let Some(Err(error)) = added {
            self.links.remove(link);
            return Err(format!("cannot wait on a link: {error}"));
        }
        if let Peer::Sandbox(sandbox) = peer {
            self.links.belongs(link, sandbox);
        }
        self.happened.push_back(Event::Connected { link, peer });
        Ok(link)
    }

    /// Begins to wait on a nursery that was started again.
    pub(super) fn watch_nursery(&mut self) {
        self.is_nursery_blocked = false;
        if let Some(socket) = self.launcher.socket()
            && let Err(error) = self.poller.add(Source::Nursery, socket, true)
        {
            tracing::error!(%error, "cannot wait on the nursery");
        }
    }

    /// Waits for room in the nursery's socket if, and only if, requests wait.
    pub(super) fn watch_output_of_nursery(&mut self) {
        let is_blocked = self.launcher.is_blocked();
        if is_blocked == self.is_nursery_blocked {
            return;
        }
        self.is_nursery_blocked = is_blocked;
        let interest = if is_blocked {
            Interest::InOut
        } else {
            Interest::In
        };
        if let Some(socket) = self.launcher.socket()
            && let Err(error) = self.poller.change(Source::Nursery, socket, true, interest)
        {
            tracing::error!(%error, "cannot wait on the nursery");
        }
    }
}

fn is_connector(spec: &LaunchSpec) -> bool {
    spec.profile == connector::PROFILE
}

fn record(level: LogLevel, text: &str) {
    match level {
        LogLevel::Debug => tracing::debug!(target: "core", "{text}"),
        LogLevel::Info => tracing::info!(target: "core", "{text}"),
        LogLevel::Warn => tracing::warn!(target: "core", "{text}"),
        LogLevel::Error => tracing::error!(target: "core", "{text}"),
    }
}
