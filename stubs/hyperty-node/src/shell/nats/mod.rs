//! Several nodes of one domain: routing by NATS subjects, rows in a JetStream bucket.
//!
//! ```text
//!  hyperty-node.<domain>.to.<digest>   messages for an address, or for what is below it
//!  KV_hyperty-node-<domain>            the rows; each says which node wrote it
//! ```
//!
//! A node subscribes to the subject of each address that ends at it, before it
//! acknowledges that the address does; who publishes to a subject that nobody follows is
//! told so by the server. A row that is removed is first written empty, so that the
//! other nodes learn whose removal it is.

mod bucket;
mod subjects;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_nats::{Client, ConnectOptions, HeaderMap, StatusCode};
use futures_util::StreamExt;
use protocol::Address;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::{Duration, timeout};

use self::bucket::Bucket;
use self::subjects::Subjects;
use super::backing::BackingError;
use super::hub::{Letters, Told};
use crate::event::{Event, Text, Ticket};
use crate::rows::Row;

/// The header that says which node a message comes from.
const FROM: &str = "Hyperty-Node";

/// How long the first connection may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// How long what is written last may take when the node stops.
const FINISH_MAX: Duration = Duration::from_secs(2);

/// Bytes of messages that wait for the server to take them.
///
/// What the server takes in a second when it is back; beyond it messages for other nodes
/// are refused, as if nobody followed them.
const RELAYED_BYTES_MAX: usize = 64 * 1024 * 1024;

#[derive(Debug)]
enum Wish {
    Persist(Ticket, Vec<Row>),
    Follow(Address),
    Unfollow(Address),
    Relay(Option<Ticket>, Address, Text),
}

/// The way to the task that talks to the server.
#[derive(Debug)]
pub(super) struct Nats {
    // Not bounded by count: the node counts its writes and follows what it holds, and
    // messages are counted by their bytes.
    wishes: UnboundedSender<Wish>,
    relayed: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Nats {
    /// Connects, and reads what the domain's nodes have kept.
    pub(super) async fn start(
        url: &str,
        credentials: Option<&std::path::Path>,
        domain: &str,
        id: &str,
        hub: Letters,
    ) -> Result<(Self, Vec<Row>), BackingError> {
        let failed = |doing, why: String| BackingError::Nats {
            doing,
            url: url.to_owned(),
            why,
        };
        let mut options = ConnectOptions::new().name(format!("hyperty-node {id}"));
        if let Some(file) = credentials {
            let read = options.credentials_file(file).await;
            options =
                read.map_err(|why| failed("read the credentials for NATS", why.to_string()))?;
        }
        let connected = timeout(CONNECT_MAX, options.connect(url)).await;
        let client = connected
            .map_err(|_| failed("connect to NATS", "no answer in 10 s".to_owned()))?
            .map_err(|why| failed("connect to NATS", why.to_string()))?;
        let (bucket, rows) = Bucket::open(&client, domain, id, hub.clone())
            .await
            .map_err(|why| failed("use JetStream (is it enabled? `nats-server -js`)", why))?;
        let subjects = Subjects::start(client.clone(), domain, id, hub.clone())
            .await
            .map_err(|why| failed("subscribe", why))?;
        let (wishes, queue) = unbounded_channel();
        let relayed = Arc::new(AtomicUsize::new(0));
        let taken = Arc::clone(&relayed);
        let task = tokio::spawn(serve(queue, bucket, subjects, taken, hub));
        let nats = Self {
            wishes,
            relayed,
            task,
        };
        Ok((nats, rows))
    }

    pub(super) fn persist(&self, ticket: Ticket, rows: Vec<Row>) {
        self.wish(Wish::Persist(ticket, rows));
    }

    pub(super) fn follow(&self, base: Address) {
        self.wish(Wish::Follow(base));
    }

    pub(super) fn unfollow(&self, base: Address) {
        self.wish(Wish::Unfollow(base));
    }

    /// False when too much waits already.
    pub(super) fn relay(&self, ticket: Option<Ticket>, base: Address, text: Text) -> bool {
        let bytes = self.relayed.fetch_add(text.len(), Ordering::Relaxed) + text.len();
        if bytes > RELAYED_BYTES_MAX {
            self.relayed.fetch_sub(text.len(), Ordering::Relaxed);
            return false;
        }
        self.wish(Wish::Relay(ticket, base, text));
        true
    }

    fn wish(&self, wish: Wish) {
        // The task ends after this sender.
        let _ = self.wishes.send(wish);
    }

    pub(super) async fn finish(self) {
        drop(self.wishes);
        if timeout(FINISH_MAX, self.task).await.is_err() {
            tracing::warn!("NATS is slow: what was not acknowledged may be lost");
        }
    }
}

// Rows go to a task of their own: what waits for the disk must not hold up messages.
async fn serve(
    mut wishes: UnboundedReceiver<Wish>,
    bucket: Bucket,
    mut subjects: Subjects,
    relayed: Arc<AtomicUsize>,
    hub: Letters,
) {
    let (writes, mut queue) = unbounded_channel::<(Ticket, Vec<Row>)>();
    let writer = tokio::spawn(async move {
        while let Some((ticket, rows)) = queue.recv().await {
            let result = bucket.write(rows).await;
            if let Err(error) = &result {
                tracing::error!(%error, "cannot write to JetStream");
            }
            let _ = hub
                .send(Told::Event(Event::Persisted { ticket, result }))
                .await;
        }
    });
    while let Some(wish) = wishes.recv().await {
        match wish {
            // The writer ends after this sender.
            Wish::Persist(ticket, rows) => drop(writes.send((ticket, rows))),
            Wish::Follow(base) => subjects.follow(base).await,
            Wish::Unfollow(base) => subjects.unfollow(&base),
            Wish::Relay(ticket, base, text) => {
                subjects.relay(ticket, &base, &text).await;
                relayed.fetch_sub(text.len(), Ordering::Relaxed);
            }
        }
    }
    drop(writes);
    let _ = writer.await;
    subjects.flush().await;
}

// A token of a subject, and a part of a bucket's name: a domain has no `_`-free clash,
// since its own underscores are doubled.
fn word(domain: &str) -> String {
    domain.replace('_', "__").replace('.', "_")
}
