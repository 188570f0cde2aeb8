//! What `hyperty doctor` tells: tried with a process that is put into a group and killed.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use super::{Bounds, CONTROLLERS, Cgroups};
use crate::ids::SandboxId;
use crate::quota::Share;

/// What there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probed {
    /// Whether a process could be put into a group and killed with it.
    pub groups: bool,
    /// What is bounded in groups: `memory`, `pids`, `cpu`.
    pub controllers: Vec<String>,
    /// Where, or why not.
    pub detail: String,
    /// What to do about what is missing; empty when nothing is.
    pub remedy: String,
}

const DELEGATE: &str = "run it as a unit of its own: systemd-run --user -p Delegate=yes hyperty up";

/// Tries it. `argument` makes this program wait for the end of its input.
pub fn probe(argument: &str) -> Probed {
    let lacking = |detail: String| Probed {
        detail,
        remedy: DELEGATE.to_owned(),
        ..Probed::default()
    };
    let cgroups = match Cgroups::open() {
        Ok(cgroups) => cgroups,
        Err(absent) => return lacking(absent.to_string()),
    };
    if let Err(reason) = kill_one(&cgroups, argument) {
        return lacking(reason);
    }
    let controllers = cgroups.controllers().to_vec();
    let folder = cgroups.folder().display();
    let detail = match (controllers.is_empty(), cgroups.lack()) {
        (false, _) => format!("{folder}: {}", controllers.join(", ")),
        (true, Some(lack)) => format!("{folder}: sandboxes end as a whole, and {lack}"),
        (true, None) => format!("{folder}: sandboxes end as a whole, no controllers"),
    };
    let is_whole = CONTROLLERS
        .iter()
        .all(|it| controllers.iter().any(|word| word == it));
    Probed {
        groups: true,
        controllers,
        detail,
        remedy: if is_whole {
            String::new()
        } else {
            DELEGATE.to_owned()
        },
    }
}

fn kill_one(cgroups: &Cgroups, argument: &str) -> Result<(), String> {
    let said = |what: &str| {
        let what = what.to_owned();
        move |error: std::io::Error| format!("{what}: {error}")
    };
    let mut child = Command::new("/proc/self/exe")
        .arg(argument)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .map_err(said("starting a process to try with"))?;
    let bounds = Bounds::of(protocol::nursery::Engine::Script, &Share::default());
    let entered = cgroups.enter(SandboxId(0), child.id(), &bounds);
    let killed = entered.as_ref().is_ok_and(super::Group::kill);
    if !killed {
        let _ = child.kill();
    }
    let status = child.wait().map_err(said("waiting for it"))?;
    entered
        .map_err(said("putting a process into a cgroup"))?
        .remove();
    if killed && status.signal() == Some(9) {
        return Ok(());
    }
    Err("killing a cgroup: this kernel has no cgroup.kill".to_owned())
}
