//! The process's own descriptors: none from whoever started it, as many as it may.

use std::fs;
use std::os::fd::{OwnedFd, RawFd};

use nix::sys::socket::{ControlMessage, MsgFlags, UnixAddr, sendmsg};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::nursery::receive_datagram;
use super::run_loop::DescriptorBudget;

/// Descriptors that links and processes leave for files, `/proc` and a new nursery.
const RESERVED: usize = 64;

/// The most that closing without `/proc` tries.
const UNLISTED_MAX: RawFd = 4096;

/// Closes everything above stderr except `keep`: a desktop application may leave
/// hundreds open, and none shall be ours, much less a sandbox's (FD-03).
///
/// To be called first in `main`, before anything else has opened a descriptor.
pub fn close_inherited(keep: Option<RawFd>) {
    for descriptor in listed().unwrap_or_else(|| (3..UNLISTED_MAX).collect()) {
        if descriptor > 2 && Some(descriptor) != keep {
            // Fails for the one that listed them, which is closed already.
            let _ = nix::unistd::close(descriptor);
        }
    }
}

fn listed() -> Option<Vec<RawFd>> {
    let entries = fs::read_dir("/proc/self/fd").ok()?;
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    Some(entries.filter_map(Result::ok).filter_map(number).collect())
}

/// Takes over the inherited descriptor `number`.
///
/// A number is no owner, and there is no safe way to claim that it is one. So it
/// is sent to ourselves over a socket, which works for every kind of descriptor
/// and fails cleanly for a number that is not open; the original is closed.
pub fn adopt(number: RawFd) -> std::io::Result<OwnedFd> {
    use std::os::fd::AsRawFd;

    let (out, back) = socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )?;
    sendmsg::<UnixAddr>(
        out.as_raw_fd(),
        &[std::io::IoSlice::new(&[0])],
        &[ControlMessage::ScmRights(&[number])],
        MsgFlags::empty(),
        None,
    )?;
    let mut space = [0; protocol::nursery::DATAGRAM_BYTES_MAX];
    let came = receive_datagram(&back, &mut space)?;
    let adopted = came.and_then(|datagram| datagram.descriptor);
    let adopted = adopted.ok_or_else(|| std::io::Error::other("it did not come through"))?;
    if number > 2 {
        nix::unistd::close(number)?;
    }
    Ok(adopted)
}

/// Raises the soft limit to the hard one, and says how many there may be.
pub fn raise_limit() -> DescriptorBudget {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::warn!(%error, "cannot raise the number of descriptors");
            limit.current
        }
    };
    DescriptorBudget {
        limit: current.map_or(usize::MAX, |most| {
            usize::try_from(most).unwrap_or(usize::MAX)
        }),
        reserved: RESERVED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::fd::IntoRawFd;

    #[test]
    fn a_number_becomes_an_owner() {
        let (mut reader, writer) = std::io::pipe().unwrap();

        let adopted = adopt(writer.into_raw_fd()).unwrap();
        fs::File::from(adopted).write_all(b"leash").unwrap();

        let mut said = String::new();
        reader.read_to_string(&mut said).unwrap(); // ends: the original is closed
        assert_eq!(said, "leash");
    }

    #[test]
    fn a_number_that_is_not_open_is_refused() {
        assert!(adopt(1_000_000).is_err());
    }
}
