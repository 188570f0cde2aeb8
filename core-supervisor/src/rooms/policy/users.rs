//! Users that rules name must be written as users are compared.
//!
//! People write `ann@idp.example` wherever this runtime asks for a user; a rule that
//! did so would never apply, which nobody notices in a `forbid`.

use cedar_policy::Policy;
use cedar_policy::pst::{self, BinaryOp, Clause, Expr, Literal, Var};

use crate::user::User;

/// What is wrong with the users that a rule names, and what to write instead.
pub(super) fn wrong_users(policy: &Policy) -> Vec<(String, String)> {
    let Ok(pst::Policy::Static(rule)) = policy.to_pst() else {
        return Vec::new(); // templates are refused elsewhere
    };
    let mut named = Vec::new();
    for clause in rule.body().clauses() {
        let (Clause::When(expr) | Clause::Unless(expr)) = clause;
        collect(expr, &mut named);
    }
    named.iter().filter_map(|text| wrong_user(text)).collect()
}

fn wrong_user(text: &str) -> Option<(String, String)> {
    match text.parse::<User>() {
        Ok(user) if user.url().as_str() == text => None,
        Ok(user) => {
            let message = format!("`{text}` is not in the form that users have in rules");
            Some((message, format!("write `{user}`")))
        }
        Err(e) => Some((e.to_string(), "write `user://idp/name`".to_owned())),
    }
}

/// The texts that are compared with the user of a party.
fn collect(expr: &Expr, named: &mut Vec<String>) {
    match expr {
        Expr::BinaryOp { op, left, right } => {
            let is_compared = matches!(op, BinaryOp::Eq | BinaryOp::NotEq | BinaryOp::Contains);
            if is_compared && is_user(right) {
                texts(left, named);
            }
            if is_compared && is_user(left) {
                texts(right, named);
            }
            collect(left, named);
            collect(right, named);
        }
        Expr::UnaryOp { expr, .. } => collect(expr, named),
        Expr::IfThenElse {
            cond,
            then_expr,
            else_expr,
        } => [cond, then_expr, else_expr]
            .into_iter()
            .for_each(|expr| collect(expr, named)),
        // Elsewhere a comparison can stand only as a value, of which no rule has use.
        _ => {}
    }
}

fn is_user(expr: &Expr) -> bool {
    let Expr::GetAttr { expr, attr } = expr else {
        return false;
    };
    *attr == "user" && matches!(**expr, Expr::Var(Var::Principal | Var::Resource))
}

fn texts(expr: &Expr, named: &mut Vec<String>) {
    match expr {
        Expr::Literal(Literal::String(text)) => named.push(text.to_string()),
        Expr::Set(members) => members.iter().for_each(|member| texts(member, named)),
        _ => {}
    }
}
