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
    /// Notes an identifier; false when it was there already.
    pub(super) fn note(&mut self, identifier: &str) -> bool {
        if self.known.contains(identifier) {
            return false;
        }
        let identifier: Rc<str> = identifier.into();
        self.known.insert(Rc::clone(&identifier));
        self.order.push_back(identifier);
        if self.order.len() > SEEN_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}
