//! Whom this runtime believes: the keys of providers, and which release is in use.
//!
//! A package that reaches this point is whole, and its signature is by the key that it
//! brought; both were found out elsewhere (shell/package). Here it is decided whether
//! that key is its provider's, whether the version may be the next one, and whether it
//! asks for more than what was agreed to. Nothing here reads a clock: a version is
//! newer by its number.
//!
//! | what comes | then |
//! |---|---|
//! | unsigned | refused, unless the operator's setting permits it and no key of its provider is known |
//! | by a provider's first key | the key is pinned |
//! | by another key | refused |
//! | the release in use | runs |
//! | an older one, or another of the same number | refused |
//! | a newer one that asks for nothing more | takes the place of the one in use |
//! | a newer one that asks for more | waits; the one in use goes on |

mod book;
mod keys;
mod setting;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use hyperty_package::{Grown, Rights, Version};

use crate::store::{Change, Record};

pub(crate) use book::{Kept, Release};
pub use keys::Pinned;
pub use setting::{NotPinned, Unsigned};

/// Packages whose releases are remembered; beyond it nothing new is taken in.
pub(crate) const ITEMS_MAX: usize = 2048;

/// Older releases that can be gone back to.
pub(crate) const PREVIOUS_MAX: usize = 2;

/// What is known about the origin of a package that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seal {
    /// It came with the runtime.
    Own,
    /// Nobody signed it; whether it was fetched from another domain.
    Unsigned {
        /// Fetched, and not of a directory that the operator named.
        is_fetched: bool,
    },
    /// It is signed by the key that it brought.
    Signed(Box<Signed>),
}

/// A signed package, as the shell has verified it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// `<provider>/<kind>/<name>`.
    pub item: String,
    /// The public key.
    pub key: String,
    /// What people compare.
    pub key_id: String,
    /// Its version.
    pub version: Version,
    /// `blake3:…` of its manifest.
    pub digest: String,
    /// What its descriptor asks for.
    pub rights: Rights,
    /// The day after which it is old, when that has passed.
    pub expired: Option<String>,
}

/// What is to be done with a package that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Judged {
    /// It runs; what is to be written, and told.
    Runs(Vec<Change>, Vec<String>),
    /// This release runs in its place; what it waits for.
    Waits {
        /// The release in use.
        release: String,
        /// One sentence.
        why: String,
        /// What is to be written.
        changes: Vec<Change>,
    },
    /// It does not run.
    Refused(String),
}

/// The book of keys and releases.
#[derive(Debug, Default)]
pub(crate) struct Trust {
    /// Which packages may be unsigned.
    pub(crate) unsigned: Unsigned,
    pub(crate) keys: keys::Keys,
    items: BTreeMap<String, Kept>,
}

impl Trust {
    /// Takes the operator's settings.
    pub(crate) fn believe(&mut self, unsigned: Unsigned, keys: &[Pinned]) {
        self.unsigned = unsigned;
        self.keys.configure(keys);
    }

    /// Judges a package of a provider.
    pub(crate) fn judge(&mut self, provider: &str, seal: &Seal, now_s: u64) -> Judged {
        match seal {
            Seal::Own => Judged::Runs(Vec::new(), Vec::new()),
            Seal::Unsigned { is_fetched } => self.judge_unsigned(provider, *is_fetched),
            Seal::Signed(signed) => self.judge_signed(provider, signed, now_s),
        }
    }

    fn judge_unsigned(&self, provider: &str, is_fetched: bool) -> Judged {
        let is_permitted = match self.unsigned {
            Unsigned::All => return Judged::Runs(Vec::new(), Vec::new()),
            Unsigned::Directories => !is_fetched,
            Unsigned::None => false,
        };
        let remedy = "to run it anyway: `hyperty up --unsigned`";
        if let Some(key) = self.keys.first(provider) {
            let id = &key.id;
            return Judged::Refused(format!(
                "it is not signed, and {provider} signs what it publishes (key {id}); {remedy}, or forget \
                 the key: `hyperty keys rm {provider}`"
            ));
        }
        if is_permitted {
            return Judged::Runs(Vec::new(), Vec::new());
        }
        Judged::Refused(format!("it is not signed by {provider}; {remedy}"))
    }

    fn judge_signed(&mut self, provider: &str, signed: &Signed, now_s: u64) -> Judged {
        let mut changes = Vec::new();
        let mut told = Vec::new();
        if let Err(wrong) = self.keys.has(provider, signed) {
            return Judged::Refused(wrong);
        }
        let fresh = Release::of(signed);
        let count = self.items.len();
        let Some(kept) = self.items.get_mut(&signed.item) else {
            if count >= ITEMS_MAX {
                return Judged::Refused(format!("{ITEMS_MAX} packages are remembered already"));
            }
            changes.extend(self.keys.pin(provider, signed, now_s, &mut told));
            let kept = Kept::of(fresh);
            changes.push(kept.change(&signed.item));
            self.items.insert(signed.item.clone(), kept);
            return Judged::Runs(changes, told);
        };
        if kept.current.digest == signed.digest {
            return Judged::Runs(changes, told);
        }
        if let Some(wrong) = kept.refuses(&fresh) {
            return Judged::Refused(wrong);
        }
        if let Some(why) = kept.makes_wait(&fresh) {
            changes.push(kept.change(&signed.item));
            let release = kept.current.digest.clone();
            return Judged::Waits {
                release,
                why,
                changes,
            };
        }
        told.push(format!("{} -> {}", kept.current.version, fresh.version));
        kept.takes(fresh);
        changes.push(kept.change(&signed.item));
        Judged::Runs(changes, told)
    }

    /// Takes what waits into use; its digest, what it asks for, and what is to be written.
    pub(crate) fn approve(&mut self, item: &str) -> Result<(String, Grown, Change), String> {
        let nothing =
            || format!("nothing newer of `{item}` waits: it was not read, or runs already");
        let kept = self.items.get_mut(item).ok_or_else(nothing)?;
        let waiting = kept.waiting.take().ok_or_else(nothing)?;
        let digest = waiting.digest.clone();
        let grown = kept.grown(&waiting);
        kept.takes(waiting);
        Ok((digest, grown, kept.change(item)))
    }

    /// Goes back to the release before; its digest, its version, and what is to be written.
    pub(crate) fn roll_back(&mut self, item: &str) -> Result<(String, Version, Change), String> {
        let none = || format!("no earlier release of `{item}` is kept here");
        let kept = self.items.get_mut(item).ok_or_else(none)?;
        let previous = kept.previous.pop().ok_or_else(none)?;
        let (digest, version) = (previous.digest.clone(), previous.version);
        kept.waiting = Some(std::mem::replace(&mut kept.current, previous));
        kept.is_held = true;
        Ok((digest, version, kept.change(item)))
    }

    /// The version that waits for somebody's word.
    pub(crate) fn waiting(&self, item: &str) -> Option<(Version, Grown)> {
        let kept = self.items.get(item)?;
        let waiting = kept.waiting.as_ref()?;
        Some((waiting.version, kept.grown(waiting)))
    }

    /// Every release that may be wanted again.
    pub(crate) fn releases(&self) -> Vec<String> {
        let all = self.items.values().flat_map(Kept::releases);
        all.map(|release| release.digest.clone()).collect()
    }

    /// Takes back what was kept.
    pub(crate) fn restore(&mut self, record: &Record) {
        match record.key.split_once('\0') {
            Some(("key", provider)) => self.keys.restore(provider, &record.value),
            Some(("item", item)) => {
                if let Ok(kept) = serde_json::from_slice(&record.value) {
                    self.items.insert(item.to_owned(), kept);
                }
            }
            _ => {}
        }
    }
}
