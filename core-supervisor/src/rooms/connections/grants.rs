//! What the operator has granted and taken away, and what covers a dial.

use std::collections::BTreeMap;

use protocol::api::connections::{Grant, Pattern, Source};

use crate::limits::{GRANTS_MAX, GRANTS_PER_COMPONENT_MAX};
use crate::place::{Place, canonical};
use crate::store::{Change, Record, Table};

/// What covers a dial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Covered {
    pub(crate) source: Source,
    pub(crate) pattern: Pattern,
}

/// The operator's word, by component (`provider/name`).
#[derive(Debug, Default)]
pub(crate) struct Grants {
    by_component: BTreeMap<String, Vec<(Source, Pattern)>>,
    /// Raised by every change.
    pub(crate) version: u64,
}

impl Grants {
    /// What the operator has said about a component.
    pub(crate) fn of(&self, component: &str) -> &[(Source, Pattern)] {
        self.by_component.get(component).map_or(&[], Vec::as_slice)
    }

    /// The message nodes that the operator named at the start: they are not written,
    /// since they are named again at the next one, or are meant no more.
    pub(crate) fn with_nodes(nodes: Vec<Grant>) -> Self {
        let mut grants = Self::default();
        for Grant { component, pattern } in nodes {
            let said = grants.by_component.entry(component).or_default();
            said.push((Source::Node, pattern));
            said.sort();
            said.dedup();
        }
        grants
    }

    /// Everything that the operator has said.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &(Source, Pattern))> {
        let all = self.by_component.iter();
        all.flat_map(|(component, said)| said.iter().map(move |one| (component, one)))
    }

    /// What covers a dial of a component whose descriptor asks for `described`: what
    /// was revoked before what was granted, and the operator's word before the
    /// descriptor's; among equals one for private addresses before one without.
    pub(crate) fn cover(
        &self,
        component: &str,
        described: &[Pattern],
        place: &Place,
    ) -> Option<Covered> {
        let said = self.of(component);
        let of_operator = |wanted: Source| {
            let said = said.iter().filter(move |(source, _)| *source == wanted);
            said.map(|(_, pattern)| pattern)
        };
        let revoked = of_operator(Source::Revoked)
            .find(|pattern| has_host(pattern, place))
            .map(|pattern| (Source::Revoked, pattern));
        let best = |source: Source, pattern: Option<&Pattern>| Some((source, pattern?.clone()));
        let found = revoked
            .map(|(source, pattern)| (source, pattern.clone()))
            .or_else(|| {
                best(
                    Source::Operator,
                    widest(of_operator(Source::Operator), place),
                )
            })
            .or_else(|| best(Source::Node, widest(of_operator(Source::Node), place)))
            .or_else(|| best(Source::Descriptor, widest(described.iter(), place)));
        found.map(|(source, pattern)| Covered { source, pattern })
    }

    /// Adds what the operator says; what is to be written. An error when there are
    /// as many as there may be. A grant takes back what was revoked of it.
    pub(crate) fn add(&mut self, source: Source, grant: Grant) -> Result<Vec<Change>, String> {
        let Grant { component, pattern } = grant;
        let total: usize = self.by_component.values().map(Vec::len).sum();
        let said = self.by_component.entry(component.clone()).or_default();
        let mut changes = Vec::new();
        if source == Source::Operator {
            said.retain(|(other, revoked)| {
                let stays = *other != Source::Revoked || !is_revoked_by(revoked, &pattern);
                if !stays {
                    changes.push(change(&component, *other, revoked, false));
                }
                stays
            });
        }
        let is_same =
            |(other, known): &(Source, Pattern)| *other == source && key(known) == key(&pattern);
        if let Some(known) = said.iter().position(is_same) {
            said.remove(known);
        } else if said.len() >= GRANTS_PER_COMPONENT_MAX || total >= GRANTS_MAX {
            return Err(format!(
                "there may be {GRANTS_PER_COMPONENT_MAX} grants for a component, and {GRANTS_MAX} in all"
            ));
        }
        changes.push(change(&component, source, &pattern, true));
        said.push((source, pattern));
        said.sort();
        self.version += 1;
        Ok(changes)
    }

    /// Takes back what the operator has said about a place; what is to be written.
    pub(crate) fn remove(&mut self, grant: &Grant) -> Vec<Change> {
        let Some(said) = self.by_component.get_mut(&grant.component) else {
            return Vec::new();
        };
        let mut changes = Vec::new();
        said.retain(|(source, pattern)| {
            let is_it = match source {
                Source::Revoked => {
                    pattern.host == grant.pattern.host && pattern.port == grant.pattern.port
                }
                Source::Operator | Source::Descriptor => key(pattern) == key(&grant.pattern),
                Source::Node => false,
            };
            if is_it {
                changes.push(change(&grant.component, *source, pattern, false));
            }
            !is_it
        });
        if said.is_empty() {
            self.by_component.remove(&grant.component);
        }
        if !changes.is_empty() {
            self.version += 1;
        }
        changes
    }

    /// Takes back what was kept; one that cannot be read any more is left out.
    pub(crate) fn restore(&mut self, record: &Record) {
        let kept: Result<(String, Source, Pattern), _> = serde_json::from_slice(&record.value);
        if let Ok((component, source, pattern)) = kept {
            // Within the bounds: it was when it was written.
            let _ = self.add_restored(component, source, pattern);
        }
    }

    fn add_restored(&mut self, component: String, source: Source, pattern: Pattern) -> Option<()> {
        let said = self.by_component.entry(component).or_default();
        (said.len() < GRANTS_PER_COMPONENT_MAX).then(|| {
            said.push((source, pattern));
            said.sort();
        })
    }
}

fn widest<'p>(patterns: impl Iterator<Item = &'p Pattern>, place: &Place) -> Option<&'p Pattern> {
    let covers =
        |pattern: &&Pattern| pattern.protocol == place.transport && has_host(pattern, place);
    // `max_by_key` keeps the last of equals; the first is meant.
    let mut best: Option<&Pattern> = None;
    for pattern in patterns.filter(covers) {
        if best.is_none_or(|best| pattern.private && !best.private) {
            best = Some(pattern);
        }
    }
    best
}

fn has_host(pattern: &Pattern, place: &Place) -> bool {
    let fits = match pattern.host.strip_prefix("*.") {
        _ if pattern.host == "*" => true,
        Some(above) => {
            let below = place.host.strip_suffix(above);
            below.is_some_and(|below| below.len() > 1 && below.ends_with('.'))
        }
        None => pattern.host == place.host,
    };
    fits && (pattern.port == 0 || pattern.port == place.port)
}

// Whether a grant is about what was revoked, or a part of it.
fn is_revoked_by(revoked: &Pattern, pattern: &Pattern) -> bool {
    let place = Place {
        host: pattern
            .host
            .strip_prefix("*.")
            .map_or_else(|| pattern.host.clone(), |above| format!("x.{above}")),
        port: pattern.port,
        transport: pattern.protocol,
        private: pattern.private,
    };
    has_host(revoked, &place) || canonical(&revoked.host) == pattern.host
}

fn key(pattern: &Pattern) -> (&str, u16, protocol::dial::Transport) {
    (&pattern.host, pattern.port, pattern.protocol)
}

fn change(component: &str, source: Source, pattern: &Pattern, is_kept: bool) -> Change {
    let (host, port, protocol) = key(pattern);
    let key = serde_json::json!([component, source, host, port, protocol]);
    let value = serde_json::json!([component, source, pattern]);
    Change {
        table: Table::Grants,
        key: key.to_string(),
        value: is_kept.then(|| value.to_string().into_bytes()),
    }
}
