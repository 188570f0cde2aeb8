//! A supervisor in miniature: a nursery, a launch, what was reported.
//!
//! The probe and the tests of the lock use it, so that both start sandboxes in
//! exactly the way the supervisor does.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use protocol::codec::{Prefix, RawFrame, datagram, read_datagram, split};
use protocol::frame::{CoreFrame, HostFrame, Level};
use protocol::limits::PREFIX_BYTES;
use protocol::nursery::{DATAGRAM_BYTES_MAX, Engine, Exit, Launch, Report, Request};
use protocol::version::PROTOCOL;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

use crate::lockdown::Without;

/// Nothing that a sandbox does takes longer, on the slowest machine that anyone would want.
pub const PATIENCE: Duration = Duration::from_secs(10);

const NONCE: [u8; 16] = [7; 16];

/// A nursery that was started for a trial; it dies with this value.
#[derive(Debug)]
pub struct Trial {
    process: Child,
    socket: OwnedFd,
    launched: u64,
}

/// What a nursery told, without the bytes it came in.
#[derive(Debug)]
pub enum Told {
    /// A sandbox lives.
    Launched {
        /// The number given to it.
        sandbox: u64,
        /// Its process.
        pid: u32,
        /// The same, safe from reuse.
        pidfd: Option<OwnedFd>,
    },
    /// None came to be.
    NotLaunched(String),
    /// It has ended.
    Exited {
        /// The number given to it.
        sandbox: u64,
        /// How.
        end: End,
    },
}

/// How a sandbox ended; [`Exit`] with its own text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// With a status.
    Code(i32),
    /// By a signal.
    Signal(i32),
    /// Killed for this call.
    Syscall(String),
    /// It could not lock itself.
    NotLocked(String),
}

impl Trial {
    /// Starts `program nursery`, as another user where that is asked for.
    pub fn start(program: &Path, without: Without, user: Option<u32>) -> io::Result<Self> {
        let (socket, theirs) = pair(SocketType::SEQPACKET)?;
        let mut command = Command::new(program);
        command
            .arg("nursery")
            .args(without.args())
            .env_clear()
            .stdin(Stdio::from(theirs));
        command.stdout(Stdio::null());
        if let Some(id) = user {
            command.uid(id).gid(id);
        }
        Ok(Self {
            process: command.spawn()?,
            socket,
            launched: 0,
        })
    }

    /// The process id of the nursery.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Closes our end, as a supervisor that was killed does.
    pub fn hang_up(&mut self) {
        if let Ok((socket, _)) = pair(SocketType::SEQPACKET) {
            self.socket = socket;
        }
    }

    /// Asks for a sandbox; our end of its link, with the `Welcome` written.
    pub fn launch(
        &mut self,
        engine: Engine,
        profile: &str,
        levels: (Level, Level),
    ) -> io::Result<Line> {
        let (ours, theirs) = pair(SocketType::STREAM)?;
        self.launched += 1;
        let launch = Launch {
            sandbox: self.launched,
            engine,
            profile,
            min_level: levels.0,
            max_level: levels.1,
            memory_bytes: 0,
            descriptors: 0,
            timers: 0,
        };
        let bytes = datagram(&Request::Launch(launch)).map_err(io::Error::other)?;
        send(&self.socket, &bytes, Some(theirs.as_fd()))?;
        let line = Line {
            socket: ours,
            buffer: Vec::new(),
            read: 0,
        };
        line.say(
            &CoreFrame::Welcome {
                version: PROTOCOL,
                nonce: NONCE,
            },
            None,
        )?;
        Ok(line)
    }

    /// Waits for the next report.
    pub fn told(&self) -> io::Result<Told> {
        let mut bytes = vec![0; DATAGRAM_BYTES_MAX];
        let mut pidfd = None;
        let count = receive(&self.socket, &mut bytes, &mut pidfd)?;
        let report =
            read_datagram(bytes.get(..count).unwrap_or_default()).map_err(io::Error::other)?;
        Ok(match report {
            Report::Launched { sandbox, pid } => Told::Launched {
                sandbox,
                pid,
                pidfd,
            },
            Report::NotLaunched { reason, .. } => Told::NotLaunched(reason.to_owned()),
            Report::Exited { sandbox, exit } => Told::Exited {
                sandbox,
                end: End::from(exit),
            },
        })
    }

    /// Waits for the end of a sandbox, past everything else that is told.
    pub fn end(&self) -> io::Result<End> {
        loop {
            match self.told()? {
                Told::Exited { end, .. } => return Ok(end),
                Told::NotLaunched(reason) => return Ok(End::NotLocked(reason)),
                Told::Launched { .. } => {}
            }
        }
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl From<Exit<'_>> for End {
    fn from(exit: Exit<'_>) -> Self {
        match exit {
            Exit::Code(code) => Self::Code(code),
            Exit::Signal(signal) | Exit::Memory(signal) => Self::Signal(signal),
            Exit::Syscall { name, .. } => Self::Syscall(name.to_owned()),
            Exit::NotLocked(reason) => Self::NotLocked(reason.to_owned()),
        }
    }
}

/// The core's end of a link.
#[derive(Debug)]
pub struct Line {
    socket: OwnedFd,
    buffer: Vec<u8>,
    read: usize,
}

impl Line {
    /// Says something, with a descriptor beside it.
    pub fn say(&self, frame: &CoreFrame<'_>, descriptor: Option<BorrowedFd<'_>>) -> io::Result<()> {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes).map_err(io::Error::other)?;
        send(&self.socket, &bytes, descriptor)
    }

    /// Waits for the next frame of the sandbox; `None` when it has gone.
    pub fn hear(&mut self) -> io::Result<Option<HostFrame<'_>>> {
        self.buffer.drain(..self.read);
        self.read = 0;
        while !self.is_whole()? {
            let start = self.buffer.len();
            self.buffer.resize(start + 4096, 0);
            let target = self.buffer.get_mut(start..).unwrap_or_default();
            let count = receive(&self.socket, target, &mut None);
            self.buffer
                .truncate(start + count.as_ref().map_or(0, |count| *count));
            if count? == 0 {
                return Ok(None);
            }
        }
        let raw: Option<RawFrame<'_>> = split(&self.buffer).map_err(io::Error::other)?;
        let raw = raw.ok_or(io::ErrorKind::UnexpectedEof)?;
        self.read = raw.bytes.len();
        HostFrame::decode(raw).map(Some).map_err(io::Error::other)
    }

    /// Reads what a program that does not speak in frames writes until it ends.
    pub fn hear_bytes(&mut self) -> io::Result<Vec<u8>> {
        let mut all = self.buffer.split_off(self.read);
        loop {
            let mut bytes = [0; 512];
            match receive(&self.socket, &mut bytes, &mut None)? {
                0 => return Ok(all),
                count => all.extend_from_slice(bytes.get(..count).unwrap_or_default()),
            }
        }
    }

    /// Sends bytes to a program that does not speak in frames.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let count = rustix::net::send(&self.socket, rest, SendFlags::NOSIGNAL)?;
            rest = rest.get(count..).unwrap_or_default();
        }
        Ok(())
    }

    /// Reads what such a program says next; 0 when it has gone.
    pub fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let kept = self.buffer.split_off(self.read);
        self.buffer.clear();
        self.read = 0;
        if kept.is_empty() {
            return receive(&self.socket, target, &mut None);
        }
        let count = kept.len().min(target.len());
        let (first, rest) = kept.split_at(count);
        if let Some(target) = target.get_mut(..count) {
            target.copy_from_slice(first);
        }
        self.buffer.extend_from_slice(rest);
        Ok(count)
    }

    fn is_whole(&self) -> io::Result<bool> {
        let prefix = Prefix::read(&self.buffer).map_err(io::Error::other)?;
        let whole = prefix.map_or(PREFIX_BYTES, |prefix| prefix.frame_bytes());
        Ok(self.buffer.len() >= whole)
    }
}

fn pair(kind: SocketType) -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(
        AddressFamily::UNIX,
        kind,
        SocketFlags::CLOEXEC,
        None,
    )?)
}

fn send(socket: &OwnedFd, bytes: &[u8], descriptor: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let descriptors = descriptor.map(|descriptor| [descriptor]);
    if let Some(descriptors) = &descriptors {
        control.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    sendmsg(
        socket,
        &[IoSlice::new(bytes)],
        &mut control,
        SendFlags::NOSIGNAL,
    )?;
    Ok(())
}

fn receive(
    socket: &OwnedFd,
    target: &mut [u8],
    descriptor: &mut Option<OwnedFd>,
) -> io::Result<usize> {
    let patience = Timespec {
        tv_sec: i64::try_from(PATIENCE.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: 0,
    };
    if poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&patience))? == 0 {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut vectors = [IoSliceMut::new(target)];
    let count = match recvmsg(socket, &mut vectors, &mut control, RecvFlags::CMSG_CLOEXEC) {
        Err(rustix::io::Errno::CONNRESET) => 0,
        result => result?.bytes,
    };
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            *descriptor = descriptors.last();
        }
    }
    Ok(count)
}
