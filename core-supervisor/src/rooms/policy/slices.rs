//! Finds the few rules that can concern a question among all of them.
//!
//! Cedar evaluates every rule of the set it is given, about 0.65 µs each. So a
//! rule is filed under what its [`Sieve`] says about sender and receiver, and a
//! question opens only the drawers with its own parties' values on them.

use std::collections::{BTreeSet, HashMap};

use cedar_policy::{Policy, PolicySet};

use super::deed;
use super::question::{Party, Question};
use super::reads::Reads;
use super::sieve::{Sieve, Trait, kind_bit};

/// Rules that concern the same actions and kinds, and look at the same things.
#[derive(Debug)]
pub(super) struct Cell {
    actions: u16,
    principals: u8,
    resources: u8,
    pub(super) reads: Reads,
    pub(super) rules: PolicySet,
}

/// The drawers of one pair of attributes: sender's value → receiver's value → cells.
type Drawers = HashMap<String, HashMap<String, Vec<Cell>>>;

/// All rules, filed.
#[derive(Debug, Default)]
pub(super) struct Slices {
    drawers: HashMap<(Option<Trait>, Option<Trait>), Drawers>,
    // The keys of `drawers`, in a fixed order, so that explanations are the same each time.
    shapes: BTreeSet<(Option<Trait>, Option<Trait>)>,
}

impl Slices {
    /// Files a rule under every pair of values its sieve names.
    pub(super) fn file(&mut self, sieve: &Sieve, rule: &Policy) -> Result<(), String> {
        let any = (None, vec![String::new()]);
        let key = |values: &Option<(Trait, Vec<String>)>| match values {
            Some((which, values)) => (Some(*which), values.clone()),
            None => any.clone(),
        };
        let (from, senders) = key(&sieve.principal.values);
        let (to, receivers) = key(&sieve.resource.values);
        self.shapes.insert((from, to));
        let drawers = self.drawers.entry((from, to)).or_default();
        for sender in &senders {
            let drawer = drawers.entry(sender.clone()).or_default();
            for receiver in &receivers {
                let cells = drawer.entry(receiver.clone()).or_default();
                add(cells, sieve, rule)?;
            }
        }
        Ok(())
    }

    /// The cells whose rules can concern a question.
    pub(super) fn matching<'a>(&'a self, question: &Question<'_>) -> Vec<&'a Cell> {
        let action = 1_u16 << deed::index(question.act);
        let principal = kind_bit(question.from.kind);
        let resource = kind_bit(question.to.kind);
        let mut found = Vec::new();
        for &(from, to) in &self.shapes {
            let cells = self.drawers.get(&(from, to));
            let cells = cells.and_then(|drawers| drawers.get(value(from, &question.from)));
            let cells = cells.and_then(|drawer| drawer.get(value(to, &question.to)));
            let concerns = |cell: &&Cell| {
                cell.actions & action != 0
                    && cell.principals & principal != 0
                    && cell.resources & resource != 0
            };
            found.extend(cells.into_iter().flatten().filter(concerns));
        }
        found
    }
}

fn value<'a>(which: Option<Trait>, party: &'a Party<'_>) -> &'a str {
    which.map_or("", |which| which.of(party))
}

fn add(cells: &mut Vec<Cell>, sieve: &Sieve, rule: &Policy) -> Result<(), String> {
    let same = |cell: &&mut Cell| {
        cell.actions == sieve.actions
            && cell.principals == sieve.principal.kinds
            && cell.resources == sieve.resource.kinds
            && cell.reads == sieve.reads
    };
    if let Some(cell) = cells.iter_mut().find(same) {
        return cell.rules.add(rule.clone()).map_err(|e| e.to_string());
    }
    let rules = PolicySet::from_policies([rule.clone()]).map_err(|e| e.to_string())?;
    cells.push(Cell {
        actions: sieve.actions,
        principals: sieve.principal.kinds,
        resources: sieve.resource.kinds,
        reads: sieve.reads,
        rules,
    });
    Ok(())
}
