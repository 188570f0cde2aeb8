//! The frames of one WebSocket, used by both of its halves.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use aws_lc_rs::rand;
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio_websockets::{Error as Failure, Message, WebSocketStream};

use crate::error::Error;

/// Pings that are answered while the other end does not read.
///
/// Each answer waits in memory, 131 bytes at most. Nobody honest pings so often
/// without reading one of them.
const PONGS_OWED_MAX: usize = 64;

pub(super) type Frames = WebSocketStream<TokioIo<Upgraded>>;

/// Both halves poll under one lock, which is never held while anybody waits.
pub(super) struct Shared {
    state: Mutex<State>,
}

struct State {
    frames: Frames,
    // Pongs that may not have been written yet.
    owed: usize,
}

impl Shared {
    pub(super) fn new(frames: Frames) -> Self {
        let state = Mutex::new(State { frames, owed: 0 });
        Self { state }
    }

    /// The next message; `None` at the end.
    pub(super) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Message, Failure>>> {
        let mut state = self.lock();
        if state.owed > PONGS_OWED_MAX {
            ready!(state.poll_flush(cx))?;
        }
        seed();
        let next = ready!(state.frames.poll_next_unpin(cx));
        if let Some(Ok(message)) = &next
            && message.is_ping()
        {
            state.owed += 1;
        }
        Poll::Ready(next)
    }

    /// Takes a message when those before it have gone far enough.
    pub(super) fn poll_send(
        &self,
        cx: &mut Context<'_>,
        message: &mut Option<Message>,
    ) -> Poll<Result<(), Failure>> {
        let mut state = self.lock();
        if message.is_some() {
            ready!(state.frames.poll_ready_unpin(cx))?;
        }
        if let Some(message) = message.take() {
            seed();
            state.frames.start_send_unpin(message)?;
        }
        state.poll_flush(cx)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        ready!(self.frames.poll_flush_unpin(cx))?;
        self.owed = 0;
        Poll::Ready(Ok(()))
    }
}

/// Random bytes from the system.
pub(super) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| Error::Request("no random numbers".to_owned()))?;
    Ok(bytes)
}

// The library draws its masks from a generator that is quick and can be foretold
// (RFC 6455 §10.3 wants them not to be); so it is given a fresh seed before
// each use. Its other choices would open a file for randomness, which no sandbox
// can.
fn seed() {
    if let Ok(bytes) = random::<8>() {
        fastrand::seed(u64::from_ne_bytes(bytes));
    }
}
