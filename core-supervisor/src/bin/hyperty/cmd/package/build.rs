//! `hyperty package build` — a descriptor, its code and its assets become one file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use hyperty_package::limits::{FILES_MAX, PACKAGE_BYTES_MAX};
use hyperty_package::{Contents, Kind, Version, pack};
use serde_json::Value;

use super::files::{self, Opened};
use super::{bad, sign, usage, verify};
use crate::Context;
use crate::cmd::Outcome;
use crate::error::{Failure, Id};

/// Make a package of a descriptor, its code and its assets
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The descriptor: …/.well-known/hyperty/NAME.hy.json; its code lies beside it
    #[arg(value_name = "DESCRIPTOR")]
    descriptor: PathBuf,

    /// Three numbers, higher than those of every version before [default: the descriptor's]
    #[arg(long, value_name = "VERSION")]
    version: Option<Version>,

    /// The provider's domain [default: the name of the folder that holds `.well-known`]
    #[arg(long, value_name = "DOMAIN")]
    provider: Option<String>,

    /// A folder whose files go into `assets/`
    #[arg(long, value_name = "DIR")]
    assets: Option<PathBuf>,

    /// The day from which on runtimes are to warn that it is old: 2027-01-31
    #[arg(long, value_name = "DAY")]
    expires: Option<String>,

    /// Where to write it [default: NAME.hy.pkg beside the descriptor]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Sign it with this secret key
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,

    #[command(flatten)]
    opened: Opened,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let (kind, name) = named(&args.descriptor)?;
    let folder = args.descriptor.parent().unwrap_or(Path::new("."));
    let text = files::bytes(&args.descriptor, PACKAGE_BYTES_MAX)?;
    let descriptor: Value = serde_json::from_slice(&text)
        .map_err(|e| bad(format!("`{}`: {e}", args.descriptor.display())))?;
    let infix = kind.infix();
    let mut content = BTreeMap::from([(format!("{name}.{infix}.json"), text)]);
    if let Some(ending) = ending(&descriptor) {
        let code = format!("{name}.{infix}.{ending}");
        content.insert(
            code.clone(),
            files::bytes(&folder.join(&code), PACKAGE_BYTES_MAX)?,
        );
    }
    if let Some(assets) = &args.assets {
        gather(assets, "assets", &mut content)?;
    }
    let contents = Contents {
        provider: provider(args, folder)?,
        kind,
        name: name.clone(),
        version: version(args, &descriptor)?,
        expires: args.expires.clone(),
        files: content,
    };
    let bytes = pack(&contents).map_err(|e| bad(format!("this cannot be packed: {e}")))?;
    let bytes = match &args.key {
        Some(key) => sign::signed(&bytes, key, &args.opened)?,
        None => bytes,
    };
    let out = args.out.clone();
    let out = out.unwrap_or_else(|| folder.join(format!("{name}.{infix}.pkg")));
    files::write(&out, &bytes)?;
    let package = files::opened(&out, &bytes)?;
    let told = verify::Told::of(&out, &package)?;
    if !told.is_signed() {
        context.out.note(
            "it is not signed: runtimes take it from a directory only (`hyperty package sign`)",
        );
    }
    let schema = "hyperty.package.build/1";
    Ok(context
        .out
        .answer(schema, &told, |style| told.text(style))?)
}

fn named(path: &Path) -> Result<(Kind, String), Failure> {
    let file = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    for kind in [Kind::Hyperty, Kind::ProtocolStub, Kind::IdpProxy] {
        if let Some(name) = file.strip_suffix(&format!(".{}.json", kind.infix())) {
            return Ok((kind, name.to_owned()));
        }
    }
    let what = format!("`{}` is no descriptor", path.display());
    Err(usage(what).fact("descriptors", "NAME.hy.json, NAME.ps.json, NAME.idp.json"))
}

// Code that stands in the descriptor has no file of its own.
fn ending(descriptor: &Value) -> Option<&'static str> {
    let embedded = descriptor
        .get("sourcePackage")
        .is_some_and(|package| !package.is_null());
    let language = descriptor
        .get("language")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let is_native = language.eq_ignore_ascii_case("native");
    (!embedded).then_some(if is_native { "elf" } else { "js" })
}

fn version(args: &Args, descriptor: &Value) -> Result<Version, Failure> {
    if let Some(version) = args.version {
        return Ok(version);
    }
    let said = descriptor.get("version").and_then(Value::as_str);
    let version = said.and_then(|text| text.parse().ok());
    version
        .ok_or_else(|| usage("it has no version").fix("to say which one it is", "--version 1.0.0"))
}

// DOMAIN/.well-known/hyperty
fn provider(args: &Args, folder: &Path) -> Result<String, Failure> {
    if let Some(provider) = &args.provider {
        return Ok(provider.clone());
    }
    let full = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let well_known = full.parent().filter(|above| above.ends_with(".well-known"));
    let domain = well_known.and_then(Path::parent).and_then(Path::file_name);
    let domain = domain
        .and_then(|name| name.to_str())
        .filter(|name| name.contains('.'));
    let unknown = || usage("it is not said whose it is").fix("to say it", "--provider example.org");
    domain.map(str::to_owned).ok_or_else(unknown)
}

fn gather(
    folder: &Path,
    below: &str,
    content: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), Failure> {
    let failed = |e: std::io::Error| {
        Failure::new(
            Id::Local,
            format!("cannot read `{}`: {e}", folder.display()),
        )
    };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (kind, path) = (entry.file_type().map_err(failed)?, entry.path());
        let name = entry.file_name().to_string_lossy().into_owned();
        let name = format!("{below}/{name}");
        if kind.is_dir() {
            gather(&path, &name, content)?;
        } else if kind.is_file() {
            content.insert(name, files::bytes(&path, PACKAGE_BYTES_MAX)?);
        } else {
            let what = format!("`{}` is neither a file nor a folder", path.display());
            return Err(bad(what).fix("to pack what it leads to", "put a copy in its place"));
        }
        if content.len() > FILES_MAX {
            return Err(bad(format!("these are more than {FILES_MAX} files")));
        }
    }
    Ok(())
}
