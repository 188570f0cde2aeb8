//! `hyperty package sign` — the provider's word for a package.

use std::path::{Path, PathBuf};

use super::files::{self, Opened};
use super::{bad, verify};
use crate::Context;
use crate::cmd::Outcome;
use crate::error::Failure;

/// Sign a package; a signature that it had gives way
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The package
    #[arg(value_name = "PACKAGE")]
    package: PathBuf,

    /// The secret key
    #[arg(long, value_name = "FILE", default_value = "minisign.key")]
    key: PathBuf,

    #[command(flatten)]
    opened: Opened,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let bytes = files::package(&args.package)?;
    files::opened(&args.package, &bytes)?;
    let bytes = signed(&bytes, &args.key, &args.opened)?;
    files::write(&args.package, &bytes)?;
    let told = verify::Told::of(&args.package, &files::opened(&args.package, &bytes)?)?;
    let schema = "hyperty.package.sign/1";
    Ok(context
        .out
        .answer(schema, &told, |style| told.text(style))?)
}

/// A package, signed.
pub(super) fn signed(bytes: &[u8], key: &Path, opened: &Opened) -> Result<Vec<u8>, Failure> {
    let text = files::bytes(key, 4096)?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let unusable = |e: hyperty_package::NotSigned| {
        bad(format!("cannot sign with `{}`: {e}", key.display()))
            .fix("to make a key", "hyperty package keygen")
    };
    let secret = hyperty_package::secret_key(&text, opened.password()?).map_err(unusable)?;
    let (bytes, _) = hyperty_package::sign(bytes, &secret).map_err(unusable)?;
    Ok(bytes)
}
