//! Where things are: flags over environment over the XDG directories.

use std::env;
use std::path::{Path, PathBuf};

use crate::error::{Failure, Id};

/// The name of the supervisor's socket in its runtime directory.
const SOCKET: &str = "bus.sock";

/// The directories of one supervisor.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    /// Holds the socket.
    pub(crate) runtime: PathBuf,
}

impl Paths {
    /// From `--runtime-dir` or its variable, else where a supervisor puts it by itself.
    pub(crate) fn new(runtime: Option<&Path>) -> Self {
        let runtime = runtime.map_or_else(default_runtime, Path::to_path_buf);
        Self { runtime }
    }

    /// The supervisor's socket.
    pub(crate) fn endpoint(&self) -> PathBuf {
        self.runtime.join(SOCKET)
    }
}

/// `$XDG_RUNTIME_DIR/hyperty`, else `/tmp/hyperty-<uid>`.
fn default_runtime() -> PathBuf {
    absolute("XDG_RUNTIME_DIR").map_or_else(
        || PathBuf::from(format!("/tmp/hyperty-{}", nix::unistd::getuid())),
        |directory| directory.join("hyperty"),
    )
}

/// `$XDG_DATA_HOME/hyperty`, else `~/.local/share/hyperty`.
pub(crate) fn default_data() -> PathBuf {
    home_based("XDG_DATA_HOME", ".local/share")
}

/// `$XDG_CONFIG_HOME/hyperty`, else `~/.config/hyperty`.
pub(crate) fn default_config() -> PathBuf {
    home_based("XDG_CONFIG_HOME", ".config")
}

fn home_based(variable: &str, below_home: &str) -> PathBuf {
    let base = absolute(variable).or_else(|| absolute("HOME").map(|home| home.join(below_home)));
    base.unwrap_or_else(env::temp_dir).join("hyperty")
}

// The XDG specification says that a relative path is to be ignored.
fn absolute(variable: &str) -> Option<PathBuf> {
    env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}

/// One of our own programs: beside this one, else on the `PATH`.
pub(crate) fn program(name: &str) -> Result<PathBuf, Failure> {
    let own = env::current_exe()
        .map_err(|error| Failure::new(Id::Local, format!("cannot find this program: {error}")))?;
    let beside = own.with_file_name(name);
    if beside.is_file() {
        return Ok(beside);
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|file| file.is_file());
    on_path.ok_or_else(|| {
        Failure::new(Id::NotStarted, format!("cannot find the program `{name}`"))
            .fact("looked at", format!("{} and on the PATH", beside.display()))
            .fix("to build it", "make build")
    })
}
