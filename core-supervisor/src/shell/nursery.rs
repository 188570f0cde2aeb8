//! The process `sandbox-host nursery`, and datagrams to and from it.
//!
//! It is started from the loop's thread, which lives as long as the supervisor:
//! the parent-death signal that the nursery asks for follows the thread.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use protocol::nursery::DATAGRAM_BYTES_MAX;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

/// How to start the nursery.
#[derive(Debug, Clone)]
pub struct NurseryCommand {
    /// The program `sandbox-host`.
    pub program: PathBuf,
    /// What follows `nursery`, e.g. `--pretend-without landlock`.
    pub arguments: Vec<String>,
}

/// A running nursery.
pub(super) struct Nursery {
    socket: OwnedFd,
    child: Option<Child>,
}

/// One datagram, and the descriptor beside it.
pub(super) struct Datagram<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) descriptor: Option<OwnedFd>,
}

impl Nursery {
    /// Starts it: an empty environment, `/`, its own process group, so that an
    /// interrupt at the terminal reaches the supervisor only.
    pub(super) fn start(command: &NurseryCommand) -> io::Result<Self> {
        let (ours, theirs) = pair()?;
        let child = Command::new(&command.program)
            .arg("nursery")
            .args(&command.arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Self {
            socket: ours,
            child: Some(child),
        })
    }

    /// For tests, which play the nursery themselves.
    #[cfg(test)]
    pub(super) fn played() -> (Self, OwnedFd) {
        let (ours, theirs) = pair().unwrap();
        let nursery = Self {
            socket: ours,
            child: None,
        };
        (nursery, theirs)
    }

    /// Sends one request; the descriptor goes along.
    pub(super) fn send(&self, request: &[u8], descriptor: BorrowedFd<'_>) -> Result<(), Errno> {
        send_datagram(&self.socket, request, Some(descriptor))
    }

    /// Receives one report; `None` when there is none, an error when it is gone.
    pub(super) fn receive<'b>(
        &self,
        space: &'b mut [u8; DATAGRAM_BYTES_MAX],
    ) -> Result<Option<Datagram<'b>>, Errno> {
        receive_datagram(&self.socket, space)
    }

    /// Lets it end: its descriptor 0 ends, and every sandbox with it.
    pub(super) fn stop(self) {
        drop(self.socket);
        if let Some(mut child) = self.child {
            wait_or_kill(&mut child);
        }
    }
}

impl AsFd for Nursery {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// How long a nursery may take to end its sandboxes and itself, in milliseconds.
///
/// It only kills and reaps; a host with 1 000 sandboxes takes about 100.
const ENDING_MS: i64 = 500;

fn wait_or_kill(child: &mut Child) {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::{Pid, PidfdFlags, pidfd_open};

    let patience = Timespec {
        tv_sec: 0,
        tv_nsec: ENDING_MS * 1_000_000,
    };
    if let Ok(pidfd) = pidfd_open(Pid::from_child(child), PidfdFlags::empty()) {
        let mut ended = [PollFd::new(&pidfd, PollFlags::IN)];
        let _ = poll(&mut ended, Some(&patience));
    }
    // Both fail only when it has ended already.
    let _ = child.kill();
    let _ = child.wait();
}

fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?)
}

pub(super) fn send_datagram(
    socket: impl AsFd,
    bytes: &[u8],
    descriptor: Option<BorrowedFd<'_>>,
) -> Result<(), Errno> {
    let descriptors = descriptor.as_slice();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        control.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    sendmsg(socket, &[IoSlice::new(bytes)], &mut control, flags).map(|_| ())
}

pub(super) fn receive_datagram(
    socket: impl AsFd,
    space: &mut [u8; DATAGRAM_BYTES_MAX],
) -> Result<Option<Datagram<'_>>, Errno> {
    let mut rights = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut rights);
    let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let received = recvmsg(
        socket,
        &mut [IoSliceMut::new(space.as_mut_slice())],
        &mut control,
        flags,
    );
    let bytes = match received {
        Ok(message) if message.bytes > 0 => message.bytes,
        Ok(_) => return Err(Errno::PIPE),
        Err(Errno::AGAIN | Errno::INTR) => return Ok(None),
        Err(error) => return Err(error),
    };
    let descriptor = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut rights) => rights.next(),
        _ => None,
    });
    let bytes = space.get(..bytes).unwrap_or_default();
    Ok(Some(Datagram { bytes, descriptor }))
}
