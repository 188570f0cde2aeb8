//! Whose message is this, who has its destination, and may it pass?
//!
//! Every delivery passes here in the same call of the core (invariant I5). What
//! was found is remembered per link, under the version of everything it depends
//! on (`Core::epoch`): a remembered judgement is the same judgement, not an
//! older one. Rules that look at the body or the clock are asked each time.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::RandomState;
use protocol::address::BadAddress;
use protocol::api::policy::Verdict;
use protocol::frame::ComponentKind;
use protocol::message::Header;
use protocol::{Address, Message};

use crate::core::Core;
use crate::event::Now;
use crate::flows::reach;
use crate::flows::sync::relation;
use crate::ids::{LinkId, ObjectId, OwnerId, RoomName};
use crate::limits::JUDGEMENTS_PER_LINK;
use crate::party::PartyKind;
use crate::rooms::policy::{Act, Decided, DecisionId, Party, Question, Reuse};
use crate::rooms::registry::{Route, Standing};
use crate::rooms::sync::Channel;

/// What was found about one (from, to, kind) of one link.
// Each answers a question of its own.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judgement {
    /// Who sends.
    pub(crate) sender: OwnerId,
    /// Whether policy permits it.
    pub(crate) permit: bool,
    /// By which decision.
    pub(crate) decision: DecisionId,
    /// Where it goes.
    pub(crate) target: Target,
    /// Whether somebody listens to the destination besides its owner.
    pub(crate) is_listened: bool,
    /// Whether it goes through a stub to what is not here.
    pub(crate) is_abroad: bool,
    /// Whether it holds whatever the body and the clock say.
    pub(crate) is_lasting: bool,
}

/// Where a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// To a component, application or operator at this link.
    Link(LinkId, OwnerId),
    /// To a room of the core.
    Room(RoomName),
    /// To those who take part in a data object.
    Object(ObjectId, Channel),
    /// To whoever listens: the sender itself owns the destination.
    Listeners,
    /// Its owner is down.
    Down(OwnerId),
    /// Nobody has the address.
    Absent,
    /// It belongs to a domain that no stub here speaks for, or not yet.
    Foreign,
}

/// Why there is no judgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotJudged {
    /// `from` is not an address.
    From(BadAddress),
    /// `to` is not an address.
    To(BadAddress),
    /// `from` is not the sender's.
    Forged,
}

/// The remembered judgements of one link.
#[derive(Debug, Default)]
pub(crate) struct Judgements {
    // Empty until the link's first message: an idle link holds no table.
    places: Vec<Option<Remembered>>,
    // The one that was recalled last: most messages of a link are like the one
    // before, and comparing costs a fifth of hashing.
    last: usize,
    hasher: Option<RandomState>,
}

#[derive(Debug)]
struct Remembered {
    epoch: u64,
    from: Box<str>,
    to: Box<str>,
    kind: Box<str>,
    judgement: Judgement,
}

impl Judgements {
    fn recall(&mut self, header: &Header<'_>, epoch: u64) -> Option<Judgement> {
        if let Some(judgement) = self.recall_at(self.last, header, epoch) {
            return Some(judgement);
        }
        let place = self.place(header)?;
        let judgement = self.recall_at(place, header, epoch)?;
        self.last = place;
        Some(judgement)
    }

    fn recall_at(&self, place: usize, header: &Header<'_>, epoch: u64) -> Option<Judgement> {
        let known = self.places.get(place)?.as_ref()?;
        let is_it = known.epoch == epoch
            && *known.from == *header.from
            && *known.to == *header.to
            && *known.kind == *header.kind.as_str();
        is_it.then_some(known.judgement)
    }

    fn remember(&mut self, header: &Header<'_>, epoch: u64, judgement: Judgement) {
        if self.places.is_empty() {
            self.places.resize_with(JUDGEMENTS_PER_LINK, || None);
            self.hasher = Some(RandomState::default());
        }
        let place = self.place(header).and_then(|at| self.places.get_mut(at));
        if let Some(place) = place {
            *place = Some(Remembered {
                epoch,
                from: header.from.into(),
                to: header.to.into(),
                kind: header.kind.as_str().into(),
                judgement,
            });
        }
    }

    fn place(&self, header: &Header<'_>) -> Option<usize> {
        let mut hasher = self.hasher.as_ref()?.build_hasher();
        hasher.write(header.from.as_bytes());
        hasher.write_u8(0);
        hasher.write(header.to.as_bytes());
        hasher.write(header.kind.as_str().as_bytes());
        usize::try_from(hasher.finish() % JUDGEMENTS_PER_LINK as u64).ok()
    }
}

/// Judges one message of one link.
pub(crate) fn message(
    core: &mut Core,
    link: LinkId,
    message: &Message<'_>,
    now: Now,
) -> Result<Judgement, NotJudged> {
    let header = &message.header;
    let epoch = core.epoch;
    let recalled = core
        .gates
        .get_mut(&link)
        .and_then(|gate| gate.judgements.recall(header, epoch));
    if let Some(judgement) = recalled {
        return Ok(judgement);
    }
    let from: Address = header.from.parse().map_err(NotJudged::From)?;
    let to: Address = header.to.parse().map_err(NotJudged::To)?;
    let sender = sender_of(core, link, &from).ok_or(NotJudged::Forged)?;
    let target = target_of(core, sender, &to);
    let act = Act::Message(header.kind.as_str());
    let (permit, reuse, decision) = decide(core, act, sender, (&from, &to), message.body, now);
    let is_listened = !core.rooms.bus.listeners.of(to.as_str()).is_empty();
    let judgement = Judgement {
        sender,
        permit,
        decision,
        target,
        is_abroad: matches!(target, Target::Link(..))
            && core.rooms.registry.owner_of(&to).is_none(),
        is_listened,
        is_lasting: reuse == Reuse::Version,
    };
    if reuse == Reuse::Version
        && let Some(gate) = core.gates.get_mut(&link)
    {
        gate.judgements.remember(header, epoch, judgement);
    }
    Ok(judgement)
}

/// Asks the policy about an act of `sender` under its address `from` on the address `to`.
pub(crate) fn decide(
    core: &mut Core,
    act: Act<'_>,
    sender: OwnerId,
    (from, to): (&Address, &Address),
    body: &[u8],
    now: Now,
) -> (bool, Reuse, DecisionId) {
    let relation = relation::of(core, sender, from, to);
    let registry = &core.rooms.registry;
    let receiver = registry
        .owner_of(to)
        .and_then(|owner| registry.standing(owner));
    let is_injected = registry.owner_of(from) != Some(sender);
    let question = Question {
        act,
        from: match registry.standing(sender) {
            Some(standing) if !is_injected => party(standing, from),
            Some(stub) => Party {
                kind: PartyKind::Remote,
                // Its stub acts for somebody; whoever sends from elsewhere need not.
                user: "",
                ..party(stub, from)
            },
            None => remote(from),
        },
        to: relation::object_without_reporter(registry, &core.rooms.sync, to)
            .or_else(|| receiver.map(|standing| party(standing, to)))
            .unwrap_or_else(|| remote(to)),
        relation,
        body: core.rooms.policy.reads_body().then_some(body),
        wall_us: now.wall_us,
    };
    let Decided { permit, reuse, id } = core.rooms.policy.decide(&question);
    (permit, reuse, id)
}

/// Why a decision refused, in one sentence for whoever was refused.
pub(crate) fn reason(core: &Core, decision: DecisionId) -> String {
    let Some(explanation) = core.rooms.policy.explain(decision) else {
        return "refused by policy".to_owned();
    };
    let rule = explanation
        .rules
        .first()
        .map(|rule| format!("rule `{}` at {}: {}", rule.id, rule.place, rule.why));
    match explanation.verdict {
        Verdict::Permitted => "permitted".to_owned(),
        Verdict::Forbidden => format!("forbidden by {}", rule.unwrap_or_default()),
        Verdict::NotPermitted => format!(
            "no rule permits `{}` from `{}` to `{}`",
            explanation.kind, explanation.from, explanation.to
        ),
        Verdict::Error => {
            format!(
                "a rule could not be evaluated: {}",
                explanation.errors.first().cloned().unwrap_or_default()
            )
        }
    }
}

/// The rule that decided, as the tap shows it.
pub(crate) fn rule(core: &Core, decision: DecisionId) -> String {
    let explanation = core.rooms.policy.explain(decision);
    let rule = explanation.and_then(|explanation| explanation.rules.into_iter().next());
    rule.map_or_else(
        || "no rule permits it".to_owned(),
        |rule| format!("{} {}", rule.place, rule.id),
    )
}

/// Who on this link may say `from`: its owner, a stub for an address of its domain, or
/// the stub of a home for an address that is not here.
///
/// Message nodes hand on what comes from everywhere (spec messaging §13.1): the node
/// that this runtime belongs to is believed about the world outside, as the operator
/// named it; the stubs of other domains speak for those domains alone.
pub(crate) fn sender_of(core: &Core, link: LinkId, from: &Address) -> Option<OwnerId> {
    let registry = &core.rooms.registry;
    let is_here = |standing: &Standing| standing.link == Some(link);
    match registry.resolve(from, &core.settings.runtime) {
        Route::Owner(owner) => registry
            .standing(owner)
            .is_some_and(is_here)
            .then_some(owner),
        Route::Stub(stub) if registry.standing(stub).is_some_and(is_here) => Some(stub),
        Route::Stub(_) | Route::Foreign => {
            let homes = core.settings.homes.iter();
            let mut stubs = homes.filter_map(|home| registry.stub_of(home));
            stubs.find(|stub| registry.standing(*stub).is_some_and(is_here))
        }
        Route::Absent => None,
    }
}

/// Where a message of `sender` to this address goes now.
pub(crate) fn target_of(core: &Core, sender: OwnerId, to: &Address) -> Target {
    let registry = &core.rooms.registry;
    if let Some((object, channel)) = core.rooms.sync.channel(to) {
        return Target::Object(object, channel);
    }
    match registry.resolve(to, &core.settings.runtime) {
        Route::Owner(OwnerId::Room(room)) => Target::Room(room),
        Route::Owner(owner) if owner == sender => Target::Listeners,
        Route::Stub(stub) if reach::is_coming(core, stub) => Target::Foreign,
        Route::Owner(owner) | Route::Stub(owner) => {
            match registry.standing(owner).and_then(|standing| standing.link) {
                Some(link) => Target::Link(link, owner),
                None => Target::Down(owner),
            }
        }
        Route::Absent => Target::Absent,
        Route::Foreign => Target::Foreign,
    }
}

/// The kind of party that a kind of component is.
pub(crate) const fn party_kind(kind: ComponentKind) -> PartyKind {
    match kind {
        ComponentKind::Hyperty => PartyKind::Hyperty,
        ComponentKind::ProtoStub => PartyKind::ProtoStub,
        ComponentKind::IdpProxy => PartyKind::IdpProxy,
    }
}

fn party<'a>(standing: &'a Standing, address: &'a Address) -> Party<'a> {
    Party {
        kind: standing.kind,
        address,
        provider: &standing.provider,
        name: &standing.name,
        user: standing.acts_for(),
        level: standing.level,
        digest: &standing.digest,
    }
}

fn remote(address: &Address) -> Party<'_> {
    let kind = PartyKind::Remote;
    Party {
        kind,
        address,
        provider: "",
        name: "",
        user: "",
        level: None,
        digest: "",
    }
}
