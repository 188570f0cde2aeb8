//! What can be tried without a sandbox: directories, limits, the clock, the link.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use nix::sys::resource::{Resource, getrlimit};
use protocol::api::bus::{self, Numbers};
use protocol::api::capabilities::{ABSENT, GRANTED, HERE};
use serde_json::json;

use super::{Check, Status, cgroup};
use crate::Context;
use crate::cmd::policy;
use crate::error::Exit;
use crate::output::time;
use crate::paths::{default_config, default_data, program};
use crate::session::Session;

/// Descriptors that five hundred sandboxes need: link, pidfd, and some room.
const NOFILE_COMFORT: u64 = 4096;

/// Below this not even a dozen sandboxes run.
const NOFILE_LEAST: u64 = 256;

/// How long a supervisor that runs may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// Every check of this file, in order of id.
pub(super) fn all(context: &Context) -> Vec<Check> {
    let data = std::env::var_os("HYPERTY_DATA_DIR").map_or_else(default_data, PathBuf::from);
    vec![
        has("here", Status::Pass, &HERE, "every component finds them"),
        has(
            "granted",
            Status::Pass,
            &GRANTED,
            "where policy grants them",
        ),
        has(
            "absent",
            Status::Skip,
            &ABSENT,
            "what needs them is refused with 422",
        ),
        cgroup::check(),
        clock(),
        endpoint(context),
        nofile(),
        rules(),
        installed("core-supervisor"),
        installed("sandbox-host"),
        runtime_dir(&context.paths.runtime),
        store(&data),
    ]
}

// What descriptors may ask for, under the names that they use.
fn has(id: &str, status: Status, names: &[&str], what: &str) -> Check {
    let detail = format!("{}: {what}", names.join(", "));
    Check::new(&format!("capability.{id}"), status, detail)
}

fn installed(name: &str) -> Check {
    let id = format!("program.{name}");
    match program(name) {
        Ok(path) => Check::new(&id, Status::Pass, path.display().to_string()),
        Err(failure) => Check::new(&id, Status::Fail, failure.what()).remedy("make build"),
    }
}

// The clock is used by rules and records. It cannot be earlier than this program.
fn clock() -> Check {
    let built = std::env::current_exe()
        .and_then(fs::metadata)
        .and_then(|meta| meta.modified());
    let now = time::rfc3339(time::now_us());
    match built {
        Ok(built) if SystemTime::now() < built => Check::new(
            "clock.skew",
            Status::Fail,
            format!("it is {now}, before this program was built"),
        )
        .remedy("set the clock: timedatectl set-ntp true"),
        _ => Check::new("clock.skew", Status::Pass, now),
    }
}

fn endpoint(context: &Context) -> Check {
    let id = "endpoint.answers";
    let at = context.paths.endpoint();
    let start = Instant::now();
    let asked = Session::open_at(&at, Some(ANSWER_WITHIN))
        .and_then(|mut session| session.ask::<_, Numbers>(bus::PATH, "read", &json!({})));
    match asked {
        Ok(numbers) => {
            let took = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
            let took = time::latency(took, false);
            let links = numbers.links;
            Check::new(
                id,
                Status::Pass,
                format!("answered in {took}, {links} links"),
            )
        }
        Err(failure) if failure.exit() == Exit::Unreachable && !at.exists() => Check::new(
            id,
            Status::Skip,
            "no supervisor runs; `hyperty up` starts one",
        ),
        Err(failure) => Check::new(id, Status::Fail, failure.what()).remedy(format!(
            "hyperty down, or remove {}, then hyperty up",
            at.display()
        )),
    }
}

fn nofile() -> Check {
    let id = "limits.nofile";
    let remedy = format!("ulimit -n {NOFILE_COMFORT}, or LimitNOFILE={NOFILE_COMFORT} in the unit");
    match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok((soft, hard)) => {
            // The supervisor raises its own soft limit as far as it may.
            let status = match hard {
                NOFILE_COMFORT.. => Status::Pass,
                NOFILE_LEAST.. => Status::Warn,
                _ => Status::Fail,
            };
            Check::new(id, status, format!("{soft}, may be raised to {hard}")).remedy(remedy)
        }
        Err(error) => Check::new(id, Status::Warn, error.to_string()).remedy(remedy),
    }
}

fn rules() -> Check {
    let id = "policy.compiles";
    let own = default_config().join("policy.d");
    if !own.is_dir() {
        return Check::new(
            id,
            Status::Skip,
            "no rules of your own; the shipped ones are in force",
        );
    }
    match policy::compile(std::slice::from_ref(&own)) {
        Ok(found) if found.problems.is_empty() => {
            Check::new(id, Status::Pass, own.display().to_string())
        }
        Ok(found) => {
            let n = found.problems.len();
            Check::new(
                id,
                Status::Fail,
                format!("{n} problems in {}", own.display()),
            )
            .remedy("hyperty policy check")
        }
        Err(failure) => Check::new(id, Status::Fail, failure.what()).remedy("hyperty policy check"),
    }
}

// Only the user may enter it: whoever reaches the socket is asked who he is, but
// a name in a directory of others could be replaced.
fn runtime_dir(path: &Path) -> Check {
    let id = "runtime.private";
    let shown = path.display().to_string();
    match fs::metadata(path) {
        Ok(meta) if meta.uid() != nix::unistd::getuid().as_raw() => Check::new(
            id,
            Status::Fail,
            format!("{shown} belongs to uid {}", meta.uid()),
        )
        .remedy("give another one with --runtime-dir"),
        Ok(meta) if meta.permissions().mode() & 0o077 != 0 => {
            let mode = meta.permissions().mode() & 0o777;
            Check::new(id, Status::Fail, format!("{shown} has mode {mode:o}"))
                .remedy(format!("chmod 700 {shown}"))
        }
        Ok(_) => Check::new(id, Status::Pass, shown),
        Err(_) => writable(id, path, "give another one with --runtime-dir"),
    }
}

fn store(path: &Path) -> Check {
    writable(
        "store.writable",
        path,
        "free space or change its owner, or give --data-dir",
    )
}

// Writes a file and removes it, in the nearest directory that exists.
fn writable(id: &str, path: &Path, remedy: &str) -> Check {
    let Some(existing) = path.ancestors().find(|ancestor| ancestor.is_dir()) else {
        return Check::new(id, Status::Fail, format!("{} is nowhere", path.display()))
            .remedy(remedy);
    };
    let file = existing.join(format!(".hyperty-doctor-{}", std::process::id()));
    let tried = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&file)
        .and_then(|mut f| {
            std::io::Write::write_all(&mut f, &[0; 4096])?;
            f.sync_all()
        });
    let removed = fs::remove_file(&file);
    match tried.and(removed) {
        Ok(()) if existing == path => Check::new(id, Status::Pass, path.display().to_string()),
        Ok(()) => Check::new(id, Status::Pass, format!("{} can be made", path.display())),
        Err(error) => {
            Check::new(id, Status::Fail, format!("{}: {error}", existing.display())).remedy(remedy)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_can_be_written_passes_and_one_that_cannot_fails() {
        let fine = writable("store.writable", &std::env::temp_dir(), "remedy");
        let bad = writable("store.writable", Path::new("/proc/self/nothing"), "remedy");

        assert_eq!(fine.status, Status::Pass, "{}", fine.detail);
        assert_eq!(bad.status, Status::Fail, "{}", bad.detail);
        assert_eq!(bad.remedy, "remedy");
    }
}
