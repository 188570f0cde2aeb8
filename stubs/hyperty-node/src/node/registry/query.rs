//! What can be looked for (spec messaging §11.2).

use protocol::Address;
use serde::Deserialize;
use serde_json::Value;

use super::record::{Kind, Record, mail};

/// What narrows a query down.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Criteria {
    pub(crate) resources: Vec<String>,
    pub(crate) data_schemes: Vec<String>,
    pub(crate) reporter: Option<String>,
}

/// A query.
#[derive(Debug)]
pub(crate) enum Query<'a> {
    /// One registration.
    Url(Address),
    /// All of one user, GUID, name or reporter.
    Index {
        /// The entry of the index.
        key: String,
        /// `None`: either.
        kind: Option<Kind>,
        /// What else must hold.
        criteria: &'a Criteria,
    },
}

/// What a query found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Found {
    /// A record, or a map of them by address.
    pub(crate) value: Value,
    /// Whether one of them is not disconnected.
    pub(crate) is_live: bool,
}

impl<'a> Query<'a> {
    /// Reads `resource`, as all generations of runtimes write it.
    pub(crate) fn new(resource: &str, criteria: &'a Criteria) -> Self {
        let by = |key: String, kind| Self::Index {
            key,
            kind,
            criteria,
        };
        if let Some(reporter) = &criteria.reporter {
            return by(format!("reporter {reporter}"), Some(Kind::Object));
        }
        if let Some(id) = resource.strip_prefix("/hyperty/idp-identifier/") {
            return by(format!("user {}", mail(id)), Some(Kind::Hyperty));
        }
        if resource.starts_with("user://") {
            return by(format!("user {}", mail(resource)), Some(Kind::Hyperty));
        }
        if resource.starts_with("user-guid://") {
            return by(format!("guid {resource}"), None);
        }
        match resource.parse::<Address>() {
            Ok(url) if resource.contains("://") => Self::Url(url),
            _ => by(format!("name {resource}"), Some(Kind::Object)),
        }
    }

    /// Whether a record of the index is meant: it must have all that is asked for.
    pub(crate) fn matches(&self, record: &Record) -> bool {
        let Self::Index { kind, criteria, .. } = self else {
            return true;
        };
        kind.is_none_or(|kind| kind == record.kind)
            && record.has_all("resources", &criteria.resources)
            && record.has_all("dataSchemes", &criteria.data_schemes)
    }
}
