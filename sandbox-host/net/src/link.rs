//! Connections that are asked for over a component's link.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use protocol::Code;
use protocol::client::tokio::{Component, Dialler, Revocation};
use protocol::client::{Connection, Error as LinkError, Lease, Place};
use protocol::limits::DIAL_WAIT_MS;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::dial::{BoxStream, Dial, Dialling, NotDialled};
use crate::network::Network;

impl Network {
    /// What the component at this link may reach.
    ///
    /// Connections are asked for over the link, so somebody must wait for it
    /// meanwhile: a loop around [`Component::recv`] does, and
    /// [`Component::during`] is for what comes before that loop:
    ///
    /// ```no_run
    /// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
    /// use protocol::client::tokio::Component;
    /// use sandbox_net::Network;
    /// use sandbox_net::websocket::Options;
    ///
    /// let mut link = Component::attach().await?;
    /// let network = Network::of(&mut link);
    /// let opening = network.websocket("wss://node.example/ws", Options::default());
    /// let mut socket = link.during(opening).await??;
    /// loop {
    ///     tokio::select! {
    ///         event = socket.recv() => println!("{:?}", event?),
    ///         incoming = link.recv() => println!("{:?}", incoming?.0),
    ///     }
    /// }
    /// # }
    /// ```
    pub fn of(link: &mut Component) -> Self {
        Self::new(Asking(link.dialler()))
    }
}

struct Asking(Dialler);

impl Dial for Asking {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> Dialling<'a, BoxStream> {
        Box::pin(async move {
            let within = Duration::from_millis(DIAL_WAIT_MS.into());
            let dialled = self.0.dial(Place::tcp(host, port), within).await;
            let (connection, revocation) = dialled.map_err(refused)?;
            let granted = Granted::new(connection, revocation, self.0.clone());
            let granted = granted.map_err(|error| unusable(&error))?;
            Ok(Box::new(granted) as BoxStream)
        })
    }

    fn roots(&self) -> Dialling<'_, Vec<u8>> {
        Box::pin(async move { self.0.roots().await.map_err(refused) })
    }
}

fn refused(error: LinkError) -> NotDialled {
    match error {
        LinkError::Answered(failure) => NotDialled {
            code: failure.code,
            reason: failure.reason,
            decision: failure.decision,
        },
        LinkError::TimedOut(_) => NotDialled {
            code: Code::TIMEOUT,
            reason: "nobody waits for the link, so nobody asks; see `Component::during`".to_owned(),
            decision: String::new(),
        },
        other => NotDialled {
            code: Code::UNAVAILABLE,
            reason: other.to_string(),
            decision: String::new(),
        },
    }
}

fn unusable(error: &io::Error) -> NotDialled {
    NotDialled {
        code: Code::FAILED,
        reason: format!("the connection cannot be used: {error}"),
        decision: String::new(),
    }
}

/// A connection that the core counts, and can take back.
struct Granted {
    // Dropped in this order: what is counted must not be less than what is open.
    stream: Option<TcpStream>,
    lease: Option<Lease>,
    revocation: Revocation,
    dialler: Dialler,
}

impl Granted {
    fn new(connection: Connection, revocation: Revocation, dialler: Dialler) -> io::Result<Self> {
        let Connection { socket, lease, .. } = connection;
        let stream = TcpStream::from_std(std::net::TcpStream::from(socket))?;
        Ok(Self {
            stream: Some(stream),
            lease: Some(lease),
            revocation,
            dialler,
        })
    }

    fn stream(&mut self) -> io::Result<Pin<&mut TcpStream>> {
        let stream = self.stream.as_mut().map(Pin::new);
        stream.ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    // A connection that was taken back looks like one that the other end closed.
    fn revoked(&self) -> Option<io::Error> {
        let reason = self.revocation.reason()?;
        Some(io::Error::new(io::ErrorKind::ConnectionAborted, reason))
    }
}

impl Drop for Granted {
    fn drop(&mut self) {
        self.stream = None;
        self.lease = None;
        self.dialler.tell_closed();
    }
}

impl AsyncRead for Granted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = ready!(self.stream()?.poll_read(cx, buffer));
        let is_end = read.is_err() || buffer.filled().len() == before;
        match self.revoked().filter(|_| is_end) {
            Some(error) => Poll::Ready(Err(error)),
            None => Poll::Ready(read),
        }
    }
}

impl AsyncWrite for Granted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(self.stream()?.poll_write(cx, bytes));
        Poll::Ready(written.map_err(|error| self.revoked().unwrap_or(error)))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(cx)
    }
}
