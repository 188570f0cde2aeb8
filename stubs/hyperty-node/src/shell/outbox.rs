//! What waits for one connection to read it, in bytes that are counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

use crate::event::{End, Text};
use crate::limits::QUEUE_BYTES_MAX;

/// One thing to write.
#[derive(Debug)]
pub(super) enum Out {
    Text(Text),
    Ping,
    Close(End),
}

/// The hub's end.
#[derive(Debug)]
pub(super) struct Outbox {
    // Not bounded by count: `push` bounds it by bytes, pings come once in a while.
    queue: UnboundedSender<Out>,
    bytes: Arc<AtomicUsize>,
    cut: watch::Sender<bool>,
}

/// The connection's end.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) outs: UnboundedReceiver<Out>,
    bytes: Arc<AtomicUsize>,
    /// Turns true when the reader is too slow to be waited for.
    pub(super) cut: watch::Receiver<bool>,
}

pub(super) fn outbox() -> (Outbox, Queue) {
    let (sender, receiver) = unbounded_channel();
    let (cut, is_cut) = watch::channel(false);
    let bytes = Arc::new(AtomicUsize::new(0));
    let outbox = Outbox {
        queue: sender,
        bytes: Arc::clone(&bytes),
        cut,
    };
    let queue = Queue {
        outs: receiver,
        bytes,
        cut: is_cut,
    };
    (outbox, queue)
}

impl Outbox {
    /// Queues a message. A queue that is full already gets this one too, so that it
    /// comes back with the others, and its connection is cut.
    pub(super) fn push(&self, text: Text) {
        let before = self.bytes.fetch_add(text.len(), Ordering::Relaxed);
        let is_full = before + text.len() > QUEUE_BYTES_MAX;
        // The connection has ended by itself when nobody takes these.
        let _ = self.queue.send(Out::Text(text));
        if is_full {
            let _ = self.cut.send(true);
        }
    }

    pub(super) fn ping(&self) {
        let _ = self.queue.send(Out::Ping);
    }

    pub(super) fn close(&self, end: End) {
        let _ = self.queue.send(Out::Close(end));
    }
}

impl Queue {
    /// Notes that a message was handed to the socket.
    pub(super) fn took(&self, text: &Text) {
        self.bytes.fetch_sub(text.len(), Ordering::Relaxed);
    }

    /// What was never handed to the socket.
    pub(super) fn rest(&mut self) -> Vec<Text> {
        self.outs.close();
        let mut rest = Vec::new();
        while let Ok(out) = self.outs.try_recv() {
            if let Out::Text(text) = out {
                rest.push(text);
            }
        }
        rest
    }
}
