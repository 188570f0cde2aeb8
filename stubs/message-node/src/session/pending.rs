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
    is_timed: bool,
    // Those that came later have a greater one.
    number: u64,
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
            is_timed: matches!(message.header.reply, Reply::Within(_)),
            number: 0,
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
pub(super) struct Requests {
    all: BTreeMap<Key, Pending>,
    // Those whose authors gave no time, in the order in which they came.
    untimed: BTreeMap<u64, Key>,
    last: u64,
}

impl Requests {
    /// Makes room for another one; false when everybody who waits gave a time.
    ///
    /// Scripts cannot say whether they want an answer: one that only tells would have
    /// all the places. The oldest is as good as forgotten by its author.
    pub(super) fn make_room(&mut self) -> bool {
        if self.all.len() < PENDING_MAX {
            return true;
        }
        let oldest = self.untimed.pop_first();
        oldest.is_some_and(|(_, key)| self.all.remove(&key).is_some())
    }

    pub(super) fn put(&mut self, key: Key, mut pending: Pending) {
        self.take(&key);
        self.last += 1;
        pending.number = self.last;
        if !pending.is_timed {
            self.untimed.insert(self.last, key.clone());
        }
        self.all.insert(key, pending);
    }

    pub(super) fn take(&mut self, key: &Key) -> Option<Pending> {
        let pending = self.all.remove(key)?;
        self.untimed.remove(&pending.number);
        Some(pending)
    }

    pub(super) fn sent(&mut self, key: &Key) {
        if let Some(pending) = self.all.get_mut(key) {
            pending.is_sent = true;
        }
    }

    /// Takes an answer; `None` when nobody waits for it, else what it changes.
    pub(super) fn answered(&mut self, key: &Key, code: Code) -> Option<Routed> {
        if !code.is_final() {
            return self.all.contains_key(key).then(Routed::default);
        }
        self.take(key).map(|pending| pending.routed)
    }

    /// Takes those that went to a node which knows nothing of them any more.
    pub(super) fn take_sent(&mut self) -> Vec<Pending> {
        let sent = |_: &Key, pending: &mut Pending| pending.is_sent;
        self.take_where(sent)
    }

    pub(super) fn take_all(&mut self) -> Vec<Pending> {
        self.take_where(|_, _| true)
    }

    /// Forgets those whose authors wait no longer; the core, or they themselves, have
    /// made an answer for them.
    pub(super) fn forget_overdue(&mut self, now: u64) {
        if self.due().is_some_and(|due| due <= now) {
            self.take_where(|_, pending| pending.until <= now);
        }
    }

    fn take_where(&mut self, is_it: impl FnMut(&Key, &mut Pending) -> bool) -> Vec<Pending> {
        let taken: Vec<Pending> = self
            .all
            .extract_if(.., is_it)
            .map(|(_, pending)| pending)
            .collect();
        for pending in &taken {
            self.untimed.remove(&pending.number);
        }
        taken
    }

    pub(super) fn due(&self) -> Option<u64> {
        self.all.values().map(|pending| pending.until).min()
    }
}
