//! The core's part: a protocol stub, native or a script in a locked host, and the one
//! connection that it is granted.

use std::collections::VecDeque;
use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

use hyperty_tests::harness::{WAIT_MAX, program};
use protocol::frame::{ComponentKind, CoreFrame, HostFrame, Load, Start};
use protocol::message::{Message, MessageKind, Reply};
use protocol::version::PROTOCOL;
use protocol::{Code, codec};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use serde_json::Value;

/// A message that a stub sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sent {
    pub(crate) id: u64,
    pub(crate) kind: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) code: u16,
    pub(crate) body: Value,
}

/// A stub in its process, at the far end of a link.
pub(crate) struct Stub {
    child: Child,
    link: UnixStream,
    bytes: Vec<u8>,
    node: SocketAddr,
    address: String,
    heard: VecDeque<Sent>,
    /// What it logged.
    pub(crate) log: Vec<String>,
    sockets: u64,
}

impl Stub {
    /// `stub-message-node` itself, of the runtime `runtime://example.org/NAME`.
    pub(crate) fn native(node: SocketAddr, name: &str, config: &Value) -> Self {
        let mut stub = Self::spawn(Command::new(program("stub-message-node")), node, name);
        let (address, config) = (stub.address.clone(), config.to_string());
        let runtime = format!("hyperty-runtime://example.org/{name}");
        let start = Start {
            address: &address,
            runtime: &runtime,
            config: &config,
        };
        stub.say(&CoreFrame::Start(start), None);
        stub
    }

    /// A script in a locked host.
    pub(crate) fn script(node: SocketAddr, name: &str, source: &[u8], config: &Value) -> Self {
        let mut host = Command::new(program("sandbox-host"));
        host.args([
            "script",
            "--profile",
            "script",
            "--min-level",
            "L2",
            "--max-level",
            "L2",
        ]);
        let mut stub = Self::spawn(host, node, name);
        let nonce = [7; 16];
        stub.say(
            &CoreFrame::Welcome {
                version: PROTOCOL,
                nonce,
            },
            None,
        );
        let (component, config) = (
            stub.address.replace("hyperty-runtime", "runtime"),
            config.to_string(),
        );
        let load = Load {
            component: &component,
            name: "default",
            kind: ComponentKind::ProtoStub,
            config: &config,
            file: "default.ps.js",
        };
        stub.say(&CoreFrame::Load(load, source), None);
        stub
    }

    fn spawn(mut command: Command, node: SocketAddr, name: &str) -> Self {
        let (link, theirs) = UnixStream::pair().unwrap();
        link.set_read_timeout(Some(WAIT_MAX)).unwrap();
        let child = command
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .spawn()
            .expect("the stub can be started");
        Self {
            child,
            link,
            bytes: Vec::new(),
            node,
            address: format!("hyperty-runtime://example.org/protostub/{name}"),
            heard: VecDeque::new(),
            log: Vec::new(),
            sockets: 0,
        }
    }

    /// Hands it a message for an address of its domain.
    pub(crate) fn send(&mut self, kind: &str, id: u64, from: &str, to: &str, body: &Value) {
        self.send_within(15_000, kind, id, (from, to), body);
    }

    /// The same; an answer must come within so many milliseconds.
    pub(crate) fn send_within(
        &mut self,
        wait_ms: u32,
        kind: &str,
        id: u64,
        (from, to): (&str, &str),
        body: &Value,
    ) {
        let text = body.to_string();
        let kind = MessageKind::parse(kind);
        let reply = if kind.is_request() {
            Reply::Within(wait_ms)
        } else {
            Reply::Unwanted
        };
        let mut message = Message::new(kind, from, to, text.as_bytes())
            .with_id(id)
            .expecting(reply);
        let code = body["code"].as_u64().and_then(|code| code.try_into().ok());
        message.header.code = Code(code.unwrap_or(0));
        self.say(&CoreFrame::Deliver(message), None);
    }

    /// Hands it a request, and waits for the answer.
    pub(crate) fn ask(&mut self, kind: &str, id: u64, from: &str, to: &str, body: &Value) -> Sent {
        self.send(kind, id, from, to, body);
        self.wait(&format!("answer to {id}"), |sent| {
            sent.kind == "response" && sent.id == id
        })
    }

    /// Waits until it publishes this status.
    pub(crate) fn wait_status(&mut self, value: &str) {
        self.wait(value, |sent| {
            sent.to.ends_with("/status") && sent.body["value"] == value
        });
    }

    /// The next message that is wanted; those before it are dropped.
    pub(crate) fn wait(&mut self, what: &str, is_wanted: impl Fn(&Sent) -> bool) -> Sent {
        loop {
            while let Some(sent) = self.heard.pop_front() {
                if is_wanted(&sent) {
                    return sent;
                }
            }
            self.step(what);
        }
    }

    fn step(&mut self, what: &str) {
        let bytes = self.next(what);
        let raw = codec::split(&bytes).unwrap().unwrap();
        match HostFrame::decode(raw).unwrap() {
            HostFrame::Send(message) => self.heard.push_back(sent(&message)),
            HostFrame::Log(_, text) => self.log.push(String::from_utf8_lossy(text).into_owned()),
            HostFrame::Dial(dial) => self.connect(dial.request),
            HostFrame::LoadFailed(failed) => panic!("{failed:?}"),
            _ => {}
        }
    }

    fn connect(&mut self, request: u64) {
        let Ok(stream) = TcpStream::connect(self.node) else {
            let told = protocol::dial::NotDialled {
                request,
                code: Code::UNAVAILABLE,
                reason: "nobody listens",
                decision: "",
            };
            return self.say(&CoreFrame::NotDialled(told), None);
        };
        stream.set_nonblocking(true).unwrap();
        self.sockets += 1;
        let told = CoreFrame::Socket {
            request,
            socket: self.sockets,
            peer: "127.0.0.1:1",
        };
        self.say(&told, Some(&OwnedFd::from(stream)));
    }

    fn say(&mut self, frame: &CoreFrame<'_>, descriptor: Option<&OwnedFd>) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes).unwrap();
        let Some(descriptor) = descriptor else {
            return self.link.write_all(&bytes).unwrap();
        };
        let descriptors = [descriptor.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        assert!(control.push(SendAncillaryMessage::ScmRights(&descriptors)));
        let flags = SendFlags::empty();
        let sent = sendmsg(&self.link, &[IoSlice::new(&bytes)], &mut control, flags);
        assert_eq!(sent.unwrap(), bytes.len());
    }

    fn next(&mut self, what: &str) -> Vec<u8> {
        loop {
            if let Some(raw) = codec::split(&self.bytes).unwrap() {
                let length = raw.bytes.len();
                return self.bytes.drain(..length).collect();
            }
            let mut chunk = [0; 8_192];
            let read = self.link.read(&mut chunk);
            let count = read.unwrap_or_else(|_| panic!("no {what}; it logged {:#?}", self.log));
            assert!(count > 0, "the stub has ended; it logged {:#?}", self.log);
            self.bytes.extend_from_slice(&chunk[..count]);
        }
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn sent(message: &Message<'_>) -> Sent {
    Sent {
        id: message.header.id,
        kind: message.header.kind.as_str().to_owned(),
        from: message.header.from.to_owned(),
        to: message.header.to.to_owned(),
        code: message.header.code.0,
        body: serde_json::from_slice(message.body).unwrap_or(Value::Null),
    }
}
