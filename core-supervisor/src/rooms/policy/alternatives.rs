//! Conditions that name some parties: `x is A || x is B`, `x.name == "a"`,
//! `["a", "b"].contains(x.name)`.

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy::pst::{BinaryOp, Expr, Literal, Var};

use super::sieve::{Trait, kind_bits};

/// What the alternatives of one condition have in common, and the alternatives.
#[derive(Default)]
pub(super) struct Alternatives {
    pub(super) var: Option<Var>,
    pub(super) choice: Option<Choice>,
}

pub(super) enum Choice {
    Kinds(u8),
    Values(Trait, Vec<String>),
}

impl Alternatives {
    /// Whether the condition is of these forms throughout, and about one party.
    pub(super) fn collect(&mut self, expr: &Expr) -> bool {
        match expr {
            Expr::BinaryOp {
                op: BinaryOp::Or,
                left,
                right,
            } => self.collect(left) && self.collect(right),
            Expr::Is {
                expr,
                entity_type,
                in_expr: None,
            } => match **expr {
                Expr::Var(ref var) => self.add(var, Choice::Kinds(kind_bits(entity_type))),
                _ => false,
            },
            Expr::BinaryOp {
                op: BinaryOp::Eq,
                left,
                right,
            } => self.equal(left, right) || self.equal(right, left),
            Expr::BinaryOp {
                op: BinaryOp::Contains,
                left,
                right,
            } => self.contained(left, right),
            _ => false,
        }
    }

    fn equal(&mut self, attribute: &Expr, value: &Expr) -> bool {
        if let (Expr::Var(var), Expr::Literal(Literal::EntityUID(uid))) = (attribute, value) {
            let values = vec![uid.eid.to_string()];
            return self.add(var, Choice::Values(Trait::Id, values));
        }
        let Expr::Literal(Literal::String(value)) = value else {
            return false;
        };
        self.attribute(attribute, vec![value.to_string()])
    }

    fn contained(&mut self, set: &Expr, attribute: &Expr) -> bool {
        let Expr::Set(members) = set else {
            return false;
        };
        let text = |member: &Arc<Expr>| match &**member {
            Expr::Literal(Literal::String(text)) => Some(text.to_string()),
            _ => None,
        };
        // A rule must not be filed twice in one place, so each value counts once.
        let values: Option<BTreeSet<String>> = members.iter().map(text).collect();
        values.is_some_and(|values| self.attribute(attribute, values.into_iter().collect()))
    }

    fn attribute(&mut self, expr: &Expr, values: Vec<String>) -> bool {
        let Expr::GetAttr { expr, attr } = expr else {
            return false;
        };
        match (&**expr, Trait::named(attr)) {
            (Expr::Var(var), Some(which)) => self.add(var, Choice::Values(which, values)),
            _ => false,
        }
    }

    fn add(&mut self, var: &Var, choice: Choice) -> bool {
        if self.var.get_or_insert_with(|| var.clone()) != var {
            return false;
        }
        match (&mut self.choice, choice) {
            (None, first) => self.choice = Some(first),
            (Some(Choice::Kinds(all)), Choice::Kinds(more)) => *all |= more,
            (Some(Choice::Values(which, all)), Choice::Values(other, more)) if *which == other => {
                all.extend(more);
                all.sort();
                all.dedup();
            }
            _ => return false,
        }
        true
    }
}
