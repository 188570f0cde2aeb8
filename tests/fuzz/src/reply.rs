//! What the core says to the command line: every read ends, what is decoded is decoded
//! again from its own writing, and nothing that a terminal acts on is printed.
//!
//! The first byte says which: any frames after the greeting, or the body of an answer.

#[allow(dead_code, reason = "the command line uses all of it")]
#[path = "../../../core-supervisor/src/bin/hyperty/output/escape.rs"]
mod escape;

use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use protocol::api::{
    Valued, audit, bus, catalogue, connections, discovery, policy, registry, sandboxes, user_agent,
};
use protocol::client::Incoming;
use protocol::client::blocking::Link;
use protocol::frame::{CoreFrame, Role, Start};
use protocol::{Code, Message, MessageKind, version};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

const ME: &str = "hyperty-runtime://fuzz.example/rt/operator/1";
const RUNTIME: &str = "hyperty-runtime://fuzz.example/rt";
/// More would not fit into a socket that nobody reads meanwhile.
const BYTES_MAX: usize = 64 * 1024;
const WITHIN: Duration = Duration::from_secs(5);

/// Reads the bytes.
pub fn read(bytes: &[u8]) {
    let Some((&form, bytes)) = bytes.split_first() else {
        return;
    };
    if bytes.len() > BYTES_MAX {
        return;
    }
    match form % 3 {
        0 => hear(bytes),
        1 => asked(bytes, Code(100 + 2 * u16::from(form))),
        _ => rooms(bytes),
    }
}

fn hear(bytes: &[u8]) {
    let (mut link, _core) = greeted(bytes);
    while let Ok((incoming, _)) = link.recv_within(WITHIN) {
        if let Incoming::Closed | Incoming::Stop { .. } = incoming {
            return;
        }
    }
}

fn asked(body: &[u8], code: Code) {
    let room = format!("{RUNTIME}/ua");
    let request = Message::new(MessageKind::Read, ME, &room, b"{}").with_id(1);
    let mut bytes = Vec::new();
    let answer = CoreFrame::Deliver(request.answer(code, body));
    answer.encode(&mut bytes).expect("an answer fits");
    let (mut link, _core) = greeted(&bytes);
    let asked = link.call_room_within::<_, Value>("ua", MessageKind::Read, &(), WITHIN);
    if let Err(failure) = asked {
        harmless(&failure.to_string());
    }
}

/// A client that was greeted and then told this, and the core's end: it stays open for writing.
fn greeted(then: &[u8]) -> (Link<UnixStream>, UnixStream) {
    let (ours, mut theirs) = UnixStream::pair().expect("a pair of sockets");
    let mut bytes = Vec::new();
    let welcome = CoreFrame::Welcome {
        version: version::PROTOCOL,
        nonce: [1; 16],
    };
    let start = Start {
        address: ME,
        runtime: RUNTIME,
        config: "{}",
    };
    welcome.encode(&mut bytes).expect("a greeting fits");
    CoreFrame::Start(start)
        .encode(&mut bytes)
        .expect("a start fits");
    bytes.extend_from_slice(then);
    theirs.write_all(&bytes).expect("it fits into a socket");
    theirs.shutdown(Shutdown::Write).expect("it is connected");
    let link = Link::greet(ours, Role::Operator, Instant::now() + WITHIN);
    (link.expect("it was greeted"), theirs)
}

fn rooms(body: &[u8]) {
    again::<audit::Checked>(body);
    again::<bus::Numbers>(body);
    again::<bus::TapBatch>(body);
    again::<catalogue::Listing>(body);
    again::<catalogue::Updated>(body);
    again::<connections::Listing>(body);
    again::<Vec<discovery::Hyperty>>(body);
    again::<policy::Explanation>(body);
    again::<policy::InForce>(body);
    again::<policy::Problems>(body);
    again::<registry::Listing>(body);
    again::<registry::Way>(body);
    again::<sandboxes::Listing>(body);
    again::<sandboxes::LogBatch>(body);
    again::<user_agent::Listing>(body);
    if let Ok(text) = std::str::from_utf8(body) {
        harmless(text);
    }
}

fn again<T: Serialize + DeserializeOwned + std::fmt::Debug>(body: &[u8]) {
    let Ok(Valued { value, .. }) = serde_json::from_slice::<Valued<T>>(body) else {
        return;
    };
    let written = serde_json::to_vec(&value).expect("it came as JSON");
    let read: T = serde_json::from_slice(&written).expect("it was written here");
    assert_eq!(format!("{value:?}"), format!("{read:?}"));
}

fn harmless(text: &str) {
    assert!(!escape::clean(text).chars().any(char::is_control));
    let lines = escape::clean_lines(text);
    assert!(!lines.chars().any(|c| c.is_control() && c != '\n'));
}
