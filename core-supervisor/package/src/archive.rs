//! Hostile bytes → a package: every one of them is accounted for.
//!
//! An archive has one form. Each header is made anew from the name and the size that
//! it says, and must be the same 512 bytes; padding is zero; the entries are those of
//! the manifest, in its order; nothing stands behind the end. So there is no byte that
//! may be changed, and no second reading of an archive.

use std::collections::BTreeMap;

use tar::{EntryType, Header};

use crate::limits::{FILES_MAX, KEY_BYTES_MAX, PACKAGE_BYTES_MAX, SIGNATURE_BYTES_MAX};
use crate::manifest::{Manifest, digest_of};
use crate::names::{is_plain, shown};
use crate::signature::{Key, Signed, Unverified};

/// The entry that lists all others, and is signed.
pub(crate) const MANIFEST: &str = "manifest.json";
/// Its signature.
pub(crate) const SIGNATURE: &str = "manifest.json.minisig";
/// The key of the signature.
pub(crate) const KEY: &str = "minisign.pub";

const BLOCK: usize = 512;

/// A package whose files are what its manifest says. Whether somebody signed it, and
/// who, is another question: [`Package::verify`].
#[derive(Debug, Clone)]
pub struct Package<'a> {
    /// What it says it is.
    pub manifest: Manifest,
    /// `blake3:…` of the manifest, and so of everything in it.
    pub digest: String,
    pub(crate) signature: Option<(&'a str, &'a str)>,
    files: BTreeMap<&'a str, &'a [u8]>,
}

/// Why bytes are no package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// Too many bytes.
    #[error("it is longer than {PACKAGE_BYTES_MAX} bytes")]
    TooLong,
    /// It is packed in a way that packages are not.
    #[error("it is a {0}: packages are plain ustar archives, made by `hyperty package build`")]
    Compressed(&'static str),
    /// It ends before its end.
    #[error("it is cut off after {0} bytes")]
    CutOff(usize),
    /// Bytes behind the end.
    #[error("{0} bytes stand behind its end")]
    Behind(usize),
    /// A header that no package has.
    #[error("the entry at byte {at} {why}")]
    Entry {
        /// Where it begins.
        at: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A file's name leads elsewhere, or is read differently by some.
    #[error(
        "the name `{0}` is not a plain path below the package: letters, digits, `-`, `_`, `.`, and `/` between"
    )]
    Name(String),
    /// Two names that some file system takes for one.
    #[error("`{0}` is there twice: in another case, or as a file and a folder")]
    Twin(String),
    /// The manifest.
    #[error("manifest.json: {0}")]
    Manifest(String),
    /// A file is not what the manifest says.
    #[error("`{0}` is not what manifest.json says: it was changed after the package was built")]
    Changed(String),
}

/// Reads a package.
pub fn read(bytes: &[u8]) -> Result<Package<'_>, Unread> {
    if bytes.len() > PACKAGE_BYTES_MAX {
        return Err(Unread::TooLong);
    }
    if let Some(packed) = compressed(bytes) {
        return Err(Unread::Compressed(packed));
    }
    let mut entries = Entries { bytes, at: 0 };
    let text = entries.expect(MANIFEST)?;
    let manifest = Manifest::parse(text)?;
    let mut next = entries.next()?;
    let mut signature = None;
    if let Some((SIGNATURE, text)) = next {
        signature = Some((short(text, SIGNATURE, SIGNATURE_BYTES_MAX)?, {
            let key = entries.expect(KEY)?;
            short(key, KEY, KEY_BYTES_MAX)?
        }));
        next = entries.next()?;
    }
    let mut files = BTreeMap::new();
    for listed in &manifest.files {
        let (name, content) = next.ok_or_else(|| entries.missing(&listed.name))?;
        if name != listed.name {
            return Err(entries.another(name, &listed.name));
        }
        let is_it = content.len() as u64 == listed.bytes
            && blake3::hash(content).to_hex().as_str() == listed.blake3;
        if !is_it {
            return Err(Unread::Changed(listed.name.clone()));
        }
        files.insert(name, content);
        next = entries.next()?;
    }
    if let Some((name, _)) = next {
        return Err(entries.another(name, "nothing more"));
    }
    let digest = digest_of(text);
    Ok(Package {
        manifest,
        digest,
        signature,
        files,
    })
}

impl<'a> Package<'a> {
    /// The bytes of a file.
    pub fn file(&self, name: &str) -> Option<&'a [u8]> {
        self.files.get(name).copied()
    }

    /// Its descriptor.
    pub fn descriptor(&self) -> &'a [u8] {
        // `Manifest::check` has seen it in the list.
        self.file(&self.manifest.descriptor()).unwrap_or_default()
    }

    /// The files, in the order of their names.
    pub fn files(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.files.iter().map(|(name, content)| (*name, *content))
    }

    /// Who signed it; `Ok(None)` when nobody did.
    ///
    /// The key is the package's own: whether it is the provider's is for others to say.
    pub fn verify(&self) -> Result<Option<Signed>, Unverified> {
        let Some((signature, key)) = self.signature else {
            return Ok(None);
        };
        let key = Key::of_file(key)?;
        key.verify(&self.manifest, signature)?;
        Ok(Some(Signed { key }))
    }
}

struct Entries<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Entries<'a> {
    fn next(&mut self) -> Result<Option<(&'a str, &'a [u8])>, Unread> {
        let at = self.at;
        let block = self.take(BLOCK)?;
        if block.iter().all(|&byte| byte == 0) {
            return self.end().map(|()| None);
        }
        let wrong = |why: String| Unread::Entry { at, why };
        let header = Header::from_byte_slice(block);
        let name = name_of(header, block).map_err(wrong)?;
        let size = header
            .entry_size()
            .map_err(|_| wrong("has no size".to_owned()))?;
        // Names of a hostile archive come first: they are what there is to say about it.
        if !is_plain(name) {
            return Err(Unread::Name(shown(name.as_bytes())));
        }
        let is_it = header_of(name, size).is_some_and(|made| made.as_bytes() == block);
        if !is_it {
            return Err(wrong(format!("`{name}` is not written as packages are")));
        }
        let bytes = usize::try_from(size).map_err(|_| Unread::TooLong)?;
        let content = self.take(bytes)?;
        let padding = self.take(bytes.next_multiple_of(BLOCK) - bytes)?;
        if padding.iter().any(|&byte| byte != 0) {
            return Err(wrong(format!("`{name}` has something in its padding")));
        }
        Ok(Some((name, content)))
    }

    // The second block of zeros, and nothing behind it.
    fn end(&mut self) -> Result<(), Unread> {
        let at = self.at;
        let block = self.take(BLOCK)?;
        if block.iter().any(|&byte| byte != 0) {
            let why = "stands behind the end".to_owned();
            return Err(Unread::Entry { at, why });
        }
        let behind = self.bytes.len() - self.at;
        if behind > 0 {
            return Err(Unread::Behind(behind));
        }
        Ok(())
    }

    fn expect(&mut self, wanted: &str) -> Result<&'a [u8], Unread> {
        match self.next()? {
            Some((name, content)) if name == wanted => Ok(content),
            Some((name, _)) => Err(self.another(name, wanted)),
            None => Err(self.missing(wanted)),
        }
    }

    fn take(&mut self, many: usize) -> Result<&'a [u8], Unread> {
        let end = self.at.checked_add(many).ok_or(Unread::TooLong)?;
        let cut = Unread::CutOff(self.bytes.len());
        let taken = self.bytes.get(self.at..end).ok_or(cut)?;
        self.at = end;
        Ok(taken)
    }

    fn another(&self, name: &str, wanted: &str) -> Unread {
        let (at, why) = (
            self.at,
            format!(
                "`{name}` stands before byte {}, where {wanted} belongs",
                self.at
            ),
        );
        Unread::Entry { at, why }
    }

    fn missing(&self, wanted: &str) -> Unread {
        let why = format!("is the end, and {wanted} belongs there");
        Unread::Entry { at: self.at, why }
    }
}

/// The header of a file: the same for everybody who builds it.
pub(crate) fn header_of(name: &str, bytes: u64) -> Option<Header> {
    let mut header = Header::new_ustar();
    header.set_path(name).ok()?;
    header.set_size(bytes);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_entry_type(EntryType::Regular);
    header.set_cksum();
    Some(header)
}

fn name_of<'a>(header: &Header, block: &'a [u8]) -> Result<&'a str, String> {
    let kind = header.entry_type();
    let what = match kind {
        EntryType::Regular => None,
        EntryType::Link => Some("a hard link"),
        EntryType::Symlink => Some("a symbolic link"),
        EntryType::Char | EntryType::Block => Some("a device node"),
        EntryType::Directory => Some("a directory"),
        EntryType::Fifo => Some("a named pipe"),
        EntryType::GNUSparse => Some("a sparse file"),
        EntryType::GNULongName | EntryType::GNULongLink => Some("a long name"),
        EntryType::XHeader | EntryType::XGlobalHeader => Some("an extended header"),
        _ => Some("of no known type"),
    };
    let field = block.get(..100).unwrap_or_default();
    let name = field.split(|&byte| byte == 0).next().unwrap_or_default();
    if let Some(what) = what {
        return Err(format!(
            "`{}` is {what}: a package has plain files only",
            shown(name)
        ));
    }
    std::str::from_utf8(name).map_err(|_| format!("`{}` is not text", shown(name)))
}

fn short<'a>(text: &'a [u8], name: &str, most: usize) -> Result<&'a str, Unread> {
    let text = std::str::from_utf8(text)
        .ok()
        .filter(|text| text.len() <= most);
    text.ok_or_else(|| Unread::Manifest(format!("`{name}` is not text of at most {most} bytes")))
}

fn compressed(bytes: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &'static str); 5] = [
        (b"\x1f\x8b", "gzip file"),
        (b"PK", "zip file"),
        (b"\x28\xb5\x2f\xfd", "zstd file"),
        (b"\xfd7zXZ", "xz file"),
        (b"BZh", "bzip2 file"),
    ];
    let found = known.iter().find(|(magic, _)| bytes.starts_with(magic));
    found.map(|(_, name)| *name)
}

// A million entries never get further than the manifest's list.
const _: () = assert!(FILES_MAX < PACKAGE_BYTES_MAX / BLOCK);
