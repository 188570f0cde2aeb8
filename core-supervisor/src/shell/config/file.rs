//! `hyperty.toml`, each value with its place.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::layer::absolute;
use super::{ConfigError, Flags, Origin, Surroundings};

/// The keys of the file. One that is not here is an error: a misspelt limit
/// must not go unnoticed.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Keys {
    pub(super) data_dir: Option<Spanned<PathBuf>>,
    pub(super) runtime_dir: Option<Spanned<PathBuf>>,
    pub(super) catalogue: Option<Spanned<Vec<PathBuf>>>,
    pub(super) policy: Option<Spanned<Vec<PathBuf>>>,
    pub(super) min_level: Option<Spanned<String>>,
    pub(super) max_level: Option<Spanned<String>>,
    pub(super) sandbox_host: Option<Spanned<PathBuf>>,
    pub(super) connector: Option<Spanned<PathBuf>>,
    pub(super) resolver: Option<Spanned<String>>,
    pub(super) tls_roots: Option<Spanned<PathBuf>>,
    pub(super) sockets_max: Option<Spanned<usize>>,
    pub(super) domain: Option<Spanned<String>>,
    pub(super) node: Option<Spanned<Vec<String>>>,
    pub(super) node_secret: Option<Spanned<Vec<String>>>,
    pub(super) user: Option<Spanned<String>>,
    pub(super) log: Option<Spanned<String>>,
    pub(super) spare_scripts: Option<Spanned<usize>>,
    pub(super) spare_natives: Option<Spanned<usize>>,
    pub(super) starts_max: Option<Spanned<usize>>,
    pub(super) slots_max: Option<Spanned<usize>>,
    pub(super) fetch: Option<Spanned<bool>>,
    pub(super) unsigned: Option<Spanned<String>>,
    #[serde(rename = "keys")]
    pub(super) of_providers: Option<Spanned<Vec<String>>>,
    pub(super) placement: Option<Spanned<bool>>,
    pub(super) limits: super::ceiling::Keys,
}

/// The file, if there is one.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) path: Option<PathBuf>,
    pub(super) keys: Keys,
    text: String,
}

impl File {
    /// Reads the file that was asked for, or the usual one if it exists.
    pub(super) fn find(flags: &Flags, around: &Surroundings<'_>) -> Result<Self, ConfigError> {
        let asked = flags
            .config
            .clone()
            .or_else(|| (around.variable)("HYPERTY_CONFIG").map(PathBuf::from))
            .map(|path| around.directory.join(path));
        let is_asked_for = asked.is_some();
        let Some(path) = asked.or_else(|| usual(around)) else {
            return Ok(Self::default());
        };
        match fs::read_to_string(&path) {
            Ok(text) => Self::parse(path, text),
            Err(error) if error.kind() == ErrorKind::NotFound && !is_asked_for => Ok(Self {
                path: Some(path),
                ..Self::default()
            }),
            Err(source) => Err(ConfigError::Read { path, source }),
        }
    }

    fn parse(path: PathBuf, text: String) -> Result<Self, ConfigError> {
        match toml::from_str(&text) {
            Ok(keys) => Ok(Self {
                path: Some(path),
                keys,
                text,
            }),
            Err(error) => {
                let (line, column) = place(&text, error.span().map_or(0, |span| span.start));
                Err(ConfigError::Parse {
                    place: format!("{}:{line}:{column}", path.display()),
                    message: error.message().replace('\n', ", "),
                })
            }
        }
    }

    /// Where a value of the file stands.
    pub(super) fn origin<T>(&self, value: &Spanned<T>) -> Origin {
        let (line, _) = place(&self.text, value.span().start);
        let path = self.path.as_deref().unwrap_or(Path::new("hyperty.toml"));
        Origin::File(format!("{}:{line}", path.display()))
    }

    /// A path of the file is relative to the file.
    pub(super) fn resolve(&self, path: &Path) -> PathBuf {
        match self.path.as_deref().and_then(Path::parent) {
            Some(directory) => directory.join(path),
            None => path.to_owned(),
        }
    }

    /// Where the user's rules are, if there are any.
    pub(super) fn policy_dir(&self) -> Option<PathBuf> {
        Some(self.path.as_deref()?.with_file_name("policy.d"))
    }
}

fn usual(around: &Surroundings<'_>) -> Option<PathBuf> {
    let base = absolute(around, "XDG_CONFIG_HOME")
        .or_else(|| absolute(around, "HOME").map(|home| home.join(".config")))?;
    Some(base.join("hyperty").join("hyperty.toml"))
}

// Line and column of a byte, both from 1.
fn place(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |last| last.chars().count())
        + 1;
    (line, column)
}
