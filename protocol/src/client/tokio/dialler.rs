//! Dials for other tasks than the one that drives the link.
//!
//! The link has one owner. Others ask it through a channel that it looks at
//! wherever it waits, so that they need to know neither frames nor numbers.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::Client;
use crate::client::dials::{Dials, SocketId, Told};
use crate::client::{Connection, Dialled, Error, Failure, Outbox, Place, room};

/// Asks that wait for the owner of the link.
///
/// Each asker waits for its answer, so this bounds tasks that ask at the same
/// moment, not dials.
const ASKS_MAX: usize = 32;

/// Dials over a link that somebody else drives; clones ask the same link.
///
/// Nothing happens while nobody waits for the link: [`Client::recv`] and every other
/// wait do, and [`Client::during`] is for what has nothing else to wait for.
#[derive(Debug, Clone)]
pub struct Dialler {
    asks: mpsc::Sender<Ask>,
}

/// Whether the core has taken a connection back, and why.
#[derive(Debug, Clone, Default)]
pub struct Revocation(Arc<OnceLock<String>>);

impl Revocation {
    /// Why it was taken back; `None` while it stands.
    pub fn reason(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}

impl Dialler {
    /// Dials a host and waits for the connection.
    ///
    /// # Errors
    /// [`Error::Answered`] tells why there is none: 403 when it is not granted, with
    /// the decision. [`Error::Closed`] when the link is gone; [`Error::TimedOut`]
    /// when nobody drives it.
    pub async fn dial(
        &self,
        place: Place<'_>,
        within: Duration,
    ) -> Result<(Connection, Revocation), Error> {
        let (told, outcome) = oneshot::channel();
        let host = place.host.to_owned();
        let asked = Ask::Dial {
            host,
            port: place.port,
            within,
            told,
        };
        self.ask(asked, outcome, within).await?
    }

    /// The certificates of the authorities that this machine trusts: PEM text.
    ///
    /// # Errors
    /// As [`Self::dial`].
    pub async fn roots(&self) -> Result<Vec<u8>, Error> {
        let (told, outcome) = oneshot::channel();
        self.ask(Ask::Roots(told), outcome, room::ROOM_WAIT).await?
    }

    /// Makes the link tell now that a socket was closed, whose lease was dropped before.
    pub fn tell_closed(&self) {
        // With a full channel it tells soon in any case.
        let _ = self.asks.try_send(Ask::TellClosed);
    }

    async fn ask<T>(
        &self,
        ask: Ask,
        outcome: oneshot::Receiver<T>,
        within: Duration,
    ) -> Result<T, Error> {
        let asked = async {
            self.asks.send(ask).await.map_err(|_| Error::Closed)?;
            outcome.await.map_err(|_| Error::Closed)
        };
        match timeout(within.saturating_add(room::CORE_GRACE), asked).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::TimedOut("socket")),
        }
    }
}

type Outcome<T> = Result<T, Error>;

/// What the owner of the link is asked for.
#[derive(Debug)]
pub(super) enum Ask {
    Dial {
        host: String,
        port: u16,
        within: Duration,
        told: oneshot::Sender<Outcome<(Connection, Revocation)>>,
    },
    Roots(oneshot::Sender<Outcome<Vec<u8>>>),
    TellClosed,
}

/// The owner's end of the channel.
#[derive(Debug)]
pub(super) struct Asks {
    sender: mpsc::Sender<Ask>,
    receiver: mpsc::Receiver<Ask>,
    dials: BTreeMap<u64, oneshot::Sender<Outcome<(Connection, Revocation)>>>,
    roots: Vec<oneshot::Sender<Outcome<Vec<u8>>>>,
    // Of sockets that are open; those that are not are forgotten with the next.
    open: BTreeMap<SocketId, Weak<OnceLock<String>>>,
}

impl Default for Asks {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(ASKS_MAX);
        Self {
            sender,
            receiver,
            dials: BTreeMap::new(),
            roots: Vec::new(),
            open: BTreeMap::new(),
        }
    }
}

impl Asks {
    /// Waits for the next ask. May be dropped before it is done.
    pub(super) async fn next(&mut self) -> Ask {
        // It has a sender itself, so there is no end.
        self.receiver.recv().await.unwrap_or(Ask::TellClosed)
    }

    /// Passes an ask on to the core.
    pub(super) fn pass(&mut self, ask: Ask, out: &mut Outbox) -> Result<(), Error> {
        match ask {
            Ask::Dial {
                host,
                port,
                within,
                told,
            } => match out.dial(Place::tcp(&host, port), within) {
                Ok(request) => void(self.dials.insert(request, told)),
                // A name that is too long is the asker's affair, not the link's.
                Err(error) => void(told.send(Err(error))),
            },
            Ask::Roots(told) => {
                if self.roots.is_empty() {
                    out.take_roots()?;
                }
                self.roots.push(told);
            }
            // Whoever is about to write looks for what was closed.
            Ask::TellClosed => {}
        }
        Ok(())
    }

    /// Hands out what concerns those that asked here; the rest is the owner's.
    pub(super) fn settle(&mut self, dials: &mut Dials) {
        for told in std::mem::take(&mut dials.told) {
            match told {
                Told::Dialled(request, outcome) if self.dials.contains_key(&request) => {
                    self.answer(request, outcome);
                }
                Told::Roots(outcome) if !self.roots.is_empty() => self.answer_roots(&outcome),
                Told::Hungup(socket, reason) if self.open.contains_key(&socket) => {
                    if let Some(open) = self.open.remove(&socket).and_then(|open| open.upgrade()) {
                        void(open.set(reason));
                    }
                }
                other => dials.told.push_back(other),
            }
        }
    }

    // Nobody waits any more: the connection is closed, and its lease tells so.
    fn answer(&mut self, request: u64, outcome: Result<Dialled, Failure>) {
        let Some(told) = self.dials.remove(&request) else {
            return;
        };
        let outcome = match outcome {
            Ok(Dialled::Connection(connection)) => {
                let revocation = Revocation::default();
                self.open.retain(|_, open| open.strong_count() > 0);
                let open = Arc::downgrade(&revocation.0);
                self.open.insert(connection.lease.id(), open);
                Ok((connection, revocation))
            }
            Ok(Dialled::Listener(_)) => Err(Error::Unexpected("a listener for a dial")),
            Err(failure) => Err(Error::Answered(Box::new(failure))),
        };
        void(told.send(outcome));
    }

    fn answer_roots(&mut self, outcome: &Result<Vec<u8>, Failure>) {
        for told in self.roots.drain(..) {
            let outcome = outcome.clone();
            void(told.send(outcome.map_err(|failure| Error::Answered(Box::new(failure)))));
        }
    }
}

// Whoever asked may be gone.
fn void<T>(_: T) {}

impl Client {
    /// A handle by which other tasks dial over this link.
    pub fn dialler(&mut self) -> Dialler {
        let asks = self.asks.get_or_insert_default();
        Dialler {
            asks: asks.sender.clone(),
        }
    }

    /// Waits for `act`, and drives the link meanwhile; what arrives stays in line.
    ///
    /// For what dials by a [`Dialler`] while nothing else is to be done.
    ///
    /// # Errors
    /// Those of the link, [`Error::Closed`] at its end. What `act` returns is its own.
    pub async fn during<T>(&mut self, act: impl Future<Output = T>) -> Result<T, Error> {
        let mut act = pin!(act);
        loop {
            self.session.look_through()?;
            tokio::select! {
                biased;
                done = &mut act => return Ok(done),
                filled = self.fill() => filled?,
            }
            if self.session.has_ended {
                return Err(Error::Closed);
            }
        }
    }
}
