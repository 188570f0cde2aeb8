//! Who may speak for which address, and whose an address becomes.

use protocol::{Address, Code};

use super::Node;
use super::routes::{base, is_ownable};
use crate::limits::CLAIMS_PER_SESSION_MAX;

/// A code and a sentence.
type Refused = (Code, String);

impl Node {
    /// Whose an address is: who registered it, was given it, or was first to use it.
    pub(super) fn owner_of(&self, base: &Address) -> Option<&Address> {
        if let Some(owner) = self.registry.owner(base) {
            return Some(owner);
        }
        if let Some(owner) = self.blocks.owner(base) {
            return Some(owner);
        }
        match self.sessions.get_key_value(base) {
            Some((runtime, _)) => Some(runtime),
            None => self.routes.owner(base),
        }
    }

    /// Lets a session speak for an address; one that is nobody's becomes its own.
    ///
    /// By speaking: so a hyperty that never subscribed gets its answers (spec
    /// messaging §10.2, transition).
    pub(super) fn claim(&mut self, runtime: &Address, address: &Address) -> Result<(), Refused> {
        if address.is_within(runtime) {
            return Ok(());
        }
        let base = base(address);
        match self.owner_of(&base) {
            Some(owner) if owner == runtime => return Ok(()),
            Some(_) => return Err(forged(address, "it belongs to another runtime")),
            None => {}
        }
        if matches!(base.scheme(), "domain" | "global" | "mn") {
            return Err(forged(address, "it is a service of a domain"));
        }
        // `runtime://d/other` is a runtime's, and only its own session is that runtime.
        if base.is_runtime() && is_runtime_url(&base) {
            return Err(forged(address, "it is another runtime's"));
        }
        if !is_ownable(&base) {
            // The short form of an identity provider: many have one, none is routed to.
            return Ok(());
        }
        let is_here = self.is_here(runtime);
        let Some(session) = self.sessions.get_mut(runtime) else {
            return Err((Code::GONE, "the session has ended".to_owned()));
        };
        if session.claims.len() >= CLAIMS_PER_SESSION_MAX {
            let why = format!(
                "this session speaks for {CLAIMS_PER_SESSION_MAX} addresses that it has not \
                 registered: register them, or use fewer"
            );
            return Err((Code::BUSY, why));
        }
        session.claims.insert(base.clone());
        self.routes.own(&base, runtime);
        if is_here {
            self.follow(&base);
        }
        Ok(())
    }
}

// One segment, and that one is no kind.
pub(super) fn is_runtime_url(address: &Address) -> bool {
    let path = address.path().strip_prefix('/');
    address.is_runtime() && path.is_some_and(|path| !path.contains('/')) && is_ownable(address)
}

fn forged(address: &Address, why: &str) -> Refused {
    let why = format!("this session may not speak for `{address}`: {why}");
    (Code::FORBIDDEN, why)
}
