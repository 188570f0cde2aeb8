//! A loop whose core does what the test says and remembers what it was told.

use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use protocol::codec::{read_datagram, split};
use protocol::frame::Level;
use protocol::nursery::{DATAGRAM_BYTES_MAX, Engine, Report, Request};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::event::{Action, Actions, Event, Job, LaunchSpec, Now, Peer};
use crate::ids::{LinkId, ProgramId, SandboxId};
use crate::rooms::catalogue::elf::tests_program;
use crate::rooms::catalogue::{Code, Wanted};
use crate::shell::Brain;
use crate::shell::audit_log::AuditLog;
use crate::shell::clock::Clock;
use crate::shell::inbox::{Letterbox, inbox};
use crate::shell::launcher::Launcher;
use crate::shell::nursery::{Nursery, NurseryCommand, receive_datagram, send_datagram};
use crate::shell::package::{Catalogues, Programs};
use crate::shell::run_loop::{DescriptorBudget, Parts, RunLoop};
use crate::shell::store::Write;
use crate::shell::testing::directory;
use std::sync::mpsc::{Receiver, channel};

/// In place of the core.
#[derive(Default)]
pub(super) struct Script {
    /// What it was told, as text, in order.
    pub(super) told: Vec<String>,
    /// The bodies of all whole frames that came.
    pub(super) bodies: Vec<Vec<u8>>,
    /// Calls of `handle` with received bytes.
    pub(super) reads: usize,
    /// What has gone out, by `Written`.
    pub(super) written: usize,
    /// Done at the next call.
    pub(super) wants: Vec<(Action, Vec<u8>)>,
    pub(super) deadline: Option<Duration>,
}

impl Script {
    fn receive(&mut self, bytes: &[u8]) -> usize {
        let mut rest = bytes;
        while let Ok(Some(frame)) = split(rest) {
            self.bodies.push(frame.body.to_vec());
            rest = &rest[frame.bytes.len()..];
        }
        bytes.len() - rest.len()
    }
}

impl Brain for Script {
    fn start(&mut self, _: Now, _: &mut Actions) {}

    fn handle(&mut self, event: Event<'_>, _: Now, actions: &mut Actions) {
        let told = match event {
            Event::Received { link, bytes } => {
                actions.consumed = self.receive(bytes);
                self.reads += 1;
                format!("received {link}")
            }
            Event::Written { link, bytes } => {
                self.written += bytes;
                self.told.push(format!("written {link}"));
                return;
            }
            Event::Connected { link, .. } => format!("connected {link}"),
            Event::Closed { link } => format!("closed {link}"),
            Event::Ticked => {
                self.deadline = None;
                "ticked".to_owned()
            }
            Event::Launched { sandbox, pid } => format!("launched {sandbox} {pid}"),
            Event::NotLaunched { sandbox, reason } => format!("not launched {sandbox}: {reason}"),
            Event::Exited { sandbox, exit } => format!("exited {sandbox} {exit:?}"),
            Event::StopAsked { why } => format!("stop {why}"),
            other => format!("{other:?}"),
        };
        self.told.push(told);
        for (mut action, bytes) in self.wants.drain(..) {
            if let Action::Send { bytes: range, .. } | Action::SendProgram { bytes: range, .. } =
                &mut action
            {
                *range = actions.bytes.len()..actions.bytes.len() + bytes.len();
            }
            actions.bytes.extend_from_slice(&bytes);
            actions.list.push(action);
        }
    }

    fn next_deadline(&self) -> Option<Duration> {
        self.deadline
    }
}

/// The loop and what is around it.
pub(super) struct Stage {
    pub(super) looping: RunLoop<Script>,
    pub(super) letterbox: Letterbox,
    pub(super) programs: Programs,
    /// The nursery's end, played by the test.
    pub(super) nursery: Option<OwnedFd>,
    pub(super) jobs: UnboundedReceiver<Job>,
    pub(super) written: Receiver<Write>,
}

impl Stage {
    pub(super) fn new() -> Self {
        Self::with_descriptors(1000)
    }

    pub(super) fn with_descriptors(limit: usize) -> Self {
        let (letterbox, inbox) = inbox().unwrap();
        let (sender, jobs) = unbounded_channel();
        let (writes, written) = channel();
        let (nursery, played) = Nursery::played();
        let command = NurseryCommand {
            program: "/nowhere/sandbox-host".into(),
            arguments: Vec::new(),
        };
        let programs = Programs::default();
        let looping = RunLoop::new(Parts {
            brain: Script::default(),
            clock: Clock::start(),
            launcher: Launcher::with(command, nursery),
            inbox,
            jobs: sender,
            writes,
            audit_log: AuditLog::ended(),
            programs: programs.clone(),
            budget: DescriptorBudget { limit, reserved: 0 },
            is_placing: true,
        });
        Self {
            looping: looping.unwrap(),
            letterbox,
            programs,
            nursery: Some(played),
            jobs,
            written,
        }
    }

    /// A new link, and its peer's end.
    pub(super) fn link(&mut self, peer: Peer) -> (LinkId, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let link = self.looping.connect(ours.into(), peer).unwrap();
        (link, theirs)
    }

    /// A new link of a sandbox.
    pub(super) fn sandbox_link(&mut self) -> (LinkId, UnixStream) {
        self.link(Peer::Sandbox(SandboxId(1)))
    }

    /// One turn that does not wait.
    pub(super) fn turn(&mut self) {
        self.looping.turn(Some(Duration::ZERO)).unwrap();
    }

    /// One turn that waits as long as it takes.
    pub(super) fn wait(&mut self) {
        self.looping.turn(None).unwrap();
    }

    pub(super) fn brain(&mut self) -> &mut Script {
        &mut self.looping.brain
    }

    /// Has the core do something, without any other event of note.
    pub(super) fn act(&mut self, action: Action, bytes: &[u8]) {
        self.brain().wants.push((action, bytes.to_vec()));
        self.brain().deadline = Some(Duration::ZERO);
        self.turn();
    }

    pub(super) fn send(&mut self, link: LinkId, bytes: &[u8]) {
        let action = Action::Send { link, bytes: 0..0 };
        self.act(action, bytes);
    }

    /// A program that is ready to be sent.
    pub(super) fn a_program(&self) -> ProgramId {
        let directory = directory("stage");
        let at = "a.example/.well-known/hyperty/N.hy";
        directory.write(&format!("{at}.json"), r#"{"language": "native"}"#);
        directory.write(&format!("{at}.elf"), tests_program(&[1]));
        let place = vec![directory.path().to_path_buf()];
        let catalogues = Catalogues::new(place, "a.example".into(), self.programs.clone());
        let wanted = Wanted {
            catalogue: String::new(),
            component: "N".into(),
            provider: String::new(),
            is_exact: false,
            is_here: false,
        };
        match catalogues.read(&wanted).unwrap().code {
            Code::Program(program) => program,
            Code::Script { .. } => panic!("a script"),
        }
    }

    /// Asks for one sandbox.
    pub(super) fn launch(&mut self, sandbox: SandboxId) {
        let spec = LaunchSpec {
            engine: Engine::Script,
            profile: "script".into(),
            min_level: Level::L2,
            max_level: Level::L3,
            share: crate::quota::Share::default(),
        };
        self.act(Action::Launch { sandbox, spec }, &[]);
    }

    /// The next request to the nursery: its sandbox, and the link's end.
    pub(super) fn requested(&self) -> (SandboxId, UnixStream) {
        let mut space = [0; DATAGRAM_BYTES_MAX];
        let nursery = self.nursery.as_ref().unwrap();
        let datagram = receive_datagram(nursery, &mut space).unwrap().unwrap();
        let Request::Launch(launch) = read_datagram(datagram.bytes).unwrap();
        (
            SandboxId(launch.sandbox),
            datagram.descriptor.unwrap().into(),
        )
    }

    /// Has the nursery say something.
    pub(super) fn report(&mut self, report: &Report<'_>, descriptor: Option<&OwnedFd>) {
        let bytes = protocol::codec::datagram(report).unwrap();
        let nursery = self.nursery.as_ref().unwrap();
        send_datagram(nursery, &bytes, descriptor.map(AsFd::as_fd)).unwrap();
        self.turn();
    }
}

/// Everything that can be read without waiting.
pub(super) fn read_ready(stream: &mut UnixStream) -> Vec<u8> {
    stream.set_nonblocking(true).unwrap();
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    all
}

/// A frame with this body, as a host would send it.
pub(super) fn frame(body: &[u8]) -> Vec<u8> {
    let log = protocol::frame::Log {
        component: "",
        level: protocol::frame::LogLevel::Info,
        place: "",
    };
    let mut bytes = Vec::new();
    protocol::HostFrame::Log(log, body)
        .encode(&mut bytes)
        .unwrap();
    bytes
}
