//! What carries messages between runtimes: a message node, or a NATS server.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;

use super::hosts::Host;
use super::nats_server::NatsServer;
use super::place::{TempDir, program};
use super::ports::free_port;

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
    domain: String,
    server: Server,
}

#[derive(Debug)]
enum Server {
    MessageNode(MessageNode),
    Nats(NatsServer),
}

#[derive(Debug)]
struct MessageNode {
    domain: String,
    host: Host,
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
        Self::start_on(Host::here(), kind, domain)
    }

    /// The same on another machine.
    ///
    /// # Panics
    ///
    /// When it does not get ready.
    #[track_caller]
    pub fn start_on(host: Host, kind: Kind, domain: &str) -> Option<Self> {
        let server = match kind {
            Kind::MessageNode => Server::MessageNode(MessageNode::start(host, domain)),
            Kind::Nats => {
                let program = NatsServer::program()?;
                Server::Nats(NatsServer::start_on(host, &program, ""))
            }
        };
        Some(Self {
            domain: domain.to_owned(),
            server,
        })
    }

    /// What `--node` is given.
    pub fn url(&self) -> String {
        match &self.server {
            Server::MessageNode(node) => {
                format!("ws://{}:{}/ws", node.host.address(), node.port)
            }
            Server::Nats(server) => server.url(),
        }
    }

    /// The domain it is for.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Kills it, as a power cut does.
    pub fn kill(&mut self) {
        match &mut self.server {
            Server::MessageNode(node) => node.kill(),
            Server::Nats(server) => server.kill(),
        }
    }

    /// Starts it again, at the same place with what it had kept.
    ///
    /// # Panics
    ///
    /// When it does not get ready.
    #[track_caller]
    pub fn start_again(&mut self) {
        match &mut self.server {
            Server::MessageNode(node) => node.start_again(),
            Server::Nats(server) => server.start_again(),
        }
    }
}

impl MessageNode {
    #[track_caller]
    fn start(host: Host, domain: &str) -> Self {
        let mut node = Self {
            domain: domain.to_owned(),
            host,
            port: free_port(),
            home: TempDir::new(),
            child: None,
        };
        node.start_again();
        node
    }

    #[track_caller]
    fn start_again(&mut self) {
        self.kill();
        let listen = format!("{}:{}", self.host.address(), self.port);
        let is_loopback = self.host.address().is_loopback();
        let elsewhere: &[&str] = if is_loopback {
            &[]
        } else {
            &["--plain", "--open"]
        };
        let mut child = self
            .host
            .command(&program("hyperty-node"))
            .args(["--json", "serve", "--domain", &self.domain])
            .args(["--listen", &listen, "--data-dir"])
            .arg(self.home.join("node"))
            .args(elsewhere)
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
        self.child = Some(child);
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
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

impl Drop for MessageNode {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("log of the node:\n{}", self.logged());
        }
    }
}
