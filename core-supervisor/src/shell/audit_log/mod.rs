//! The audit log on the disk: appended to, chained by hashes, rotated.
//!
//! ```text
//! core → Action::Audit → queue (bounded) → this thread → audit/00000001.jsonl, 00000002.jsonl …
//! ```
//!
//! The bus never waits for it. What does not fit into the queue, or cannot be
//! written, is counted, and an entry `missed` says how many as soon as one can be
//! written again. Nothing is ever removed but whole files, the oldest first.

mod chain;
mod check;
mod file;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use protocol::api::audit::Entry;

pub use self::check::{check, last};
use self::file::Files;

/// The folder below the data directory.
pub const FOLDER: &str = "audit";

/// Entries that may wait for the disk: a second of the worst that the core lets through.
const QUEUE_MAX: usize = 4096;

/// An entry with its moment, microseconds since the Unix epoch.
#[derive(Debug)]
struct Noted {
    at_us: u64,
    entry: Entry,
}

/// The way into the log.
#[derive(Debug, Clone)]
pub struct AuditLog {
    queue: SyncSender<Noted>,
    missed: Arc<AtomicU64>,
}

/// Waits for what is still to be written.
#[derive(Debug)]
pub struct AuditKeeper {
    thread: JoinHandle<()>,
}

impl AuditLog {
    /// Opens the log below the data directory and starts its thread.
    pub fn start(data_dir: &Path) -> std::io::Result<(Self, AuditKeeper)> {
        let files = Files::open(data_dir.join(FOLDER))?;
        let (queue, entries) = sync_channel(QUEUE_MAX);
        let missed = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&missed);
        let thread = std::thread::Builder::new()
            .name("audit".into())
            .spawn(move || keep(files, &entries, &counted))?;
        Ok((Self { queue, missed }, AuditKeeper { thread }))
    }

    /// One whose thread has ended: every entry is missed.
    #[cfg(test)]
    pub(super) fn ended() -> Self {
        let (queue, _) = sync_channel(1);
        Self {
            queue,
            missed: Arc::default(),
        }
    }

    /// Takes one entry, or counts it as missed.
    pub fn note(&self, at_us: u64, entry: Entry) {
        let sent = self.queue.try_send(Noted { at_us, entry });
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = sent {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl AuditKeeper {
    /// Waits until everything is written; every [`AuditLog`] must be gone.
    pub fn finish(self) {
        let _ = self.thread.join();
    }
}

/// The folder of a data directory's log.
pub fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join(FOLDER)
}

fn keep(mut files: Files, entries: &Receiver<Noted>, missed: &AtomicU64) {
    let mut is_failing = false;
    let mut lost = 0;
    while let Ok(first) = entries.recv() {
        let mut batch = vec![first];
        batch.extend(entries.try_iter().take(QUEUE_MAX));
        lost += missed.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let at_us = batch.first().map_or(0, |noted| noted.at_us);
            batch.insert(0, missed_entry(at_us, lost));
        }
        let count = batch.len() as u64;
        match files.append(&batch) {
            Ok(()) => {
                if is_failing {
                    tracing::info!("the audit log can be written again");
                }
                (is_failing, lost) = (false, 0);
            }
            Err(error) => {
                if !is_failing {
                    tracing::error!(%error, "the audit log cannot be written; what is missed is counted");
                }
                is_failing = true;
                lost += count - u64::from(lost > 0);
            }
        }
    }
}

fn missed_entry(at_us: u64, lost: u64) -> Noted {
    let entry = Entry {
        what: "missed".to_owned(),
        who: "supervisor".to_owned(),
        detail: format!("{lost} entries could not be written"),
        ..Entry::default()
    };
    Noted { at_us, entry }
}

#[cfg(test)]
mod tests;
