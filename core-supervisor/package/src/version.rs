//! Versions: three numbers, compared one after the other.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// `major.minor.patch`.
///
/// Nothing stands behind the numbers: of two versions it must be plain which one is
/// the newer, to people and to programs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(pub u32, pub u32, pub u32);

/// Not a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no version: say three numbers, such as 1.4.0")]
pub struct NotVersion(String);

impl Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl FromStr for Version {
    type Err = NotVersion;

    fn from_str(text: &str) -> Result<Self, NotVersion> {
        let bad = || {
            NotVersion(
                text.chars()
                    .take(32)
                    .flat_map(char::escape_default)
                    .collect(),
            )
        };
        let mut parts = text.split('.').map(|part| part.parse().ok());
        let mut part = || parts.next().flatten().ok_or_else(bad);
        let version = Self(part()?, part()?, part()?);
        // One spelling each: no `+1`, no `01`, nothing behind.
        (version.to_string() == text)
            .then_some(version)
            .ok_or_else(bad)
    }
}

impl TryFrom<String> for Version {
    type Error = NotVersion;

    fn try_from(text: String) -> Result<Self, NotVersion> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_one_spelling_and_an_order() {
        let version = |text: &str| text.parse::<Version>().ok();

        assert!(version("1.10.0") > version("1.9.9"));
        assert_eq!(version("1.2.3"), Some(Version(1, 2, 3)));
        for bad in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "01.2.3",
            "+1.2.3",
            "1.2.3-a",
            "1.2.4294967296",
        ] {
            assert_eq!(version(bad), None, "{bad}");
        }
    }
}
