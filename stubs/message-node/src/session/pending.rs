//! Requests of the core, until they are answered: once.

use std::collections::BTreeMap;

use protocol::Code;
use protocol::message::{Message, Reply};

use super::{Refused, canonical};
use crate::limits::{PENDING_MAX, PENDING_MS};

/// What names a request: its author and its number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(String, u64);

impl Key {
    pub(super) fn of(from: &str, id: u64) -> Self {
        Self(canonical(from), id)
    }
}

/// What an answer changes about the subscriptions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Routed {
    pub(super) is_wanted: bool,
    pub(super) addresses: Vec<String>,
}

/// One request.
#[derive(Debug)]
pub(super) struct Pending {
    from: String,
    to: String,
    id: u64,
    until: u64,
    is_sent: bool,
    routed: Routed,
}

impl Pending {
    pub(super) fn of(message: &Message<'_>, now: u64, routed: Routed) -> Self {
        let wait = match message.header.reply {
            // The core answers then, and takes nothing later.
            Reply::Within(ms) => ms.into(),
            Reply::Untimed | Reply::Unwanted => PENDING_MS,
        };
        Self {
            from: message.header.from.to_owned(),
            to: message.header.to.to_owned(),
            id: message.header.id,
            until: now + wait,
            is_sent: false,
            routed,
        }
    }

    pub(super) fn refused(self, code: Code, why: &str) -> Refused {
        Refused {
            id: self.id,
            from: self.to,
            to: self.from,
            code,
            why: why.to_owned(),
        }
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Requests(BTreeMap<Key, Pending>);

impl Requests {
    pub(super) fn has_room(&self) -> bool {
        self.0.len() < PENDING_MAX
    }

    pub(super) fn put(&mut self, key: Key, pending: Pending) {
        self.0.insert(key, pending);
    }

    pub(super) fn take(&mut self, key: &Key) -> Option<Pending> {
        self.0.remove(key)
    }

    pub(super) fn sent(&mut self, key: &Key) {
        if let Some(pending) = self.0.get_mut(key) {
            pending.is_sent = true;
        }
    }

    /// Takes an answer; `None` when nobody waits for it, else what it changes.
    pub(super) fn answered(&mut self, key: &Key, code: Code) -> Option<Routed> {
        if !code.is_final() {
            return self.0.contains_key(key).then(Routed::default);
        }
        self.0.remove(key).map(|pending| pending.routed)
    }

    /// Takes those that went to a node which knows nothing of them any more.
    pub(super) fn take_sent(&mut self) -> Vec<Pending> {
        let all = std::mem::take(&mut self.0);
        let (sent, kept) = all.into_iter().partition(|(_, pending)| pending.is_sent);
        self.0 = kept;
        let sent: BTreeMap<_, _> = sent;
        sent.into_values().collect()
    }

    pub(super) fn take_all(&mut self) -> Vec<Pending> {
        std::mem::take(&mut self.0).into_values().collect()
    }

    /// Forgets those whose authors wait no longer; the core, or they themselves, have
    /// made an answer for them.
    pub(super) fn forget_overdue(&mut self, now: u64) {
        self.0.retain(|_, pending| pending.until > now);
    }

    pub(super) fn due(&self) -> Option<u64> {
        self.0.values().map(|pending| pending.until).min()
    }
}
