//! NATS: its text protocol over loopback TCP.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use crate::caller;
use crate::numbers::BODY_BYTES;

/// What one side says.
pub(crate) struct Wire {
    message: Vec<u8>,
}

impl Wire {
    /// `a` publishes to `b`, and the other way round.
    pub(crate) fn of(name: &str) -> Self {
        let to = if name == "a" { "b" } else { "a" };
        let mut message = format!("PUB {to} {BODY_BYTES}\r\n").into_bytes();
        message.resize(message.len() + BODY_BYTES, b' ');
        message.extend(b"\r\n");
        Self { message }
    }
}

impl caller::Wire for Wire {
    fn ask(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.message);
    }

    fn split(&self, bytes: &[u8]) -> Option<(usize, bool)> {
        let line = bytes.iter().position(|byte| *byte == b'\n')? + 1;
        Some(if bytes.starts_with(b"MSG ") {
            (line + BODY_BYTES + 2, true)
        } else {
            (line, false)
        })
    }

    fn answer(&mut self, _: &[u8], out: &mut Vec<u8>) {
        self.ask(out);
    }
}

/// Subscribes to what is for `name`.
pub(crate) fn greet(mut stream: &TcpStream, name: &str) -> io::Result<()> {
    let connect = "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false}";
    stream.write_all(format!("{connect}\r\nSUB {name} 1\r\nPING\r\n").as_bytes())?;
    let mut heard = Vec::new();
    while !heard.ends_with(b"PONG\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        heard.extend(byte);
    }
    Ok(())
}
