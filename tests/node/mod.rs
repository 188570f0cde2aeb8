//! A real message node and peers that speak to it.

#![allow(dead_code)] // each test program uses a part of it

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyperty_tests::harness::{TempDir, WAIT_MAX, program};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

pub(crate) const DOMAIN: &str = "example.org";
pub(crate) const SM: &str = "domain://msg-node.example.org/sm";
pub(crate) const REGISTRY: &str = "domain://registry.example.org";

/// A node that runs; it is killed when it is dropped.
pub(crate) struct Node {
    child: Child,
    pub(crate) at: SocketAddr,
    pub(crate) metrics: SocketAddr,
}

impl Node {
    /// Starts one on loopback; `arguments` follow those that all have.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", arguments)
    }

    pub(crate) fn start_at(at: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(program("hyperty-node"))
            .args(["--json", "serve", "--domain", DOMAIN, "--listen", at])
            .args(["--metrics", "127.0.0.1:0"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the node can be started");
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).expect("the node says that it is ready");
        let address = |name: &str| ready[name].as_str().unwrap().parse().unwrap();
        Self {
            at: address("listen"),
            metrics: address("metrics"),
            child,
        }
    }

    /// Kills it as the kernel would, and starts another at the same address.
    pub(crate) fn killed_and_started(mut self, arguments: &[&str]) -> Self {
        let at = self.at.to_string();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        Self::start_at(&at, arguments)
    }

    pub(crate) fn signal(&self, signal: nix::sys::signal::Signal) {
        let pid = i32::try_from(self.child.id()).unwrap();
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal).unwrap();
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn ended(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}/ws", self.at)
    }

    /// One of its numbers.
    pub(crate) fn number(&self, name: &str) -> u64 {
        let page = get(self.metrics, "/metrics");
        let line = format!("hyperty_node_{name} ");
        let value = page.lines().find_map(|text| text.strip_prefix(&line));
        value
            .unwrap_or_else(|| panic!("no {name} in {page}"))
            .parse()
            .unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The text of a page.
pub(crate) fn get(at: SocketAddr, path: &str) -> String {
    use std::io::Write;
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(WAIT_MAX)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// A runtime, as a node sees it.
pub(crate) struct Peer {
    runtime: Runtime,
    socket: WebSocketStream<tokio::net::TcpStream>,
    pub(crate) url: String,
    pub(crate) token: String,
    id: u64,
}

impl Peer {
    /// Connects and opens a session for `runtime://example.org/NAME`.
    pub(crate) fn open(node: &Node, name: &str) -> Self {
        let mut peer = Self::connect(&node.url(), node.at, &[]).unwrap();
        peer.url = format!("runtime://{DOMAIN}/{name}");
        let from = peer.url.clone();
        let opened = peer.ask("open", &from, "mn:/session", &json!({}));
        assert_eq!(opened["code"], 200, "{opened}");
        opened["runtimeToken"]
            .as_str()
            .unwrap()
            .clone_into(&mut peer.token);
        peer
    }

    /// Connects; the status when the node does not want it.
    pub(crate) fn connect(
        url: &str,
        at: SocketAddr,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, u16> {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let mut request = url.into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let dialled = runtime.block_on(async {
            let stream = tokio::net::TcpStream::connect(at).await.unwrap();
            client_async(request, stream).await
        });
        match dialled {
            Ok((socket, _)) => Ok(Self {
                runtime,
                socket,
                url: String::new(),
                token: String::new(),
                id: 0,
            }),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            // Closed before it said anything.
            Err(_) => Err(0),
        }
    }

    pub(crate) fn hyperty(&self) -> String {
        self.url.replace("runtime://", "hyperty://")
    }

    pub(crate) fn say(&mut self, kind: &str, from: &str, to: &str, body: &Value) -> u64 {
        self.id += 1;
        let message = json!({"id": self.id, "type": kind, "from": from, "to": to, "body": body});
        self.send(&message.to_string());
        self.id
    }

    pub(crate) fn send(&mut self, text: &str) {
        // A node that has closed is heard of by `ended`.
        let _ = self.runtime.block_on(self.socket.send(Message::text(text)));
    }

    /// Says something, and waits for the body of its answer; what else comes is dropped.
    pub(crate) fn ask(&mut self, kind: &str, from: &str, to: &str, body: &Value) -> Value {
        let id = self.say(kind, from, to, body);
        loop {
            let mut heard = self.hear();
            if heard["type"] == "response" && heard["id"] == id {
                return heard["body"].take();
            }
        }
    }

    /// The next message.
    pub(crate) fn hear(&mut self) -> Value {
        match self.next(WAIT_MAX) {
            Some(Message::Text(text)) => serde_json::from_str(&text).unwrap(),
            other => panic!("no message but {other:?}"),
        }
    }

    /// Everything that comes until the node has answered one more question.
    pub(crate) fn hear_all(&mut self) -> Vec<Value> {
        let from = format!("{}/sm", self.url);
        let id = self.say(
            "read",
            &from,
            REGISTRY,
            &json!({"resource": "hyperty://x.org/none"}),
        );
        let mut heard = Vec::new();
        loop {
            let message = self.hear();
            if message["id"] == id && message["type"] == "response" {
                return heard;
            }
            heard.push(message);
        }
    }

    /// Waits for the end: its code and reason.
    pub(crate) fn ended(&mut self) -> (u16, String) {
        loop {
            match self.next(WAIT_MAX) {
                Some(Message::Close(Some(frame))) => {
                    return (frame.code.into(), frame.reason.to_string());
                }
                Some(Message::Close(None)) | None => return (0, String::new()),
                Some(_) => {}
            }
        }
    }

    fn next(&mut self, wait: Duration) -> Option<Message> {
        let socket = &mut self.socket;
        let next = async {
            loop {
                match socket.next().await? {
                    Ok(Message::Ping(_) | Message::Pong(_)) => {}
                    Ok(message) => return Some(message),
                    Err(_) => return None,
                }
            }
        };
        let next = self.runtime.block_on(async { timeout(wait, next).await });
        next.expect("the node says something in time")
    }
}

/// A directory for a node's store, and its argument.
pub(crate) struct Store(pub(crate) TempDir);

impl Store {
    pub(crate) fn new() -> Self {
        Self(TempDir::new())
    }

    pub(crate) fn arguments(&self) -> Vec<String> {
        vec!["--data-dir".into(), self.0.path().display().to_string()]
    }
}
