//! Files → a package. The same files make the same bytes, wherever and whenever.

use std::collections::BTreeMap;

use crate::archive::{KEY, MANIFEST, SIGNATURE, Unread, header_of};
use crate::limits::PACKAGE_BYTES_MAX;
use crate::manifest::{FORMAT, Kind, Listed, Manifest};
use crate::version::Version;

/// What is to be packed.
#[derive(Debug, Clone)]
pub struct Contents {
    /// The provider's domain.
    pub provider: String,
    /// What kind of component it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The day from which on somebody should ask for a newer one.
    pub expires: Option<String>,
    /// Its files by name: descriptor, code, assets.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// Why something cannot be packed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unpacked {
    /// What it would be is no package.
    #[error("{0}")]
    Bad(#[from] Unread),
    /// A name that no header holds.
    #[error("`{0}` cannot be the name of an entry")]
    Name(String),
}

/// Packs files, unsigned.
pub fn pack(contents: &Contents) -> Result<Vec<u8>, Unpacked> {
    let listed = |(name, content): (&String, &Vec<u8>)| Listed {
        name: name.clone(),
        bytes: content.len() as u64,
        blake3: blake3::hash(content).to_hex().to_string(),
    };
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        provider: contents.provider.clone(),
        kind: contents.kind,
        name: contents.name.clone(),
        version: contents.version,
        expires: contents.expires.clone(),
        files: contents.files.iter().map(listed).collect(),
    };
    manifest.check()?;
    let files = contents.files.iter();
    let files = files.map(|(name, content)| (name.as_str(), content.as_slice()));
    archive(&manifest, None, files)
}

/// An archive of these parts.
pub(crate) fn archive<'a>(
    manifest: &Manifest,
    signature: Option<(&str, &str)>,
    files: impl Iterator<Item = (&'a str, &'a [u8])>,
) -> Result<Vec<u8>, Unpacked> {
    let mut bytes = Vec::new();
    put(&mut bytes, MANIFEST, manifest.text().as_bytes())?;
    if let Some((signature, key)) = signature {
        put(&mut bytes, SIGNATURE, signature.as_bytes())?;
        put(&mut bytes, KEY, key.as_bytes())?;
    }
    for (name, content) in files {
        put(&mut bytes, name, content)?;
    }
    bytes.resize(bytes.len() + 1024, 0);
    if bytes.len() > PACKAGE_BYTES_MAX {
        return Err(Unread::TooLong.into());
    }
    Ok(bytes)
}

fn put(bytes: &mut Vec<u8>, name: &str, content: &[u8]) -> Result<(), Unpacked> {
    let header = header_of(name, content.len() as u64);
    let header = header.ok_or_else(|| Unpacked::Name(name.to_owned()))?;
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    Ok(())
}
