//! What carries messages between runtimes: a message node, or a NATS server.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::place::{TempDir, program};
use super::wait::eventually;

/// Which program it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `hyperty-node`, by WebSocket.
    MessageNode,
    /// A `nats-server` with `JetStream`, as the system has it.
    Nats,
}

/// A server for one domain; it is killed when it is dropped.
#[derive(Debug)]
pub struct Node {
    kind: Kind,
    domain: String,
    port: u16,
    home: TempDir,
    child: Option<Child>,
}

impl Node {
    /// Starts one; nothing, with a line on stderr, where its program is not installed.
    ///
    /// # Panics
    ///
    /// When it does not get ready.
    #[track_caller]
    pub fn start(kind: Kind, domain: &str) -> Option<Self> {
        if kind == Kind::Nats && nats_server().is_none() {
            eprintln!("skipped: nats-server is not installed (apt-get install nats-server)");
            return None;
        }
        let mut node = Self {
            kind,
            domain: domain.to_owned(),
            port: free_port(),
            home: TempDir::new(),
            child: None,
        };
        node.start_again();
        Some(node)
    }

    /// What `--node` is given.
    pub fn url(&self) -> String {
        match self.kind {
            Kind::MessageNode => format!("ws://127.0.0.1:{}/ws", self.port),
            Kind::Nats => format!("nats://127.0.0.1:{}", self.port),
        }
    }

    /// The domain it is for.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Kills it, as a power cut does.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts it again, at the same place with what it had kept.
    ///
    /// # Panics
    ///
    /// When it does not get ready.
    #[track_caller]
    pub fn start_again(&mut self) {
        self.kill();
        let child = match self.kind {
            Kind::MessageNode => self.message_node(),
            Kind::Nats => self.nats(),
        };
        self.child = Some(child);
    }

    fn message_node(&self) -> Child {
        let listen = format!("127.0.0.1:{}", self.port);
        let mut child = Command::new(program("hyperty-node"))
            .args(["--json", "serve", "--domain", &self.domain])
            .args(["--listen", &listen, "--data-dir"])
            .arg(self.home.join("node"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(self.log())
            .spawn()
            .expect("the node can be started");
        let mut line = String::new();
        let said = child.stdout.take().expect("its output is piped");
        BufReader::new(said)
            .read_line(&mut line)
            .expect("it says something");
        let ready: Value = serde_json::from_str(&line).unwrap_or_default();
        assert!(ready["url"].is_string(), "{line}{}", self.logged());
        child
    }

    fn nats(&self) -> Child {
        let child = Command::new(nats_server().expect("it was found before"))
            .args([
                "-a",
                "127.0.0.1",
                "-p",
                &self.port.to_string(),
                "-js",
                "-sd",
            ])
            .arg(self.home.join("nats"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(self.log())
            .spawn()
            .expect("the server can be started");
        eventually("the NATS server listens", || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok()
        });
        child
    }

    fn log(&self) -> fs::File {
        let path = self.home.join("log");
        let file = fs::OpenOptions::new().create(true).append(true).open(path);
        file.expect("a log file")
    }

    fn logged(&self) -> String {
        fs::read_to_string(self.home.join("log")).unwrap_or_default()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("log of the node:\n{}", self.logged());
        }
    }
}

fn nats_server() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    folders.push("/usr/sbin".into());
    let mut files = folders.into_iter().map(|folder| folder.join("nats-server"));
    files.find(|file| file.is_file())
}

// Free a moment ago: the server has to have the same one when it is started again.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its number").port()
}
