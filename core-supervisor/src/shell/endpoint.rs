//! The local endpoint: a socket that only the same user can open.
//!
//! The directory is the user's own, the socket has mode 0600 from birth, and the
//! kernel says who connected; any one of the three would do.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use interprocess::local_socket::tokio::{Listener, Stream};
use interprocess::local_socket::traits::StreamCommon;
use interprocess::local_socket::traits::tokio::Listener as _;
use interprocess::local_socket::{GenericFilePath, ListenerOptions, ToFsName};
use interprocess::os::unix::local_socket::ListenerOptionsExt;

use super::inbox::{Arrival, Gone, Letterbox};

/// How long to wait when no connection can be accepted: descriptors are freed
/// by links that end, and nothing else helps.
const RETRY: Duration = Duration::from_millis(100);

/// Begins to listen. The name must be free: see `instance`.
pub(super) fn bind(socket: &Path) -> io::Result<Listener> {
    ListenerOptions::new()
        .name(socket.to_fs_name::<GenericFilePath>()?)
        .mode(0o600)
        .reclaim_name(false)
        .create_tokio()
}

/// Accepts until the loop is gone.
pub(super) async fn serve(listener: Listener, letterbox: Letterbox) -> Gone {
    loop {
        match listener.accept().await {
            Ok(stream) => match admit(stream) {
                Ok(arrival) => {
                    if let Err(gone) = letterbox.put(arrival) {
                        return gone;
                    }
                }
                Err(reason) => tracing::warn!(reason, "a local connection was refused"),
            },
            Err(error) => {
                tracing::warn!(%error, "cannot accept a local connection");
                tokio::time::sleep(RETRY).await;
            }
        }
    }
}

fn admit(stream: Stream) -> Result<Arrival, String> {
    let peer = stream
        .peer_creds()
        .map_err(|error| format!("cannot tell who it is: {error}"))?;
    may_connect(peer.euid(), rustix::process::geteuid().as_raw())?;
    let pid = peer.pid().and_then(|pid| u32::try_from(pid).ok());
    let Stream::UdSocket(stream) = stream;
    let socket =
        OwnedFd::try_from(stream).map_err(|error| format!("cannot hand it on: {error}"))?;
    Ok(Arrival::Accepted {
        socket,
        pid: pid.unwrap_or_default(),
    })
}

// Not even root of this machine: whoever is root has other ways, and what runs
// as root by accident has no business here.
fn may_connect(peer: Option<u32>, own: u32) -> Result<(), String> {
    match peer {
        Some(peer) if peer == own => Ok(()),
        Some(peer) => Err(format!(
            "it is user {peer}, and this runtime is user {own}'s"
        )),
        None => Err("the kernel does not say who it is".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_user_may_connect() {
        assert!(may_connect(Some(1000), 1000).is_ok());
        assert!(may_connect(Some(1001), 1000).is_err());
        assert!(may_connect(Some(0), 1000).is_err());
        assert!(may_connect(None, 1000).is_err());
    }
}
