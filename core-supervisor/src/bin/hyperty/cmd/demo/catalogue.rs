//! The demo's catalogue: where it is, and its programs put in their places.
//!
//! In the source tree a file `NAME.ps.elf` holds the name of the program that is
//! to stand there, because programs are built, not kept.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Failure, Id};
use crate::paths::program;
use crate::scratch::Scratch;

/// Where the demo's catalogue is, below a directory above this program.
const PLACES: [&str; 2] = ["share/hyperty/demo", "tests/fixtures/demo"];

/// Where the examples are.
const EXAMPLES: [&str; 2] = ["share/hyperty/examples", "sandbox-host/examples"];

/// The first bytes of a program.
const ELF: &[u8] = b"\x7fELF";

/// A catalogue that can be deployed from; made in `scratch` when it has to be.
pub(super) fn ready(named: Option<&Path>, scratch: &Scratch) -> Result<PathBuf, Failure> {
    let source = match named {
        Some(path) => path.canonicalize().map_err(|error| missing(path, &error))?,
        None => find(
            &PLACES,
            "the demo's catalogue",
            "hyperty demo --catalogue DIR",
        )?,
    };
    let into = scratch.path().join("catalogue");
    copy(&source, &into)?;
    Ok(into)
}

/// The folder of an example.
pub(super) fn scene(name: &str) -> Result<PathBuf, Failure> {
    let examples = find(
        &EXAMPLES,
        "the examples",
        &format!("hyperty run DIR/{name}"),
    )?;
    Ok(examples.join(name))
}

fn find(below: &[&str; 2], what: &str, otherwise: &str) -> Result<PathBuf, Failure> {
    let own = std::env::current_exe().unwrap_or_default();
    let places = own
        .ancestors()
        .flat_map(|above| below.map(|place| above.join(place)));
    places
        .into_iter()
        .find(|place| place.is_dir())
        .ok_or_else(|| {
            Failure::new(Id::NotFound, format!("cannot find {what}"))
                .fact("looked for", below.join(" and "))
                .fact("above", own.display().to_string())
                .fix("to say where it is", otherwise)
        })
}

fn copy(from: &Path, into: &Path) -> Result<(), Failure> {
    let failed = |error: io::Error| missing(from, &error);
    fs::create_dir_all(into).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, target) = (entry.path(), into.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            fs::copy(real(&path)?, &target).map_err(|error| missing(&path, &error))?;
        }
    }
    Ok(())
}

// The file itself, or the program that it names.
fn real(path: &Path) -> Result<PathBuf, Failure> {
    let content = fs::read(path).map_err(|error| missing(path, &error))?;
    if path.extension().is_none_or(|extension| extension != "elf") || content.starts_with(ELF) {
        return Ok(path.to_path_buf());
    }
    program(String::from_utf8_lossy(&content).trim())
}

fn missing(path: &Path, error: &io::Error) -> Failure {
    Failure::new(
        Id::NotFound,
        format!("cannot read `{}`: {error}", path.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalogue_is_copied_whole_and_scripts_stay_what_they_are() {
        let scratch = Scratch::new("test").unwrap();
        let source = scratch.path().join("source");
        let folder = source.join("a.example/.well-known/hyperty");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("x.hy.js"), "code").unwrap();
        fs::write(folder.join("y.hy.elf"), [ELF, b"program"].concat()).unwrap();

        let ready = ready(Some(&source), &scratch).unwrap();

        let made = ready.join("a.example/.well-known/hyperty");
        assert_eq!(fs::read_to_string(made.join("x.hy.js")).unwrap(), "code");
        assert!(fs::read(made.join("y.hy.elf")).unwrap().starts_with(ELF));
    }
}
