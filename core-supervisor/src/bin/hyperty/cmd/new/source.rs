//! Where a Rust project finds the crate `protocol`, which no registry holds.

use std::path::Path;

use super::vendored;
use crate::error::{Failure, Id};

/// Where it is, and the files that are to be written for that.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// The dependency's table, without its braces.
    pub(super) table: String,
    /// Paths in the project, and their texts.
    pub(super) files: Vec<(String, String)>,
}

/// A checkout, or a Git address, that is named; else a copy of what this program carries.
pub(super) fn of_protocol(named: Option<&str>) -> Result<Source, Failure> {
    let elsewhere = |table: String| Source {
        table,
        files: Vec::new(),
    };
    match named {
        Some(url) if url.contains("://") || url.starts_with("git@") => {
            Ok(elsewhere(format!("git = {url:?}")))
        }
        Some(directory) => {
            let directory = Path::new(directory);
            in_tree(directory).map(elsewhere).ok_or_else(|| {
                let what = format!("`{}` is no checkout of this runtime", directory.display());
                Failure::new(Id::NotFound, what).fact(
                    "looked for",
                    directory.join("protocol/Cargo.toml").display().to_string(),
                )
            })
        }
        None => Ok(Source {
            table: format!("path = {:?}", vendored::FOLDER),
            files: vendored::files().map_err(|error| {
                let what = format!("the crate `protocol` in this program is damaged: {error}");
                Failure::new(Id::Local, what)
            })?,
        }),
    }
}

fn in_tree(tree: &Path) -> Option<String> {
    let manifest = tree.join("protocol/Cargo.toml");
    let text = std::fs::read_to_string(&manifest).ok()?;
    if !text.contains("name = \"protocol\"") {
        return None;
    }
    let path = tree.join("protocol").canonicalize().ok()?;
    Some(format!("path = {:?}", path.display().to_string()))
}
