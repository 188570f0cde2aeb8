//! Decisions, kept for a while so that they can be explained.

use std::collections::VecDeque;

use protocol::Address;
use protocol::api::connections::Source;
use protocol::api::policy::{Explanation, Verdict};
use protocol::frame::Level;

use super::DecisionId;
use super::limits::{PERMITS_KEPT_MAX, REFUSALS_KEPT_MAX, VERSIONS_KEPT_MAX};
use super::pdp::{Outcome, PolicySet};
use super::question::{Act, Party, PartyKind, Question};

/// A party as it was when the question was decided.
#[derive(Debug)]
pub(super) struct PartyThen {
    kind: PartyKind,
    address: Address,
    provider: String,
    name: String,
    user: String,
    level: Option<Level>,
    digest: String,
}

impl PartyThen {
    fn of(party: &Party<'_>) -> Self {
        Self {
            kind: party.kind,
            address: party.address.clone(),
            provider: party.provider.to_owned(),
            name: party.name.to_owned(),
            user: party.user.to_owned(),
            level: party.level,
            digest: party.digest.to_owned(),
        }
    }

    pub(super) fn party(&self) -> Party<'_> {
        Party {
            kind: self.kind,
            address: &self.address,
            provider: &self.provider,
            name: &self.name,
            user: &self.user,
            level: self.level,
            digest: &self.digest,
        }
    }
}

#[derive(Debug)]
enum ActThen {
    Message(String),
    Listen,
    Deploy,
    Reach,
    Connect(Option<Source>),
    Bind(Option<Source>),
}

/// One decision with everything its explanation needs.
#[derive(Debug)]
pub(super) struct Record {
    act: ActThen,
    pub(super) from: PartyThen,
    pub(super) to: PartyThen,
    pub(super) outcome: Outcome,
    pub(super) set: PolicySet,
}

impl Record {
    pub(super) fn new(set: &PolicySet, question: &Question<'_>, outcome: Outcome) -> Self {
        Self {
            act: match question.act {
                Act::Message(word) => ActThen::Message(word.to_owned()),
                Act::Listen => ActThen::Listen,
                Act::Deploy => ActThen::Deploy,
                Act::Reach => ActThen::Reach,
                Act::Connect(source) => ActThen::Connect(source),
                Act::Bind(source) => ActThen::Bind(source),
            },
            from: PartyThen::of(&question.from),
            to: PartyThen::of(&question.to),
            outcome,
            set: set.clone(),
        }
    }

    pub(super) fn act(&self) -> Act<'_> {
        match &self.act {
            ActThen::Message(word) => Act::Message(word),
            ActThen::Listen => Act::Listen,
            ActThen::Deploy => Act::Deploy,
            ActThen::Reach => Act::Reach,
            ActThen::Connect(source) => Act::Connect(*source),
            ActThen::Bind(source) => Act::Bind(*source),
        }
    }
}

/// The decisions that can still be explained; the oldest give way.
#[derive(Debug, Default)]
pub(super) struct Records {
    refusals: VecDeque<(DecisionId, Record)>,
    permits: VecDeque<(DecisionId, Record)>,
    made: u64,
}

impl Records {
    pub(super) fn keep(&mut self, version: u64, record: Record) -> DecisionId {
        self.made += 1;
        let id = DecisionId {
            version,
            number: self.made,
        };
        let (ring, max) = match record.outcome.verdict {
            Verdict::Permitted => (&mut self.permits, PERMITS_KEPT_MAX),
            Verdict::Forbidden | Verdict::NotPermitted | Verdict::Error => {
                (&mut self.refusals, REFUSALS_KEPT_MAX)
            }
        };
        if ring.len() >= max {
            ring.pop_front();
        }
        ring.push_back((id, record));
        id
    }

    pub(super) fn explain(&self, id: DecisionId) -> Option<Explanation> {
        let find = |ring: &VecDeque<(DecisionId, Record)>| {
            let at = ring.binary_search_by_key(&id, |(id, _)| *id).ok()?;
            let (_, record) = ring.get(at)?;
            Some(record.explain(id.to_string(), id.version))
        };
        find(&self.refusals).or_else(|| find(&self.permits))
    }

    /// Forgets what was decided by rules long gone, which would keep them in memory.
    pub(super) fn age(&mut self, version: u64) {
        let fresh = |id: &DecisionId| id.version + VERSIONS_KEPT_MAX > version;
        self.refusals.retain(|(id, _)| fresh(id));
        self.permits.retain(|(id, _)| fresh(id));
    }
}
