//! A native component that visits what it is told, for the tests of what leaves the machine.
//!
//! `execute` with one of these bodies; the answer's value is `"TEXT"`, or `{"failed": WHY}`.
//! `tests/fixtures/scripts/Visitor.js` is the same as a script.
//!
//! | body | does |
//! |---|---|
//! | `{"get": URL}` | fetches it; answers `STATUS TEXT` |
//! | `{"read": URL, "bytes": N}` | reads so many bytes at least, and gives the rest up |
//! | `{"open": URL}` | opens a WebSocket, and keeps it |
//! | `{"say": TEXT}` | sends that on the WebSocket; answers what comes back |
//! | `{"ended": true}` | waits until the WebSocket has ended; answers how |

use std::process::ExitCode;
use std::sync::Arc;

use protocol::Code;
use protocol::client::tokio::{self as client, Component};
use protocol::client::{Error, Incoming};
use protocol::message::{Message, MessageKind};
use sandbox_net::http::Request;
use sandbox_net::websocket::{Event, Options, WebSocket};
use sandbox_net::{Error as NetError, Network};
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc};

/// The most that is taken of a body; as many bytes as scripts take.
const BODY_BYTES_MAX: usize = 16 << 20;

fn main() -> ExitCode {
    client::run(serve())
}

/// An answer on its way to the link.
struct Said {
    id: u64,
    from: String,
    to: String,
    value: Value,
}

async fn serve() -> Result<(), Error> {
    let mut link = Component::attach().await?;
    let visitor = Visitor {
        network: Network::of(&mut link),
        socket: Arc::default(),
    };
    let (answers, mut said) = mpsc::channel(16);
    loop {
        tokio::select! {
            incoming = link.recv() => match incoming?.0 {
                Incoming::Message(message) if message.header.kind.is_request() => {
                    let (visitor, answers) = (visitor.clone(), answers.clone());
                    let (id, header) = (message.header.id, &message.header);
                    let (from, to) = (header.from.to_owned(), header.to.to_owned());
                    let body = serde_json::from_slice(message.body).unwrap_or_default();
                    tokio::spawn(async move {
                        let value = visitor.act(&body).await;
                        let value = value.unwrap_or_else(|error| json!({ "failed": error.to_string() }));
                        let _ = answers.send(Said { id, from, to, value }).await;
                    });
                }
                Incoming::Stop { .. } | Incoming::Closed => return Ok(()),
                Incoming::Message(_) | Incoming::Network(_) | Incoming::Response(_)
                | Incoming::Listening(_) => {}
            },
            answer = said.recv() => if let Some(Said { id, from, to, value }) = answer {
                let asked = Message::new(MessageKind::Execute, &from, &to, &[]).with_id(id);
                let body = json!({ "code": 200, "value": value }).to_string();
                link.out().post(&asked.answer(Code::OK, body.as_bytes()))?;
            },
        }
    }
}

#[derive(Clone)]
struct Visitor {
    network: Network,
    socket: Arc<Mutex<Option<WebSocket>>>,
}

impl Visitor {
    async fn act(&self, body: &Value) -> Result<Value, NetError> {
        if let Some(url) = body["get"].as_str() {
            return self.get(url).await;
        }
        if let Some(url) = body["read"].as_str() {
            return self.read(url, body["bytes"].as_u64().unwrap_or(0)).await;
        }
        if let Some(url) = body["open"].as_str() {
            let opened = self.network.websocket(url, Options::default()).await?;
            *self.socket.lock().await = Some(opened);
            return Ok(json!("open"));
        }
        let mut held = self.socket.lock().await;
        let Some(socket) = held.as_mut() else {
            return Ok(json!({ "failed": "nothing is open" }));
        };
        if let Some(text) = body["say"].as_str() {
            socket.send_text(text).await?;
            return Ok(json!(format!("{:?}", socket.recv().await?)));
        }
        loop {
            if let Event::Closed(closed) = socket.recv().await? {
                return Ok(json!(format!("closed: {} {}", closed.code, closed.reason)));
            }
        }
    }

    async fn get(&self, url: &str) -> Result<Value, NetError> {
        let response = self.network.http().follow(Request::get(url)?).await?;
        let status = response.status.as_u16();
        let bytes = response.bytes(BODY_BYTES_MAX).await?;
        Ok(json!(format!(
            "{status} {}",
            String::from_utf8_lossy(&bytes)
        )))
    }

    async fn read(&self, url: &str, bytes: u64) -> Result<Value, NetError> {
        let mut body = self.network.http().follow(Request::get(url)?).await?.body;
        let mut came = 0;
        while came < bytes {
            let Some(piece) = body.chunk().await? else {
                return Ok(json!({ "failed": format!("it ended after {came} bytes") }));
            };
            came += piece.len() as u64;
        }
        Ok(json!("enough"))
    }
}
