//! What a rule looks at beyond the two parties and the type of the message.

use cedar_policy::pst::{Expr, Var};

/// What a rule looks at beyond the two parties and the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Reads {
    pub(super) clock: bool,
    pub(super) body: bool,
    /// Whether the sender takes part in the object that is addressed.
    pub(super) relation: bool,
}

impl Reads {
    pub(super) fn union(self, other: Self) -> Self {
        Self {
            clock: self.clock || other.clock,
            body: self.body || other.body,
            relation: self.relation || other.relation,
        }
    }

    /// Whether the answer can change while the policy and the parties stay.
    ///
    /// Not by a relation: who begins or ends one has every answer forgotten.
    pub(super) fn is_fleeting(self) -> bool {
        self.clock || self.body
    }
}

/// What a condition looks at.
pub(super) fn reads(expr: &Expr) -> Reads {
    let both = |left: &Expr, right: &Expr| reads(left).union(reads(right));
    match expr {
        Expr::GetAttr { expr, attr } => match **expr {
            Expr::Var(Var::Context) => member(attr),
            ref inner => reads(inner),
        },
        Expr::HasAttr { expr, attrs } => match **expr {
            Expr::Var(Var::Context) => member(&attrs.head),
            ref inner => reads(inner),
        },
        Expr::UnaryOp { expr, .. } | Expr::Like { expr, .. } => reads(expr),
        Expr::BinaryOp { left, right, .. } => both(left, right),
        Expr::Is { expr, in_expr, .. } => match in_expr {
            Some(parent) => both(expr, parent),
            None => reads(expr),
        },
        Expr::IfThenElse {
            cond,
            then_expr,
            else_expr,
        } => reads(cond).union(both(then_expr, else_expr)),
        Expr::Set(members) => members
            .iter()
            .fold(Reads::default(), |all, member| all.union(reads(member))),
        Expr::Record(members) => members
            .values()
            .fold(Reads::default(), |all, member| all.union(reads(member))),
        Expr::Literal(_) | Expr::Var(Var::Principal | Var::Action | Var::Resource) => {
            Reads::default()
        }
        // The whole context, compared or stored, or a form that a later Cedar
        // brings: as good as looking at everything.
        _ => Reads {
            clock: true,
            body: true,
            relation: true,
        },
    }
}

fn member(name: &str) -> Reads {
    Reads {
        clock: matches!(name, "minute" | "weekday" | "date"),
        body: name == "body",
        relation: name == "relation",
    }
}
