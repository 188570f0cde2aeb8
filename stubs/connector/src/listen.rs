//! Listeners: each caller becomes a connection of its own.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use protocol::Code;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, sleep_until};

use crate::class::{self, Class};
use crate::host::{self, Host};
use crate::job::{Failed, Job};

/// Callers that the kernel keeps while nobody takes them.
const BACKLOG: u32 = 128;

/// Callers of one listener within a second; further ones wait in the backlog.
///
/// Each costs the core two frames; a flood is to be the listener's own problem.
const CALLERS_PER_SECOND_MAX: u32 = 200;

/// One listener.
pub(crate) struct Listener {
    socket: TcpListener,
    since: Instant,
    callers: u32,
}

impl Listener {
    /// Listens where the job says.
    pub(crate) fn open(job: &Job) -> Result<(Self, SocketAddr), Failed> {
        let address = address(job)?;
        let failed = |error: io::Error| Failed::of(&format!("listen at `{}`", job.place()), &error);
        let opened = bind(address).map_err(failed)?;
        let local = opened.local_addr().map_err(failed)?;
        let listener = Self {
            socket: opened,
            since: Instant::now(),
            callers: 0,
        };
        Ok((listener, local))
    }

    /// Waits for the next caller.
    pub(crate) async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        const SECOND: Duration = Duration::from_secs(1);
        if self.callers >= CALLERS_PER_SECOND_MAX {
            sleep_until(self.since + SECOND).await;
        }
        let (stream, peer) = self.socket.accept().await?;
        if self.since.elapsed() >= SECOND {
            self.since = Instant::now();
            self.callers = 0;
        }
        self.callers += 1;
        stream.set_nodelay(true)?;
        Ok((stream, peer))
    }
}

// Where to listen is said by an address, so that no name server decides it.
fn address(job: &Job) -> Result<SocketAddr, Failed> {
    let bad = |what: &str| Failed::new(Code::BAD_REQUEST, format!("host `{}`: {what}", job.host));
    let ip: IpAddr = match host::read(&job.host).map_err(bad)? {
        Host::Address(ip) => ip,
        Host::Name(name) if name == "localhost" => [127, 0, 0, 1].into(),
        Host::Name(_) => return Err(bad("listening takes an address of this machine")),
    };
    match class::of(ip) {
        Class::Public | Class::Private(_) | Class::Never("unspecified") => {
            Ok(SocketAddr::new(ip, job.port))
        }
        Class::Never(word) => Err(bad(&format!("nobody listens at {word} addresses"))),
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() {
        let socket = TcpSocket::new_v6()?;
        // Or callers of IPv4 would come under a second spelling of their address.
        rustix::net::sockopt::set_ipv6_v6only(&socket, true)?;
        socket
    } else {
        TcpSocket::new_v4()?
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}
