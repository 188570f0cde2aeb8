//! What the operator sets: which packages may be unsigned, and whose keys are known.

use std::fmt::{self, Display};
use std::str::FromStr;

use super::keys::Pinned;
use crate::rooms::catalogue::names;

/// Which packages may be unsigned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Unsigned {
    /// None.
    None,
    /// Those of directories that the operator named: who writes them is at this machine.
    #[default]
    Directories,
    /// Those fetched from other domains as well.
    All,
}

/// Not such a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not which packages may be unsigned: say none, directories or all")]
pub struct NotUnsigned(String);

/// Not a provider and its key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a provider's key: say DOMAIN=RW…, the line of its `.pub` file")]
pub struct NotPinned(String);

impl Display for Unsigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Directories => "directories",
            Self::All => "all",
        })
    }
}

impl FromStr for Unsigned {
    type Err = NotUnsigned;

    fn from_str(text: &str) -> Result<Self, NotUnsigned> {
        let known = [Self::None, Self::Directories, Self::All];
        let found = known.into_iter().find(|known| known.to_string() == text);
        found.ok_or_else(|| NotUnsigned(shown(text)))
    }
}

impl Display for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.provider, self.key)
    }
}

impl FromStr for Pinned {
    type Err = NotPinned;

    fn from_str(text: &str) -> Result<Self, NotPinned> {
        let bad = || NotPinned(shown(text));
        let (provider, key) = text.split_once('=').ok_or_else(bad)?;
        let key = key.parse().map_err(|_| bad())?;
        let provider = provider.to_owned();
        let is_domain = names::is_domain(&provider);
        is_domain.then_some(Self { provider, key }).ok_or_else(bad)
    }
}

fn shown(text: &str) -> String {
    text.chars()
        .take(96)
        .flat_map(char::escape_default)
        .collect()
}
