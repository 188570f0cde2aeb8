//! Where connected streams come from.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use protocol::Code;
use tokio::io::{AsyncRead, AsyncWrite};

/// A connected stream of bytes.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A stream whose making is no longer of interest.
pub type BoxStream = Box<dyn Stream>;

/// What a dial gives, in the end.
pub type Dialling<'a, T> = Pin<Box<dyn Future<Output = Result<T, NotDialled>> + Send + 'a>>;

/// Why there is no stream.
#[derive(Debug, Clone)]
pub struct NotDialled {
    /// 403 when it is not granted, 404 for an unknown name, 408, 429, 503.
    pub code: Code,
    /// One sentence, with the fix where there is one.
    pub reason: String,
    /// What `hyperty why` explains; empty when no rule refused it.
    pub decision: String,
}

/// Makes connections; each is decided anew, wherever it leads.
///
/// The stream closes its descriptor, and tells whoever counts it, when it is dropped.
pub trait Dial: Send + Sync + 'static {
    /// Connects to a port of a host: a name, or an address without brackets.
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> Dialling<'a, BoxStream>;

    /// The root certificates that this machine trusts, as PEM text.
    fn roots(&self) -> Dialling<'_, Vec<u8>>;
}

/// Dials by itself: for programs that no sandbox holds, and for tests.
///
/// In a sandbox the system refuses; there, connections are asked for.
#[derive(Clone, Default)]
pub struct Direct {
    roots: Vec<u8>,
}

impl Direct {
    /// Dials by itself and trusts these roots, as PEM text.
    pub fn trusting(roots: impl Into<Vec<u8>>) -> Self {
        Self {
            roots: roots.into(),
        }
    }
}

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direct").finish_non_exhaustive()
    }
}

impl Dial for Direct {
    fn dial<'a>(&'a self, host: &'a str, port: u16) -> Dialling<'a, BoxStream> {
        Box::pin(async move {
            let stream = tokio::net::TcpStream::connect((host, port)).await;
            let stream = stream.map_err(|error| NotDialled {
                code: Code::UNAVAILABLE,
                reason: error.to_string(),
                decision: String::new(),
            })?;
            Ok(Box::new(stream) as BoxStream)
        })
    }

    fn roots(&self) -> Dialling<'_, Vec<u8>> {
        Box::pin(async { Ok(self.roots.clone()) })
    }
}
