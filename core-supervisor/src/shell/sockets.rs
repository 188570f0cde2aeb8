//! Sockets of the network, on their way from the connector to whoever asked.
//!
//! ```text
//!  connector ──descriptor──► arrived ──take──► kept ──hand over──► a component
//!                                               └── shut: for both, whoever has it
//! ```
//!
//! A second descriptor of each stays here, by which it is shut when its grant is
//! revoked or its owner is gone: the kernel shuts the socket, not the descriptor.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::net::sockopt::socket_domain;
use rustix::net::{AddressFamily, Shutdown, shutdown};

use crate::ids::SocketId;

/// The open ones.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    kept: BTreeMap<SocketId, Arc<OwnedFd>>,
}

impl Sockets {
    /// Keeps a socket; refuses what is none of the internet.
    pub(super) fn keep(
        &mut self,
        socket: SocketId,
        descriptor: OwnedFd,
    ) -> Result<(), &'static str> {
        match socket_domain(&descriptor) {
            Ok(AddressFamily::INET | AddressFamily::INET6) => {
                self.kept.insert(socket, Arc::new(descriptor));
                Ok(())
            }
            _ => Err("the connector sent something else than a socket of the internet"),
        }
    }

    /// A descriptor to be handed over.
    pub(super) fn get(&self, socket: SocketId) -> Option<Arc<OwnedFd>> {
        self.kept.get(&socket).map(Arc::clone)
    }

    /// Shuts it, and forgets it.
    pub(super) fn shut(&mut self, socket: SocketId) {
        if let Some(descriptor) = self.kept.remove(&socket) {
            // Fails for one that its peer has closed already.
            let _ = shutdown(&*descriptor, Shutdown::Both);
        }
    }

    /// How many descriptors are held.
    pub(super) fn descriptors(&self) -> usize {
        self.kept.len()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream, UdpSocket};

    use super::*;

    const SOCKET: SocketId = SocketId(1);

    #[test]
    fn a_socket_that_is_shut_is_shut_for_whoever_has_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut far, _) = listener.accept().unwrap();
        let mut theirs = near.try_clone().unwrap();
        let mut sockets = Sockets::default();
        sockets.keep(SOCKET, near.into()).unwrap();

        sockets.shut(SOCKET);

        assert_eq!(far.read(&mut [0]).unwrap(), 0);
        assert_eq!(theirs.read(&mut [0]).unwrap(), 0);
        assert!(theirs.write_all(b"x").is_err());
        assert_eq!(sockets.descriptors(), 0);
    }

    #[test]
    fn a_datagram_socket_is_shut_as_well() {
        let far = UdpSocket::bind("127.0.0.1:0").unwrap();
        let near = UdpSocket::bind("127.0.0.1:0").unwrap();
        near.connect(far.local_addr().unwrap()).unwrap();
        let theirs = near.try_clone().unwrap();
        let mut sockets = Sockets::default();
        sockets.keep(SOCKET, near.into()).unwrap();

        sockets.shut(SOCKET);

        assert!(theirs.send(b"x").is_err());
        assert!(theirs.recv(&mut [0]).is_ok_and(|bytes| bytes == 0));
    }

    #[test]
    fn only_sockets_of_the_internet_are_kept() {
        let mut sockets = Sockets::default();
        let (unix, _) = std::os::unix::net::UnixStream::pair().unwrap();
        let file = std::fs::File::open("/dev/null").unwrap();

        assert!(sockets.keep(SOCKET, unix.into()).is_err());
        assert!(sockets.keep(SOCKET, file.into()).is_err());
        assert!(sockets.get(SOCKET).is_none());
    }
}
