//! A `nats-server` for as long as the demo lasts.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{STEP_WITHIN, failed};
use crate::error::{Failure, Id};
use crate::scratch::Scratch;

/// A running server; killed when it is dropped.
#[derive(Debug)]
pub(super) struct Broker {
    child: Child,
    port: u16,
}

impl Broker {
    pub(super) fn start(scratch: &Scratch) -> Result<Self, Failure> {
        let Some(program) = find("nats-server") else {
            return Err(Failure::new(Id::NotFound, "`nats-server` is not installed")
                .fix("to install it", "apt-get install nats-server"));
        };
        let folder = scratch.path().join("nats");
        let failed_io =
            |error: std::io::Error| failed(&format!("cannot start the server: {error}"));
        fs::create_dir(&folder).map_err(failed_io)?;
        let text = format!(
            "listen: \"127.0.0.1:-1\"\nports_file_dir: \"{0}\"\njetstream {{ store_dir: \"{0}\" }}\n",
            folder.display()
        );
        let config = folder.join("server.conf");
        fs::write(&config, text).map_err(failed_io)?;
        let log = File::create(folder.join("log")).map_err(failed_io)?;
        let mut command = leashed(&program);
        command.arg("-c").arg(&config).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(log);
        let child = crate::signals::spawn(&mut command).map_err(failed_io)?;
        // From here on it is killed, whatever comes.
        let mut broker = Self { child, port: 0 };
        broker.port = port_of(&folder)?;
        Ok(broker)
    }

    pub(super) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

// Ends with this program, however that ends.
fn leashed(program: &Path) -> Command {
    match find("setpriv") {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL"]).arg(program);
            command
        }
        None => Command::new(program),
    }
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    folders.push("/usr/sbin".into());
    let files = folders.into_iter().map(|folder| folder.join(name));
    files.into_iter().find(|file| file.is_file())
}

// The server takes a free port, and says in a file which.
fn port_of(folder: &Path) -> Result<u16, Failure> {
    let deadline = Instant::now() + STEP_WITHIN;
    loop {
        if let Some(port) = said_port(folder) {
            return Ok(port);
        }
        if Instant::now() > deadline {
            return Err(failed("the server does not say where it listens"));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn said_port(folder: &Path) -> Option<u16> {
    let mut files = fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|entry| entry.path());
    let file = files.find(|path| path.extension().is_some_and(|end| end == "ports"))?;
    let said: serde_json::Value = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
    let url = said.pointer("/nats/0")?.as_str()?;
    url.rsplit(':').next()?.parse().ok()
}
