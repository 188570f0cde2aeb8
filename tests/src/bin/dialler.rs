//! A native component that dials what it is told, for the tests of the network.
//!
//! `execute` with one of these bodies; the answer tells what came of it:
//!
//! | body | does |
//! |---|---|
//! | `{"dial": {"host", "port", "protocol", "ms"}}` | dials, or listens; keeps the socket |
//! | `{"dials": N, "host", "port"}` | dials so often, and answers how long each took |
//! | `{"names": N, "below": NAME}` | dials so many different hosts, one by one; answers how often each code came back |
//! | `{"say": TEXT, "socket": N}` | writes the text, and answers what comes back |
//! | `{"hangup": N}` | closes the socket |
//! | `{"caller": MS}` | waits for somebody to call a listener |
//! | `{"hungup": MS}` | waits until a socket is taken back |
//! | `{"roots": true}` | fetches the certificates; answers how many begin in them |
//! | `{"options": N}` | what the socket's options are |

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

use protocol::Code;
use protocol::client::blocking::Component;
use protocol::client::{Connection, Error, Failure, Incoming, Lease, Network, Place};
use protocol::dial::Transport;
use protocol::message::Message;
use serde_json::{Value, json};

fn main() -> ExitCode {
    match serve() {
        Ok(()) | Err(Error::Closed) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// What is open.
#[derive(Default)]
struct Open {
    streams: BTreeMap<u64, (TcpStream, Lease)>,
    listeners: Vec<Lease>,
    /// What was taken back, and not asked for yet.
    hungup: Vec<String>,
    /// Who called, and was not asked for yet.
    callers: Vec<Value>,
}

/// A request, kept until it is answered.
struct Asked {
    from: String,
    to: String,
    id: u64,
    body: Value,
}

fn serve() -> Result<(), Error> {
    let mut link = Component::attach()?;
    let mut open = Open::default();
    loop {
        let (incoming, out) = link.recv()?;
        let asked = match incoming {
            Incoming::Message(message) if message.header.kind.is_request() => Asked {
                from: message.header.from.to_owned(),
                to: message.header.to.to_owned(),
                id: message.header.id,
                body: serde_json::from_slice(message.body).unwrap_or_default(),
            },
            Incoming::Stop { .. } | Incoming::Closed => return Ok(()),
            Incoming::Network(news @ Network::Hungup { .. }) => {
                open.hungup.push(format!("{news:?}"));
                continue;
            }
            Incoming::Network(Network::Accepted { .. }) => {
                if let Some(connection) = out.accepted() {
                    let caller = keep(&mut open, connection);
                    open.callers.push(caller);
                }
                continue;
            }
            _ => continue,
        };
        let answer = match act(&mut link, &mut open, &asked.body) {
            Ok(value) => json!({ "code": 200, "value": value }),
            Err(Error::Answered(failure)) => refused(&failure),
            Err(error) => json!({ "code": 500, "desc": error.to_string() }),
        };
        let code = answer
            .get("code")
            .and_then(serde_json::Value::as_u64)
            .and_then(|code| u16::try_from(code).ok());
        let kind = protocol::MessageKind::Execute;
        let question = Message::new(kind, &asked.from, &asked.to, b"").with_id(asked.id);
        let body = answer.to_string();
        let answer = question.answer(Code(code.unwrap_or(500)), body.as_bytes());
        link.out().post(&answer)?;
        link.flush()?;
    }
}

fn refused(failure: &Failure) -> Value {
    let Failure {
        code,
        reason,
        decision,
        ..
    } = failure;
    json!({ "code": code.0, "desc": reason, "decision": decision })
}

fn act(link: &mut Component, open: &mut Open, body: &Value) -> Result<Value, Error> {
    if let Some(dial) = body.get("dial") {
        return connect(link, open, dial);
    }
    if let Some(number) = body["dials"].as_u64() {
        return times(link, body, number);
    }
    if let Some(number) = body["names"].as_u64() {
        return names(link, body["below"].as_str().unwrap_or_default(), number);
    }
    if let Some(text) = body["say"].as_str() {
        let stream = body["socket"]
            .as_u64()
            .and_then(|id| open.streams.get_mut(&id));
        return Ok(stream.map_or(Value::Null, |(stream, _)| say(stream, text)));
    }
    if let Some(id) = body["hangup"].as_u64() {
        return Ok(json!(open.streams.remove(&id).is_some()));
    }
    if let Some(ms) = body["caller"].as_u64() {
        if let Some(caller) = open.callers.pop() {
            return Ok(caller);
        }
        return wait(link, open, ms, |news| {
            matches!(news, Network::Accepted { .. })
        });
    }
    if let Some(ms) = body["hungup"].as_u64() {
        if let Some(told) = open.hungup.pop() {
            return Ok(json!(told));
        }
        return wait(link, open, ms, |news| {
            matches!(news, Network::Hungup { .. })
        });
    }
    if let Some(id) = body["options"].as_u64() {
        let options = open.streams.get(&id).map(|(stream, _)| {
            json!({ "nodelay": stream.nodelay().ok(), "peer": stream.peer_addr().ok() })
        });
        return Ok(json!(options));
    }
    let pem = String::from_utf8(link.roots()?).unwrap_or_default();
    Ok(json!(pem.matches("-----BEGIN ").count()))
}

fn connect(link: &mut Component, open: &mut Open, dial: &Value) -> Result<Value, Error> {
    let protocol = dial["protocol"].as_str().unwrap_or("tcp");
    let transport: Transport = protocol.parse().unwrap_or(Transport::Tcp);
    let host = dial["host"].as_str().unwrap_or_default();
    let port = dial["port"]
        .as_u64()
        .and_then(|port| u16::try_from(port).ok());
    let port = port.unwrap_or(0);
    let within = Duration::from_millis(dial["ms"].as_u64().unwrap_or(10_000));
    if transport == Transport::Listen {
        let listener = link.listen_at(host, port, within)?;
        let local = listener.local.to_string();
        open.listeners.push(listener.lease);
        return Ok(json!({ "local": local }));
    }
    let place = Place {
        host,
        port,
        transport,
    };
    Ok(keep(open, link.dial(place, within)?))
}

// How long each of so many dials took, in nanoseconds; each is closed before the next.
fn times(link: &mut Component, body: &Value, number: u64) -> Result<Value, Error> {
    let host = body["host"].as_str().unwrap_or_default();
    let port = body["port"]
        .as_u64()
        .and_then(|port| u16::try_from(port).ok());
    let mut times = Vec::new();
    for _ in 0..number {
        let start = std::time::Instant::now();
        let connection = link.dial(Place::tcp(host, port.unwrap_or(0)), Duration::from_secs(10))?;
        times.push(u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX));
        drop(connection);
        link.flush()?;
    }
    Ok(json!(times))
}

fn names(link: &mut Component, below: &str, number: u64) -> Result<Value, Error> {
    let mut answers: BTreeMap<u16, u64> = BTreeMap::new();
    for n in 0..number {
        let host = format!("h{n}.{below}");
        let code = match link.dial(Place::tcp(&host, 1), Duration::from_secs(10)) {
            Ok(_) => Code::OK,
            Err(Error::Answered(failure)) => failure.code,
            Err(error) => return Err(error),
        };
        *answers.entry(code.0).or_default() += 1;
    }
    Ok(json!(answers))
}

fn keep(open: &mut Open, connection: Connection) -> Value {
    let Connection {
        socket,
        peer,
        lease,
    } = connection;
    let id = lease.id().0;
    open.streams.insert(id, (TcpStream::from(socket), lease));
    json!({ "socket": id, "peer": peer.to_string() })
}

// The socket does not block: each part waits its turn by polling.
fn say(stream: &mut TcpStream, text: &str) -> Value {
    use rustix::event::{PollFd, PollFlags, poll};

    if let Err(error) = stream.write_all(text.as_bytes()) {
        return json!({ "failed": error.to_string() });
    }
    let mut came = [0; 4096];
    loop {
        match stream.read(&mut came) {
            Ok(bytes) => {
                let came = came.get(..bytes).unwrap_or_default();
                return json!(String::from_utf8_lossy(came));
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                let mut fds = [PollFd::new(&*stream, PollFlags::IN)];
                if poll(&mut fds, None).is_err() {
                    return Value::Null;
                }
            }
            Err(error) => return json!({ "failed": error.to_string() }),
        }
    }
}

// Other messages are not for anybody meanwhile: the tests ask one thing at a time.
fn wait(
    link: &mut Component,
    open: &mut Open,
    ms: u64,
    is_it: impl Fn(&Network<'_>) -> bool,
) -> Result<Value, Error> {
    loop {
        let (incoming, out) = link.recv_within(Duration::from_millis(ms))?;
        let Incoming::Network(news) = incoming else {
            continue;
        };
        let (told, is_wanted) = (format!("{news:?}"), is_it(&news));
        let connection = out.accepted();
        if let Some(connection) = connection {
            let kept = keep(open, connection);
            if is_wanted {
                return Ok(kept);
            }
        }
        if is_wanted {
            return Ok(json!(told));
        }
    }
}
