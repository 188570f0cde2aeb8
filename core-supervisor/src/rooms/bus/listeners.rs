//! Who listens to addresses that are not its own.

use std::collections::HashMap;

use crate::ids::OwnerId;

/// One listener of one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listener {
    /// The component that listens.
    pub(crate) owner: OwnerId,
    /// The policy version that permitted it last; 0 asks again.
    pub(crate) permitted_by: u64,
}

/// Listeners by canonical address.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    by_address: HashMap<String, Vec<Listener>>,
    counts: HashMap<OwnerId, usize>,
}

impl Listeners {
    /// Adds a listener; `false` when the component has so many already.
    pub(crate) fn add(&mut self, address: &str, listener: Listener, most: usize) -> bool {
        let listeners = self.by_address.entry(address.to_owned()).or_default();
        if listeners.iter().any(|known| known.owner == listener.owner) {
            return true;
        }
        let count = self.counts.entry(listener.owner).or_default();
        if *count >= most {
            return false;
        }
        *count += 1;
        listeners.push(listener);
        true
    }

    /// Removes one listener of one address.
    pub(crate) fn remove(&mut self, address: &str, owner: OwnerId) {
        let Some(listeners) = self.by_address.get_mut(address) else {
            return;
        };
        let before = listeners.len();
        listeners.retain(|listener| listener.owner != owner);
        if listeners.len() < before
            && let Some(count) = self.counts.get_mut(&owner)
        {
            *count -= 1;
        }
        if listeners.is_empty() {
            self.by_address.remove(address);
        }
    }

    /// Removes everything a component listened to.
    pub(crate) fn remove_all(&mut self, owner: OwnerId) {
        if self.counts.remove(&owner).is_none() {
            return;
        }
        self.by_address.retain(|_, listeners| {
            listeners.retain(|listener| listener.owner != owner);
            !listeners.is_empty()
        });
    }

    /// The listeners of an address.
    pub(crate) fn of(&self, address: &str) -> &[Listener] {
        self.by_address.get(address).map_or(&[], Vec::as_slice)
    }

    /// The most addresses that one component listens to.
    pub(crate) fn most(&self) -> usize {
        self.counts.values().copied().max().unwrap_or_default()
    }

    /// How many addresses a component listens to.
    pub(crate) fn of_owner(&self, owner: OwnerId) -> usize {
        self.counts.get(&owner).copied().unwrap_or_default()
    }

    /// The listeners of an address, to note what was decided about them.
    pub(crate) fn of_mut(&mut self, address: &str) -> &mut [Listener] {
        self.by_address
            .get_mut(address)
            .map_or(&mut [], Vec::as_mut_slice)
    }
}
