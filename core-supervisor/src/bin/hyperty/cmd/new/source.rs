//! Where a Rust project finds the crate `protocol`, which no registry holds.

use std::path::Path;

use crate::error::{Failure, Id};

/// The dependency's table, without its braces.
pub(super) fn of_protocol(named: Option<&str>) -> Result<String, Failure> {
    match named {
        Some(url) if url.contains("://") || url.starts_with("git@") => Ok(format!("git = {url:?}")),
        Some(directory) => {
            let directory = Path::new(directory);
            in_tree(directory).ok_or_else(|| {
                let what = format!("`{}` is no checkout of this runtime", directory.display());
                Failure::new(Id::NotFound, what).fact(
                    "looked for",
                    directory.join("protocol/Cargo.toml").display().to_string(),
                )
            })
        }
        None => around_this_program().ok_or_else(|| {
            Failure::new(
                Id::NotFound,
                "a component in Rust needs the crate `protocol`, which is on no registry",
            )
            .fact("looked for", "protocol/Cargo.toml above this program")
            .fix(
                "to say where it is",
                "repeat it with --runtime-source DIR, or a Git address",
            )
        }),
    }
}

fn around_this_program() -> Option<String> {
    let own = std::env::current_exe().ok()?;
    own.ancestors().find_map(in_tree)
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
