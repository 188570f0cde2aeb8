//! The decision point: a question in, a verdict with its reasons out.
//!
//! Nothing is permitted unless a rule permits it; one rule that forbids refuses;
//! one rule that ends in an error refuses too, whatever the others say.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use cedar_policy::{Authorizer, Decision};
use protocol::api::policy::{InForce, Rule, Verdict};

use super::facts::{Facts, Looked, Types, gather};
use super::question::{Question, Reuse, Ruling};
use super::reads::Reads;
use super::records::Record;
use super::slices::{Cell, Slices};

/// A compiled set of rules. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PolicySet(pub(super) Arc<Compiled>);

/// What a set is made of.
#[derive(Debug)]
pub(super) struct Compiled {
    files: Vec<String>,
    rules: Vec<Rule>,
    by_id: HashMap<String, usize>,
    slices: Slices,
    reads: Reads,
    types: Types,
    authorizer: Authorizer,
}

/// How one question came out.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub(super) verdict: Verdict,
    pub(super) reuse: Reuse,
    /// Places in the set's list of rules, in order.
    pub(super) rules: BTreeSet<usize>,
    pub(super) errors: Vec<String>,
    pub(super) looked: Looked,
}

impl PolicySet {
    /// Whether a rule looks at the body, so that questions must carry it.
    pub fn reads_body(&self) -> bool {
        self.0.reads.body
    }

    /// Whether a rule looks at the clock.
    pub fn reads_clock(&self) -> bool {
        self.0.reads.clock
    }

    /// The rules and their files; the version is the room's to say.
    pub fn in_force(&self) -> InForce {
        InForce {
            version: 0,
            files: self.0.files.clone(),
            rules: self.0.rules.clone(),
        }
    }

    /// Answers a question, with all reasons.
    pub fn decide(&self, question: &Question<'_>) -> Ruling {
        let outcome = self.evaluate(question);
        let (permit, reuse) = (outcome.verdict == Verdict::Permitted, outcome.reuse);
        let record = Record::new(self, question, outcome);
        Ruling {
            permit,
            reuse,
            explanation: record.explain(String::new(), 0),
        }
    }

    /// Answers a question, with no more than it takes to explain it later.
    pub(super) fn evaluate(&self, question: &Question<'_>) -> Outcome {
        let cells = self.0.slices.matching(question);
        let reads = cells
            .iter()
            .fold(Reads::default(), |all, cell| all.union(cell.reads));
        let mut outcome = Outcome::new(reads);
        match gather(&self.0.types, question, reads) {
            Ok(facts) => self.0.ask(&cells, facts, &mut outcome),
            Err(error) => {
                outcome.verdict = Verdict::Error;
                outcome.errors.push(error);
                outcome.rules = self.0.readers(&cells);
            }
        }
        outcome
    }

    pub(super) fn rule(&self, at: usize) -> Option<&Rule> {
        self.0.rules.get(at)
    }
}

impl Compiled {
    pub(super) fn new(
        files: Vec<String>,
        rules: Vec<Rule>,
        slices: Slices,
        reads: Reads,
    ) -> Result<Self, String> {
        let by_id = rules.iter().enumerate();
        Ok(Self {
            by_id: by_id.map(|(at, rule)| (rule.id.clone(), at)).collect(),
            files,
            rules,
            slices,
            reads,
            types: Types::new()?,
            authorizer: Authorizer::new(),
        })
    }

    fn ask(&self, cells: &[&Cell], facts: Facts, outcome: &mut Outcome) {
        let mut permits = BTreeSet::new();
        let mut forbids = BTreeSet::new();
        let mut failed = BTreeSet::new();
        for cell in cells {
            let response =
                self.authorizer
                    .is_authorized(&facts.request, &cell.rules, &facts.entities);
            let reasons = response.diagnostics().reason();
            let reasons = reasons.filter_map(|id| self.by_id.get(AsRef::<str>::as_ref(id)));
            match response.decision() {
                Decision::Allow => permits.extend(reasons),
                Decision::Deny => forbids.extend(reasons),
            }
            for error in response.diagnostics().errors() {
                let cedar_policy::AuthorizationError::PolicyEvaluationError(error) = error;
                failed.extend(self.by_id.get(AsRef::<str>::as_ref(error.policy_id())));
                outcome.errors.push(error.to_string());
            }
        }
        (outcome.verdict, outcome.rules) = match () {
            () if !forbids.is_empty() => (Verdict::Forbidden, forbids),
            () if !outcome.errors.is_empty() => (Verdict::Error, failed),
            () if !permits.is_empty() => (Verdict::Permitted, permits),
            () => (Verdict::NotPermitted, BTreeSet::new()),
        };
        outcome.looked = facts.looked;
    }

    // Which rules made the core look at what it could not read.
    fn readers(&self, cells: &[&Cell]) -> BTreeSet<usize> {
        let readers = cells.iter().filter(|cell| cell.reads.body);
        let rules = readers.flat_map(|cell| cell.rules.policies());
        let places = rules.filter_map(|rule| self.by_id.get(AsRef::<str>::as_ref(rule.id())));
        places.copied().collect()
    }
}

impl Outcome {
    pub(super) fn looked_at_clock(&self) -> bool {
        self.looked.iter().any(|(name, _)| *name == "minute")
    }

    fn new(reads: Reads) -> Self {
        Self {
            verdict: Verdict::NotPermitted,
            reuse: if reads.is_fleeting() {
                Reuse::Never
            } else {
                Reuse::Version
            },
            rules: BTreeSet::new(),
            errors: Vec::new(),
            looked: Looked::new(),
        }
    }
}
