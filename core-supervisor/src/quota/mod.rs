//! # Quotas — how much of everything one component may have
//!
//! ```text
//!  what is usual  ─►  what its descriptor asks for  ─►  the operator's ceiling
//!  (profile, limits)   ("limits": {"memory": …})        (hyperty.toml, [limits])
//! ```
//!
//! Where the operator says nothing, the ceiling is what is usual: a descriptor may
//! ask for less, and for more only where somebody let it. Who asks for more than the
//! ceiling is refused or clipped, as the operator set it; both are told.

mod ceiling;
mod settle;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use protocol::nursery::Engine;
use serde_json::{Map, Value};

pub use ceiling::{Ceiling, OverCeiling};
pub use settle::{Limits, TooMuch, settle};
use table::NUMBER;
pub use table::{Quota, Row, UNBOUNDED};

/// What a descriptor asks for.
pub type Asked = BTreeMap<Quota, u64>;

/// A number for each quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quotas([u64; NUMBER]);

impl Quotas {
    /// What is usual for an engine.
    pub fn usual(engine: Engine) -> Self {
        Self(Quota::ALL.map(|quota| quota.usual(engine)))
    }

    /// One number.
    pub fn of(&self, quota: Quota) -> u64 {
        self.0.get(quota as usize).copied().unwrap_or(UNBOUNDED)
    }

    /// The same as a number of things in memory.
    pub fn count(&self, quota: Quota) -> usize {
        usize::try_from(self.of(quota)).unwrap_or(usize::MAX)
    }

    /// Only those that components have in common when they share a process.
    #[must_use]
    pub fn shared(&self) -> Self {
        Self(Quota::ALL.map(|quota| {
            if quota.row().is_shared {
                self.of(quota)
            } else {
                UNBOUNDED
            }
        }))
    }

    /// What of it is a matter of the process.
    pub fn share(&self, engine: Engine) -> Share {
        let unusual = |quota: Quota| {
            let number = self.of(quota);
            if number == quota.usual(engine) {
                0
            } else {
                number
            }
        };
        let small = |quota| u32::try_from(unusual(quota)).unwrap_or(u32::MAX);
        Share {
            memory_bytes: unusual(Quota::Memory),
            descriptors: small(Quota::Descriptors),
            timers: small(Quota::Timers),
            cpu_percent: small(Quota::Cpu),
        }
    }

    fn set(&mut self, quota: Quota, value: u64) {
        if let Some(place) = self.0.get_mut(quota as usize) {
            *place = value;
        }
    }
}

/// What a process may use; 0 stands for what is usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// Memory that it fills.
    pub memory_bytes: u64,
    /// Descriptors.
    pub descriptors: u32,
    /// Timers of its script engine.
    pub timers: u32,
    /// Percent of one processor.
    pub cpu_percent: u32,
}

/// Reads `limits` of a descriptor; the error names the member.
pub fn asked(members: &Map<String, Value>) -> Result<Asked, (String, String)> {
    let mut asked = Asked::new();
    for (name, value) in members {
        let wrong = |reason: String| {
            let shown: String = name
                .chars()
                .take(40)
                .flat_map(char::escape_default)
                .collect();
            (name.clone(), format!("`limits.{shown}`{reason}"))
        };
        let Some(quota) = Quota::by_member(name) else {
            let known = Quota::ALL.map(|quota| quota.row().member).join(", ");
            return Err(wrong(format!(" is no limit: there are {known}")));
        };
        let Row { least, unit, .. } = quota.row();
        let Some(number) = value.as_u64().filter(|number| *number >= least) else {
            return Err(wrong(format!(
                " must be a whole number ({unit}), at least {least}"
            )));
        };
        asked.insert(quota, number);
    }
    Ok(asked)
}
