//! Reading and writing the files of packages and keys.

use std::fs::{self, File, OpenOptions};
use std::io::{IsTerminal, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use hyperty_package::limits::{KEY_BYTES_MAX, PACKAGE_BYTES_MAX};
use hyperty_package::{Key, Package, Password, read};

use super::{bad, usage};
use crate::error::{Failure, Id};

/// Where the password of a secret key comes from.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct Opened {
    /// The file whose first line is the password of the secret key [default: asked for]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// The secret key has no password
    #[arg(long, conflicts_with = "password_file")]
    no_password: bool,
}

impl Opened {
    /// The password, or how to get it.
    pub(super) fn password(&self) -> Result<Password, Failure> {
        if self.no_password {
            return Ok(Password::None);
        }
        if let Some(file) = &self.password_file {
            let text = bytes(file, 4096)?;
            let text = String::from_utf8_lossy(&text).into_owned();
            return Ok(Password::Given(
                text.lines().next().unwrap_or_default().to_owned(),
            ));
        }
        if std::io::stdin().is_terminal() {
            return Ok(Password::Ask);
        }
        Err(
            usage("the password of the key cannot be asked for: this is no terminal")
                .fix("to read it from a file", "--password-file FILE")
                .fix("for a key without one", "--no-password"),
        )
    }
}

/// A whole file of at most so many bytes.
pub(super) fn bytes(path: &Path, most: usize) -> Result<Vec<u8>, Failure> {
    let shown = path.display();
    let failed = |e: std::io::Error| Failure::new(Id::Local, format!("cannot read `{shown}`: {e}"));
    let mut content = Vec::new();
    let limit = most as u64 + 1;
    let file = File::open(path).map_err(failed)?;
    file.take(limit).read_to_end(&mut content).map_err(failed)?;
    if content.len() > most {
        return Err(bad(format!("`{shown}` is longer than {most} bytes")));
    }
    Ok(content)
}

/// The bytes of a package.
pub(super) fn package(path: &Path) -> Result<Vec<u8>, Failure> {
    bytes(path, PACKAGE_BYTES_MAX)
}

/// What they are.
pub(super) fn opened<'a>(path: &Path, bytes: &'a [u8]) -> Result<Package<'a>, Failure> {
    read(bytes).map_err(|e| {
        let what = format!("`{}` is no package that can be used: {e}", path.display());
        bad(what).fix(
            "to make one",
            "hyperty package build DESCRIPTOR --version 1.0.0",
        )
    })
}

/// A public key: the line itself, or the file that has it.
pub(super) fn key(said: &str) -> Result<Key, Failure> {
    if let Ok(key) = said.parse() {
        return Ok(key);
    }
    let text = bytes(Path::new(said), KEY_BYTES_MAX)?;
    let key = String::from_utf8_lossy(&text).parse();
    key.map_err(|e: hyperty_package::NotKey| usage(format!("`{said}`: {e}")))
}

/// Writes a file whole: beside its place first, then there.
pub(super) fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let written = create(Path::new(&beside), content, (0o644, false))
        .and_then(|()| fs::rename(&beside, path));
    written.map_err(|e| failed(path, &e))
}

/// Writes a file that was not there; a secret one only its owner may read.
pub(super) fn write_new(path: &Path, content: &[u8], mode: u32) -> Result<(), Failure> {
    create(path, content, (mode, true)).map_err(|e| failed(path, &e))
}

fn create(path: &Path, content: &[u8], (mode, is_new): (u32, bool)) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).mode(mode).create_new(is_new);
    options.create(!is_new).truncate(!is_new);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn failed(path: &Path, e: &std::io::Error) -> Failure {
    Failure::new(Id::Local, format!("cannot write `{}`: {e}", path.display()))
}
