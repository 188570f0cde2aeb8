//! A real `nats-server`, or several that know each other.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use super::hosts::Host;
use super::place::TempDir;
use super::ports::free_port;
use super::wait::some_time;

/// One server with `JetStream`; it is killed when it is dropped.
#[derive(Debug)]
pub struct NatsServer {
    child: Child,
    program: PathBuf,
    host: Host,
    port: u16,
    folder: TempDir,
}

impl NatsServer {
    /// The program, or a line that says why the test is skipped.
    pub fn program() -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<_> = std::env::split_paths(&path).collect();
        folders.push("/usr/sbin".into());
        let mut found = folders.into_iter().map(|folder| folder.join("nats-server"));
        let found = found.find(|file| file.is_file());
        if found.is_none() {
            eprintln!("skipped: nats-server is not installed (apt-get install nats-server)");
        }
        found
    }

    /// Starts one with further lines of configuration, and waits until it listens.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[track_caller]
    pub fn start(program: &Path, more: &str) -> Self {
        Self::start_on(Host::here(), program, more)
    }

    /// The same on another machine.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[track_caller]
    pub fn start_on(host: Host, program: &Path, more: &str) -> Self {
        let server = Self::spawned(host, program, free_port(), more);
        server.listens();
        server
    }

    /// The same where the program is installed; else nothing, and a line that says so.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[track_caller]
    pub fn if_installed(more: &str) -> Option<Self> {
        Some(Self::start(&Self::program()?, more))
    }

    /// Starts several that know each other, each with further lines of configuration.
    ///
    /// # Panics
    ///
    /// When they cannot be started.
    #[track_caller]
    pub fn cluster(program: &Path, count: usize, more: &str) -> Vec<Self> {
        let ports: Vec<_> = (0..count).map(|_| (free_port(), free_port())).collect();
        let routes = ports
            .iter()
            .map(|(_, route)| format!("\"nats://127.0.0.1:{route}\""));
        let routes = routes.collect::<Vec<_>>().join(", ");
        let spawned = ports.iter().map(|(port, route)| {
            let cluster = format!(
                "cluster {{ name: test, listen: \"127.0.0.1:{route}\", routes: [{routes}] }}\n{more}"
            );
            Self::spawned(Host::here(), program, *port, &cluster)
        });
        let servers: Vec<_> = spawned.collect();
        servers.iter().for_each(Self::listens);
        servers
    }

    /// Where it is reached.
    pub fn url(&self) -> String {
        format!("nats://{}:{}", self.host.address(), self.port)
    }

    /// Its port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Kills it as it stands.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::rename(self.folder.join("log"), self.folder.join("log.before"));
    }

    /// Starts it again with what it had stored.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.kill();
        self.child = spawn(&self.host, &self.program, &self.folder);
        self.listens();
    }

    #[track_caller]
    fn spawned(host: Host, program: &Path, port: u16, more: &str) -> Self {
        let at = host.address();
        let folder = TempDir::new();
        let store = folder.join("store").display().to_string();
        let text = format!(
            "listen: \"{at}:{port}\"\nserver_name: s{port}\n\
             jetstream {{ store_dir: \"{store}\" }}\n{more}\n"
        );
        fs::write(folder.join("server.conf"), text).expect("a file can be written");
        Self {
            child: spawn(&host, program, &folder),
            program: program.to_owned(),
            host,
            port,
            folder,
        }
    }

    #[track_caller]
    fn listens(&self) {
        some_time("the NATS server listens", || {
            let log = self.log();
            assert!(!log.contains("[FTL]"), "it does not start:\n{log}");
            log.contains("Server is ready").then_some(())
        });
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "--- the log of the NATS server at {}\n{}",
                self.port,
                self.log()
            );
        }
        self.kill();
    }
}

fn spawn(host: &Host, program: &Path, folder: &TempDir) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"));
    host.command(program)
        .arg("-c")
        .arg(folder.join("server.conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log.expect("a log can be written"))
        .spawn()
        .expect("the server starts")
}
