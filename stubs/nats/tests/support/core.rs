//! The core's end of a stub's link, played by the test: it hands out sockets, and
//! sends and hears messages.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex};

use protocol::client::tokio::Component;
use protocol::dial::NotDialled;
use protocol::frame::Start;
use protocol::message::{Header, Message, Reply};
use protocol::{Code, CoreFrame, HostFrame, MessageKind, codec};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::WITHIN;

/// A message as the stub handed it in.
#[derive(Debug, Clone)]
pub struct Heard {
    pub id: u64,
    pub kind: String,
    pub from: String,
    pub to: String,
    pub code: u16,
    pub reply: Reply,
    pub body: Value,
}

/// One runtime: its stub, and its core.
pub struct Core {
    pub runtime: String,
    socket: UnixStream,
    came: Vec<u8>,
    heard: VecDeque<Heard>,
    pub log: Arc<Mutex<Vec<String>>>,
    stub: JoinHandle<()>,
    last: u64,
    sockets: u64,
    /// Ports that the grant does not name.
    pub denied: Vec<u16>,
}

impl Core {
    /// Starts the stub of `example.org` for the runtime `id`.
    pub async fn start(id: &str, config: &Value) -> Self {
        let runtime = format!("hyperty-runtime://example.org/{id}");
        let address = format!("hyperty-runtime://example.org/protostub/stub-of-{id}");
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        let config = config.to_string();
        let mut core = Self {
            socket: ours,
            came: Vec::new(),
            heard: VecDeque::new(),
            log: Arc::default(),
            stub: tokio::task::spawn_local(async {
                let link = Component::attach_to(theirs).await.expect("attached");
                let _ = stub_nats::stub::run_on(link).await;
            }),
            runtime: runtime.clone(),
            last: 0,
            sockets: 0,
            denied: Vec::new(),
        };
        core.say(&CoreFrame::Start(Start {
            address: &address,
            runtime: &runtime,
            config: &config,
        }))
        .await;
        core
    }

    /// The same, once its domain is reached.
    pub async fn live(id: &str, config: &Value) -> Self {
        let mut core = Self::start(id, config).await;
        core.status("live").await;
        core
    }

    /// Waits until the stub says that it is in this state.
    pub async fn status(&mut self, value: &str) -> Heard {
        self.until(|heard| heard.to.ends_with("/status") && heard.body["value"] == value)
            .await
    }

    /// Kills the stub as it stands.
    pub fn kill(&self) {
        self.stub.abort();
    }

    /// Sends a message of a component of this runtime; its number.
    pub async fn send(
        &mut self,
        kind: &str,
        from: &str,
        to: &str,
        reply: Reply,
        body: &Value,
    ) -> u64 {
        self.last += 1;
        let id = self.last;
        let text = body.to_string();
        let message = Message::new(MessageKind::parse(kind), from, to, text.as_bytes());
        self.say(&CoreFrame::Deliver(message.with_id(id).expecting(reply)))
            .await;
        id
    }

    /// The same with a body that need not be JSON; it wants an answer.
    pub async fn send_text(&mut self, kind: &str, from: &str, to: &str, body: &[u8]) -> u64 {
        self.last += 1;
        let message = Message::new(MessageKind::parse(kind), from, to, body);
        let message = message.with_id(self.last).expecting(Reply::Within(10_000));
        self.say(&CoreFrame::Deliver(message)).await;
        self.last
    }

    /// Asks, and waits for the answer.
    pub async fn ask(&mut self, kind: &str, from: &str, to: &str, body: &Value) -> Heard {
        let id = self.send(kind, from, to, Reply::Within(10_000), body).await;
        let from = from.to_owned();
        self.until(move |heard| heard.kind == "response" && heard.id == id && heard.to == from)
            .await
    }

    /// Has the node route these addresses here.
    pub async fn subscribe(&mut self, resources: &[&str]) {
        let (runtime, node) = (self.runtime.clone(), "domain://msg-node.example.org/sm");
        let wanted = json!({ "resources": resources });
        let answer = self.ask("subscribe", &runtime, node, &wanted).await;
        assert_eq!(answer.code, 200, "{answer:?}\n{}", self.said());
    }

    /// Answers a message that was heard.
    pub async fn answer(&mut self, question: &Heard, value: &Value) {
        let text = json!({ "code": 200, "value": value }).to_string();
        let header = Header {
            id: question.id,
            kind: MessageKind::Response,
            from: &question.to,
            to: &question.from,
            code: Code::OK,
            reply: Reply::Unwanted,
            members: "",
        };
        let body = text.as_bytes();
        self.say(&CoreFrame::Deliver(Message { header, body }))
            .await;
    }

    /// Waits for a message; others that come meanwhile are forgotten.
    pub async fn until(&mut self, is_it: impl Fn(&Heard) -> bool) -> Heard {
        let found = async {
            loop {
                while let Some(heard) = self.heard.pop_front() {
                    if is_it(&heard) {
                        return heard;
                    }
                }
                self.read().await;
            }
        };
        let found = timeout(WITHIN, found).await;
        found.unwrap_or_else(|_| panic!("it did not come; the log:\n{}", self.said()))
    }

    /// Everything that comes until nothing has come for a while.
    pub async fn rest(&mut self, quiet: std::time::Duration) -> Vec<Heard> {
        while timeout(quiet, self.read()).await.is_ok() {}
        self.heard.drain(..).collect()
    }

    pub fn said(&self) -> String {
        self.log.lock().expect("the log").join("\n")
    }

    async fn say(&mut self, frame: &CoreFrame<'_>) {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes).expect("a frame");
        self.socket.write_all(&bytes).await.expect("the stub reads");
    }

    async fn read(&mut self) {
        let read = self.socket.read_buf(&mut self.came).await;
        if matches!(read, Ok(0) | Err(_)) {
            // A stub that was killed says nothing more.
            std::future::pending::<()>().await;
        }
        let mut dials = Vec::new();
        while let Some(raw) = codec::split(&self.came).expect("frames") {
            let used = raw.bytes.len();
            match HostFrame::decode(raw).expect("a frame") {
                HostFrame::Send(message) => self.heard.push_back(heard(&message)),
                HostFrame::Log(log, text) => {
                    let text = String::from_utf8_lossy(text);
                    let line = format!("{:?} {text}", log.level);
                    self.log.lock().expect("the log").push(line);
                }
                HostFrame::Dial(dial) => {
                    dials.push((dial.request, dial.host.to_owned(), dial.port));
                }
                _ => {}
            }
            self.came.drain(..used);
        }
        for (request, host, port) in dials {
            self.dial(request, &host, port).await;
        }
    }

    async fn dial(&mut self, request: u64, host: &str, port: u16) {
        let refused = |code, reason| NotDialled {
            request,
            code,
            reason,
            decision: "",
        };
        if self.denied.contains(&port) {
            let frame = CoreFrame::NotDialled(refused(Code::FORBIDDEN, "not granted"));
            return self.say(&frame).await;
        }
        match TcpStream::connect((host, port)) {
            Ok(stream) => {
                stream.set_nonblocking(true).expect("a socket");
                stream.set_nodelay(true).expect("a socket");
                self.hand(request, &stream.into()).await;
            }
            Err(error) => {
                let reason = error.to_string();
                let frame = CoreFrame::NotDialled(refused(Code::UNAVAILABLE, &reason));
                self.say(&frame).await;
            }
        }
    }

    async fn hand(&mut self, request: u64, descriptor: &OwnedFd) {
        self.sockets += 1;
        let mut bytes = Vec::new();
        let frame = CoreFrame::Socket {
            request,
            socket: self.sockets,
            peer: "127.0.0.1:1",
        };
        frame.encode(&mut bytes).expect("a frame");
        self.socket.writable().await.expect("the stub reads");
        let descriptors = [descriptor.as_fd()];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        control.push(SendAncillaryMessage::ScmRights(&descriptors));
        let sent = sendmsg(
            &self.socket,
            &[IoSlice::new(&bytes)],
            &mut control,
            SendFlags::empty(),
        );
        assert_eq!(sent, Ok(bytes.len()));
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.kill();
    }
}

fn heard(message: &Message<'_>) -> Heard {
    let header = &message.header;
    Heard {
        id: header.id,
        kind: header.kind.as_str().to_owned(),
        from: header.from.to_owned(),
        to: header.to.to_owned(),
        code: header.code.0,
        reply: header.reply,
        body: serde_json::from_slice(message.body).unwrap_or_default(),
    }
}
