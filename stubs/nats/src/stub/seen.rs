//! Identifiers of stored messages that were delivered: the cluster hands a message
//! out again when it did not hear in time that it was taken.

use std::collections::{HashSet, VecDeque};
use std::rc::Rc;

use super::limits::SEEN_MAX;

#[derive(Debug, Default)]
pub(super) struct Seen {
    known: HashSet<Rc<str>>,
    order: VecDeque<Rc<str>>,
}

impl Seen {
    /// Whether it was delivered.
    pub(super) fn has(&self, identifier: &str) -> bool {
        self.known.contains(identifier)
    }

    /// Notes an identifier as delivered.
    pub(super) fn note(&mut self, identifier: &Rc<str>) {
        if self.known.insert(Rc::clone(identifier)) {
            self.order.push_back(Rc::clone(identifier));
        }
        if self.order.len() > SEEN_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}
