//! A file that is no store, or not a whole one.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::StoreError;

/// Whether an error says that the file is not what it should be. All others say
/// something about the disk or its rights, and the file may be sound.
pub(super) fn is_damage(error: &redb::Error) -> bool {
    match error {
        redb::Error::Corrupted(_)
        | redb::Error::UpgradeRequired(_)
        | redb::Error::RepairAborted
        | redb::Error::TableIsMultimap(_)
        | redb::Error::TableIsNotMultimap(_)
        | redb::Error::TableTypeMismatch { .. }
        | redb::Error::TypeDefinitionChanged { .. } => true,
        redb::Error::Io(error) => {
            matches!(
                error.kind(),
                ErrorKind::InvalidData | ErrorKind::UnexpectedEof
            )
        }
        _ => false,
    }
}

/// Moves it aside and says so: the runtime begins anew without what it held.
pub(super) fn move_aside(path: &Path, damage: &redb::Error, unix_s: u64) -> Result<(), StoreError> {
    let aside = free_name(path, unix_s);
    fs::rename(path, &aside).map_err(|source| StoreError::MoveAside {
        path: path.to_owned(),
        source,
    })?;
    tracing::error!(
        store = %path.display(),
        aside = %aside.display(),
        %damage,
        "the store is damaged or of another version: it was moved aside, and this runtime \
         begins without its data objects, addresses, subscriptions and stored texts"
    );
    Ok(())
}

// A second one within the same second must not replace the first.
fn free_name(path: &Path, unix_s: u64) -> PathBuf {
    let name = |number: u32| {
        let extension = match number {
            0 => format!("redb.damaged-{unix_s}"),
            number => format!("redb.damaged-{unix_s}-{number}"),
        };
        path.with_extension(extension)
    };
    (0..u32::MAX)
        .map(name)
        .find(|path| fs::symlink_metadata(path).is_err())
        .unwrap_or_else(|| name(u32::MAX))
}
