//! Who the runtime is to others, kept from one supervisor to the next.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{DATA_REMEDY, InstanceError, file_error};

/// What is kept of a runtime's identity.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Identity {
    /// The last segment of its address.
    id: String,
}

/// The last segment of the runtime's address: the one in the file, or a new one.
pub(super) fn identity(path: &Path) -> Result<String, InstanceError> {
    match fs::read_to_string(path) {
        Ok(text) => read(path, &text),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let id = new(path)?;
            let text = format!(
                "# Who this runtime is to others. Without this file it becomes a new one.\n\
                 id = \"{id}\"\n"
            );
            write_whole(path, text.as_bytes())
                .map_err(|source| file_error("write", path, source, DATA_REMEDY))?;
            Ok(id)
        }
        Err(source) => Err(file_error("read", path, source, DATA_REMEDY)),
    }
}

fn read(path: &Path, text: &str) -> Result<String, InstanceError> {
    let wrong = |message: String| InstanceError::Identity {
        path: path.to_owned(),
        message,
    };
    let identity: Identity =
        toml::from_str(text).map_err(|error| wrong(error.message().replace('\n', ", ")))?;
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if identity.id.is_empty() || !identity.id.bytes().all(is_word) {
        return Err(wrong("`id` is not letters, digits and `-`".into()));
    }
    Ok(identity.id)
}

// A random UUID, version 4.
fn new(path: &Path) -> Result<String, InstanceError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| InstanceError::Identity {
        path: path.to_owned(),
        message: format!("no randomness for a new one: {error}"),
    })?;
    let random = u128::from_be_bytes(bytes);
    let marked = random & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{marked:032x}");
    let group = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    Ok(format!(
        "{}-{}-{}-{}-{}",
        group(0..8),
        group(8..12),
        group(12..16),
        group(16..20),
        group(20..32)
    ))
}

/// Writes a file so that after any crash it is there whole, or not at all.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let written = write_synced(&beside, bytes).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // What is left of it would only be in the way.
        let _ = fs::remove_file(&beside);
    }
    written?;
    let directory = path.parent().unwrap_or(Path::new("/"));
    File::open(directory)?.sync_all()
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
