//! `hyperty package diff` — what a newer package asks for beyond an older one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use hyperty_package::{Grown, Package, Version, rights};
use serde::Serialize;

use super::files;
use crate::Context;
use crate::cmd::Outcome;
use crate::output::{Style, Tone, clean};

/// Compare what two packages ask for, and which files differ
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The older package
    #[arg(value_name = "OLD")]
    old: PathBuf,

    /// The newer package
    #[arg(value_name = "NEW")]
    new: PathBuf,
}

/// What differs.
#[derive(Debug, Serialize)]
struct Differences {
    versions: [Version; 2],
    digests: [String; 2],
    /// `added`, `removed` or `changed`, by name.
    files: BTreeMap<String, &'static str>,
    /// What the newer one asks for beyond the older one.
    wider: Grown,
    /// What it does not ask for any more.
    narrower: Grown,
    same_signer: bool,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let (old, new) = (files::package(&args.old)?, files::package(&args.new)?);
    let old = files::opened(&args.old, &old)?;
    let new = files::opened(&args.new, &new)?;
    let differences = Differences::of(&old, &new);
    let schema = "hyperty.package.diff/1";
    Ok(context
        .out
        .answer(schema, &differences, |style| differences.text(style))?)
}

impl Differences {
    fn of(old: &Package<'_>, new: &Package<'_>) -> Self {
        let mut changed = BTreeMap::new();
        for (name, content) in old.files() {
            match new.file(name) {
                None => drop(changed.insert(name.to_owned(), "removed")),
                Some(other) if other != content => drop(changed.insert(name.to_owned(), "changed")),
                Some(_) => {}
            }
        }
        let added = new.files().filter(|(name, _)| old.file(name).is_none());
        changed.extend(added.map(|(name, _)| (name.to_owned(), "added")));
        let [had, asks] = [old, new].map(|package| rights::asked(package.descriptor()));
        let signer =
            |package: &Package<'_>| package.verify().ok().flatten().map(|signed| signed.key);
        Self {
            versions: [old.manifest.version, new.manifest.version],
            digests: [old.digest.clone(), new.digest.clone()],
            files: changed,
            wider: rights::grown(&had, &asks),
            narrower: rights::grown(&asks, &had),
            same_signer: signer(old) == signer(new),
        }
    }

    fn text(&self, style: Style) -> String {
        let [from, to] = self.versions;
        let mut text = format!("{from} -> {to}\n");
        if to < from {
            text.push_str(&style.paint(Tone::Bad, "the second is the older one\n"));
        }
        if !self.same_signer {
            text.push_str(&style.paint(Tone::Bad, "they are not signed by the same key\n"));
        }
        for (name, what) in &self.files {
            text.push_str(&format!("  {what:8} {}\n", clean(name)));
        }
        for right in &self.wider {
            text.push_str(&style.paint(Tone::Odd, &format!("+ {}\n", clean(right))));
        }
        for right in &self.narrower {
            text.push_str(&format!("- {}\n", clean(right)));
        }
        if self.wider.is_empty() {
            text.push_str("it asks for nothing more\n");
        }
        text
    }
}
