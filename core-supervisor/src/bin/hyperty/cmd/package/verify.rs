//! `hyperty package verify` — whose it is, whether it is whole, what it asks for.

use std::path::{Path, PathBuf};

use hyperty_package::{Manifest, Package, Rights, rights};
use serde::Serialize;

use super::{bad, files};
use crate::Context;
use crate::cmd::Outcome;
use crate::error::Failure;
use crate::output::{Column, Style, Table, Tone, cell, clean};

/// Say whose a package is, and whether it is whole
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The package
    #[arg(value_name = "PACKAGE")]
    package: PathBuf,

    /// The public key that it must be signed by: the line `RW…`, or the `.pub` file
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

/// What there is to say about a package.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    file: String,
    #[serde(flatten)]
    manifest: Manifest,
    digest: String,
    /// The public key; none when nobody signed it.
    signed_by: Option<String>,
    /// The number that people compare.
    key_id: String,
    asks_for: Rights,
}

impl Told {
    /// Verifies the signature, if there is one.
    pub(super) fn of(file: &Path, package: &Package<'_>) -> Result<Self, Failure> {
        let signed = package.verify();
        let signed = signed.map_err(|e| bad(format!("`{}` does not hold: {e}", file.display())))?;
        Ok(Self {
            file: file.display().to_string(),
            manifest: package.manifest.clone(),
            digest: package.digest.clone(),
            key_id: signed
                .as_ref()
                .map(|signed| signed.key.id())
                .unwrap_or_default(),
            signed_by: signed.map(|signed| signed.key.to_string()),
            asks_for: rights::asked(package.descriptor()),
        })
    }

    pub(super) const fn is_signed(&self) -> bool {
        self.signed_by.is_some()
    }

    pub(super) fn text(&self, style: Style) -> String {
        let mut table = Table::new(&[Column::left(""), Column::left("")]);
        let Manifest {
            provider,
            kind,
            name,
            version,
            expires,
            files,
            ..
        } = &self.manifest;
        let mut fact = |label: &str, value| table.row([cell(Tone::Faint, label), value]);
        fact("package", cell(Tone::Strong, clean(&self.file)));
        fact(
            "is",
            format!("{provider}/{}/{name} {version}", kind.folder()).into(),
        );
        fact("digest", clean(&self.digest).into());
        match &self.signed_by {
            Some(key) => fact(
                "signed by",
                cell(Tone::Good, format!("{} {key}", self.key_id)),
            ),
            None => fact("signed by", cell(Tone::Bad, "nobody: UNSIGNED")),
        }
        if let Some(day) = expires {
            fact("expires", day.clone().into());
        }
        for file in files {
            fact(
                "file",
                format!("{}  {} bytes", file.name, file.bytes).into(),
            );
        }
        for right in self.asks_for.keys() {
            fact("asks for", clean(right).into());
        }
        table.render(style)
    }
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let bytes = files::package(&args.package)?;
    let package = files::opened(&args.package, &bytes)?;
    let told = Told::of(&args.package, &package)?;
    let wanted = args.key.as_deref().map(files::key).transpose()?;
    let schema = "hyperty.package.verify/1";
    context
        .out
        .answer(schema, &told, |style| told.text(style))?;
    let Some(signed_by) = &told.signed_by else {
        let what = format!(
            "`{}` is whole, and nobody signed it",
            args.package.display()
        );
        return Err(bad(what).fix("if it is yours", "hyperty package sign PACKAGE --key FILE"));
    };
    match wanted {
        Some(key) if key.as_str() != signed_by => {
            let what = format!(
                "`{}` is signed by {}, not by {}",
                args.package.display(),
                told.key_id,
                key.id()
            );
            Err(bad(what))
        }
        _ => Ok(()),
    }
}
