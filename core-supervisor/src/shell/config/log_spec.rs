//! What is logged, as the operator says it.

use std::fmt;

use super::LOG_FILTER;

/// What is logged, and how it looks: `debug`, `json`, `json:core=debug,info`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSpec {
    /// One JSON object per line, for machines.
    pub is_json: bool,
    /// A level, or `target=level` pairs.
    pub filter: String,
}

impl Default for LogSpec {
    fn default() -> Self {
        Self {
            is_json: false,
            filter: LOG_FILTER.to_owned(),
        }
    }
}

impl std::str::FromStr for LogSpec {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (is_json, filter) = match text.split_once(':') {
            Some(("json", filter)) => (true, filter),
            None if text == "json" => (true, LOG_FILTER),
            _ => (false, text),
        };
        Ok(Self {
            is_json,
            filter: filter.to_owned(),
        })
    }
}

impl fmt::Display for LogSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = if self.is_json { "json:" } else { "" };
        write!(f, "{form}{}", self.filter)
    }
}
