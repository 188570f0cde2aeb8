//! What can be wrong with a configuration.

use std::path::PathBuf;

use super::Origin;

/// Why there is no configuration. Each is the operator's to mend.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that was asked for cannot be read.
    #[error("cannot read the configuration `{path}`: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is not what it has to be.
    #[error("{place}: {message}")]
    Parse {
        /// `file:line:column`.
        place: String,
        /// What is wrong.
        message: String,
    },
    /// A value does not fit.
    #[error("{origin}: {message}")]
    Value {
        /// Where it was set.
        origin: Origin,
        /// What is wrong.
        message: String,
    },
    /// A directory has no default here.
    #[error("no place for {what}: neither `{variable}` nor `HOME` is set; say {remedy}")]
    NoHome {
        /// What has no place.
        what: &'static str,
        /// The variable that would name it.
        variable: &'static str,
        /// What to say instead.
        remedy: &'static str,
    },
}
