//! The configuration as `show-config` prints it.

use std::fmt::Display;
use std::path::PathBuf;

use serde::Serialize;

use super::{Config, Set};
use crate::quota::Quota;

/// The name of the output's form.
const SCHEMA: &str = "hyperty.config/1";

/// Everything in effect, with origins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// `hyperty.config/1`.
    pub schema: &'static str,
    /// In the order of the documentation.
    pub values: Vec<ShownValue>,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownValue {
    /// Its key in `hyperty.toml`.
    pub key: &'static str,
    /// The value: text, a number, or a list of texts.
    pub value: serde_json::Value,
    /// `default`, `file:line`, `environment NAME`, or `flag --name`.
    pub origin: String,
}

impl Config {
    /// Everything in effect, with origins.
    pub fn show(&self) -> Shown {
        let mut values = vec![
            path("data-dir", &self.data_dir),
            path("runtime-dir", &self.runtime_dir),
            paths("catalogue", &self.catalogues),
            paths("policy", &self.policies),
            text("min-level", &self.min_level),
            text("max-level", &self.max_level),
            path("sandbox-host", &self.sandbox_host),
            path("connector", &self.connector),
            shown(
                "resolver",
                &self.resolver,
                self.resolver.value.map(|server| server.to_string()),
            ),
            path("tls-roots", &self.tls_roots),
            number("sockets-max", &self.sockets_max),
            text("domain", &self.domain),
            list("node", &self.nodes),
            list("node-secret", &self.node_secrets),
            shown(
                "user",
                &self.user,
                self.user.value.as_ref().map(ToString::to_string),
            ),
            text("log", &self.log),
            number("spare-scripts", &self.spare_scripts),
            number("spare-natives", &self.spare_natives),
            number("starts-max", &self.starts_max),
            number("slots-max", &self.slots_max),
            shown("fetch", &self.fetch, self.fetch.value),
            text("unsigned", &self.unsigned),
            list("keys", &self.keys),
            shown("placement", &self.placement, self.placement.value),
            shown(
                "limits.over-ceiling",
                &self.ceiling,
                self.ceiling.value.over.to_string(),
            ),
        ];
        values.extend(Quota::ALL.map(|quota| self.limit(quota)));
        Shown {
            schema: SCHEMA,
            values,
        }
    }
}

impl Config {
    // Where the operator says nothing, it is what is usual for the engine.
    fn limit(&self, quota: Quota) -> ShownValue {
        let by_operator = self.ceiling.value.by_operator(quota);
        ShownValue {
            key: quota.row().key,
            value: by_operator.map(|(number, _)| number).into(),
            origin: by_operator.map_or("default", |(_, place)| place).to_owned(),
        }
    }
}

fn shown<T>(key: &'static str, set: &Set<T>, value: impl Into<serde_json::Value>) -> ShownValue {
    ShownValue {
        key,
        value: value.into(),
        origin: set.origin.to_string(),
    }
}

fn text<T: Display>(key: &'static str, set: &Set<T>) -> ShownValue {
    shown(key, set, set.value.to_string())
}

fn list<T: Display>(key: &'static str, set: &Set<Vec<T>>) -> ShownValue {
    let list: Vec<String> = set.value.iter().map(ToString::to_string).collect();
    shown(key, set, list)
}

fn number(key: &'static str, set: &Set<usize>) -> ShownValue {
    shown(key, set, set.value)
}

fn path(key: &'static str, set: &Set<PathBuf>) -> ShownValue {
    shown(key, set, set.value.display().to_string())
}

fn paths(key: &'static str, set: &Set<Vec<PathBuf>>) -> ShownValue {
    let list: Vec<String> = set
        .value
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    shown(key, set, list)
}
