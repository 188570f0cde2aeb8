//! # Control groups — what a sandbox may have beyond what it can limit itself
//!
//! ```text
//!  own cgroup (delegated)
//!  ├── supervisor-<pid>     we, only when controllers are to be had: processes live in leaves
//!  └── hyperty-<pid>
//!      └── <sandbox>        memory.max, pids.max, cpu.max; cgroup.kill; memory.events
//! ```
//!
//! Found by doing: a cgroup is made below the own one, controllers are switched on, and
//! what is on afterwards counts. Where there is nothing of it (version 1 only, not
//! writable), everything else goes on; where there are no controllers, the groups still
//! end a sandbox as a whole. What is not ours stays as it is: the root of the machine's
//! hierarchy, and a cgroup in which others live, get no controllers switched on.
//!
//! A sandbox enters when its process is announced: before it is looked at, and so
//! before foreign code is sent to it.

mod find;
mod group;
mod probe;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use protocol::nursery::Engine;

pub use self::group::Group;
pub use self::probe::{Probed, probe};
use crate::ids::SandboxId;
use crate::quota::{Quota, Share};

/// What bounds a sandbox; in the order in which they are switched on.
pub const CONTROLLERS: [&str; 3] = ["memory", "pids", "cpu"];

/// Threads of a sandbox, as its profile has them in a user namespace of its own.
const TASKS_MAX: u64 = 64;

/// Memory besides what a component fills: its program, its stack, the kernel's share.
const BESIDES_BYTES: u64 = 64 << 20;

/// The stretch of time in which processor time is shared out, in microseconds: the
/// kernel's own default.
const PERIOD_US: u64 = 100_000;

/// Why there are no groups.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {cause}")]
pub struct Absent {
    /// What was tried.
    pub what: String,
    /// What the system said.
    pub cause: String,
}

/// Where the groups of this supervisor are.
#[derive(Debug)]
pub struct Cgroups {
    own: PathBuf,
    folder: PathBuf,
    /// The leaf into which this process moved, and those that it starts.
    leaf: Option<PathBuf>,
    controllers: Vec<String>,
    /// Why there are fewer controllers than there could be.
    lack: Option<String>,
}

/// What a sandbox may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Memory of all kinds, in bytes.
    pub memory_bytes: u64,
    /// Threads.
    pub tasks: u64,
    /// Percent of one processor; 0 for no bound.
    pub cpu_percent: u32,
}

impl Bounds {
    /// The bounds of a process with this share.
    ///
    /// Behind its own limits, which it feels as an error: what it fills twice over (what
    /// an allocator leaves behind), and what is not counted there.
    pub fn of(engine: Engine, share: &Share) -> Self {
        let fills = match share.memory_bytes {
            0 => Quota::Memory.usual(engine),
            bytes => bytes,
        };
        Self {
            memory_bytes: fills.saturating_mul(2).saturating_add(BESIDES_BYTES),
            tasks: TASKS_MAX,
            cpu_percent: share.cpu_percent,
        }
    }
}

impl Cgroups {
    /// Finds the own cgroup and makes room for sandboxes below it.
    pub fn open() -> Result<Self, Absent> {
        let read = |path: &str| {
            fs::read_to_string(path).map_err(|error| absent(format!("reading `{path}`"), &error))
        };
        let own = find::own(&read("/proc/self/cgroup")?, &read("/proc/self/mountinfo")?);
        let own = own.ok_or_else(|| Absent {
            what: "looking for the own cgroup".to_owned(),
            cause: "there is none of version 2 here".to_owned(),
        })?;
        Self::below(&own, std::process::id())
    }

    /// The same below this cgroup.
    pub(super) fn below(own: &Path, pid: u32) -> Result<Self, Absent> {
        sweep(own);
        let folder = own.join(format!("{FOLDER}{pid}"));
        fs::create_dir_all(&folder)
            .map_err(|error| absent(format!("making `{}`", folder.display()), &error))?;
        let mut cgroups = Self {
            own: own.to_owned(),
            folder,
            leaf: None,
            controllers: Vec::new(),
            lack: None,
        };
        if let Err(lack) = cgroups.switch_on(pid) {
            cgroups.lack = Some(lack);
        }
        cgroups.controllers = on(&cgroups.folder);
        Ok(cgroups)
    }

    /// Where they are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is bounded in them.
    pub fn controllers(&self) -> &[String] {
        &self.controllers
    }

    /// Why not everything is.
    pub fn lack(&self) -> Option<&str> {
        self.lack.as_deref()
    }

    /// Makes the group of a sandbox and puts its process in it.
    pub fn enter(&self, sandbox: SandboxId, pid: u32, bounds: &Bounds) -> io::Result<Group> {
        let folder = self.folder.join(sandbox.0.to_string());
        // With its parents: another supervisor may have swept an empty one away.
        fs::create_dir_all(&folder)?;
        let group = Group::at(folder);
        for controller in &self.controllers {
            let set = match controller.as_str() {
                "memory" => group.bound_memory(bounds.memory_bytes),
                "pids" => group.set("pids.max", &bounds.tasks.to_string()),
                "cpu" if bounds.cpu_percent > 0 => {
                    let share_us = u64::from(bounds.cpu_percent) * PERIOD_US / 100;
                    group.set("cpu.max", &format!("{share_us} {PERIOD_US}"))
                }
                _ => Ok(()),
            };
            if let Err(error) = set {
                group.remove();
                return Err(error);
            }
        }
        match group.set("cgroup.procs", &pid.to_string()) {
            Ok(()) => Ok(group),
            Err(error) => {
                group.remove();
                Err(error)
            }
        }
    }

    // Lets groups below have controllers: here, and below the folder.
    fn switch_on(&mut self, pid: u32) -> Result<(), String> {
        let there = words(&self.own.join("cgroup.controllers"));
        let wanted = || {
            CONTROLLERS
                .into_iter()
                .filter(|it| there.iter().any(|word| word == it))
        };
        if wanted().next().is_none() {
            return Err(format!(
                "`{}` has none of {}",
                self.own.display(),
                CONTROLLERS.join(", ")
            ));
        }
        // Only a cgroup that is not the root of the hierarchy has a type.
        let is_root = !self.own.join("cgroup.type").exists();
        let missing = wanted().any(|it| !on(&self.own).iter().any(|word| word == it));
        if missing && !is_root {
            self.leave_for_leaf(pid)?;
        }
        for folder in [&self.own, &self.folder] {
            if is_root && folder == &self.own {
                continue;
            }
            for controller in wanted() {
                // What cannot be switched on is not on afterwards, and that counts.
                let _ = fs::write(folder.join(SUBTREE), format!("+{controller}"));
            }
        }
        Ok(())
    }

    // Processes live in leaves: we move out of the way, if nobody else lives there.
    fn leave_for_leaf(&mut self, pid: u32) -> Result<(), String> {
        let procs = self.own.join("cgroup.procs");
        let others = words(&procs)
            .into_iter()
            .filter(|it| *it != pid.to_string());
        if others.count() > 0 {
            return Err(format!(
                "other processes live in `{}`: controllers could not be switched on below it",
                self.own.display()
            ));
        }
        let leaf = self.own.join(format!("{LEAF}{pid}"));
        fs::create_dir_all(&leaf)
            .and_then(|()| fs::write(leaf.join("cgroup.procs"), pid.to_string()))
            .map_err(|error| format!("moving to `{}`: {error}", leaf.display()))?;
        self.leaf = Some(leaf);
        Ok(())
    }
}

impl Drop for Cgroups {
    fn drop(&mut self) {
        for folder in children(&self.folder) {
            Group::at(folder).remove();
        }
        let _ = fs::remove_dir(&self.folder);
        if self.leaf.is_some() {
            // Nothing may be left that keeps the own cgroup from having processes again.
            for controller in CONTROLLERS {
                let _ = fs::write(self.own.join(SUBTREE), format!("-{controller}"));
            }
            let _ = fs::write(
                self.own.join("cgroup.procs"),
                std::process::id().to_string(),
            );
        }
        if let Some(leaf) = &self.leaf {
            let _ = fs::remove_dir(leaf);
        }
    }
}

const SUBTREE: &str = "cgroup.subtree_control";
const FOLDER: &str = "hyperty-";
const LEAF: &str = "supervisor-";

// Removes what supervisors that were killed have left. The kernel removes no cgroup in
// which a process lives, so nothing of a living one is lost.
fn sweep(own: &Path) {
    for folder in children(own) {
        let name = folder.file_name().and_then(|name| name.to_str());
        let pid = name.and_then(|name| name.strip_prefix(FOLDER).or(name.strip_prefix(LEAF)));
        let is_dead = pid.is_some_and(|pid| {
            pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists()
        });
        if is_dead {
            for group in children(&folder) {
                let _ = fs::remove_dir(group);
            }
            let _ = fs::remove_dir(folder);
        }
    }
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.map(|entry| entry.path()).collect()
}

// The controllers that groups below a cgroup have.
fn on(folder: &Path) -> Vec<String> {
    let mut on = words(&folder.join(SUBTREE));
    on.retain(|word| CONTROLLERS.contains(&word.as_str()));
    on
}

fn words(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

fn absent(what: String, error: &io::Error) -> Absent {
    Absent {
        what,
        cause: error.to_string(),
    }
}
