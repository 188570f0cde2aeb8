//! For which questions a rule must be asked at all, read off its text.
//!
//! A sieve is a *necessary* condition: where it says no, the rule evaluates to
//! false without an error. Therefore only the scope is read, and the leading
//! conditions of the `when` clauses as long as they cannot fail; what comes
//! after the first other condition stays with Cedar.

use cedar_policy::Policy;
use cedar_policy::pst::{
    ActionConstraint, BinaryOp, Clause, EntityOrSlot, EntityType, EntityUID, Expr,
    PrincipalConstraint, ResourceConstraint, Template, Var,
};

use super::alternatives::{Alternatives, Choice};
use super::deed;
use super::limits::PLACES_PER_RULE_MAX;
use super::question::{Party, PartyKind};
use super::reads::{Reads, reads};

/// An attribute of a party by whose value rules are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Trait {
    // In the order in which they are preferred: the first is the most telling.
    /// The entity's own id.
    Id,
    Address,
    Digest,
    Name,
    User,
    Provider,
    Path,
    Domain,
    Scheme,
}

impl Trait {
    /// The attribute of this name, if rules are found by it.
    pub(super) fn named(attribute: &str) -> Option<Self> {
        Some(match attribute {
            "address" => Self::Address,
            "digest" => Self::Digest,
            "name" => Self::Name,
            "user" => Self::User,
            "provider" => Self::Provider,
            "path" => Self::Path,
            "domain" => Self::Domain,
            "scheme" => Self::Scheme,
            _ => return None,
        })
    }

    /// What a party has there; empty for what it lacks.
    pub(super) fn of<'a>(self, party: &'a Party<'_>) -> &'a str {
        match self {
            Self::Id => super::facts::id(party),
            Self::Address => party.address.as_str(),
            Self::Digest => party.digest,
            Self::Name => super::facts::name(party),
            Self::User => party.acts_for().unwrap_or_default(),
            Self::Provider => party.provider,
            Self::Path => party.address.path(),
            Self::Domain => party.address.served_domain(),
            Self::Scheme => party.address.scheme(),
        }
    }
}

/// Which parties of one side a rule can concern.
#[derive(Debug, Clone)]
pub(super) struct Side {
    /// Kinds, as bits in the order of [`PartyKind::ALL`].
    pub(super) kinds: u8,
    /// Values of one attribute, one of which the party has; `None` for any party.
    pub(super) values: Option<(Trait, Vec<String>)>,
}

/// The necessary condition of one rule.
#[derive(Debug, Clone)]
pub(super) struct Sieve {
    pub(super) actions: u16,
    pub(super) principal: Side,
    pub(super) resource: Side,
    pub(super) reads: Reads,
}

/// Reads the sieve of a rule.
pub(super) fn read(policy: &Policy) -> Option<Sieve> {
    let cedar_policy::pst::Policy::Static(rule) = policy.to_pst().ok()? else {
        return None; // templates are refused before
    };
    let template = rule.body();
    let mut sieve = Sieve {
        actions: actions(&template.action),
        principal: principal(&template.principal),
        resource: resource(&template.resource),
        reads: Reads::default(),
    };
    sieve.narrow_by_conditions(template);
    for clause in template.clauses() {
        let (Clause::When(expr) | Clause::Unless(expr)) = clause;
        sieve.reads = sieve.reads.union(reads(expr));
    }
    sieve.bound_places();
    Some(sieve)
}

impl Sieve {
    fn narrow_by_conditions(&mut self, template: &Template) {
        for clause in template.clauses() {
            let Clause::When(expr) = clause else { return };
            if !self.narrow(expr) {
                return;
            }
        }
    }

    /// Takes in a condition; whether what follows may be taken in as well.
    fn narrow(&mut self, expr: &Expr) -> bool {
        match expr {
            Expr::BinaryOp {
                op: BinaryOp::And,
                left,
                right,
            } => self.narrow(left) && self.narrow(right),
            Expr::HasAttr { expr, attrs } if attrs.len() == 1 => self.has(expr, &attrs.head),
            _ => self.one_of(expr),
        }
    }

    fn has(&mut self, expr: &Expr, attribute: &str) -> bool {
        let Some(side) = self.side(expr) else {
            return false;
        };
        side.kinds &= match attribute {
            "provider" => kinds(PartyKind::has_provider),
            "name" => kinds(PartyKind::has_name),
            "user" => kinds(PartyKind::has_user),
            "level" | "digest" => kinds(PartyKind::is_component),
            _ => kinds(|_| true),
        };
        true
    }

    /// `x is A || x is B`, `x.name == "a" || x.name == "b"`, `["a", "b"].contains(x.name)`.
    fn one_of(&mut self, expr: &Expr) -> bool {
        let mut found = Alternatives::default();
        if !found.collect(expr) {
            return false;
        }
        let (Some(var), Some(choice)) = (found.var, found.choice) else {
            return false;
        };
        let Some(side) = self.side(&Expr::Var(var)) else {
            return false;
        };
        match choice {
            Choice::Kinds(bits) => side.kinds &= bits,
            Choice::Values(which, values) => side.prefer(which, values),
        }
        true
    }

    fn side(&mut self, expr: &Expr) -> Option<&mut Side> {
        match expr {
            Expr::Var(Var::Principal) => Some(&mut self.principal),
            Expr::Var(Var::Resource) => Some(&mut self.resource),
            _ => None,
        }
    }

    // A rule over many senders and many receivers would be filed under all
    // pairs of them; beyond the bound it is filed under fewer, and asked more.
    fn bound_places(&mut self) {
        let count = |side: &Side| side.values.as_ref().map_or(1, |(_, values)| values.len());
        if count(&self.principal) * count(&self.resource) <= PLACES_PER_RULE_MAX {
            return;
        }
        if count(&self.principal) >= count(&self.resource) {
            self.principal.values = None;
        } else {
            self.resource.values = None;
        }
        self.bound_places();
    }
}

impl Side {
    fn any() -> Self {
        Self {
            kinds: kinds(|_| true),
            values: None,
        }
    }

    fn prefer(&mut self, which: Trait, values: Vec<String>) {
        match &self.values {
            Some((had, _)) if *had <= which => {}
            _ => self.values = Some((which, values)),
        }
    }

    fn is(&mut self, kind: &EntityType) {
        self.kinds &= kind_bits(kind);
    }

    fn equals(&mut self, entity: &EntityOrSlot) {
        let EntityOrSlot::Entity(entity) = entity else {
            return;
        };
        self.is(&entity.ty);
        self.prefer(Trait::Id, vec![entity.eid.to_string()]);
    }

    // `in` holds for the entity itself and for its parents; only providers are parents.
    fn within(&mut self, entity: &EntityOrSlot) {
        let EntityOrSlot::Entity(entity) = entity else {
            return;
        };
        if entity.ty.to_string() == "Provider" {
            self.kinds &= kinds(PartyKind::has_provider);
            self.prefer(Trait::Provider, vec![entity.eid.to_string()]);
        } else {
            self.is(&entity.ty);
            self.prefer(Trait::Id, vec![entity.eid.to_string()]);
        }
    }
}

fn principal(constraint: &PrincipalConstraint) -> Side {
    let mut side = Side::any();
    match constraint {
        PrincipalConstraint::Any => {}
        PrincipalConstraint::Eq(entity) => side.equals(entity),
        PrincipalConstraint::In(entity) => side.within(entity),
        PrincipalConstraint::Is(kind) => side.is(kind),
        PrincipalConstraint::IsIn(kind, entity) => {
            side.is(kind);
            side.within(entity);
        }
    }
    side
}

fn resource(constraint: &ResourceConstraint) -> Side {
    principal(&match constraint.clone() {
        ResourceConstraint::Any => PrincipalConstraint::Any,
        ResourceConstraint::Eq(entity) => PrincipalConstraint::Eq(entity),
        ResourceConstraint::In(entity) => PrincipalConstraint::In(entity),
        ResourceConstraint::Is(kind) => PrincipalConstraint::Is(kind),
        ResourceConstraint::IsIn(kind, entity) => PrincipalConstraint::IsIn(kind, entity),
    })
}

fn actions(constraint: &ActionConstraint) -> u16 {
    let bits = |uid: &EntityUID| deed::bits(&uid.eid);
    match constraint {
        ActionConstraint::Any => deed::ALL,
        ActionConstraint::Eq(uid) => bits(uid),
        ActionConstraint::In(uids) => uids.iter().fold(0, |all, uid| all | bits(uid)),
    }
}

fn kinds(holds: impl Fn(PartyKind) -> bool) -> u8 {
    let bits = PartyKind::ALL.iter().enumerate();
    bits.fold(0, |all, (at, &kind)| all | (u8::from(holds(kind)) << at))
}

pub(super) fn kind_bits(kind: &EntityType) -> u8 {
    let name = kind.to_string();
    kinds(|kind| kind.as_str() == name)
}

/// The bit of a kind.
pub(super) fn kind_bit(kind: PartyKind) -> u8 {
    kinds(|other| other == kind)
}
