//! Requests whose stanzas are on their way, each with the ping behind it.

use std::collections::BTreeMap;

use super::Asker;
use crate::limits::{PENDING_BYTES_MAX, PENDING_MAX};

#[derive(Debug)]
struct Sent {
    // None: only to hear whether the server is there.
    asker: Option<Asker>,
    bytes: usize,
    since: u64,
    spoilt: Option<String>,
}

/// What is on its way, in its order.
#[derive(Debug, Default)]
pub(super) struct Pending {
    last: u64,
    bytes: usize,
    sent: BTreeMap<u64, Sent>,
}

/// Whether so many requests of so many bytes may wait.
pub(super) fn has_room(count: usize, bytes: usize) -> bool {
    count < PENDING_MAX && bytes <= PENDING_BYTES_MAX
}

impl Pending {
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        has_room(self.sent.len(), self.bytes + bytes)
    }

    /// The number of the stanza whose ping comes next.
    pub(super) fn next_id(&self) -> String {
        format!("m{}", self.last + 1)
    }

    /// The ping behind a stanza.
    pub(super) fn ping(&mut self, asker: Option<Asker>, bytes: usize, now: u64) -> String {
        self.last += 1;
        self.bytes += bytes;
        let sent = Sent {
            asker,
            bytes,
            since: now,
            spoilt: None,
        };
        self.sent.insert(self.last, sent);
        let id = self.last;
        format!("<iq type='get' id='p{id}'><ping xmlns='urn:xmpp:ping'/></iq>")
    }

    /// Since when the oldest waits.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.sent.first_key_value().map(|(_, sent)| sent.since)
    }

    /// What was sent under this number came back, from whom it was for.
    pub(super) fn spoil(&mut self, id: &str, from: &str, condition: &str) {
        let id = id.strip_prefix('m').and_then(|id| id.parse::<u64>().ok());
        let Some(sent) = id.and_then(|id| self.sent.get_mut(&id)) else {
            return;
        };
        // Nobody says of another's message that it was not taken.
        let is_its = |asker: &Asker| asker.to.strip_prefix("xmpp://") == Some(from);
        if sent.asker.as_ref().is_some_and(is_its) {
            sent.spoilt = Some(format!("the XMPP server says `{condition}` of `{from}`"));
        }
    }

    /// The server has worked through everything up to this ping; who asked, and what
    /// spoilt it.
    pub(super) fn done(&mut self, id: &str) -> Option<(Asker, Option<String>)> {
        let id = id.strip_prefix('p')?.parse().ok()?;
        let sent = self.sent.remove(&id)?;
        self.bytes -= sent.bytes;
        Some((sent.asker?, sent.spoilt))
    }

    /// Everybody who waits; nobody does afterwards.
    pub(super) fn take_all(&mut self) -> Vec<Asker> {
        self.bytes = 0;
        let sent = std::mem::take(&mut self.sent).into_values();
        sent.filter_map(|sent| sent.asker).collect()
    }
}
