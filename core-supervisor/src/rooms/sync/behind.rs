//! Who could not be told of a change because their queue was full.
//!
//! Once the queue has drained they hear once for each object that there is
//! something to be read; until then nothing is queued for them, because each
//! change would only be one more that does not follow the last they had.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{LinkId, ObjectId};

/// The links that missed something, and of which objects.
#[derive(Debug, Default)]
pub(crate) struct Behind {
    by_link: BTreeMap<LinkId, BTreeSet<ObjectId>>,
}

impl Behind {
    /// Notes that a link missed a change of an object.
    pub(crate) fn note(&mut self, link: LinkId, object: ObjectId) {
        self.by_link.entry(link).or_default().insert(object);
    }

    /// Whether it did.
    pub(crate) fn is_behind(&self, link: LinkId, object: ObjectId) -> bool {
        let missed = self.by_link.get(&link);
        missed.is_some_and(|missed| missed.contains(&object))
    }

    /// Whether nobody missed anything: what most calls find.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_link.is_empty()
    }

    /// What a link missed; it is told now.
    pub(crate) fn take(&mut self, link: LinkId) -> BTreeSet<ObjectId> {
        self.by_link.remove(&link).unwrap_or_default()
    }

    /// Forgets an object that is gone.
    pub(super) fn forget(&mut self, object: ObjectId) {
        self.by_link.retain(|_, missed| {
            missed.remove(&object);
            !missed.is_empty()
        });
    }
}
