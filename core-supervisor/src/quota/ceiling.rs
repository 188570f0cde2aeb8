//! The operator's ceiling: `[limits]` of `hyperty.toml`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use protocol::nursery::Engine;

use super::Quota;

/// What becomes of a component whose descriptor asks for more than the ceiling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OverCeiling {
    /// It is not deployed.
    #[default]
    Refuse,
    /// It gets what the ceiling is.
    Clip,
}

impl FromStr for OverCeiling {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "refuse" => Ok(Self::Refuse),
            "clip" => Ok(Self::Clip),
            other => Err(format!("over-ceiling is `{other}`: say `refuse` or `clip`")),
        }
    }
}

impl fmt::Display for OverCeiling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refuse => "refuse",
            Self::Clip => "clip",
        })
    }
}

/// What the operator lets components have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ceiling {
    set: BTreeMap<Quota, (u64, String)>,
    /// What becomes of who asks for more.
    pub over: OverCeiling,
}

impl Ceiling {
    /// Sets one, as it stands at a place: `file:line`.
    pub fn set(&mut self, quota: Quota, value: u64, place: String) {
        self.set.insert(quota, (value, place));
    }

    /// What the operator set, and where.
    pub fn by_operator(&self, quota: Quota) -> Option<(u64, &str)> {
        let (value, place) = self.set.get(&quota)?;
        Some((*value, place))
    }

    /// The most that a component may ask for, and who says so.
    pub fn of(&self, quota: Quota, engine: Engine) -> (u64, &str) {
        let usual = (quota.usual(engine), "the runtime's default");
        self.by_operator(quota).unwrap_or(usual)
    }
}
