//! What is searched for, as patterns of keys (spec messaging §11.2).

use protocol::Address;
use serde_json::{Map, Value};

use super::{Answer, bad, identifier, is_hyperty};
use crate::names::{address_token, text_token};

/// Where the cluster has to look, one place after the other.
pub(super) struct Search {
    pub(super) patterns: Vec<String>,
    pub(super) is_single: bool,
}

impl Search {
    pub(super) fn of(
        resource: &str,
        criteria: Option<&Map<String, Value>>,
    ) -> Result<Self, Answer> {
        let word = |text: &str| text_token(text).map_err(|error| bad(&error.to_string()));
        let many = |pattern: String| Self {
            patterns: vec![pattern],
            is_single: false,
        };
        let reporter = criteria.and_then(|criteria| criteria.get("reporter"));
        if let Some(reporter) = reporter.and_then(Value::as_str) {
            return Ok(many(format!("o.*.{}.*.*", word(reporter)?)));
        }
        if let Some(user) = resource.strip_prefix("/hyperty/idp-identifier/") {
            return Ok(many(format!("h.*.{}.*.*", word(user)?)));
        }
        if resource.starts_with("user://") {
            return Ok(many(format!("h.*.{}.*.*", word(&identifier(resource))?)));
        }
        if resource.starts_with("user-guid://") {
            return Ok(many(format!("h.*.*.{}.*", word(resource)?)));
        }
        let name = format!("o.*.*.{}.*", word(resource)?);
        match resource.parse::<Address>() {
            Ok(address) if resource.contains("://") => {
                let word = address_token(&address).map_err(|error| bad(&error.to_string()))?;
                let kind = if is_hyperty(&address) { "h" } else { "o" };
                Ok(Self {
                    patterns: vec![format!("{kind}.{word}.*.*.*")],
                    is_single: true,
                })
            }
            _ => Ok(many(name)),
        }
    }
}
