//! Stored messages for addresses that have not shown themselves yet.
//!
//! A runtime reaches its domain before its components run. What is stored for them
//! is not thrown at a core that does not know them: it waits here, unacknowledged,
//! until its address is claimed or its channel subscribed to.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::book::Shown;
use super::desk::{Inbound, Receipt};

/// Who is awake, and what waits for the others.
#[derive(Debug, Default)]
pub(super) struct Sleeping {
    awake: HashSet<Rc<str>>,
    waiting: HashMap<Rc<str>, Vec<Inbound>>,
}

impl Sleeping {
    pub(super) fn is_awake(&self, name: &str) -> bool {
        self.awake.contains(name)
    }

    /// Something has shown itself; what has waited for it, in order.
    pub(super) fn show(&mut self, shown: Shown) -> Vec<Inbound> {
        match shown {
            Shown::Here(name) => {
                let waiting = self.waiting.remove(&name);
                self.awake.insert(name);
                waiting.unwrap_or_default()
            }
            Shown::Gone(name) => {
                self.awake.remove(&name);
                Vec::new()
            }
        }
    }

    /// Lets a message wait.
    pub(super) fn wait(&mut self, name: &str, inbound: Inbound) {
        self.waiting.entry(name.into()).or_default().push(inbound);
    }

    /// Whether a message that was handed out again waits already; its newer receipt
    /// takes the place of the old one.
    pub(super) fn again(&mut self, identifier: &str, receipt: Option<&str>) -> bool {
        let all = self.waiting.values_mut().flatten();
        let mut its = all.filter(|inbound| inbound.identifier.as_deref() == Some(identifier));
        let Some(known) = its.next() else {
            return false;
        };
        known.receipt = receipt.map(|at| Receipt::Stored(at.to_owned()));
        true
    }
}
