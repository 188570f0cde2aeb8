//! Starts real sandboxes around the hostile program of `tests/escape`.

#![allow(dead_code, reason = "each test program uses its part")]

use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::OnceLock;

use protocol::frame::{CoreFrame, Exec, HostFrame, Level};
use protocol::nursery::Engine;
use rustix::fs::{MemfdFlags, memfd_create};
use sandbox_host::lockdown::Without;
use sandbox_host::probe::trial::{End, Line, Told, Trial};

/// An ordinary user, for the tests that run as root.
pub(crate) const ORDINARY: u32 = 1000;

/// The levels that a test asks for: exactly one, or the best from one on.
pub(crate) const L1: (Level, Level) = (Level::L1, Level::L1);
pub(crate) const L2: (Level, Level) = (Level::L2, Level::L2);
pub(crate) const L3: (Level, Level) = (Level::L3, Level::L3);
pub(crate) const UNLOCKED: (Level, Level) = (Level::L0, Level::L0);

/// `sandbox-host`, where every user may execute it.
pub(crate) fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let path = folder().join("sandbox-host");
        fs::copy(env!("CARGO_BIN_EXE_sandbox-host"), &path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    })
}

/// A folder of this test program, which every user may enter.
pub(crate) fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        clear_up();
        let path = std::env::temp_dir().join(format!("{PREFIX}{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    })
}

const PREFIX: &str = "hyperty-lockdown-";

// A test program has no end of its own, so each takes away what others have left.
fn clear_up() {
    for entry in fs::read_dir(std::env::temp_dir()).unwrap().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The hostile program, compiled.
pub(crate) fn escape() -> &'static Path {
    static ESCAPE: OnceLock<PathBuf> = OnceLock::new();
    ESCAPE.get_or_init(|| compile("escape", &["-static", "-pthread"]))
}

/// Compiles `tests/escape/escape.c`.
pub(crate) fn compile(name: &str, flags: &[&str]) -> PathBuf {
    let target = folder().join(name);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/escape/escape.c");
    let mut compiler = Command::new("cc");
    compiler
        .arg("-O1")
        .args(flags)
        .arg("-o")
        .arg(&target)
        .arg(source);
    assert!(compiler.status().expect("a C compiler").success());
    target
}

/// A file's bytes as an anonymous file, as the supervisor hands programs over.
pub(crate) fn in_memory(bytes: &[u8]) -> OwnedFd {
    let file = memfd_create("program", MemfdFlags::CLOEXEC | MemfdFlags::EXEC).unwrap();
    rustix::io::write(&file, bytes).unwrap();
    file
}

/// Is the test run as root, and can it therefore become somebody else?
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A file and a process that an act tries to hurt.
pub(crate) struct Victim {
    pub(crate) file: PathBuf,
    process: Child,
}

impl Victim {
    pub(crate) fn new(name: &str) -> Self {
        let file = folder().join(name);
        fs::write(&file, "secret").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
        let process = Command::new("sleep").arg("1000").spawn().unwrap();
        Self { file, process }
    }

    /// What can be seen of it: bytes, mode, time of change, and that the process lives.
    pub(crate) fn state(&mut self) -> String {
        let meta =
            fs::metadata(&self.file).map(|m| (m.permissions().mode(), m.modified().unwrap()));
        let bytes = fs::read_to_string(&self.file);
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let signals: Vec<&str> = status
            .lines()
            .filter(|l| l.contains("Pnd") || l.contains("TracerPid"))
            .collect();
        let nice = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let nice = nice.split_whitespace().nth(18).unwrap().to_owned();
        format!(
            "{meta:?} {bytes:?} {signals:?} nice {nice} ended {:?}",
            self.process.try_wait()
        )
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A nursery, as this user or as another one.
pub(crate) fn nursery(without: &[&str], user: Option<u32>) -> Trial {
    let mut parts = Without::default();
    for part in without {
        parts.add(part).unwrap();
    }
    Trial::start(program(), parts, user).unwrap()
}

/// Waits until the sandbox has said that it is confined, and returns its level and proofs.
pub(crate) fn confined(line: &mut Line) -> Option<(Level, String)> {
    loop {
        match line.hear().unwrap()? {
            HostFrame::Confined(confined) => {
                return Some((confined.level, confined.proofs.to_owned()));
            }
            HostFrame::Hello(_) => {}
            other => panic!("out of turn: {other:?}"),
        }
    }
}

/// Lets the hostile program perform one act; what it said, or how it was killed.
pub(crate) fn attempt(
    trial: &mut Trial,
    levels: (Level, Level),
    act: &str,
    victim: &Victim,
) -> String {
    let mut line = trial.launch(Engine::Native, "native", levels).unwrap();
    if confined(&mut line).is_none() {
        return format!("{:?}", trial.end().unwrap());
    }
    let name = format!("{act} {} {}", victim.file.display(), victim.process.id());
    let program = in_memory(&fs::read(escape()).unwrap());
    let exec = CoreFrame::Exec(Exec {
        component: "hyperty://example.org/escape",
        name: &name,
    });
    line.say(&exec, Some(program.as_fd())).unwrap();
    let said = line.hear_bytes().unwrap();
    match trial.end().unwrap() {
        End::Code(0) => String::from_utf8_lossy(&said).into_owned(),
        End::Syscall(name) => format!("killed: {name}"),
        End::Signal(signal) => format!("signal {signal}"),
        other => format!("{other:?} {}", String::from_utf8_lossy(&said)),
    }
}

/// Waits until a sandbox is launched; its process id.
pub(crate) fn launched(trial: &Trial) -> u32 {
    loop {
        match trial.told().unwrap() {
            Told::Launched { pid, .. } => return pid,
            Told::Exited { .. } => {}
            Told::NotLaunched(reason) => panic!("not launched: {reason}"),
        }
    }
}
