//! Real NATS servers, alone or in a cluster, and runtimes that share a domain
//! through them.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use protocol::api::user_agent::Component;
use serde_json::{Value, json};

use super::catalogue::Catalogue;
use super::place::TempDir;
use super::runtime::Runtime;
use super::wait::eventually;

/// The domain that everything in these tests belongs to.
pub const DOMAIN: &str = "example.org";

/// One server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    program: PathBuf,
    port: u16,
    folder: TempDir,
}

impl Server {
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

    /// The same, where runtimes can dial as well.
    ///
    /// # Panics
    ///
    /// When a runtime does not start.
    pub fn reachable() -> Option<PathBuf> {
        let program = Self::program()?;
        let runtime = Runtime::with(Catalogue::new()).start();
        let dials = runtime
            .operator()
            .ask_room("read", "connections", &json!({}));
        if dials.code != 200 {
            eprintln!("skipped: this runtime has no connector, so no stub reaches a server");
            return None;
        }
        Some(program)
    }

    /// Starts one with further lines of configuration.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[track_caller]
    pub fn start(program: &Path, more: &str) -> Self {
        Self::start_at(program, free_port(), more)
    }

    fn start_at(program: &Path, port: u16, more: &str) -> Self {
        let folder = TempDir::new();
        let store = folder.join("store").display().to_string();
        let text = format!(
            "listen: \"127.0.0.1:{port}\"\nserver_name: s{port}\n\
             jetstream {{ store_dir: \"{store}\" }}\n{more}\n"
        );
        fs::write(folder.join("server.conf"), text).expect("a file can be written");
        Self {
            child: spawn(program, &folder),
            program: program.to_owned(),
            port,
            folder,
        }
    }

    /// Starts several that know each other.
    ///
    /// # Panics
    ///
    /// When they cannot be started.
    #[track_caller]
    pub fn cluster(program: &Path, count: usize) -> Vec<Self> {
        let ports: Vec<_> = (0..count).map(|_| (free_port(), free_port())).collect();
        let routes = ports
            .iter()
            .map(|(_, route)| format!("\"nats://127.0.0.1:{route}\""));
        let routes = routes.collect::<Vec<_>>().join(", ");
        let servers = ports.iter().map(|(port, route)| {
            let cluster = format!(
                "cluster {{ name: test, listen: \"127.0.0.1:{route}\", routes: [{routes}] }}"
            );
            Self::start_at(program, *port, &cluster)
        });
        servers.collect()
    }

    /// Where it is reached.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Kills it as it stands.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again with what it had stored.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.child = spawn(&self.program, &self.folder);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            eprintln!("log of the NATS server at {}:\n{log}", self.port);
        }
    }
}

fn spawn(program: &Path, folder: &TempDir) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"));
    Command::new(program)
        .arg("-c")
        .arg(folder.join("server.conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log.expect("a log can be written"))
        .spawn()
        .expect("the server starts")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has an address").port()
}

/// A runtime whose domain is a NATS cluster.
#[derive(Debug)]
pub struct Place {
    /// The runtime.
    pub runtime: Runtime,
    /// Its stub.
    pub stub: Component,
}

impl Place {
    /// Starts a runtime with this catalogue and its stub, and waits until the stub
    /// has reached the domain.
    ///
    /// # Panics
    ///
    /// When it does not.
    #[track_caller]
    pub fn start(catalogue: Catalogue, servers: &[Server]) -> Self {
        let place = Self::deaf(catalogue, TempDir::new(), servers, &Value::Null);
        place.is_live();
        place
    }

    /// The same in directories that were used before.
    ///
    /// # Panics
    ///
    /// When the stub does not reach the domain.
    #[track_caller]
    pub fn again(catalogue: Catalogue, home: TempDir, servers: &[Server]) -> Self {
        let place = Self::deaf(catalogue, home, servers, &Value::Null);
        place.is_live();
        place
    }

    /// The same without waiting for the domain, with credentials.
    ///
    /// # Panics
    ///
    /// When the runtime or the stub do not run.
    #[track_caller]
    pub fn deaf(
        catalogue: Catalogue,
        home: TempDir,
        servers: &[Server],
        credentials: &Value,
    ) -> Self {
        let mut arguments = vec!["--domain".to_owned(), DOMAIN.to_owned()];
        for server in servers {
            arguments.extend(["--node".to_owned(), server.url()]);
        }
        if !credentials.is_null() {
            let file = catalogue.path().join("credentials.json");
            fs::write(&file, credentials.to_string()).expect("a file can be written");
            arguments.extend(["--node-secret".to_owned(), file.display().to_string()]);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let runtime = Runtime::with(catalogue)
            .home(home)
            .arguments(&arguments)
            .start();
        for server in servers {
            let grant = json!({ "component": "example.org/stub-nats", "host": "127.0.0.1",
                "port": server.port(), "private": true });
            let granted = runtime.operator().ask_room("create", "connections", &grant);
            assert_eq!(granted.code, 200, "{granted:?}");
        }
        runtime.watch();
        let stub = |runtime: &Runtime| {
            let all = runtime.components().into_iter();
            all.into_iter()
                .find(|component| component.name == "stub-nats")
        };
        eventually("the stub runs", || stub(&runtime).is_some());
        let stub = stub(&runtime).expect("a stub");
        Self { runtime, stub }
    }

    /// Waits until the stub has reached the domain.
    ///
    /// # Panics
    ///
    /// When it does not.
    #[track_caller]
    pub fn is_live(&self) {
        eventually("the domain is reached", || self.said("live: the domain"));
    }

    /// Whether the stub's log has a line with this text.
    pub fn said(&self, text: &str) -> bool {
        self.runtime.log_says(&self.stub, text)
    }
}
