//! `hyperty package keygen` — a pair of keys, in the files of minisign.

use std::path::PathBuf;

use hyperty_package::generate;
use serde_json::json;

use super::files::{Opened, write_new};
use crate::Context;
use crate::cmd::Outcome;
use crate::error::{Failure, Id};
use crate::output::{Style, Tone, clean};

/// Make a pair of keys, in the files of minisign
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The secret key's file; the public one gets the ending `.pub`
    #[arg(long, value_name = "FILE", default_value = "minisign.key")]
    out: PathBuf,

    #[command(flatten)]
    opened: Opened,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let public = args.out.with_extension("pub");
    for file in [&args.out, &public] {
        if file.exists() {
            let what = format!("`{}` is there already", file.display());
            return Err(Failure::new(Id::Local, what).fix("to write another", "--out FILE"));
        }
    }
    let made = generate(args.opened.password()?);
    let (key, secret) = made.map_err(|e| Failure::new(Id::Failed, e.to_string()))?;
    write_new(&args.out, secret.as_bytes(), 0o600)?;
    write_new(&public, key.file().as_bytes(), 0o644)?;
    let (secret, public) = (args.out.display().to_string(), public.display().to_string());
    let answer = json!({ "key": key.as_str(), "id": key.id(), "secret": secret, "public": public });
    let text = |style: Style| {
        format!(
            "{} key {}\n  secret  {}   keep it, and a copy elsewhere: whoever has it can publish as you\n  \
             public  {}   {}\n",
            style.paint(Tone::Good, style.tick()),
            style.paint(Tone::Strong, &key.id()),
            clean(&secret),
            clean(&public),
            key.as_str(),
        )
    };
    Ok(context
        .out
        .answer("hyperty.package.keygen/1", &answer, text)?)
}
