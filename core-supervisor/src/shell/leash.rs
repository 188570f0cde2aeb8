//! The leash: a descriptor whose other end the application holds.
//!
//! When the application ends, in whatever way, the kernel closes its end, and
//! everything here ends too. A thread of its own reads it: a leash may be a pipe,
//! a socket, a terminal or a file, and not all of these can be waited for.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd, RawFd};

use rustix::event::{PollFd, PollFlags, poll};

use super::descriptors::adopt;
use super::inbox::{Arrival, Letterbox};
use super::run_loop::LEASH;

/// A held leash.
#[derive(Debug)]
pub struct Leash {
    end: File,
    is_stdin: bool,
}

impl Leash {
    /// Takes the descriptor `number`; 0 is stdin.
    pub fn take(number: RawFd) -> io::Result<Self> {
        let descriptor: OwnedFd = if number == 0 {
            rustix::io::dup(io::stdin())?
        } else {
            adopt(number)?
        };
        Ok(Self {
            end: File::from(descriptor),
            is_stdin: number == 0,
        })
    }

    /// Says something on the leash, if it is a socket made for that. A socket at
    /// stdin is not: some parents make one in place of a pipe and never read it.
    pub fn tell(&self, line: &str) -> bool {
        let is_socket = rustix::net::sockopt::socket_type(&self.end).is_ok();
        !self.is_stdin && is_socket && (&self.end).write_all(line.as_bytes()).is_ok()
    }

    /// Has everything end when the leash does.
    pub fn watch(self, letterbox: Letterbox) -> io::Result<()> {
        let watch = move || {
            wait_for_end(self.end);
            let _ = letterbox.put(Arrival::StopAsked(LEASH));
        };
        std::thread::Builder::new()
            .name("leash".into())
            .spawn(watch)?;
        Ok(())
    }
}

// What is said on the leash means nothing; a leash that breaks has ended.
fn wait_for_end(mut end: File) {
    let mut ignored = [0; 256];
    loop {
        match end.read(&mut ignored) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let _ = poll(&mut [PollFd::new(&end.as_fd(), PollFlags::IN)], None);
            }
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::inbox::inbox;
    use std::os::fd::{AsRawFd, IntoRawFd};
    use std::os::unix::net::UnixStream;

    fn stops(letterbox: &crate::shell::inbox::Inbox) -> bool {
        let mut bell = [PollFd::new(letterbox, PollFlags::IN)];
        poll(&mut bell, None).unwrap();
        matches!(letterbox.take(), Some(Arrival::StopAsked(LEASH)))
    }

    #[test]
    fn the_end_of_a_pipe_stops_everything() {
        let (reader, mut writer) = io::pipe().unwrap();
        let (letterbox, inbox) = inbox().unwrap();
        let leash = Leash::take(reader.into_raw_fd()).unwrap();
        leash.watch(letterbox).unwrap();
        writer.write_all(b"words mean nothing").unwrap();

        drop(writer);

        assert!(stops(&inbox));
    }

    #[test]
    fn a_leash_that_does_not_block_is_waited_for_all_the_same() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        let (letterbox, inbox) = inbox().unwrap();
        Leash::take(theirs.into_raw_fd())
            .unwrap()
            .watch(letterbox)
            .unwrap();

        drop(ours);

        assert!(stops(&inbox));
    }

    #[test]
    fn a_socket_can_be_told_something_and_a_pipe_cannot() {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let (reader, _writer) = io::pipe().unwrap();
        let socket = Leash::take(theirs.into_raw_fd()).unwrap();
        let pipe = Leash::take(reader.into_raw_fd()).unwrap();

        assert!(socket.tell("ready\n") && !pipe.tell("ready\n"));

        let mut said = [0; 6];
        ours.read_exact(&mut said).unwrap();
        assert_eq!(&said, b"ready\n");
    }

    #[test]
    fn a_number_that_nobody_opened_is_an_error() {
        let free = File::open("/dev/null").unwrap().as_raw_fd() + 1000;

        assert!(Leash::take(free).is_err());
    }
}
