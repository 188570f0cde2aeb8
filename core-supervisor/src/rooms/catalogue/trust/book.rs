//! What is known of one package: the release in use, those before, and one that waits.

use hyperty_package::{Grown, Rights, Version, rights};
use serde::{Deserialize, Serialize};

use super::{PREVIOUS_MAX, Signed};
use crate::store::{Change, Table};

/// One release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Release {
    pub(crate) version: Version,
    pub(crate) digest: String,
    pub(crate) rights: Rights,
}

/// The releases of one package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The highest version that was ever in use; it only grows.
    floor: Version,
    pub(super) current: Release,
    /// The latest last.
    #[serde(default)]
    pub(super) previous: Vec<Release>,
    #[serde(default)]
    pub(super) waiting: Option<Release>,
    /// Whether somebody went back, so that nothing newer comes by itself.
    #[serde(default)]
    pub(super) is_held: bool,
}

impl Release {
    pub(super) fn of(signed: &Signed) -> Self {
        Self {
            version: signed.version,
            digest: signed.digest.clone(),
            rights: signed.rights.clone(),
        }
    }
}

impl Kept {
    pub(super) fn of(first: Release) -> Self {
        Self {
            floor: first.version,
            current: first,
            previous: Vec::new(),
            waiting: None,
            is_held: false,
        }
    }

    /// Why a release that is not the one in use may never be.
    pub(super) fn refuses(&self, fresh: &Release) -> Option<String> {
        let (version, floor) = (fresh.version, self.floor);
        let is_known = self.releases().any(|known| known.digest == fresh.digest);
        if version < floor {
            return Some(format!(
                "version {version} is older than {floor}, which was here before: a catalogue must not go back. To go \
                 back by yourself: `hyperty rollback`"
            ));
        }
        (version == floor && !is_known).then(|| {
            format!(
                "it is another package of the version {version} that was here before: its provider must \
                 give it a higher number"
            )
        })
    }

    /// Why a newer release does not run by itself; then it waits.
    pub(super) fn makes_wait(&mut self, fresh: &Release) -> Option<String> {
        let grown = self.grown(fresh);
        if grown.is_empty() && !self.is_held {
            return None;
        }
        let (version, current) = (fresh.version, self.current.version);
        self.waiting = Some(fresh.clone());
        Some(if grown.is_empty() {
            format!("version {version} waits, because somebody went back to {current}")
        } else {
            format!(
                "version {version} asks for more than {current}: {}",
                grown.join("; ")
            )
        })
    }

    /// A release takes the place of the one in use.
    pub(super) fn takes(&mut self, fresh: Release) {
        self.floor = self.floor.max(fresh.version);
        let before = std::mem::replace(&mut self.current, fresh);
        let current = &self.current.digest;
        self.previous.retain(|release| release.digest != *current);
        self.previous.push(before);
        if self.previous.len() > PREVIOUS_MAX {
            self.previous.remove(0);
        }
        self.waiting = None;
        self.is_held = false;
    }

    /// What a release asks for beyond the one in use.
    pub(super) fn grown(&self, fresh: &Release) -> Grown {
        rights::grown(&self.current.rights, &fresh.rights)
    }

    pub(super) fn releases(&self) -> impl Iterator<Item = &Release> {
        let others = self.previous.iter().chain(&self.waiting);
        std::iter::once(&self.current).chain(others)
    }

    pub(super) fn change(&self, item: &str) -> Change {
        Change {
            table: Table::Trust,
            key: format!("item\0{item}"),
            value: serde_json::to_vec(self).ok(),
        }
    }
}
