//! Messages that are stored for whoever takes them: sent in order, again until the
//! cluster says that it has them.
//!
//! A letter keeps its identifier when it is sent again, so that the cluster stores
//! it once. After a failure nothing further is sent until everything that is under
//! way has come back: else what comes later would be stored before it.

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;

use super::limits::{LETTERS_AGAIN, LETTERS_AT_ONCE, LETTERS_BYTES_MAX, LETTERS_MAX};
use crate::client::{JetStream, JetStreamError};

/// One message.
#[derive(Debug)]
pub(super) struct Letter {
    /// What it is known by to the cluster and to its receiver.
    pub(super) identifier: Rc<str>,
    /// Where it is stored.
    pub(super) subject: String,
    /// Where its answer is expected.
    pub(super) reply: Option<String>,
    /// The envelope; letters to many share it.
    pub(super) payload: Rc<[u8]>,
}

/// The header with the place of the answer: the cluster uses the message's own.
pub(super) const REPLY: &str = "Hy-Reply";

/// The header with the identifier of a message.
pub(super) const IDENTIFIER: &str = "Nats-Msg-Id";

#[derive(Debug, PartialEq, Eq)]
enum State {
    Waits,
    UnderWay,
    Stored,
}

/// All letters that are not known to be stored.
#[derive(Debug)]
pub(super) struct Letters {
    queue: VecDeque<(Rc<Letter>, State)>,
    bytes: usize,
    last: u64,
    under_way: usize,
    again_at: Option<Instant>,
    // Two starts of one runtime never use the same identifier.
    prefix: String,
}

/// A letter that was to be stored, and what became of it.
#[derive(Debug)]
pub(super) struct Sent {
    identifier: Rc<str>,
    outcome: Result<(), JetStreamError>,
}

/// There is no room for another letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

impl Letters {
    pub(super) fn new(runtime: &str) -> Self {
        let start = getrandom::u64().unwrap_or_default();
        Self {
            queue: VecDeque::new(),
            bytes: 0,
            last: 0,
            under_way: 0,
            again_at: None,
            prefix: format!("{runtime}-{start:x}"),
        }
    }

    /// An identifier that no other message has.
    pub(super) fn identifier(&mut self) -> Rc<str> {
        self.last += 1;
        format!("{}-{}", self.prefix, self.last).into()
    }

    pub(super) fn post(&mut self, letter: Letter) -> Result<(), Full> {
        let bytes = letter.payload.len();
        if self.queue.len() >= LETTERS_MAX || self.bytes + bytes > LETTERS_BYTES_MAX {
            return Err(Full);
        }
        self.bytes += bytes;
        self.queue.push_back((Rc::new(letter), State::Waits));
        Ok(())
    }

    /// Sends what may be sent now; each one's outcome is told by `tell`.
    pub(super) fn send(&mut self, stream: &JetStream, tell: &(impl Fn(Sent) + Clone + 'static)) {
        let is_held = self.again_at.is_some_and(|again| Instant::now() < again);
        if !stream.api().is_up() || (self.again_at.is_some() && (is_held || self.under_way > 0)) {
            return;
        }
        self.again_at = None;
        for (letter, state) in &mut self.queue {
            if self.under_way >= LETTERS_AT_ONCE {
                break;
            }
            if *state == State::Waits {
                *state = State::UnderWay;
                self.under_way += 1;
                let (stream, letter) = (stream.clone(), Rc::clone(letter));
                let tell = tell.clone();
                tokio::task::spawn_local(async move {
                    let outcome = store(&stream, &letter).await;
                    let identifier = Rc::clone(&letter.identifier);
                    tell(Sent {
                        identifier,
                        outcome,
                    });
                });
            }
        }
    }

    /// One came back. The reason when it can never be stored.
    pub(super) fn sent(&mut self, sent: Sent) -> Option<(Rc<Letter>, String)> {
        self.under_way = self.under_way.saturating_sub(1);
        let at = self
            .queue
            .iter()
            .position(|(letter, _)| Rc::ptr_eq(&letter.identifier, &sent.identifier))?;
        let (letter, state) = self.queue.get_mut(at)?;
        let refused = match sent.outcome {
            Ok(()) => {
                *state = State::Stored;
                None
            }
            Err(JetStreamError::Refused(refused)) if refused.is_full() => {
                *state = State::Stored;
                Some((Rc::clone(letter), refused.to_string()))
            }
            Err(_) => {
                *state = State::Waits;
                self.again_at = Some(Instant::now() + LETTERS_AGAIN);
                None
            }
        };
        while let Some((letter, State::Stored)) = self.queue.front() {
            self.bytes = self.bytes.saturating_sub(letter.payload.len());
            self.queue.pop_front();
        }
        refused
    }
}

async fn store(stream: &JetStream, letter: &Letter) -> Result<(), JetStreamError> {
    let mut headers = vec![(IDENTIFIER, &*letter.identifier)];
    if let Some(reply) = &letter.reply {
        headers.push((REPLY, reply));
    }
    stream
        .store(&letter.subject, &headers, &letter.payload)
        .await?;
    Ok(())
}
