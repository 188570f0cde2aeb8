//! The rim that touches the world: sockets, files, the clock, NATS.
//!
//! | file | is |
//! |---|---|
//! | `server`, `tls`, `gate` | who gets in |
//! | `link`, `outbox` | one connection |
//! | `hub` | the task that has the node |
//! | `backing`, `store/`, `nats/` | what the node stands on |
//! | `numbers` | the page of numbers |
//! | `tokens` | the file of access tokens |

mod backing;
mod clock;
mod gate;
mod hub;
mod link;
mod nats;
mod numbers;
mod outbox;
mod server;
mod store;
mod tls;
pub mod tokens;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use self::backing::{Backing, BackingError};
use self::clock::Clock;
use self::gate::Gate;
use self::hub::{Hub, Letters, Told};
use self::nats::Nats;
use self::server::Server;
use self::store::{Keeper, Store};
use self::tls::TlsError;
use self::tokens::{TokenError, Tokens};
use crate::event::Event;
use crate::names::{Names, hex};
use crate::node::{Node, Settings};
use crate::rows::Row;

/// How a node is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The domain.
    pub domain: String,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Certificate chain and key, PEM.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The file of access tokens; `None`: everybody may.
    pub tokens: Option<PathBuf>,
    /// Web pages that may connect without a token.
    pub origins: Vec<String>,
    /// The directory of its store.
    pub data_dir: PathBuf,
    /// NATS instead of a store, and the file with the credentials for it.
    pub nats: Option<(String, Option<PathBuf>)>,
    /// Where numbers are shown.
    pub metrics: Option<SocketAddr>,
    /// Connections at one time.
    pub connections_max: usize,
}

/// Why a node does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// An address.
    #[error("cannot listen at `{at}`: {source}")]
    Listen {
        /// Which.
        at: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Tokens.
    #[error(transparent)]
    Tokens(#[from] TokenError),
    /// Its store, or NATS.
    #[error(transparent)]
    Backing(#[from] BackingError),
    /// Signals.
    #[error("cannot watch signals: {0}")]
    Signals(io::Error),
    /// No randomness.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

/// What is said once a node listens.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Ready {
    /// The domain.
    pub domain: String,
    /// What stubs are given: `wss://host:port/ws`.
    pub url: String,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where numbers are shown.
    pub metrics: Option<SocketAddr>,
    /// Its process.
    pub pid: u32,
}

/// Runs a node until it is told to end by a signal.
pub async fn run(options: Options, ready: impl FnOnce(&Ready)) -> Result<(), RunError> {
    let tls = options.tls.as_ref();
    let tls = tls
        .map(|(chain, key)| tls::acceptor(chain, key))
        .transpose()?;
    let tokens = options.tokens.as_deref().map(Tokens::open).transpose()?;
    let mut signals = Signals::watch().map_err(RunError::Signals)?;
    let listener = listen(options.listen).await?;
    let metrics = match options.metrics {
        Some(at) => Some(listen(at).await?),
        None => None,
    };
    let said = announce(&options, &listener, metrics.as_ref());
    let (letters, told) = hub::letters();
    let (id, names) = identity()?;
    let clock = Clock::start();
    let (backing, rows) = stand_on(&options, &id, letters.clone()).await?;
    let settings = Settings {
        domain: options.domain.clone(),
        id,
        is_one_of_many: options.nats.is_some(),
        names,
    };
    let hub = Hub::new(Node::new(settings, rows, clock.now()), backing, clock);
    let hub = tokio::spawn(hub.run(told));

    let (stop, stops) = watch::channel(false);
    let gate = Arc::new(Gate::new(
        &options.domain,
        tokens,
        options.origins,
        options.connections_max,
        letters.clone(),
    ));
    let server = Server {
        gate: Arc::clone(&gate),
        tls,
        stops: stops.clone(),
    };
    tokio::spawn(server.run(listener));
    if let Some(metrics) = metrics {
        tokio::spawn(numbers::serve(metrics, letters.clone(), stops));
    }
    ready(&said);
    signals.obey(&gate, &letters).await;
    // Both ends are there, or the hub has ended: then there is nothing to wait for.
    let _ = stop.send(true);
    let _ = letters.send(Told::Stop).await;
    let _ = hub.await;
    Ok(())
}

async fn listen(at: SocketAddr) -> Result<TcpListener, RunError> {
    let bound = TcpListener::bind(at).await;
    bound.map_err(|source| RunError::Listen { at, source })
}

fn announce(options: &Options, listener: &TcpListener, metrics: Option<&TcpListener>) -> Ready {
    let at = |listener: &TcpListener| listener.local_addr().unwrap_or(options.listen);
    let listen = at(listener);
    let scheme = if options.tls.is_some() { "wss" } else { "ws" };
    Ready {
        domain: options.domain.clone(),
        url: format!("{scheme}://{listen}/ws"),
        listen,
        metrics: metrics.map(at),
        pid: std::process::id(),
    }
}

fn identity() -> Result<(String, Names), RunError> {
    let mut random = [0; 40];
    getrandom::fill(&mut random).map_err(|error| RunError::Random(error.to_string()))?;
    let (id, secret) = random.split_at(8);
    let secret = secret.try_into().unwrap_or([0; 32]);
    Ok((hex(id), Names::new(secret)))
}

async fn stand_on(
    options: &Options,
    id: &str,
    hub: Letters,
) -> Result<(Backing, Vec<Row>), BackingError> {
    if let Some((url, credentials)) = &options.nats {
        let credentials = credentials.as_deref();
        let (nats, rows) = Nats::start(url, credentials, &options.domain, id, hub).await?;
        return Ok((Backing::Nats(nats), rows));
    }
    let (store, rows) = Store::open(&options.data_dir)?;
    Ok((Backing::File(Keeper::start(store, hub)?), rows))
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    reload: Signal,
}

impl Signals {
    fn watch() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            reload: signal(SignalKind::hangup())?,
        })
    }

    /// Reads the tokens again at each SIGHUP; returns when the node is to end.
    async fn obey(&mut self, gate: &Gate, hub: &Letters) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return,
                _ = self.terminate.recv() => return,
                _ = self.reload.recv() => reload(gate, hub).await,
            }
        }
    }
}

async fn reload(gate: &Gate, hub: &Letters) {
    match gate.tokens.as_ref().map(Tokens::reload) {
        None => tracing::info!("there are no tokens to read again"),
        Some(Err(error)) => tracing::error!(%error, "the tokens stay as they were"),
        Some(Ok(gone)) => {
            tracing::info!(?gone, "the tokens were read again");
            for name in gone {
                // The hub ends only after this task does.
                let _ = hub.send(Told::Event(Event::Revoked(name))).await;
            }
        }
    }
}
