//! What one component can reach: connections, TLS, HTTP and WebSockets.

use std::fmt;
use std::sync::Arc;

use tokio::sync::OnceCell;
use tokio_rustls::client::TlsStream;

use crate::dial::{BoxStream, Dial, NotDialled};
use crate::error::Error;
use crate::http::Http;
use crate::tasks::{Tasks, Tokio};
use crate::tls::{Inside, Tls};
use crate::websocket::{Options, WebSocket};

/// A way to foreign hosts; cloning it is cheap, and the clones share what is open.
#[derive(Clone)]
pub struct Network {
    pub(crate) inner: Arc<Inner>,
    http: Http,
}

pub(crate) struct Inner {
    dial: Box<dyn Dial>,
    pub(crate) tasks: Arc<dyn Tasks>,
    tls: Arc<OnceCell<Tls>>,
}

impl Network {
    /// Connects by `dial`, with tasks of the current tokio runtime.
    pub fn new(dial: impl Dial) -> Self {
        Self::with_tasks(dial, Arc::new(Tokio))
    }

    /// Connects by `dial`; `tasks` drives what is open.
    pub fn with_tasks(dial: impl Dial, tasks: Arc<dyn Tasks>) -> Self {
        Self::made(dial, tasks, Arc::default())
    }

    /// Another one, which shares nothing with this but whom the machine trusts.
    ///
    /// Reading the roots takes 10 ms and 1 MB, and they are the same for everybody.
    #[must_use]
    pub fn sharing_trust(&self, dial: impl Dial) -> Self {
        let Inner { tasks, tls, .. } = &*self.inner;
        Self::made(dial, Arc::clone(tasks), Arc::clone(tls))
    }

    fn made(dial: impl Dial, tasks: Arc<dyn Tasks>, tls: Arc<OnceCell<Tls>>) -> Self {
        let inner = Arc::new(Inner {
            dial: Box::new(dial),
            tasks,
            tls,
        });
        let http = Http::over(Arc::clone(&inner));
        Self { inner, http }
    }

    /// Opens a connection: bytes to and from a port of a host.
    ///
    /// `host` is a name, or an address without brackets. Whether it may be
    /// reached is decided for each connection.
    ///
    /// # Errors
    /// [`Error::NotDialled`].
    pub async fn tcp(&self, host: &str, port: u16) -> Result<BoxStream, Error> {
        self.inner.tcp(host, port).await
    }

    /// Opens a connection and secures it; the other end has proved to be `host`.
    ///
    /// # Errors
    /// [`Error::NotDialled`], [`Error::Roots`], [`Error::Tls`], [`Error::Late`].
    pub async fn tls(&self, host: &str, port: u16) -> Result<TlsStream<BoxStream>, Error> {
        self.inner.tls(host, port, Inside::Bytes).await
    }

    /// Secures a connection that is open already; the other end has proved to be
    /// `host`.
    ///
    /// For protocols that agree on TLS in clear.
    ///
    /// # Errors
    /// [`Error::Roots`], [`Error::Tls`], [`Error::Late`].
    pub async fn secure(
        &self,
        host: &str,
        stream: BoxStream,
    ) -> Result<TlsStream<BoxStream>, Error> {
        self.inner.secure(host, Inside::Bytes, stream).await
    }

    /// Opens a WebSocket to `ws://…` or `wss://…`.
    ///
    /// # Errors
    /// As [`Self::tls`]; [`Error::Url`]; [`Error::NotAWebSocket`] when the server
    /// answers otherwise; [`Error::Protocol`] when it answers nonsense.
    pub async fn websocket(&self, url: &str, options: Options) -> Result<WebSocket, Error> {
        WebSocket::open(&self.inner, url, options).await
    }

    /// The HTTP client, which keeps connections for the next request.
    pub const fn http(&self) -> &Http {
        &self.http
    }
}

impl Inner {
    pub(crate) async fn tcp(&self, host: &str, port: u16) -> Result<BoxStream, Error> {
        let refused = |not: NotDialled| Error::NotDialled {
            host: host.to_owned(),
            port,
            code: not.code,
            reason: not.reason,
            decision: not.decision,
        };
        self.dial.dial(host, port).await.map_err(refused)
    }

    pub(crate) async fn tls(
        &self,
        host: &str,
        port: u16,
        inside: Inside,
    ) -> Result<TlsStream<BoxStream>, Error> {
        // First the connection: a denial is told before anything is read for it.
        let stream = self.tcp(host, port).await?;
        self.secure(host, inside, stream).await
    }

    async fn secure(
        &self,
        host: &str,
        inside: Inside,
        stream: BoxStream,
    ) -> Result<TlsStream<BoxStream>, Error> {
        let tls = self.tls.get_or_try_init(|| self.trust()).await?;
        tls.connect(&*self.tasks, host, inside, stream).await
    }

    async fn trust(&self) -> Result<Tls, Error> {
        let roots = self.dial.roots().await;
        Tls::trusting(&roots.map_err(|not| Error::Roots(not.reason))?)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").finish_non_exhaustive()
    }
}
