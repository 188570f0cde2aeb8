//! Operations → bytes.

use std::io::Write;

use super::limits::{HEADERS_BYTES_MAX, LINE_BYTES_MAX, MESSAGE_BYTES_MAX};

/// Why something was not written. Nothing of it is in the buffer then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotWritten {
    /// A subject with a blank, a line end or nothing in it, or a token of none.
    #[error("`{}` is not a subject", .0.escape_default())]
    Subject(String),
    /// A header whose name or value would be two.
    #[error("`{}` does not fit into one line of a header", .0.escape_default())]
    Header(String),
    /// The line would be longer than servers take.
    #[error("a line of {0} bytes, servers take {LINE_BYTES_MAX}")]
    Line(usize),
    /// The message would be longer than is taken.
    #[error("a message of {0} bytes, more than {1} are not taken")]
    Long(usize, usize),
}

/// Says how we want to be spoken to; `options` is JSON object text.
pub fn connect(out: &mut Vec<u8>, options: &str) {
    line(out, &["CONNECT ", options]);
}

/// Asks whether the server is there.
pub fn ping(out: &mut Vec<u8>) {
    line(out, &["PING"]);
}

/// Says that we are.
pub fn pong(out: &mut Vec<u8>) {
    line(out, &["PONG"]);
}

/// Asks for what is published to `subject`, under our own number `sid`.
pub fn subscribe(out: &mut Vec<u8>, subject: &str, sid: u64) -> Result<(), NotWritten> {
    check(subject)?;
    line(out, &["SUB ", subject, " ", &sid.to_string()]);
    Ok(())
}

/// Takes a subscription back.
pub fn unsubscribe(out: &mut Vec<u8>, sid: u64) {
    line(out, &["UNSUB ", &sid.to_string()]);
}

/// Publishes; `headers` are names and values, and most messages have none.
pub fn publish(
    out: &mut Vec<u8>,
    subject: &str,
    reply: Option<&str>,
    headers: &[(&str, &str)],
    payload: &[u8],
) -> Result<(), NotWritten> {
    check(subject)?;
    reply.map_or(Ok(()), check)?;
    let start = out.len();
    let written = put(out, (subject, reply), headers, payload);
    if written.is_err() {
        out.truncate(start);
    }
    written
}

fn put(
    out: &mut Vec<u8>,
    (subject, reply): (&str, Option<&str>),
    headers: &[(&str, &str)],
    payload: &[u8],
) -> Result<(), NotWritten> {
    let mut block = Vec::new();
    if !headers.is_empty() {
        block.extend_from_slice(b"NATS/1.0\r\n");
        for (name, value) in headers {
            header(&mut block, name, value)?;
        }
        block.extend_from_slice(b"\r\n");
        if block.len() > HEADERS_BYTES_MAX {
            return Err(NotWritten::Long(block.len(), HEADERS_BYTES_MAX));
        }
    }
    let total = block.len() + payload.len();
    if total > MESSAGE_BYTES_MAX {
        return Err(NotWritten::Long(total, MESSAGE_BYTES_MAX));
    }
    let start = out.len();
    out.extend_from_slice(if block.is_empty() { b"PUB " } else { b"HPUB " });
    out.extend_from_slice(subject.as_bytes());
    out.push(b' ');
    if let Some(reply) = reply {
        out.extend_from_slice(reply.as_bytes());
        out.push(b' ');
    }
    // Writing to memory does not fail.
    let _ = if block.is_empty() {
        write!(out, "{total}\r\n")
    } else {
        write!(out, "{} {total}\r\n", block.len())
    };
    let length = out.len() - start;
    if length > LINE_BYTES_MAX {
        return Err(NotWritten::Line(length));
    }
    out.extend_from_slice(&block);
    out.extend_from_slice(payload);
    out.extend_from_slice(b"\r\n");
    Ok(())
}

fn header(block: &mut Vec<u8>, name: &str, value: &str) -> Result<(), NotWritten> {
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && b != b':');
    if !is_name {
        return Err(NotWritten::Header(name.to_owned()));
    }
    if value.contains(['\r', '\n']) {
        return Err(NotWritten::Header(value.to_owned()));
    }
    for part in [name, ": ", value, "\r\n"] {
        block.extend_from_slice(part.as_bytes());
    }
    Ok(())
}

// A blank or a line end in a subject would let its author say another operation.
fn check(subject: &str) -> Result<(), NotWritten> {
    let is_plain = subject.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain && subject.split('.').all(|token| !token.is_empty()) {
        return Ok(());
    }
    Err(NotWritten::Subject(subject.chars().take(128).collect()))
}

fn line(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}
