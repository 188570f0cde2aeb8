//! Starts, kills and looks after sandboxes, by way of the nursery.
//!
//! ```text
//!  Launch ──► launch ──► [waiting while the nursery's socket is full] ──► nursery
//!  Kill   ──► kill   ──► pidfd, or as soon as there is one
//!  nursery ─► receive ─► Launched | NotLaunched | Exited
//!  nursery gone ─► every sandbox is gone: Exited for each, then a new nursery
//! ```

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use protocol::codec::{datagram, read_datagram};
use protocol::nursery::{self, DATAGRAM_BYTES_MAX, Launch, Report, Request};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, pidfd_send_signal};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::cgroup::{Bounds, Cgroups, Group};
use super::inspect::{has_ended, inspect};
use super::nursery::{Datagram, Nursery, NurseryCommand};
use crate::event::{Event, Exit, LaunchSpec};
use crate::ids::SandboxId;

/// The first wait before a nursery that died is started again; doubled each time.
const RESTART_DELAY_MS: u64 = 10;

/// The longest such wait.
const RESTART_DELAY_MS_MAX: u64 = 5_000;

/// A nursery that lived this long was healthy; the waits begin anew.
const HEALTHY_AFTER: Duration = Duration::from_secs(10);

/// Everything the shell knows of one sandbox's process.
#[derive(Default)]
struct Process {
    // Both once the nursery has told.
    pid: Option<u32>,
    pidfd: Option<OwnedFd>,
    is_doomed: bool,
    // Where the system lets us have one.
    group: Option<Group>,
    bounds: Option<Bounds>,
}

/// See the module.
pub struct Launcher {
    command: NurseryCommand,
    nursery: Option<Nursery>,
    started: Duration,
    delay_ms: u64,
    restart_at: Option<Duration>,
    waiting: VecDeque<(SandboxId, Vec<u8>, OwnedFd)>,
    processes: BTreeMap<SandboxId, Process>,
    cgroups: Option<Arc<Cgroups>>,
}

impl Launcher {
    /// Starts the nursery.
    pub fn start(command: NurseryCommand) -> std::io::Result<Self> {
        let nursery = Nursery::start(&command)?;
        Ok(Self::with(command, nursery))
    }

    pub(super) fn with(command: NurseryCommand, nursery: Nursery) -> Self {
        Self {
            command,
            nursery: Some(nursery),
            started: Duration::ZERO,
            delay_ms: RESTART_DELAY_MS,
            restart_at: None,
            waiting: VecDeque::new(),
            processes: BTreeMap::new(),
            cgroups: None,
        }
    }

    /// Puts every sandbox into a control group of its own.
    #[must_use]
    pub fn grouped(mut self, cgroups: Option<Arc<Cgroups>>) -> Self {
        self.cgroups = cgroups;
        self
    }

    /// A second nursery, whose children keep the machine's network.
    pub(super) fn outdoors(&self) -> std::io::Result<Self> {
        let mut command = self.command.clone();
        command.arguments.insert(0, "--with-network".to_owned());
        Ok(Self::start(command)?.grouped(self.cgroups.clone()))
    }

    /// Whether it has started this sandbox, and that has not ended.
    pub(super) fn has(&self, sandbox: SandboxId) -> bool {
        self.processes.contains_key(&sandbox)
    }

    /// The nursery's socket, for the loop to wait on.
    pub(super) fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.nursery.as_ref().map(AsFd::as_fd)
    }

    /// Whether requests wait for room in the nursery's socket.
    pub(super) fn is_blocked(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// When the nursery is to be started again, if it is not there.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.restart_at
    }

    /// Descriptors that it holds.
    pub(super) fn descriptors(&self) -> usize {
        self.processes.len() + self.waiting.len()
    }

    /// Asks for one sandbox, whose end of the link is `link`.
    pub(super) fn launch(
        &mut self,
        sandbox: SandboxId,
        spec: &LaunchSpec,
        link: OwnedFd,
    ) -> Result<(), String> {
        if self.nursery.is_none() {
            return Err("the nursery, which starts sandboxes, is being started again".into());
        }
        let request = datagram(&Request::Launch(Launch {
            sandbox: sandbox.0,
            engine: spec.engine,
            profile: &spec.profile,
            min_level: spec.min_level,
            max_level: spec.max_level,
            memory_bytes: spec.share.memory_bytes,
            descriptors: spec.share.descriptors,
            timers: spec.share.timers,
        }))
        .map_err(|error| format!("cannot write the request to the nursery: {error}"))?;
        let process = Process {
            bounds: Some(Bounds::of(spec.engine, &spec.share)),
            ..Process::default()
        };
        self.processes.insert(sandbox, process);
        self.waiting.push_back((sandbox, request, link));
        self.send_waiting();
        Ok(())
    }

    /// Sends what waits, as far as the socket takes it.
    pub(super) fn send_waiting(&mut self) {
        let Some(nursery) = &self.nursery else { return };
        while let Some((_, request, link)) = self.waiting.front() {
            match nursery.send(request, link.as_fd()) {
                Ok(()) => drop(self.waiting.pop_front()),
                Err(Errno::INTR) => {}
                // Full, or gone; the second is noticed by reading.
                Err(_) => return,
            }
        }
    }

    /// Kills a sandbox now, or as soon as it is known where it is.
    pub(super) fn kill(&mut self, sandbox: SandboxId) {
        if let Some(process) = self.processes.get_mut(&sandbox) {
            process.is_doomed = true;
            kill(process);
        }
    }

    /// Stops a sandbox that is known, or lets it go on.
    pub(super) fn signal(&self, sandbox: SandboxId, signal: Signal) {
        let process = self.processes.get(&sandbox);
        if let Some(pidfd) = process.and_then(|process| process.pidfd.as_ref()) {
            // Fails only when it has ended, and then the nursery will say so.
            let _ = pidfd_send_signal(pidfd, signal);
        }
    }

    /// Says on which processors a sandbox may run.
    ///
    /// The call takes a number, which may be another process's once its owner is
    /// reaped. If that has just happened, it is taken back.
    pub(super) fn move_to(&self, sandbox: SandboxId, processors: &CpuSet) {
        let process = self.processes.get(&sandbox);
        let known = process.and_then(|process| Some((process.pid?, process.pidfd.as_ref()?)));
        let Some((pid, pidfd)) = known else { return };
        let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
            return;
        };
        let Ok(before) = sched_getaffinity(Some(pid)) else {
            return;
        };
        let moved = sched_setaffinity(Some(pid), processors);
        if moved.is_ok() && has_ended(pidfd.as_fd()) {
            let _ = sched_setaffinity(Some(pid), &before);
        }
    }

    /// Looks at a sandbox from outside.
    pub(super) fn inspect(&self, sandbox: SandboxId) -> Event<'static> {
        let process = self.processes.get(&sandbox);
        let seen = match process.map(|process| (process.pid, &process.pidfd)) {
            Some((Some(pid), Some(pidfd))) => inspect(pid, pidfd.as_fd()),
            Some(_) => Err("its process is not known yet".into()),
            None => Err("it has no process any more".into()),
        };
        Event::Inspected { sandbox, seen }
    }

    /// Takes every report there is. `false` when the nursery has gone, and with
    /// it every sandbox.
    pub(super) fn receive(&mut self, now: Duration, events: &mut VecDeque<Event<'static>>) -> bool {
        let mut space = [0; DATAGRAM_BYTES_MAX];
        loop {
            let Some(nursery) = &self.nursery else {
                return false;
            };
            match nursery.receive(&mut space) {
                Ok(Some(datagram)) => {
                    match note(&mut self.processes, self.cgroups.as_deref(), datagram) {
                        Ok(event) => events.extend(event),
                        Err(error) => return self.lose(&error, now, events),
                    }
                }
                Ok(None) => return true,
                Err(error) => return self.lose(&error.to_string(), now, events),
            }
        }
    }

    fn lose(&mut self, why: &str, now: Duration, events: &mut VecDeque<Event<'static>>) -> bool {
        tracing::error!(why, "the nursery is gone, and every sandbox with it");
        if let Some(nursery) = self.nursery.take() {
            nursery.stop();
        }
        self.waiting.clear();
        for (sandbox, process) in std::mem::take(&mut self.processes) {
            kill(&process);
            if let Some(group) = &process.group {
                group.dissolve();
            }
            events.push_back(match process.pid {
                Some(_) => Event::Exited {
                    sandbox,
                    exit: Exit::Signal(Signal::KILL.as_raw()),
                },
                None => Event::NotLaunched {
                    sandbox,
                    reason: "the nursery, which starts sandboxes, ended".into(),
                },
            });
        }
        if now.saturating_sub(self.started) >= HEALTHY_AFTER {
            self.delay_ms = RESTART_DELAY_MS;
        }
        self.restart_later(now);
        false
    }

    fn restart_later(&mut self, now: Duration) {
        self.restart_at = Some(now + Duration::from_millis(self.delay_ms));
        self.delay_ms = (self.delay_ms * 2).min(RESTART_DELAY_MS_MAX);
    }

    /// Starts the nursery again when its time has come; says whether it did.
    pub(super) fn restart_if_due(&mut self, now: Duration) -> bool {
        if self.restart_at.is_none_or(|at| at > now) {
            return false;
        }
        match Nursery::start(&self.command) {
            Ok(nursery) => {
                self.nursery = Some(nursery);
                self.started = now;
                self.restart_at = None;
                true
            }
            Err(error) => {
                tracing::error!(%error, "cannot start the nursery");
                self.restart_later(now);
                false
            }
        }
    }

    /// Ends the nursery and every sandbox.
    pub(super) fn stop(&mut self) {
        for process in self.processes.values() {
            kill(process);
        }
        self.restart_at = None;
        if let Some(nursery) = self.nursery.take() {
            nursery.stop();
        }
    }
}

fn kill(process: &Process) {
    if let Some(group) = &process.group {
        // Where the kernel cannot, the process is killed alone; it has no others.
        let _ = group.kill();
    }
    if let Some(pidfd) = &process.pidfd {
        // Fails only when it has ended, and then the nursery will say so.
        let _ = pidfd_send_signal(pidfd, Signal::KILL);
    }
}

// A sandbox whose group cannot be made runs without: its own limits hold.
fn enter(cgroups: &Cgroups, sandbox: SandboxId, process: &mut Process) {
    let (Some(pid), Some(bounds)) = (process.pid, &process.bounds) else {
        return;
    };
    match cgroups.enter(sandbox, pid, bounds) {
        Ok(group) => process.group = Some(group),
        // It may be gone already.
        Err(error) => tracing::debug!(%sandbox, %error, "the sandbox has no cgroup"),
    }
}

// Turns a report into an event. `Ok(None)` for a sandbox that nobody asked for,
// an error for something that the nursery never says.
fn note(
    processes: &mut BTreeMap<SandboxId, Process>,
    cgroups: Option<&Cgroups>,
    datagram: Datagram<'_>,
) -> Result<Option<Event<'static>>, String> {
    let report: Report<'_> = read_datagram(datagram.bytes).map_err(|error| error.to_string())?;
    Ok(match report {
        Report::Launched { sandbox, pid } => {
            let sandbox = SandboxId(sandbox);
            let Some(process) = processes.get_mut(&sandbox) else {
                return Ok(None);
            };
            let Some(pidfd) = datagram.descriptor else {
                return Err(format!(
                    "process {pid} of {sandbox} came without a descriptor"
                ));
            };
            process.pid = Some(pid);
            process.pidfd = Some(pidfd);
            if let Some(cgroups) = cgroups {
                enter(cgroups, sandbox, process);
            }
            if process.is_doomed {
                kill(process);
            }
            Some(Event::Launched { sandbox, pid })
        }
        Report::NotLaunched { sandbox, reason } => {
            let sandbox = SandboxId(sandbox);
            processes.remove(&sandbox).map(|_| Event::NotLaunched {
                sandbox,
                reason: reason.to_owned(),
            })
        }
        Report::Exited { sandbox, exit } => {
            let sandbox = SandboxId(sandbox);
            processes.remove(&sandbox).map(|process| {
                let exit = told(owned(exit), &process);
                if let Some(group) = &process.group {
                    group.dissolve();
                }
                Event::Exited { sandbox, exit }
            })
        }
    })
}

// Killed by the kernel for want of memory in its group: a signal like any other, until
// the group is asked.
fn told(exit: Exit, process: &Process) -> Exit {
    match exit {
        Exit::Signal(signal) if process.group.as_ref().is_some_and(Group::is_starved) => {
            Exit::Memory(signal)
        }
        other => other,
    }
}

fn owned(exit: nursery::Exit<'_>) -> Exit {
    match exit {
        nursery::Exit::Code(code) => Exit::Code(code),
        nursery::Exit::Signal(signal) => Exit::Signal(signal),
        nursery::Exit::Memory(signal) => Exit::Memory(signal),
        nursery::Exit::Syscall { number, name } => Exit::Syscall {
            number,
            name: name.to_owned(),
        },
        nursery::Exit::NotLocked(reason) => Exit::NotLocked(reason.to_owned()),
    }
}
