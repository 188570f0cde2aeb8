//! The thread that writes: everything that waits goes into one transaction.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use super::Store;
use crate::event::{Event, Ticket};
use crate::rows::Row;
use crate::shell::backing::BackingError;
use crate::shell::hub::{Letters, Told};

/// Rows of one transaction, so that those behind it do not wait for too long.
const ROWS_MAX: usize = 10_000;

/// Rows to be written together, or not at all.
#[derive(Debug)]
pub(in crate::shell) struct Write {
    pub(in crate::shell) ticket: Ticket,
    pub(in crate::shell) rows: Vec<Row>,
}

/// The running thread.
#[derive(Debug)]
pub(in crate::shell) struct Keeper {
    // Not bounded here: the node counts what it has not heard of.
    writes: Sender<Write>,
    thread: JoinHandle<()>,
}

impl Keeper {
    pub(in crate::shell) fn start(store: Store, hub: Letters) -> Result<Self, BackingError> {
        let (writes, queue) = channel();
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || keep(store, &queue, &hub))
            .map_err(BackingError::Thread)?;
        Ok(Self { writes, thread })
    }

    pub(in crate::shell) fn write(&self, write: Write) {
        // The thread ends after this sender; what it could not take is not acknowledged.
        let _ = self.writes.send(write);
    }

    /// Waits until everything is written and the file is closed.
    pub(in crate::shell) fn finish(self) {
        drop(self.writes);
        if self.thread.join().is_err() {
            tracing::error!("the store's thread ended with a panic");
        }
    }
}

fn keep(mut store: Store, queue: &Receiver<Write>, hub: &Letters) {
    // What the disk did not take goes in front of all that comes later, so that no newer
    // row is ever replaced by an older one.
    let mut refused: Vec<Row> = Vec::new();
    while let Ok(first) = queue.recv() {
        let mut batch = gather(first, queue);
        for write in &mut batch {
            refused.append(&mut write.rows);
        }
        let written = store.write(&refused);
        match &written {
            Ok(()) => refused.clear(),
            Err(error) => tracing::error!(%error, "cannot write the store"),
        }
        for Write { ticket, .. } in batch {
            let result = written.clone();
            // Nobody is left to be told when the hub has ended.
            let _ = hub.blocking_send(Told::Event(Event::Persisted { ticket, result }));
        }
    }
}

fn gather(first: Write, queue: &Receiver<Write>) -> Vec<Write> {
    let mut rows = first.rows.len();
    let mut batch = vec![first];
    while rows < ROWS_MAX
        && let Ok(next) = queue.try_recv()
    {
        rows += next.rows.len();
        batch.push(next);
    }
    batch
}
