//! One connection to a cluster that comes back by itself.
//!
//! dial → INFO → (TLS) → CONNECT, PING → PONG → subscriptions → live … → pause → dial
//!
//! [`Client::next`] drives everything and may be dropped at any point, so that it
//! can stand in a `select!` beside the link to the core. [`Api`] asks the cluster
//! from anywhere in the same thread; what it asks is written by the next `next`.

mod api;
mod dial;
mod jetstream;
mod limits;
mod live;
mod opening;
mod pace;
mod servers;
mod shared;

pub use api::{Answer, Api, Failed};
pub use dial::{BoxFuture, BoxStream, Dial, DialError};
pub use jetstream::{
    Entry, JetStream, JetStreamError, Mailbox, PULL_MESSAGES, PULL_STANDS, Pull, Refused, Stored,
    Table,
};
pub use limits::{OUT_BYTES_MAX, REQUESTS_MAX};
pub use servers::{BadServer, Server, Servers};

use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::Sleep;

use self::live::{Live, Said};
use self::opening::{Opened, Opening};
use self::pace::Pace;
use self::shared::Shared;
use crate::credentials::Credentials;
use crate::names::Names;
use crate::wire::{Delivery, Malformed, Op, Place};

/// Why there is no connection, or none any more.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// The server could not be reached.
    #[error("cannot reach `{server}`: {cause}")]
    Dial {
        /// The server.
        server: String,
        /// Why.
        cause: DialError,
    },
    /// The server did not do its part in time.
    #[error("`{server}` said no {what} within {seconds} s")]
    Late {
        /// The server.
        server: String,
        /// What it should have said.
        what: &'static str,
        /// How long we waited.
        seconds: u64,
    },
    /// What the server said is not the protocol.
    #[error("`{server}` does not speak NATS: {cause}")]
    Malformed {
        /// The server.
        server: String,
        /// What is wrong with it.
        cause: Malformed,
    },
    /// The server refused us.
    #[error("`{server}` refused the connection: {reason}")]
    Refused {
        /// The server.
        server: String,
        /// Its words, or what we refuse to do.
        reason: String,
    },
    /// The server ended the connection, or the network did.
    #[error("the connection to `{server}` ended: {reason}")]
    Ended {
        /// The server.
        server: String,
        /// The last word of either side.
        reason: String,
    },
}

impl Lost {
    /// Whether trying again as we are is pointless: somebody has to act.
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }
}

/// What happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// A server is tried.
    Trying(&'a str),
    /// Connected; every subscription is in place.
    Up(&'a str),
    /// Not connected; another attempt follows after this pause.
    Down(Lost, Duration),
    /// A message of a subscription that is not an answer of the cluster.
    Message(Delivery<'a>),
    /// The server refused an operation and goes on: its words.
    Complaint(&'a str),
}

/// How to connect.
#[derive(Debug)]
pub struct Options {
    /// Who we are, shown by the server's monitoring.
    pub name: String,
    /// The servers to try.
    pub servers: Servers,
    /// The proof of who we are.
    pub credentials: Credentials,
    /// The subjects.
    pub names: Names,
}

/// A connection that comes back.
pub struct Client<D> {
    dial: Rc<D>,
    options: Options,
    shared: Rc<Shared>,
    subjects: Vec<String>,
    pace: Pace,
    state: State,
}

enum State {
    Pausing(Pin<Box<Sleep>>),
    Choosing,
    Opening(BoxFuture<Result<Opened, Lost>>),
    Live(Box<Live>),
}

impl<D: Dial + 'static> Client<D> {
    /// A client that connects with the first `next`.
    pub fn new(dial: D, options: Options) -> Self {
        let subjects = vec![options.names.answers(), options.names.inbox()];
        Self {
            dial: Rc::new(dial),
            shared: Rc::new(Shared::default()),
            subjects,
            pace: Pace::default(),
            state: State::Choosing,
            options,
        }
    }

    /// Also hears what is published to `subject`, from the next connection on.
    pub fn hear(&mut self, subject: String) {
        self.subjects.push(subject);
    }

    /// Asks the cluster, and publishes.
    pub fn api(&self) -> Api {
        Api::new(self.shared.clone(), self.options.names.clone())
    }

    /// Whether there is a connection now.
    pub const fn is_up(&self) -> bool {
        matches!(self.state, State::Live(_))
    }

    /// Waits for the next event.
    pub async fn next(&mut self) -> Event<'_> {
        let step = self.step().await;
        let at = |place| match &self.state {
            State::Live(live) => live.at(place),
            _ => Op::Ok,
        };
        match &step {
            Step::Trying => Event::Trying(self.options.servers.current()),
            Step::Up => Event::Up(self.options.servers.current()),
            Step::Found(place) => match at(place) {
                Op::Msg(delivery) => Event::Message(delivery),
                Op::Err(words) => Event::Complaint(words),
                _ => Event::Complaint(""),
            },
            Step::Down(..) => match step {
                Step::Down(lost, pause) => Event::Down(lost, pause),
                _ => Event::Complaint(""),
            },
        }
    }

    /// The next event if it is here already; nothing is written or read for it.
    pub fn ready(&mut self) -> Option<Event<'_>> {
        let State::Live(live) = &mut self.state else {
            return None;
        };
        // What goes wrong is told by `next`, which sees it again.
        let place = live.ready(&self.shared)?;
        match live.at(&place) {
            Op::Msg(delivery) => Some(Event::Message(delivery)),
            Op::Err(words) => Some(Event::Complaint(words)),
            _ => None,
        }
    }

    async fn step(&mut self) -> Step {
        loop {
            match &mut self.state {
                State::Pausing(sleep) => {
                    sleep.as_mut().await;
                    self.state = State::Choosing;
                }
                State::Choosing => {
                    self.state = State::Opening(self.open());
                    return Step::Trying;
                }
                State::Opening(opening) => {
                    let opened = opening.as_mut().await;
                    return self.opened(opened);
                }
                State::Live(live) => match live.step(&self.shared).await {
                    Ok(Said::Found(place)) => return Step::Found(place),
                    Ok(Said::Servers(urls)) => self.options.servers.learn(&urls),
                    Err(lost) => return self.down(lost),
                },
            }
        }
    }

    fn open(&mut self) -> BoxFuture<Result<Opened, Lost>> {
        let opening = Opening {
            dial: self.dial.clone(),
            server: self.options.servers.next(),
            credentials: self.options.credentials.clone(),
            name: self.options.name.clone(),
            subjects: self.subjects.clone(),
        };
        Box::pin(opening.open())
    }

    fn opened(&mut self, opened: Result<Opened, Lost>) -> Step {
        let opened = match opened {
            Ok(opened) => opened,
            Err(lost) => return self.down(lost),
        };
        self.options.servers.learn(&opened.about.connect_urls);
        self.pace.up();
        self.shared.up(opened.about.max_payload);
        self.state = State::Live(Box::new(Live::new(opened)));
        Step::Up
    }

    fn down(&mut self, lost: Lost) -> Step {
        if let Lost::Dial {
            cause: DialError::NotGranted(_),
            ..
        } = &lost
        {
            self.options.servers.forget();
        }
        self.shared.down();
        let pause = self.pace.pause(&lost);
        self.state = State::Pausing(Box::pin(tokio::time::sleep(pause)));
        Step::Down(lost, pause)
    }
}

enum Step {
    Trying,
    Up,
    Down(Lost, Duration),
    Found(Place),
}
