//! The closed lists of what can happen, and of what the core can want.
//!
//! Events are in the past tense, actions in the imperative. The shell turns the
//! world into events and actions into the world; nothing else touches either.

mod about;
mod job;

use std::ops::Range;

use protocol::api::connections::Names;
use protocol::frame::Level;
use protocol::nursery::Engine;

pub use self::about::{Confinement, Exit, Now, Peer};
pub use self::job::Job;
use crate::ids::{LinkId, ProgramId, SandboxId, SlotId, SocketId, Ticket};
use crate::quota::Share;
use crate::rooms::catalogue::elsewhere::{Elsewhere, Next};
use crate::rooms::catalogue::{CatalogueListing, PackageFailure, PackageRead};
use crate::rooms::policy::{PolicySet, Problems};
use crate::store::Change;

/// Something that happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// A link exists. The core answers with a `Welcome`.
    Connected {
        /// Its number, given by the shell.
        link: LinkId,
        /// Who is there.
        peer: Peer,
    },
    /// Bytes came. `actions.consumed` tells how many of them are done with; the
    /// shell presents the rest again together with what comes after them.
    Received {
        /// The link.
        link: LinkId,
        /// Everything not consumed so far.
        bytes: &'a [u8],
    },
    /// Bytes that the core had queued for a link have gone out.
    Written {
        /// The link.
        link: LinkId,
        /// How many.
        bytes: usize,
    },
    /// The peer closed the link, or it broke.
    Closed {
        /// The link.
        link: LinkId,
    },
    /// A sandbox process exists.
    Launched {
        /// The sandbox.
        sandbox: SandboxId,
        /// Its process.
        pid: u32,
    },
    /// A sandbox process could not be made.
    NotLaunched {
        /// The sandbox.
        sandbox: SandboxId,
        /// What was being done, and what the system said.
        reason: String,
    },
    /// A sandbox process has ended and is reaped.
    Exited {
        /// The sandbox.
        sandbox: SandboxId,
        /// How.
        exit: Exit,
    },
    /// The look from outside that `Action::Inspect` asked for.
    Inspected {
        /// The sandbox.
        sandbox: SandboxId,
        /// What was seen, or why nothing was.
        seen: Result<Confinement, String>,
    },
    /// A package was read, hashed and, for a program, sealed.
    PackageRead {
        /// The ticket of `Job::ReadPackage`.
        ticket: Ticket,
        /// The package, or what is wrong with it.
        result: Box<Result<PackageRead, PackageFailure>>,
    },
    /// Catalogues were listed.
    CatalogueRead {
        /// The ticket of `Job::ReadCatalogue`.
        ticket: Ticket,
        /// What is in them, problems included.
        listing: CatalogueListing,
    },
    /// The policy files were read and compiled.
    PolicyCompiled {
        /// The ticket of `Job::CompilePolicy`.
        ticket: Ticket,
        /// The new set, or everything that is wrong with the files.
        result: Box<Result<PolicySet, Problems>>,
    },
    /// The catalogues were asked for a data schema.
    SchemaRead {
        /// The ticket of `Job::ReadSchema`.
        ticket: Ticket,
        /// Its text; `None` when no catalogue has it; why it could not be read.
        result: Result<Option<Vec<u8>>, String>,
        /// Where else it may be.
        elsewhere: Option<Box<Elsewhere>>,
    },
    /// What was fetched has been looked at, and kept if it was whole.
    Kept {
        /// The ticket of `Job::Keep` or `Job::Manage`.
        ticket: Ticket,
        /// What follows, or what is wrong with it.
        result: Box<Result<Next, PackageFailure>>,
    },
    /// Changes are on the disk, or could not be written.
    Persisted {
        /// The ticket of `Action::Persist`.
        ticket: Ticket,
        /// What the system said when they could not. They are tried again, in front
        /// of what comes after them.
        result: Result<(), String>,
    },
    /// The connector's program was read and sealed, and the machine's files about names.
    ConnectorRead {
        /// The ticket of `Job::ReadConnector`.
        ticket: Ticket,
        /// Both, or what is wrong.
        result: Result<ConnectorRead, String>,
    },
    /// The machine's files about names were read again.
    NamesRead {
        /// What they say.
        names: Names,
    },
    /// The certificates of the authorities were read into sealed memory.
    RootsRead {
        /// The ticket of `Job::ReadRoots`.
        ticket: Ticket,
        /// The memory and how many bytes are in it, or why there is none.
        result: Result<(ProgramId, u32), String>,
    },
    /// There was no socket beside a frame of the connector.
    NotTaken {
        /// The number that it was to have.
        socket: SocketId,
        /// What is wrong.
        reason: &'static str,
    },
    /// A slot could not be made, or not be sent; the reason is in the log.
    NotLent {
        /// The slot.
        slot: SlotId,
    },
    /// The operator's signal to read the policy files again.
    ReloadAsked,
    /// The time that `Core::next_deadline` named has come.
    Ticked,
    /// The operator's signal, or the end of the leash: everything must end in order.
    StopAsked {
        /// For the log: `SIGTERM`, `leash`, …
        why: &'static str,
    },
}

/// What the connector needs to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorRead {
    /// Its program, sealed.
    pub program: ProgramId,
    /// What the machine's files, or the operator, say about names.
    pub names: Names,
}

/// A sandbox to be launched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchSpec {
    /// What it will run.
    pub engine: Engine,
    /// The profile under `policies/sandbox/`.
    pub profile: String,
    /// Below this level it must not run.
    pub min_level: Level,
    /// The level to try for.
    pub max_level: Level,
    /// What its process may use.
    pub share: Share,
}

/// Which end of a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotEnd {
    /// The receiver's, which cannot write. The slot is made with it.
    Reading,
    /// The sender's.
    Writing,
}

/// Something the core wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Write these bytes of `Actions::bytes` to a link.
    Send {
        /// The link.
        link: LinkId,
        /// Where in `Actions::bytes`.
        bytes: Range<usize>,
    },
    /// Write these bytes together with a program's descriptor.
    SendProgram {
        /// The link.
        link: LinkId,
        /// Where in `Actions::bytes`: exactly one `Exec` frame.
        bytes: Range<usize>,
        /// The program.
        program: ProgramId,
    },
    /// Write these bytes together with the descriptor of one end of a slot.
    SendSlot {
        /// The link.
        link: LinkId,
        /// Where in `Actions::bytes`: exactly one `Borrow` or `Lend` frame.
        bytes: Range<usize>,
        /// The slot.
        slot: SlotId,
        /// Its end.
        end: SlotEnd,
    },
    /// Seal a slot, so that nobody can write it any more, and forget it.
    Seal {
        /// The slot.
        slot: SlotId,
    },
    /// Take the descriptor that came beside the connector's next frame as this
    /// socket, or close it.
    TakeSocket {
        /// The connector's link.
        link: LinkId,
        /// Its number.
        socket: Option<SocketId>,
    },
    /// Write these bytes together with a socket.
    SendSocket {
        /// The link.
        link: LinkId,
        /// Where in `Actions::bytes`: exactly one `Socket` or `Accepted` frame.
        bytes: Range<usize>,
        /// The socket.
        socket: SocketId,
    },
    /// Shut a socket for both directions, whoever has it, and forget it.
    Shut {
        /// The socket.
        socket: SocketId,
    },
    /// Close a link. What is queued for it is lost, unless `drain`.
    Close {
        /// The link.
        link: LinkId,
        /// Whether to write first what is queued already.
        drain: bool,
    },
    /// Launch a sandbox. The shell makes its link and says `Connected`.
    Launch {
        /// Its number.
        sandbox: SandboxId,
        /// What it is to be.
        spec: LaunchSpec,
    },
    /// Stop a sandbox's process where it is, as SIGSTOP does.
    Pause {
        /// The sandbox.
        sandbox: SandboxId,
    },
    /// Let a stopped process go on.
    Resume {
        /// The sandbox.
        sandbox: SandboxId,
    },
    /// Kill a sandbox's whole process tree, now.
    Kill {
        /// The sandbox.
        sandbox: SandboxId,
    },
    /// Look at a sandbox's `/proc/<pid>/status` and namespaces from outside.
    Inspect {
        /// The sandbox.
        sandbox: SandboxId,
        /// Its process.
        pid: u32,
    },
    /// Long work, done beside the loop.
    Work(Job),
    /// Write changes to the store, all or none. Those of one call come before
    /// those of the next.
    Persist {
        /// Comes back with `Persisted`.
        ticket: Ticket,
        /// What is to be kept.
        changes: Vec<Change>,
    },
    /// A program is not needed any more.
    Forget {
        /// The program.
        program: ProgramId,
    },
    /// A record for the supervisor's own log.
    Record {
        /// How much it matters.
        level: protocol::frame::LogLevel,
        /// Field and value text, never a message body.
        text: String,
    },
    /// An entry for the audit log.
    Audit {
        /// What happened; its moment is that of the event.
        entry: Box<protocol::api::audit::Entry>,
    },
    /// Everything has ended: leave the loop.
    Exit,
}

/// What one call of the core wants done; reused from call to call.
#[derive(Debug, Default)]
pub struct Actions {
    /// In the order in which they are to be done.
    pub list: Vec<Action>,
    /// What `Send` refers to.
    pub bytes: Vec<u8>,
    /// How many bytes of `Received` are done with.
    pub consumed: usize,
    /// How many frames these were. Not the actions: those of one link are one.
    pub frames: u32,
}

impl Actions {
    /// Empties it, keeping the memory.
    pub fn clear(&mut self) {
        self.list.clear();
        self.bytes.clear();
        self.consumed = 0;
        self.frames = 0;
    }
}
