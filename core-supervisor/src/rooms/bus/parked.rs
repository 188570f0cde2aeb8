//! Messages that wait for a way out of this runtime.
//!
//! Kept as they came, by the domain whose stub they need, first come first served.
//! Nothing is decided about them here: who takes them out has them judged again.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use protocol::message::Header;

use crate::ids::{LinkId, OwnerId};
use crate::limits::{PARKED_BYTES_MAX, PARKED_BYTES_PER_LINK_MAX, PARKED_MAX, PARKED_PER_LINK_MAX};

/// One message that waits.
#[derive(Debug)]
pub(crate) struct Held {
    /// The link it came in on: its allowance pays.
    pub(crate) link: LinkId,
    /// Whose message it is.
    pub(crate) sender: OwnerId,
    /// Its frame, as it came.
    pub(crate) frame: Box<[u8]>,
    /// When it has waited long enough.
    pub(crate) deadline: Duration,
    // What a repetition has in common with it.
    from: Box<str>,
    id: u64,
    is_request: bool,
}

/// Why a message cannot wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoom {
    /// Its sender has as many waiting as it may.
    Share,
    /// So have all together.
    Full,
}

/// All messages that wait.
#[derive(Debug, Default)]
pub(crate) struct Parked {
    queues: BTreeMap<String, VecDeque<Held>>,
    // INVARIANT: what each link has in `queues`, and the sum; no entry is zero.
    shares: HashMap<LinkId, Share>,
    all: Share,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Share {
    messages: usize,
    bytes: usize,
}

impl Held {
    /// A message that begins to wait.
    pub(crate) fn new(
        (link, sender): (LinkId, OwnerId),
        header: &Header<'_>,
        frame: &[u8],
        deadline: Duration,
    ) -> Self {
        Self {
            link,
            sender,
            frame: frame.into(),
            deadline,
            from: header.from.into(),
            id: header.id,
            is_request: header.kind.is_request(),
        }
    }

    // A sender that repeats its request repeats its number (spec messaging §3.1).
    fn is_repeated_by(&self, other: &Self) -> bool {
        self.is_request
            && other.is_request
            && (self.id, self.link) == (other.id, other.link)
            && self.from == other.from
    }
}

impl Parked {
    /// How many wait.
    pub(crate) const fn len(&self) -> usize {
        self.all.messages
    }

    /// The domains that messages wait for.
    pub(crate) fn domains(&self) -> impl Iterator<Item = &str> {
        self.queues.keys().map(String::as_str)
    }

    /// How many wait for one domain.
    pub(crate) fn waiting_for(&self, domain: &str) -> usize {
        self.queues.get(domain).map_or(0, VecDeque::len)
    }

    /// Lets a message wait. One that is repeated is kept once.
    pub(crate) fn park(&mut self, domain: &str, held: Held) -> Result<(), NoRoom> {
        self.take_where(|first| first.is_repeated_by(&held));
        let share = self.shares.get(&held.link).copied().unwrap_or_default();
        let bytes = held.frame.len();
        if share.messages >= PARKED_PER_LINK_MAX || share.bytes + bytes > PARKED_BYTES_PER_LINK_MAX
        {
            return Err(NoRoom::Share);
        }
        if self.all.messages >= PARKED_MAX || self.all.bytes + bytes > PARKED_BYTES_MAX {
            return Err(NoRoom::Full);
        }
        self.charge(&held);
        let queue = self.queues.entry(domain.to_owned()).or_default();
        queue.push_back(held);
        Ok(())
    }

    /// Takes out everything that waits for a domain, the oldest first.
    pub(crate) fn take(&mut self, domain: &str) -> VecDeque<Held> {
        let held = self.queues.remove(domain).unwrap_or_default();
        for held in &held {
            self.refund(held);
        }
        held
    }

    /// Takes out what has waited long enough.
    pub(crate) fn take_late(&mut self, now: Duration) -> Vec<Held> {
        self.take_where(|held| held.deadline <= now)
    }

    /// Forgets what came in on a link: nobody is there to be answered.
    pub(crate) fn forget_link(&mut self, link: LinkId) {
        self.take_where(|held| held.link == link);
    }

    /// Takes out what a component sent that leaves its link.
    pub(crate) fn take_of(&mut self, sender: OwnerId) -> Vec<Held> {
        self.take_where(|held| held.sender == sender)
    }

    /// When `take_late` may find something.
    pub(crate) fn next_deadline(&self) -> Option<Duration> {
        let held = self.queues.values().flatten();
        held.map(|held| held.deadline).min()
    }

    /// Whether everything is charged to somebody, and nobody for what is not there.
    pub(crate) fn audit(&self, is_alive: impl Fn(LinkId) -> bool) -> Result<(), String> {
        let mut shares: HashMap<LinkId, Share> = HashMap::new();
        for held in self.queues.values().flatten() {
            if !is_alive(held.link) {
                return Err(format!(
                    "I11: link {} is gone, its message waits",
                    held.link
                ));
            }
            let share = shares.entry(held.link).or_default();
            share.messages += 1;
            share.bytes += held.frame.len();
        }
        let is_bounded = shares.values().all(|share| {
            share.messages <= PARKED_PER_LINK_MAX && share.bytes <= PARKED_BYTES_PER_LINK_MAX
        });
        if shares != self.shares || !is_bounded || self.all.messages > PARKED_MAX {
            return Err(format!(
                "I8: {shares:?} wait, {:?} are charged",
                self.shares
            ));
        }
        Ok(())
    }

    fn take_where(&mut self, mut is_it: impl FnMut(&Held) -> bool) -> Vec<Held> {
        let mut taken = Vec::new();
        for queue in self.queues.values_mut() {
            for held in std::mem::take(queue) {
                if is_it(&held) {
                    taken.push(held);
                } else {
                    queue.push_back(held);
                }
            }
        }
        self.queues.retain(|_, queue| !queue.is_empty());
        for held in &taken {
            self.refund(held);
        }
        taken
    }

    fn charge(&mut self, held: &Held) {
        for share in [self.shares.entry(held.link).or_default(), &mut self.all] {
            share.messages += 1;
            share.bytes += held.frame.len();
        }
    }

    fn refund(&mut self, held: &Held) {
        let Some(share) = self.shares.get_mut(&held.link) else {
            return;
        };
        for share in [&mut *share, &mut self.all] {
            share.messages = share.messages.saturating_sub(1);
            share.bytes = share.bytes.saturating_sub(held.frame.len());
        }
        if share.messages == 0 {
            self.shares.remove(&held.link);
        }
    }
}
