//! The thread that writes: everything that waits goes into one transaction.
//!
//! A commit waits for the disk, some milliseconds. While one is under way others
//! gather behind it and share the next one, so that a thousand writers wait for
//! two commits and not for a thousand.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Store, StoreError};
use crate::event::Event;
use crate::ids::Ticket;
use crate::shell::inbox::{Arrival, Gone, Letterbox};
use crate::store::Change;

/// Bytes of one transaction, so that those behind it do not wait for too long.
const TRANSACTION_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How long the end of the supervisor waits for the disk.
///
/// What is still unwritten then was not acknowledged to anybody.
const CLOSE_MAX: Duration = Duration::from_secs(1);

/// Changes to be written together, or not at all.
#[derive(Debug, PartialEq, Eq)]
pub struct Write {
    /// Comes back with `Persisted`.
    pub ticket: Ticket,
    /// What is to be kept.
    pub changes: Vec<Change>,
}

/// The running thread.
#[derive(Debug)]
pub struct Keeper {
    thread: JoinHandle<()>,
    has_ended: Receiver<()>,
}

impl Keeper {
    /// Starts it; it ends when the sender is dropped.
    ///
    /// The queue has no bound of its own: the core counts what it has handed over
    /// and not heard of (`limits::PERSISTS_MAX`).
    pub fn start(store: Store, letterbox: Letterbox) -> Result<(Sender<Write>, Self), StoreError> {
        let (writes, queue) = channel();
        let (end, has_ended) = channel();
        let run = move || {
            keep(store, &queue, &letterbox);
            // Nobody waits for it any more when this fails.
            let _ = end.send(());
        };
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(run)
            .map_err(StoreError::Thread)?;
        Ok((writes, Self { thread, has_ended }))
    }

    /// Waits until everything is written and the file is closed, for a while.
    pub fn finish(self) {
        if self.has_ended.recv_timeout(CLOSE_MAX).is_err() {
            tracing::warn!("the disk is slow: what was not acknowledged may be lost");
        } else if self.thread.join().is_err() {
            tracing::error!("the store's thread ended with a panic");
        }
    }
}

fn keep(mut store: Store, queue: &Receiver<Write>, letterbox: &Letterbox) {
    // What the disk did not take: it goes in front of all that comes later, so that
    // no newer value is ever replaced by an older one. The core bounds it.
    let mut refused: Vec<Change> = Vec::new();
    while let Ok(first) = queue.recv() {
        let mut batch = gather(first, queue);
        for write in &mut batch {
            refused.append(&mut write.changes);
        }
        let written = store.write(&refused).map_err(|error| error.to_string());
        if written.is_ok() {
            refused.clear();
        }
        for Write { ticket, .. } in batch {
            let result = written.clone();
            let event = Event::Persisted { ticket, result };
            // The rest is still written when the loop has ended.
            let (Ok(()) | Err(Gone)) = letterbox.put(Arrival::Happened(event));
        }
    }
    if !refused.is_empty()
        && let Err(error) = store.write(&refused)
    {
        tracing::error!(%error, "what the disk did not take is lost");
    }
}

fn gather(first: Write, queue: &Receiver<Write>) -> Vec<Write> {
    let mut bytes = first.bytes();
    let mut batch = vec![first];
    while bytes < TRANSACTION_BYTES_MAX
        && let Ok(next) = queue.try_recv()
    {
        bytes += next.bytes();
        batch.push(next);
    }
    batch
}

impl Write {
    fn bytes(&self) -> usize {
        self.changes.iter().map(Change::bytes).sum()
    }
}
