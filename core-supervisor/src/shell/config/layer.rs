//! Picks one value from its layers.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use toml::Spanned;

use super::file::File;
use super::{ConfigError, Origin, Set, Surroundings};

/// The layers below the flags.
pub(super) struct Layers<'a> {
    pub(super) around: &'a Surroundings<'a>,
    pub(super) file: &'a File,
}

impl Layers<'_> {
    /// A value that is text outside; `names` are its flag and its variable, or empty.
    pub(super) fn value<T>(
        &self,
        flag: Option<T>,
        names: [&'static str; 2],
        file: Option<&Spanned<String>>,
        built_in: T,
    ) -> Result<Set<T>, ConfigError>
    where
        T: FromStr,
        T::Err: Display,
    {
        let Set { value, origin } = self.optional(flag, names, file)?;
        let value = value.unwrap_or(built_in);
        Ok(Set { value, origin })
    }

    /// The same, where nothing is set unless somebody sets it.
    pub(super) fn optional<T>(
        &self,
        flag: Option<T>,
        names: [&'static str; 2],
        file: Option<&Spanned<String>>,
    ) -> Result<Set<Option<T>>, ConfigError>
    where
        T: FromStr,
        T::Err: Display,
    {
        let [flag_name, variable] = names;
        let (text, origin) = if let Some(value) = flag {
            let origin = Origin::Flag(flag_name);
            let value = Some(value);
            return Ok(Set { value, origin });
        } else if let Some(text) = (self.around.variable)(variable) {
            (text, Origin::Variable(variable))
        } else if let Some(text) = file {
            (text.get_ref().clone(), self.file.origin(text))
        } else {
            let origin = Origin::BuiltIn;
            return Ok(Set {
                value: None,
                origin,
            });
        };
        match text.parse() {
            Ok(value) => Ok(Set {
                value: Some(value),
                origin,
            }),
            Err(error) => Err(ConfigError::Value {
                origin,
                message: error.to_string(),
            }),
        }
    }

    /// A path.
    pub(super) fn path(
        &self,
        flag: Option<&PathBuf>,
        names: [&'static str; 2],
        file: Option<&Spanned<PathBuf>>,
        built_in: impl FnOnce() -> Result<PathBuf, ConfigError>,
    ) -> Result<Set<PathBuf>, ConfigError> {
        let [flag_name, variable] = names;
        let (value, origin) = if let Some(path) = flag {
            (self.here(path), Origin::Flag(flag_name))
        } else if let Some(path) = (self.around.variable)(variable) {
            (self.here(Path::new(&path)), Origin::Variable(variable))
        } else if let Some(path) = file {
            (self.file.resolve(path.get_ref()), self.file.origin(path))
        } else {
            (built_in()?, Origin::BuiltIn)
        };
        Ok(Set { value, origin })
    }

    /// A list of paths.
    pub(super) fn paths(
        &self,
        flag: &[PathBuf],
        flag_name: &'static str,
        file: Option<&Spanned<Vec<PathBuf>>>,
        built_in: impl FnOnce() -> Vec<PathBuf>,
    ) -> Set<Vec<PathBuf>> {
        let (value, origin) = if !flag.is_empty() {
            let here = flag.iter().map(|path| self.here(path));
            (here.collect(), Origin::Flag(flag_name))
        } else if let Some(paths) = file {
            let beside = paths.get_ref().iter().map(|path| self.file.resolve(path));
            (beside.collect(), self.file.origin(paths))
        } else {
            (built_in(), Origin::BuiltIn)
        };
        Set { value, origin }
    }

    /// A list of what is text in the file.
    pub(super) fn texts<T>(
        &self,
        flag: &[T],
        flag_name: &'static str,
        file: Option<&Spanned<Vec<String>>>,
    ) -> Result<Set<Vec<T>>, ConfigError>
    where
        T: FromStr + Clone,
        T::Err: Display,
    {
        if !flag.is_empty() {
            return Ok(Set {
                value: flag.to_vec(),
                origin: Origin::Flag(flag_name),
            });
        }
        let Some(texts) = file else {
            return Ok(Set {
                value: Vec::new(),
                origin: Origin::BuiltIn,
            });
        };
        let origin = self.file.origin(texts);
        let value = texts.get_ref().iter().map(|text| text.parse()).collect();
        match value {
            Ok(value) => Ok(Set { value, origin }),
            Err(error) => Err(ConfigError::Value {
                origin,
                message: T::Err::to_string(&error),
            }),
        }
    }

    /// A number or a yes that only the file can set.
    pub(super) fn plain<T: Copy>(&self, file: Option<&Spanned<T>>, built_in: T) -> Set<T> {
        match file {
            Some(value) => Set {
                value: *value.get_ref(),
                origin: self.file.origin(value),
            },
            None => Set {
                value: built_in,
                origin: Origin::BuiltIn,
            },
        }
    }

    /// `$VARIABLE/hyperty`, else `$HOME/<below>/hyperty`.
    pub(super) fn home(
        &self,
        variable: &'static str,
        below: &str,
        what: &'static str,
        remedy: &'static str,
    ) -> Result<PathBuf, ConfigError> {
        absolute(self.around, variable)
            .or_else(|| absolute(self.around, "HOME").map(|home| home.join(below)))
            .map(|base| base.join("hyperty"))
            .ok_or(ConfigError::NoHome {
                what,
                variable,
                remedy,
            })
    }

    fn here(&self, path: &Path) -> PathBuf {
        self.around.directory.join(path)
    }
}

/// A directory from the environment; the XDG specification has relative ones ignored.
pub(super) fn absolute(around: &Surroundings<'_>, variable: &str) -> Option<PathBuf> {
    (around.variable)(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}
