//! What one component gets.

use std::collections::BTreeMap;

use protocol::nursery::Engine;

use super::{Asked, Ceiling, OverCeiling, Quota, Quotas, Row};

/// What a component has, and by whose word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The numbers.
    pub quotas: Quotas,
    origins: BTreeMap<Quota, String>,
}

/// A descriptor asks for more than the operator lets it have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "its descriptor asks for `limits.{member}` {asked} ({unit}), and the ceiling is {ceiling}, by {place}: \
     lower it in the descriptor, raise `{key}` in `hyperty.toml`, or say `over-ceiling = \"clip\"` there"
)]
pub struct TooMuch {
    /// Of the descriptor.
    pub member: &'static str,
    /// Of `hyperty.toml`.
    pub key: &'static str,
    /// In what both are counted.
    pub unit: &'static str,
    /// What was asked for.
    pub asked: u64,
    /// What may be had.
    pub ceiling: u64,
    /// Who says so: `file:line`.
    pub place: String,
}

impl Limits {
    /// What a component has whose descriptor asks for nothing.
    pub fn plain(engine: Engine, ceiling: &Ceiling) -> Self {
        let mut limits = Self {
            quotas: Quotas::usual(engine),
            origins: BTreeMap::new(),
        };
        for quota in Quota::ALL {
            if let Some((most, place)) = ceiling.by_operator(quota)
                && most < limits.quotas.of(quota)
            {
                limits.set(quota, most, place.to_owned());
            }
        }
        limits
    }

    /// Whose word a number is: `default`, `descriptor`, or `file:line` of the ceiling.
    pub fn origin(&self, quota: Quota) -> &str {
        self.origins.get(&quota).map_or("default", String::as_str)
    }

    fn set(&mut self, quota: Quota, value: u64, origin: String) {
        self.quotas.set(quota, value);
        self.origins.insert(quota, origin);
    }
}

/// What a component gets whose descriptor asks for this.
pub fn settle(asked: &Asked, engine: Engine, ceiling: &Ceiling) -> Result<Limits, TooMuch> {
    let mut limits = Limits::plain(engine, ceiling);
    for (quota, asked) in asked {
        let (quota, asked) = (*quota, *asked);
        let (most, place) = ceiling.of(quota, engine);
        let Row {
            member, key, unit, ..
        } = quota.row();
        match ceiling.over {
            _ if asked <= most => limits.set(quota, asked, "descriptor".to_owned()),
            OverCeiling::Clip => {
                let origin = format!("{place}, clipped: its descriptor asks for {asked}");
                limits.set(quota, most, origin);
            }
            OverCeiling::Refuse => {
                return Err(TooMuch {
                    member,
                    key,
                    unit,
                    asked,
                    ceiling: most,
                    place: place.to_owned(),
                });
            }
        }
    }
    Ok(limits)
}
