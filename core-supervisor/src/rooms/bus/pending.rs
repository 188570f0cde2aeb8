//! Requests that wait for their answer.
//!
//! A slab whose entries keep their text buffers, an index by (asker's address,
//! id), and a wheel of deadlines threaded through the slab: putting a request in
//! and taking it out allocates nothing once the slab is warm.

// Every position comes out of the slab, the index or the wheel of this file.
#![allow(clippy::indexing_slicing)]

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use foldhash::quality::RandomState;

use crate::ids::LinkId;

/// Width of one slot of the wheel: a deadline is met within this much.
const SLOT_MS: u64 = 64;
/// Slots of the wheel: 17 minutes, more than the longest wait.
const SLOTS: u64 = 16_384;
const NIL: usize = usize::MAX;

/// One request that waits.
#[derive(Debug)]
pub(crate) struct Request {
    /// The asker's address in its own spelling: answers repeat it.
    pub(crate) from: String,
    /// The addressed, in the asker's spelling.
    pub(crate) to: String,
    /// What was asked: the message's kind.
    pub(crate) kind: String,
    /// The asker's number.
    pub(crate) id: u64,
    /// Who asked, or caused the core to ask: its allowance pays.
    pub(crate) asker: LinkId,
    /// Where its answers go.
    pub(crate) goes: Goes,
    /// Who may answer: the links it was delivered to.
    pub(crate) answerers: Vec<LinkId>,
    /// When it was delivered.
    pub(crate) since: Duration,
    /// When it ends.
    pub(crate) deadline: Duration,
    /// Whether the core answers 408 at the deadline, or forgets in silence.
    pub(crate) is_timed: bool,
    key: u64,
    slot: usize,
    previous: usize,
    next: usize,
    is_used: bool,
}

/// Where the answers of a request go, and which of them ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goes {
    /// To the asker, until the final one.
    Out,
    /// To the asker, and the first ends it, a provisional one too.
    OutOnce,
    /// To the core, which asked itself.
    In,
}

/// The hash of an asker's address and number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key(u64);

/// What is known of a request when it begins to wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) id: u64,
    pub(crate) asker: LinkId,
    pub(crate) goes: Goes,
    pub(crate) since: Duration,
    pub(crate) deadline: Duration,
    pub(crate) is_timed: bool,
}

/// All requests that wait.
#[derive(Debug)]
pub(crate) struct Pending {
    slab: Vec<Request>,
    free: Vec<usize>,
    index: HashMap<u64, usize, Prehashed>,
    hasher: RandomState,
    wheel: Vec<usize>,
    // The first slot that has not been swept yet, counted from the start of time.
    unswept: u64,
    used: usize,
}

impl Default for Pending {
    fn default() -> Self {
        Self {
            slab: Vec::new(),
            free: Vec::new(),
            index: HashMap::default(),
            hasher: RandomState::default(),
            wheel: vec![NIL; usize::try_from(SLOTS).unwrap_or_default()],
            unswept: 0,
            used: 0,
        }
    }
}

impl Pending {
    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.used
    }

    /// All of them, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Request> {
        self.slab.iter().filter(|request| request.is_used)
    }

    /// Names the request `(from, id)`, waiting or not. Hashes once for all that follows.
    pub(crate) fn key(&self, from: &str, id: u64) -> Key {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(from.as_bytes());
        hasher.write_u64(id);
        Key(hasher.finish())
    }

    /// The request that an answer to `(from, id)` would end.
    pub(crate) fn find(&self, key: Key, from: &str, id: u64) -> Option<&Request> {
        let request = &self.slab[*self.index.get(&key.0)?];
        (request.id == id && request.from == from).then_some(request)
    }

    /// Lets a request wait. One with the same asker's address and number is taken
    /// over, because a retry repeats its number (spec messaging §3.1).
    ///
    /// `None` when another request has the same key, or somebody else's has the same
    /// address and number: nobody's place is taken from it.
    pub(crate) fn open(&mut self, key: Key, asked: Asked<'_>) -> Option<&mut Request> {
        if let Some(&at) = self.index.get(&key.0) {
            let known = self.find(key, asked.from, asked.id)?;
            if known.asker != asked.asker || known.goes != asked.goes {
                return None;
            }
            self.release(at);
        }
        let at = self.claim(key.0, asked);
        self.link(at);
        self.slab.get_mut(at)
    }

    /// Ends a request; `find` has found it.
    pub(crate) fn close(&mut self, key: Key) {
        if let Some(&at) = self.index.get(&key.0) {
            self.release(at);
        }
    }

    /// Forgets a request of this asker that is not answered by the clock; `false`
    /// when it has ended already.
    pub(crate) fn forget(&mut self, key: Key, asker: LinkId) -> bool {
        let is_its = self.is_waiting(key, asker);
        if is_its {
            self.close(key);
        }
        is_its
    }

    /// Whether a request of this asker that is not answered by the clock still waits.
    pub(crate) fn is_waiting(&self, key: Key, asker: LinkId) -> bool {
        let request = self.index.get(&key.0).map(|&at| &self.slab[at]);
        request.is_some_and(|request| request.asker == asker && !request.is_timed)
    }

    /// Ends every request whose deadline has come, handing each to `on_end`.
    pub(crate) fn sweep(&mut self, now: Duration, mut on_end: impl FnMut(&Request)) {
        let current = slot_number(now);
        // After a long sleep each slot of the wheel is looked at once.
        self.unswept = self.unswept.max(current.saturating_sub(SLOTS));
        while self.unswept < current {
            let mut at = self.wheel[wheel_position(self.unswept)];
            while at != NIL {
                let next = self.slab[at].next;
                if self.slab[at].deadline <= now {
                    on_end(&self.slab[at]);
                    self.release(at);
                }
                at = next;
            }
            self.unswept += 1;
        }
    }

    /// Ends every request that `is_over` says is over, handing each to `on_end`.
    pub(crate) fn end_where(
        &mut self,
        mut is_over: impl FnMut(&mut Request) -> bool,
        mut on_end: impl FnMut(&Request),
    ) {
        for at in 0..self.slab.len() {
            if self.slab[at].is_used && is_over(&mut self.slab[at]) {
                on_end(&self.slab[at]);
                self.release(at);
            }
        }
    }

    /// When `sweep` may have something to do.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        (self.used > 0).then(|| Duration::from_millis((self.unswept + 1) * SLOT_MS))
    }

    fn claim(&mut self, key: u64, asked: Asked<'_>) -> usize {
        let at = self.free.pop().unwrap_or_else(|| {
            self.slab.push(Request::empty());
            self.slab.len() - 1
        });
        self.index.insert(key, at);
        self.slab[at].fill(key, asked);
        self.used += 1;
        at
    }

    fn release(&mut self, at: usize) {
        self.index.remove(&self.slab[at].key);
        self.unlink(at);
        self.slab[at].is_used = false;
        self.free.push(at);
        self.used -= 1;
    }

    fn link(&mut self, at: usize) {
        // One slot later than the division says, so that none is met early.
        let slot = slot_number(self.slab[at].deadline).max(self.unswept) + 1;
        let slot = wheel_position(slot);
        let head = std::mem::replace(&mut self.wheel[slot], at);
        let request = &mut self.slab[at];
        request.slot = slot;
        request.previous = NIL;
        request.next = head;
        if head != NIL {
            self.slab[head].previous = at;
        }
    }

    fn unlink(&mut self, at: usize) {
        let Request {
            slot,
            previous,
            next,
            ..
        } = self.slab[at];
        if previous == NIL {
            self.wheel[slot] = next;
        } else {
            self.slab[previous].next = next;
        }
        if next != NIL {
            self.slab[next].previous = previous;
        }
    }
}

impl Request {
    const fn empty() -> Self {
        Self {
            from: String::new(),
            to: String::new(),
            kind: String::new(),
            id: 0,
            asker: LinkId(0),
            goes: Goes::Out,
            answerers: Vec::new(),
            since: Duration::ZERO,
            deadline: Duration::ZERO,
            is_timed: false,
            key: 0,
            slot: 0,
            previous: NIL,
            next: NIL,
            is_used: false,
        }
    }

    // Keeps the buffers of whoever had the entry before.
    fn fill(&mut self, key: u64, asked: Asked<'_>) {
        self.from.clear();
        self.from.push_str(asked.from);
        self.to.clear();
        self.to.push_str(asked.to);
        self.kind.clear();
        self.kind.push_str(asked.kind);
        self.answerers.clear();
        self.id = asked.id;
        self.asker = asked.asker;
        self.goes = asked.goes;
        self.since = asked.since;
        self.deadline = asked.deadline;
        self.is_timed = asked.is_timed;
        self.key = key;
        self.is_used = true;
    }
}

fn slot_number(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX) / SLOT_MS
}

fn wheel_position(slot: u64) -> usize {
    usize::try_from(slot % SLOTS).unwrap_or_default()
}

/// The index's keys are hashes already.
#[derive(Debug, Default, Clone, Copy)]
struct Prehashed;

#[derive(Debug, Default)]
struct Identity(u64);

impl BuildHasher for Prehashed {
    type Hasher = Identity;

    fn build_hasher(&self) -> Identity {
        Identity(0)
    }
}

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("the keys are u64");
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}
