//! Slots: which memory is lent for which pair of links, and whose turn it is.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::ids::{LinkId, SlotId};

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The receiver's: it has to say that the descriptor arrived.
    Offered,
    /// The sender's: it may write.
    Free,
    /// The receiver's: a message lies in it.
    Out,
}

/// The message that a slot was lent for.
#[derive(Debug, Clone)]
pub(crate) struct Basis {
    /// Its sender, in the sender's spelling.
    pub(crate) from: String,
    /// Its destination, in the sender's spelling.
    pub(crate) to: String,
    /// Its kind.
    pub(crate) kind: String,
    /// For an answer, the kind of the request. Whoever was asked may answer, so
    /// an answer alone permits nothing: that the other may ask does.
    pub(crate) asked: Option<String>,
}

/// One slot.
#[derive(Debug)]
pub(crate) struct Slot {
    /// Whose end may write.
    pub(crate) sender: LinkId,
    /// Whose end may read.
    pub(crate) receiver: LinkId,
    /// The message that it was lent for: while that may pass, the slot stays.
    pub(crate) basis: Basis,
    /// Whose turn it is.
    pub(crate) turn: Turn,
    /// When it was used last.
    pub(crate) moved: Duration,
}

/// All slots.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    by_id: BTreeMap<SlotId, Slot>,
    last: u64,
    /// The epoch under which all of them were permitted.
    pub(crate) epoch: u64,
    /// Until when none are made, because one could not be.
    pub(crate) rest_until: Duration,
}

impl Slots {
    /// Makes a slot of which nobody knows yet.
    pub(crate) fn add(&mut self, slot: Slot) -> SlotId {
        self.last += 1;
        let id = SlotId(self.last);
        self.by_id.insert(id, slot);
        id
    }

    pub(crate) fn get_mut(&mut self, id: SlotId) -> Option<&mut Slot> {
        self.by_id.get_mut(&id)
    }

    pub(crate) fn get(&self, id: SlotId) -> Option<&Slot> {
        self.by_id.get(&id)
    }

    pub(crate) fn remove(&mut self, id: SlotId) -> Option<Slot> {
        self.by_id.remove(&id)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// All of them, the oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (SlotId, &Slot)> {
        self.by_id.iter().map(|(id, slot)| (*id, slot))
    }

    /// How many a link may write, and how many it may read.
    pub(crate) fn held_by(&self, link: LinkId) -> (usize, usize) {
        let count = |is_its: fn(&Slot, LinkId) -> bool| {
            self.by_id
                .values()
                .filter(|slot| is_its(slot, link))
                .count()
        };
        (
            count(|slot, link| slot.sender == link),
            count(|slot, link| slot.receiver == link),
        )
    }

    /// Whether a message of this pair to this address could use a slot soon.
    pub(crate) fn has_spare(&self, sender: LinkId, receiver: LinkId, to: &str) -> bool {
        self.by_id.values().any(|slot| {
            let is_theirs =
                slot.sender == sender && slot.receiver == receiver && slot.basis.to == to;
            is_theirs && slot.turn != Turn::Out
        })
    }
}
