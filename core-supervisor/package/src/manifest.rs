//! What a package says it is.

use serde::{Deserialize, Serialize};

use crate::archive::Unread;
use crate::limits::{FILES_MAX, MANIFEST_BYTES_MAX};
use crate::names::{is_plain, shown, twin};
use crate::version::Version;

/// The form of packages that this crate reads and writes.
pub const FORMAT: &str = "hyperty.package/1";

/// Which component of whom, in which version, and of which files it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// The provider's domain.
    pub provider: String,
    /// What kind of component it is.
    pub kind: Kind,
    /// Its name in the catalogue.
    pub name: String,
    /// Which one of its versions.
    pub version: Version,
    /// The day from which on somebody should ask for a newer one: `2027-01-31`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Its files, in the order of their names.
    pub files: Vec<Listed>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// A plain path.
    pub name: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// Their blake3, in hexadecimal.
    pub blake3: String,
}

/// The kinds of components.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Service logic.
    Hyperty,
    /// An adapter to a domain's protocol.
    #[serde(rename = "protocolstub")]
    ProtocolStub,
    /// An adapter to an identity provider.
    IdpProxy,
}

impl Kind {
    /// The folder of the kind below `.well-known`.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Hyperty => "hyperty",
            Self::ProtocolStub => "protocolstub",
            Self::IdpProxy => "idp-proxy",
        }
    }

    /// What stands between a name and the type of its file.
    pub const fn infix(self) -> &'static str {
        match self {
            Self::Hyperty => "hy",
            Self::ProtocolStub => "ps",
            Self::IdpProxy => "idp",
        }
    }
}

impl Manifest {
    /// The text that is signed.
    pub fn text(&self) -> String {
        // Of plain strings and numbers: nothing in it can fail to be written.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// The name of its descriptor's file.
    pub fn descriptor(&self) -> String {
        format!("{}.{}.json", self.name, self.kind.infix())
    }

    /// What the signature says that it is of.
    pub fn title(&self) -> String {
        let Self {
            provider,
            kind,
            name,
            version,
            ..
        } = self;
        let digest = digest_of(self.text().as_bytes());
        format!(
            "{FORMAT} {provider} {}/{name} {version} {digest}",
            kind.folder()
        )
    }

    /// Reads and checks the text; it must be written as [`Self::text`] writes it.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Unread> {
        let bad = Unread::Manifest;
        if text.len() > MANIFEST_BYTES_MAX {
            return Err(bad(format!("it is longer than {MANIFEST_BYTES_MAX} bytes")));
        }
        let manifest: Self = serde_json::from_slice(text).map_err(|e| bad(e.to_string()))?;
        if manifest.format != FORMAT {
            let format = shown(manifest.format.as_bytes());
            return Err(bad(format!(
                "its form is `{format}`, and this runtime reads {FORMAT}"
            )));
        }
        manifest.check()?;
        if manifest.text().as_bytes() != text {
            return Err(bad(
                "it is not written in the one form that it has".to_owned()
            ));
        }
        Ok(manifest)
    }

    /// Checks what can be checked without the files.
    pub(crate) fn check(&self) -> Result<(), Unread> {
        let bad = Unread::Manifest;
        let is_word = |word: &str| is_plain(word) && !word.contains('/');
        if !is_word(&self.provider) || !self.provider.contains('.') {
            return Err(bad(
                "its provider is not a domain such as `example.org`".to_owned()
            ));
        }
        if !is_word(&self.name) || self.name.len() > 64 {
            return Err(bad("its name is not a plain one".to_owned()));
        }
        if self.expires.as_deref().is_some_and(|day| !is_day(day)) {
            return Err(bad("`expires` is not a day such as 2027-01-31".to_owned()));
        }
        if self.files.len() > FILES_MAX {
            return Err(bad(format!("it lists more than {FILES_MAX} files")));
        }
        for file in &self.files {
            if !is_plain(&file.name) || is_reserved(&file.name) {
                return Err(Unread::Name(shown(file.name.as_bytes())));
            }
            let is_hex = |c: u8| c.is_ascii_digit() || matches!(c, b'a'..=b'f');
            if file.blake3.len() != 64 || !file.blake3.bytes().all(is_hex) {
                let name = &file.name;
                return Err(bad(format!(
                    "`{name}` has no blake3 of 64 hexadecimal digits"
                )));
            }
        }
        if let Some(name) = twin(self.files.iter().map(|file| file.name.as_str())) {
            return Err(Unread::Twin(name.to_owned()));
        }
        if !self.files.is_sorted_by(|one, next| one.name < next.name) {
            return Err(bad(
                "its files are not in the order of their names".to_owned()
            ));
        }
        let descriptor = self.descriptor();
        if !self.files.iter().any(|file| file.name == descriptor) {
            return Err(bad(format!("it lists no descriptor `{descriptor}`")));
        }
        Ok(())
    }
}

/// `blake3:…` of bytes.
pub fn digest_of(bytes: &[u8]) -> String {
    format!("blake3:{}", blake3::hash(bytes).to_hex())
}

// The package's own files.
fn is_reserved(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        crate::archive::MANIFEST,
        crate::archive::SIGNATURE,
        crate::archive::KEY,
    ]
    .contains(&name.as_str())
}

fn is_day(text: &str) -> bool {
    let digits =
        |part: &str, many: usize| part.len() == many && part.bytes().all(|c| c.is_ascii_digit());
    let parts: Vec<&str> = text.split('-').collect();
    match parts.as_slice() {
        [year, month, day] => {
            digits(year, 4)
                && digits(month, 2)
                && digits(day, 2)
                && ("01"..="12").contains(month)
                && ("01"..="31").contains(day)
        }
        _ => false,
    }
}
