//! Where programs, fixtures and temporary directories are.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A program of the workspace.
///
/// Looked for in `HYPERTY_BIN_DIR`, else two folders above the test program.
///
/// # Panics
///
/// When it has not been built.
pub fn program(name: &str) -> PathBuf {
    let beside_tests = || Some(env::current_exe().ok()?.parent()?.parent()?.to_path_buf());
    let folder = env::var_os("HYPERTY_BIN_DIR")
        .map(PathBuf::from)
        .or_else(beside_tests);
    let path = folder.unwrap_or_default().join(name);
    assert!(
        path.is_file(),
        "`{}` is not built: run `make test`",
        path.display()
    );
    path
}

/// The source tree, or the copy of it that an ordinary user may read.
///
/// # Panics
///
/// Never: this crate lies in a workspace.
pub fn source_dir() -> PathBuf {
    let here = || {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .map(Path::to_path_buf)
    };
    env::var_os("HYPERTY_SOURCE_DIR")
        .map(PathBuf::from)
        .or_else(here)
        .unwrap()
}

/// Whether this is the superuser, who may look into every process.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A directory that is removed when it is dropped.
#[derive(Debug)]
pub struct TempDir {
    path: PathBuf,
}

impl TempDir {
    /// An empty directory with an unusual name.
    ///
    /// The name is short: a local socket's path may have 107 bytes.
    ///
    /// # Panics
    ///
    /// When it cannot be made.
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("hy-{}-{number}", std::process::id());
        let path = env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a temporary directory can be made");
        Self { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A path in it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Default for TempDir {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}
