//! All links, by number.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use super::link::Link;
use crate::ids::{LinkId, SandboxId};

/// Spreads numbers that the shell itself gives out one after the other; a peer
/// cannot choose them, so nothing stronger is needed.
#[derive(Default)]
pub(super) struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

/// The table.
#[derive(Default)]
pub(super) struct Links {
    by_id: HashMap<LinkId, Link, BuildHasherDefault<Spread>>,
    // From its launch to its end; the link may have closed before.
    of_sandboxes: BTreeMap<SandboxId, LinkId>,
    given: u64,
}

impl Links {
    /// Adds a link under a number that was never used before.
    pub(super) fn add(&mut self, link: Link) -> LinkId {
        self.given += 1;
        let id = LinkId(self.given);
        self.by_id.insert(id, link);
        id
    }

    /// Notes whose link it is.
    pub(super) fn belongs(&mut self, id: LinkId, sandbox: SandboxId) {
        self.of_sandboxes.insert(sandbox, id);
        if let Some(link) = self.by_id.get_mut(&id) {
            link.sandbox = Some(sandbox);
        }
    }

    /// The link of a sandbox that has ended, for the last time.
    pub(super) fn take_link_of(&mut self, sandbox: SandboxId) -> Option<LinkId> {
        self.of_sandboxes.remove(&sandbox)
    }

    pub(super) fn get(&mut self, id: LinkId) -> Option<&mut Link> {
        self.by_id.get_mut(&id)
    }

    /// Forgets a link; its socket is closed.
    pub(super) fn remove(&mut self, id: LinkId) -> Option<Link> {
        self.by_id.remove(&id)
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }
}
