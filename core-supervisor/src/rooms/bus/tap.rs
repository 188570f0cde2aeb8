//! The live view of the traffic: who watches, and what is gathered for them.

use std::time::Duration;

use protocol::api::bus::{TapBatch, TapEntry, TapFilter};

use crate::ids::LinkId;
use crate::limits::{TAP_BATCH_MAX, TAP_EVERY, WATCHERS_MAX};

/// One watcher.
#[derive(Debug)]
pub(crate) struct Tap {
    /// Its link.
    pub(crate) link: LinkId,
    /// The address it subscribed from, in its own spelling.
    pub(crate) address: String,
    filter: TapFilter,
    batch: TapBatch,
    due: Duration,
}

/// All watchers.
#[derive(Debug, Default)]
pub(crate) struct Taps {
    taps: Vec<Tap>,
}

impl Taps {
    /// Whether anybody watches: while nobody does, a message pays nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.taps.is_empty()
    }

    /// Whether anybody wants bodies.
    pub(crate) fn wants_bodies(&self) -> bool {
        self.taps.iter().any(|tap| tap.filter.bodies)
    }

    /// Adds a watcher, or gives it another filter; `false` when there are too many.
    pub(crate) fn open(&mut self, link: LinkId, address: &str, filter: TapFilter) -> bool {
        self.close(link, address);
        if self.taps.len() >= WATCHERS_MAX {
            return false;
        }
        let batch = TapBatch::default();
        self.taps.push(Tap {
            link,
            address: address.to_owned(),
            filter,
            batch,
            due: Duration::ZERO,
        });
        true
    }

    /// Removes a watcher.
    pub(crate) fn close(&mut self, link: LinkId, address: &str) {
        self.taps
            .retain(|tap| tap.link != link || tap.address != address);
    }

    /// Removes every watcher of a link.
    pub(crate) fn close_link(&mut self, link: LinkId) {
        self.taps.retain(|tap| tap.link != link);
    }

    /// Gives an entry to everybody whose filter matches it.
    pub(crate) fn push(&mut self, entry: &TapEntry, now: Duration) {
        for tap in self
            .taps
            .iter_mut()
            .filter(|tap| matches(&tap.filter, entry))
        {
            if tap.batch.messages.is_empty() {
                tap.due = now + TAP_EVERY;
            }
            if tap.batch.messages.len() >= TAP_BATCH_MAX {
                tap.batch.missed += 1;
                continue;
            }
            let mut entry = entry.clone();
            entry.body = entry.body.filter(|_| tap.filter.bodies);
            tap.batch.messages.push(entry);
        }
    }

    /// The batches that are due, or full.
    pub(crate) fn take_due(&mut self, now: Duration) -> Vec<(LinkId, String, TapBatch)> {
        let is_due = |tap: &Tap| !tap.batch.messages.is_empty() && tap.due <= now;
        self.taps
            .iter_mut()
            .filter(|tap| is_due(tap))
            .map(|tap| {
                (
                    tap.link,
                    tap.address.clone(),
                    std::mem::take(&mut tap.batch),
                )
            })
            .collect()
    }

    /// When the next batch is due.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        self.taps
            .iter()
            .filter(|tap| !tap.batch.messages.is_empty())
            .map(|tap| tap.due)
            .min()
    }
}

fn matches(filter: &TapFilter, entry: &TapEntry) -> bool {
    (filter.component.is_empty()
        || entry.from.contains(&filter.component)
        || entry.to.contains(&filter.component))
        && entry.from.contains(&filter.from)
        && entry.to.contains(&filter.to)
        && (filter.kind.is_empty() || filter.kind == entry.kind)
        && (!filter.denied || entry.verdict != "permit")
}
