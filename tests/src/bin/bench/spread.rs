//! The bare relay for many: what the first who connects says goes to all others,
//! and what any of them says goes to the first.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};

use rustix::event::{PollFd, PollFlags, poll};

const READ_BYTES: usize = 64 * 1024;

/// Relays between the first and `others` further connections to `path`.
pub(crate) fn relay(path: &str, others: usize) {
    let listener = UnixListener::bind(path).expect("a socket can be made");
    println!("ready");
    let mut streams: Vec<UnixStream> = (0..=others)
        .map(|_| listener.accept().expect("a peer connects").0)
        .collect();
    let mut buffer = vec![0; READ_BYTES];
    loop {
        for at in ready(&streams) {
            let Ok(count @ 1..) = streams[at].read(&mut buffer) else {
                return;
            };
            let targets = if at == 0 { 1..streams.len() } else { 0..1 };
            for stream in &mut streams[targets] {
                if stream.write_all(&buffer[..count]).is_err() {
                    return;
                }
            }
        }
    }
}

fn ready(streams: &[UnixStream]) -> Vec<usize> {
    let mut waits: Vec<_> = streams
        .iter()
        .map(|stream| PollFd::new(stream, PollFlags::IN))
        .collect();
    if poll(&mut waits, None).is_err() {
        return Vec::new();
    }
    let is_ready = |wait: &PollFd<'_>| !wait.revents().is_empty();
    (0..waits.len())
        .filter(|at| is_ready(&waits[*at]))
        .collect()
}
