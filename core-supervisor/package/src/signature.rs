//! Keys and signatures, where they are verified.

use std::fmt::{self, Display};
use std::str::FromStr;

use minisign_verify::{PublicKey, Signature};

use crate::manifest::Manifest;
use crate::names::shown;

/// The first line of a signature in a package.
const COMMENT: &str = "untrusted comment: signature of manifest.json";

/// A public key of minisign, in base64: `RW…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

/// By whom a package is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The key, as the package brought it.
    pub key: Key,
}

/// Not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no public key of minisign: it is the line of the `.pub` file that begins with `RW`"
)]
pub struct NotKey(String);

/// Why a signature does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unverified {
    /// It is not written as signatures of packages are.
    #[error("its signature is damaged: {0}")]
    Damaged(&'static str),
    /// The key that came with it is none.
    #[error("its key is damaged: {0}")]
    Key(#[from] NotKey),
    /// It is of something else, or by somebody else.
    #[error("its signature is not by the key {0}, or of other bytes")]
    Wrong(String),
}

impl Key {
    /// The line of base64.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What people compare: the number that minisign prints for it.
    pub fn id(&self) -> String {
        // The eight bytes behind the two of the algorithm, the last one first.
        let bytes = decoded(&self.0).unwrap_or_default();
        let id = bytes.get(2..10).unwrap_or_default().iter().rev();
        let hex: Vec<String> = id.map(|byte| format!("{byte:02X}")).collect();
        hex.concat()
    }

    /// The text of a `.pub` file.
    pub fn file(&self) -> String {
        format!(
            "untrusted comment: minisign public key {}\n{}\n",
            self.id(),
            self.0
        )
    }

    /// Reads the file in a package: only the form of [`Key::file`].
    pub(crate) fn of_file(text: &str) -> Result<Self, NotKey> {
        let line = text.lines().nth(1).unwrap_or_default();
        let key: Self = line.parse()?;
        let is_it = key.file() == text;
        is_it
            .then_some(key)
            .ok_or_else(|| NotKey(shown(text.as_bytes())))
    }

    /// Whether this key signed a manifest.
    pub(crate) fn verify(&self, manifest: &Manifest, text: &str) -> Result<(), Unverified> {
        let damaged = Unverified::Damaged;
        let lines: Vec<&str> = text.split('\n').collect();
        let [COMMENT, signature, said, global, ""] = lines.as_slice() else {
            return Err(damaged(
                "it has not the four lines of a signature by minisign",
            ));
        };
        if [signature, global]
            .iter()
            .any(|line| decoded(line).is_none())
        {
            return Err(damaged("it is not base64"));
        }
        let title = format!("trusted comment: {}", manifest.title());
        if *said != title {
            return Err(damaged("it names another package"));
        }
        let wrong = |_| Unverified::Wrong(self.id());
        let signature = Signature::decode(text).map_err(wrong)?;
        let key = PublicKey::from_base64(&self.0).map_err(wrong)?;
        key.verify(manifest.text().as_bytes(), &signature, false)
            .map_err(wrong)
    }
}

impl Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Key {
    type Err = NotKey;

    /// Reads the line, or a whole `.pub` file.
    fn from_str(text: &str) -> Result<Self, NotKey> {
        let line = text.lines().rfind(|line| !line.trim().is_empty());
        let line = line.unwrap_or_default().trim();
        let bad = || NotKey(shown(text.as_bytes()));
        // The library takes two spellings of the algorithm: here a key has one.
        decoded(line)
            .filter(|bytes| bytes.len() == 42 && bytes.starts_with(b"Ed"))
            .ok_or_else(bad)?;
        PublicKey::from_base64(line).map_err(|_| bad())?;
        Ok(Self(line.to_owned()))
    }
}

// Strictly: the bytes of a text have one spelling.
fn decoded(text: &str) -> Option<Vec<u8>> {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let body = text.trim_end_matches('=');
    if !text.len().is_multiple_of(4) || text.len() - body.len() > 2 {
        return None;
    }
    let (mut bits, mut held) = (0_u32, 0_u32);
    let mut bytes = Vec::new();
    for letter in body.bytes() {
        let value = LETTERS.iter().position(|&known| known == letter)?;
        bits = (bits << 6) | u32::try_from(value).ok()?;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
    }
    (bits & ((1 << held) - 1) == 0).then_some(bytes)
}
