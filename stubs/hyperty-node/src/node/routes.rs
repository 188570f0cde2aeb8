//! # Routes — who is told of what, and who speaks for what
//!
//! Keeps:    address → the runtimes that listen; address → the runtime it belongs to
//! Holds:    an address that is no channel belongs to one runtime
//! Not here: how a message gets to a runtime (deliver.rs)

use std::collections::{BTreeMap, BTreeSet};

use protocol::Address;

/// Paths of the runtime scheme whose first segment is a kind and not a runtime's name
/// (spec messaging §2.1).
const KINDS: [&str; 3] = ["/protostub", "/p2prequester", "/stub"];

/// Listeners and owners.
#[derive(Debug, Default)]
pub(super) struct Routes {
    listeners: BTreeMap<Address, BTreeSet<Address>>,
    owners: BTreeMap<Address, Address>,
}

impl Routes {
    /// Adds a listener.
    pub(super) fn listen(&mut self, address: &Address, runtime: &Address) {
        let listeners = self.listeners.entry(address.clone()).or_default();
        listeners.insert(runtime.clone());
    }

    /// Removes a listener.
    pub(super) fn unlisten(&mut self, address: &Address, runtime: &Address) {
        if let Some(listeners) = self.listeners.get_mut(address) {
            listeners.remove(runtime);
            if listeners.is_empty() {
                self.listeners.remove(address);
            }
        }
    }

    /// The runtimes that listen to an address.
    pub(super) fn listeners(&self, address: &Address) -> impl Iterator<Item = &Address> {
        self.listeners.get(address).into_iter().flatten()
    }

    /// Gives an address to a runtime; does nothing when it has an owner.
    pub(super) fn own(&mut self, base: &Address, runtime: &Address) {
        self.owners
            .entry(base.clone())
            .or_insert_with(|| runtime.clone());
    }

    /// Takes it back.
    pub(super) fn disown(&mut self, base: &Address, runtime: &Address) {
        if self.owners.get(base) == Some(runtime) {
            self.owners.remove(base);
        }
    }

    /// Whose an address is.
    pub(super) fn owner(&self, base: &Address) -> Option<&Address> {
        self.owners.get(base)
    }

    /// How many addresses are listened to, and how many belong to somebody.
    pub(super) fn sizes(&self) -> (usize, usize) {
        (self.listeners.len(), self.owners.len())
    }
}

/// The address that has an owner, above or equal to a given one.
///
/// `comm://d/o/children/x` → `comm://d/o`; `runtime://d/r/sm` → `runtime://d/r`;
/// `runtime://d/protostub/7/status` → `runtime://d/protostub/7`.
pub(super) fn base(address: &Address) -> Address {
    let mut below = None;
    let mut base = address.clone();
    while let Some(parent) = base.parent() {
        below = Some(base);
        base = parent;
    }
    match below {
        Some(below) if KINDS.contains(&base.path()) => below,
        _ => base,
    }
}

/// Whether an address can belong to a runtime: the bare name of a domain cannot.
pub(super) fn is_ownable(base: &Address) -> bool {
    !base.path().is_empty() && !KINDS.contains(&base.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_belongs_to_whom_its_first_segments_name() {
        let base = |text: &str| base(&text.parse().unwrap()).as_str().to_owned();

        assert_eq!(base("comm://d.org/o/children/x"), "comm://d.org/o");
        assert_eq!(base("hyperty://d.org/1"), "hyperty://d.org/1");
        assert_eq!(base("runtime://d.org/r/sm"), "hyperty-runtime://d.org/r");
        assert_eq!(
            base("runtime://d.org/protostub/7/status"),
            "hyperty-runtime://d.org/protostub/7"
        );
        assert_eq!(base("domain-idp://google.com"), "domain-idp://google.com");
    }
}
