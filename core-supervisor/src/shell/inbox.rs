//! What the other threads have for the loop: a bounded queue and a bell.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rustix::event::{EventfdFlags, eventfd};

use crate::event::Event;

/// Arrivals that may wait; a thread that has more waits itself.
///
/// Enough for the answers of one turn; connections beyond it stay in the
/// listening socket's own queue.
const ARRIVALS_MAX: usize = 64;

/// Something another thread has for the loop.
#[derive(Debug)]
pub enum Arrival {
    /// A local process of the same user connected.
    Accepted {
        /// Its connection.
        socket: OwnedFd,
        /// Its process id, for humans only.
        pid: u32,
    },
    /// Something for the core.
    Happened(Event<'static>),
    /// Everything is to end, in order; the second time at once.
    StopAsked(&'static str),
}

/// The loop's end.
pub struct Inbox {
    bell: Arc<OwnedFd>,
    arrivals: Receiver<Arrival>,
}

/// The other threads' end.
#[derive(Clone)]
pub struct Letterbox {
    bell: Arc<OwnedFd>,
    arrivals: SyncSender<Arrival>,
}

/// The loop is gone; nothing can be told to it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

/// Makes both ends.
pub fn inbox() -> std::io::Result<(Letterbox, Inbox)> {
    let bell = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
    let (sender, receiver) = sync_channel(ARRIVALS_MAX);
    let letterbox = Letterbox {
        bell: Arc::clone(&bell),
        arrivals: sender,
    };
    let inbox = Inbox {
        bell,
        arrivals: receiver,
    };
    Ok((letterbox, inbox))
}

impl Letterbox {
    /// Hands something to the loop; waits while the queue is full.
    pub fn put(&self, arrival: Arrival) -> Result<(), Gone> {
        self.arrivals.send(arrival).map_err(|_| Gone)?;
        // A bell that is full already rings.
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
        Ok(())
    }
}

impl Inbox {
    /// Silences the bell; to be called before `take`, so that no ring is lost.
    pub(super) fn hush(&self) {
        let _ = rustix::io::read(&self.bell, &mut [0_u8; 8]);
    }

    /// The next arrival, if there is one.
    pub(super) fn take(&self) -> Option<Arrival> {
        self.arrivals.try_recv().ok()
    }
}

impl AsFd for Inbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}
