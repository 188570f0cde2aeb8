//! Cedar's strict check, asked about no more than a rule can concern.
//!
//! Cedar checks a rule once for every action, kind of sender and kind of
//! receiver there is: some six hundred times. Here a rule is checked against the
//! schema with the others struck out. Nothing is lost: where a rule's scope or
//! leading conditions are false by kind, Cedar finds nothing to say, and all
//! actions on messages are declared alike.

use std::collections::HashMap;
use std::sync::LazyLock;

use cedar_policy::{Schema, SchemaFragment, Validator};
use serde_json::Value;

use super::deed;
use super::question::PartyKind;
use super::shipped::SCHEMA;
use super::sieve::{Sieve, kind_bit};

/// Which actions and kinds a rule is checked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Reach {
    actions: u16,
    principals: u8,
    resources: u8,
}

impl Reach {
    const EVERYTHING: Self = Self {
        actions: deed::ALL,
        principals: u8::MAX,
        resources: u8::MAX,
    };

    pub(super) fn of(sieve: &Sieve, text: &str) -> Self {
        // Beyond its place in the scope, `action` makes the actions differ.
        let actions = if text.matches("action").count() > 1 {
            sieve.actions
        } else {
            deed::one_message(sieve.actions)
        };
        let reach = Self {
            actions,
            principals: sieve.principal.kinds,
            resources: sieve.resource.kinds,
        };
        // A rule that concerns nothing is to be told so by Cedar, which knows where.
        match (reach.actions, reach.principals, reach.resources) {
            (0, _, _) | (_, 0, _) | (_, _, 0) => Self::EVERYTHING,
            _ => reach,
        }
    }
}

/// The schema, read once: it is part of the program.
static WHOLE: LazyLock<Result<Value, String>> = LazyLock::new(|| {
    let wrong = |e: &dyn std::fmt::Display| format!("policies/message/schema.cedarschema: {e}");
    let read = SchemaFragment::from_cedarschema_str(SCHEMA);
    let (fragment, warnings) = read.map_err(|e| wrong(&e))?;
    match warnings.into_iter().next() {
        Some(warning) => Err(wrong(&warning)),
        None => fragment.to_json_value().map_err(|e| wrong(&e)),
    }
});

/// A validator for each reach, made when it is first needed.
pub(super) struct Validators {
    schema: Value,
    made: HashMap<Reach, Validator>,
}

impl Validators {
    pub(super) fn new() -> Result<Self, String> {
        Ok(Self {
            schema: WHOLE.clone()?,
            made: HashMap::new(),
        })
    }

    pub(super) fn of(&mut self, reach: Reach) -> Result<&Validator, String> {
        if !self.made.contains_key(&reach) {
            let schema = Schema::from_json_value(narrowed(self.schema.clone(), reach));
            let schema = schema.map_err(|e| format!("the narrowed schema: {e}"))?;
            self.made.insert(reach, Validator::new(schema));
        }
        self.made
            .get(&reach)
            .ok_or_else(|| "a validator is gone".to_owned())
    }
}

fn narrowed(mut schema: Value, reach: Reach) -> Value {
    let actions = schema
        .pointer_mut("//actions")
        .and_then(Value::as_object_mut);
    for (name, action) in actions.into_iter().flatten() {
        let applies = deed::bits(name) & reach.actions != 0;
        let sides = [
            ("principalTypes", reach.principals),
            ("resourceTypes", reach.resources),
        ];
        for (side, kinds) in sides {
            let types = action.pointer_mut(&format!("/appliesTo/{side}"));
            if let Some(types) = types.and_then(Value::as_array_mut) {
                types.retain(|name| applies && is_among(name, kinds));
            }
        }
    }
    schema
}

fn is_among(name: &Value, kinds: u8) -> bool {
    let kind = PartyKind::ALL
        .into_iter()
        .find(|kind| Some(kind.as_str()) == name.as_str());
    kind.is_some_and(|kind| kinds & kind_bit(kind) != 0)
}
