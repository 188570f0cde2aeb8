//! Where connected sockets come from: the client never makes one.

use std::pin::Pin;

pub use sandbox_net::BoxStream;
use sandbox_net::{Error, Network};

use super::Server;

/// A future of this thread.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// Connects, and makes a connection secret.
pub trait Dial {
    /// A connected socket to a server.
    fn dial(&self, server: &Server) -> BoxFuture<Result<BoxStream, DialError>>;

    /// The same connection with TLS on it; `server` is who must be at the other end.
    ///
    /// Servers of NATS speak first in clear, so the connection is there already.
    fn secure(&self, stream: BoxStream, server: &Server)
    -> BoxFuture<Result<BoxStream, DialError>>;
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// The grant does not name this server: trying again is pointless.
    #[error("{0}")]
    NotGranted(String),
    /// The network or the far end.
    #[error("{0}")]
    Failed(String),
}

impl From<Error> for DialError {
    fn from(error: Error) -> Self {
        if error.is_denial() {
            return Self::NotGranted(error.to_string());
        }
        Self::Failed(error.to_string())
    }
}

impl Dial for Network {
    fn dial(&self, server: &Server) -> BoxFuture<Result<BoxStream, DialError>> {
        let (network, server) = (self.clone(), server.clone());
        Box::pin(async move { Ok(network.tcp(&server.host, server.port).await?) })
    }

    fn secure(
        &self,
        stream: BoxStream,
        server: &Server,
    ) -> BoxFuture<Result<BoxStream, DialError>> {
        let (network, host) = (self.clone(), server.host.clone());
        Box::pin(async move {
            let secured = network.secure(&host, stream).await?;
            Ok(Box::new(secured) as BoxStream)
        })
    }
}
