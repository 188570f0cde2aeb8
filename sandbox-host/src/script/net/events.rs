//! What connections have to tell their scripts, in order and bounded.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of one connection that wait for their script.
///
/// More are not read from it, so that a script that is slow, or sleeps, costs the
/// far end its speed and nobody any memory. One message may be longer.
const WAITING_BYTES_MAX: u32 = 256 * 1024;

/// What a connection tells.
#[derive(Debug)]
pub(super) enum News {
    /// A WebSocket is open, with this subprotocol.
    Opened(String),
    /// A text came.
    Text(String),
    /// Bytes came: a message, or a piece of a body.
    Bytes(Bytes),
    /// The head of an answer: JSON.
    Head(String),
    /// The end of a body.
    End,
    /// A WebSocket is closed: code, reason, and whether both agreed.
    Closed(u16, String, bool),
    /// It came to nothing: why, and whether trying again is of no use.
    Failed(String, bool),
}

impl News {
    /// Whether nothing follows.
    pub(super) const fn is_last(&self) -> bool {
        matches!(self, Self::End | Self::Closed(..) | Self::Failed(..))
    }
}

/// One piece of news, and the room that it takes until it was told.
pub(super) struct Event {
    pub(super) id: u32,
    pub(super) news: News,
    _room: Option<OwnedSemaphorePermit>,
}

/// The news of all connections.
#[derive(Default)]
pub(super) struct Events {
    queue: Mutex<VecDeque<Event>>,
}

impl Events {
    pub(super) fn take(&self) -> Option<Event> {
        self.lock().pop_front()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    pub(super) fn forget(&self, id: u32) {
        self.lock().retain(|event| event.id != id);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Event>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where one connection tells its news.
pub(super) struct Teller {
    id: u32,
    events: Arc<Events>,
    room: Arc<Semaphore>,
}

impl Teller {
    pub(super) fn new(id: u32, events: &Arc<Events>) -> Self {
        Self {
            id,
            events: Arc::clone(events),
            room: Arc::new(Semaphore::new(WAITING_BYTES_MAX as usize)),
        }
    }

    /// Tells what takes memory, once there is room for it.
    pub(super) async fn tell_when_room(&self, news: News) {
        let bytes = match &news {
            News::Text(text) => text.len(),
            News::Bytes(bytes) => bytes.len(),
            _ => 0,
        };
        // The smallest message takes some memory too.
        let bytes = u32::try_from(bytes.max(64)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.room);
        let room = room.acquire_many_owned(bytes.min(WAITING_BYTES_MAX)).await;
        self.push(news, room.ok());
    }

    /// Tells what there is little of.
    pub(super) fn tell(&self, news: News) {
        self.push(news, None);
    }

    fn push(&self, news: News, room: Option<OwnedSemaphorePermit>) {
        self.events.lock().push_back(Event {
            id: self.id,
            news,
            _room: room,
        });
    }
}
