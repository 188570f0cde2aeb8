//! # Policy — what may be sent to whom
//!
//! Address:  hyperty-runtime://<runtime>/pep
//! Answers:  Read (a decision, the rules in force), Execute `show`, `reload`
//!           — see `protocol::api::policy`
//! Keeps:    the rules in force with their version, and recent decisions
//! Holds:    nothing is permitted unless a rule permits it; a rule that forbids
//!           wins; a rule that fails refuses; a set is taken over whole or not at
//!           all; an explanation is the evaluation that decided, never a second one
//! Not here: who the parties are (flows/deliver), reading files
//!           (`shell/policy_files`), remembering answers for speed (rooms/bus)
//!
//! The language is Cedar; `policies/message/schema.cedarschema` says what rules
//! may speak of.

mod alternatives;
mod body;
mod clock;
mod compile;
mod deed;
mod explain;
mod facts;
mod found;
pub mod limits;
mod literals;
mod pdp;
mod question;
mod reads;
mod records;
mod request;
mod shipped;
mod sieve;
mod slices;
mod strict;
#[cfg(test)]
mod tests;
mod text;
mod users;

use protocol::api::policy::{Explanation, InForce, Verdict};

pub use crate::ids::DecisionId;
pub use compile::compile;
pub use pdp::PolicySet;
pub use protocol::api::policy::{PATH, Problem, Problems};
pub use question::{Act, Party, PartyKind, Question, Relation, Reuse, Ruling};
pub use request::{PepRequest, Refused};
pub use shipped::shipped;
pub use text::PolicyFile;

use limits::CLOCK_STEP_S;
use pdp::Outcome;
use records::{Record, Records};

/// The policy engine.
#[derive(Debug)]
pub struct Policy {
    set: PolicySet,
    version: u64,
    records: Records,
    // The latest moment a question named: an earlier one means a clock set back.
    latest_us: u64,
}

/// An answer of the room, without the explanation, which is there when it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decided {
    /// Whether it may happen.
    pub permit: bool,
    /// How long the answer holds.
    pub reuse: Reuse,
    /// Names the decision in refusals and in [`Policy::explain`].
    pub id: DecisionId,
}

impl Policy {
    /// Starts with a set, as version 1.
    pub fn new(set: PolicySet) -> Self {
        Self {
            set,
            version: 1,
            records: Records::default(),
            latest_us: 0,
        }
    }

    /// Answers a question and remembers why.
    pub fn decide(&mut self, question: &Question<'_>) -> Decided {
        let mut outcome = self.set.evaluate(question);
        self.watch_clock(question.wall_us, &mut outcome);
        let (permit, reuse) = (outcome.verdict == Verdict::Permitted, outcome.reuse);
        let record = Record::new(&self.set, question, outcome);
        let id = self.records.keep(self.version, record);
        Decided { permit, reuse, id }
    }

    // A rule whose hours are over holds again when the clock is set back. The
    // clock is the user's, so the answer stands, but its record says so.
    fn watch_clock(&mut self, wall_us: u64, outcome: &mut Outcome) {
        let back_s = self.latest_us.saturating_sub(wall_us) / 1_000_000;
        self.latest_us = self.latest_us.max(wall_us);
        if back_s > CLOCK_STEP_S && outcome.looked_at_clock() {
            outcome
                .errors
                .push(format!("the clock was set back by {back_s} s"));
        }
    }

    /// Explains a decision that is still remembered.
    pub fn explain(&self, id: DecisionId) -> Option<Explanation> {
        self.records.explain(id)
    }

    /// Puts a set in force. Every answer given before is to be forgotten by its holders.
    pub fn install(&mut self, set: PolicySet) -> u64 {
        self.set = set;
        self.version += 1;
        self.records.age(self.version);
        self.version
    }

    /// The rules in force.
    pub fn in_force(&self) -> InForce {
        InForce {
            version: self.version,
            ..self.set.in_force()
        }
    }

    /// Raised by every [`Policy::install`]; answers of another version do not count.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Whether questions must carry the message body.
    pub fn reads_body(&self) -> bool {
        self.set.reads_body()
    }
}
