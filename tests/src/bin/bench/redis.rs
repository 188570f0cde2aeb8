//! Redis: publish and subscribe over a Unix socket, one link for each.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;

use crate::caller;
use crate::numbers::BODY_BYTES;

/// What one side says.
pub(crate) struct Wire {
    message: Vec<u8>,
    incoming: usize,
}

impl Wire {
    /// `a` publishes to `b`, and the other way round.
    pub(crate) fn of(name: &str) -> Self {
        let to = if name == "a" { "b" } else { "a" };
        let frame = |verb: &str| {
            let head = format!("*3\r\n${}\r\n{verb}\r\n$1\r\n{to}\r\n", verb.len());
            let mut frame = format!("{head}${BODY_BYTES}\r\n").into_bytes();
            frame.resize(frame.len() + BODY_BYTES, b' ');
            frame.extend(b"\r\n");
            frame
        };
        Self {
            message: frame("PUBLISH"),
            incoming: frame("message").len(),
        }
    }
}

impl caller::Wire for Wire {
    fn ask(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.message);
    }

    fn split(&self, _: &[u8]) -> Option<(usize, bool)> {
        Some((self.incoming, true))
    }

    fn answer(&mut self, _: &[u8], out: &mut Vec<u8>) {
        self.ask(out);
    }
}

/// Subscribes to what is for `name`; nobody tells the publisher how many heard it.
pub(crate) fn greet(mut input: &UnixStream, mut output: &UnixStream, name: &str) -> io::Result<()> {
    output.write_all(b"CLIENT REPLY OFF\r\n")?;
    input.write_all(format!("SUBSCRIBE {name}\r\n").as_bytes())?;
    let confirmed = format!("*3\r\n$9\r\nsubscribe\r\n$1\r\n{name}\r\n:1\r\n");
    input.read_exact(&mut vec![0; confirmed.len()])
}
