//! A `nats-server` for as long as the demo lasts.

use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
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
        let port = free_port().map_err(failed_io)?;
        let text = format!(
            "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: \"{}\" }}\n",
            folder.display()
        );
        let config = folder.join("server.conf");
        fs::write(&config, text).map_err(failed_io)?;
        let log = File::create(folder.join("log")).map_err(failed_io)?;
        let mut command = leashed(&program);
        command.arg("-c").arg(&config).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(log);
        let child = crate::signals::spawn(&mut command).map_err(failed_io)?;
        let broker = Self { child, port };
        broker.answers()?;
        Ok(broker)
    }

    pub(super) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn answers(&self) -> Result<(), Failure> {
        let deadline = Instant::now() + STEP_WITHIN;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if Instant::now() > deadline {
                return Err(failed("the server does not answer"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
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

fn free_port() -> std::io::Result<u16> {
    TcpListener::bind("127.0.0.1:0")?
        .local_addr()
        .map(|address| address.port())
}
