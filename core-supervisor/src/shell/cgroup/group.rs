//! The group of one sandbox.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long a group may take to be empty after everything in it was killed.
///
/// The kernel needs microseconds; a process that hangs in a driver is left to the next
/// supervisor's sweep.
const EMPTY_WITHIN: Duration = Duration::from_millis(200);

/// See the module.
#[derive(Debug)]
pub struct Group {
    folder: PathBuf,
}

impl Group {
    pub(super) fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Kills everything in it. `false` where the kernel cannot (before Linux 5.14).
    pub fn kill(&self) -> bool {
        self.set("cgroup.kill", "1").is_ok()
    }

    /// Whether the kernel has killed in it for want of memory.
    pub fn is_starved(&self) -> bool {
        let events = fs::read_to_string(self.folder.join("memory.events")).unwrap_or_default();
        let mut lines = events.lines();
        lines.any(|line| {
            let kills = line.strip_prefix("oom_kill ");
            kills.is_some_and(|kills| kills.trim() != "0")
        })
    }

    /// Its process has ended: it is removed. What cannot be yet is killed, and removed
    /// with the others at the end: nobody waits here.
    pub fn dissolve(&self) {
        if !self.is_removed() {
            let _ = self.kill();
        }
    }

    // Removes it if it is empty; whether it is gone.
    fn is_removed(&self) -> bool {
        let removed = fs::remove_dir(&self.folder);
        removed.map_or_else(|e| e.kind() == io::ErrorKind::NotFound, |()| true)
    }

    /// Removes it, and what is left in it before.
    pub fn remove(self) {
        let start = Instant::now();
        while !self.is_removed() {
            if start.elapsed() > EMPTY_WITHIN || !self.kill() {
                tracing::warn!(folder = %self.folder.display(), "a cgroup could not be removed");
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    // All of it is killed when it is too much, and nothing goes to the disk instead.
    pub(super) fn bound_memory(&self, bytes: u64) -> io::Result<()> {
        self.set("memory.max", &bytes.to_string())?;
        for (file, value) in [("memory.swap.max", "0"), ("memory.oom.group", "1")] {
            // Kernels may be built without them.
            let _ = self.set(file, value);
        }
        Ok(())
    }

    // The file is there or the kernel has no such thing: none is ever made.
    pub(super) fn set(&self, file: &str, value: &str) -> io::Result<()> {
        use std::io::Write;

        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).open(self.folder.join(file))?;
        file.write_all(value.as_bytes())
    }
}
