//! What the connection and those who ask through it have in common.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::task::Waker;

use tokio::sync::oneshot;

use super::api::{Answer, Failed};
use super::limits::{OUT_BYTES_MAX, REQUESTS_MAX};
use crate::wire::{self, Delivery, MESSAGE_BYTES_MAX, NotWritten};

/// One thread's, so cells and no locks; nobody keeps a borrow over an `await`.
#[derive(Debug, Default)]
pub(super) struct Shared {
    out: RefCell<Out>,
    waiting: RefCell<HashMap<u64, oneshot::Sender<Result<Answer, Failed>>>>,
    waker: RefCell<Option<Waker>>,
    number: Cell<u64>,
    is_up: Cell<bool>,
    payload_max: Cell<u64>,
}

#[derive(Debug, Default)]
struct Out {
    bytes: Vec<u8>,
    sent: usize,
}

impl Shared {
    pub(super) fn up(&self, payload_max: u64) {
        let is_told = payload_max > 0;
        self.payload_max.set(if is_told {
            payload_max
        } else {
            MESSAGE_BYTES_MAX as u64
        });
        self.is_up.set(true);
    }

    /// Nothing that was said before is said to the next server: whoever waits
    /// hears that the connection is gone.
    pub(super) fn down(&self) {
        self.is_up.set(false);
        *self.out.borrow_mut() = Out::default();
        for (_, asker) in self.waiting.borrow_mut().drain() {
            let _ = asker.send(Err(Failed::Cut));
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.is_up.get()
    }

    /// A number that no request had before.
    pub(super) fn number(&self) -> u64 {
        self.number.set(self.number.get() + 1);
        self.number.get()
    }

    pub(super) fn publish(
        &self,
        subject: &str,
        reply: Option<&str>,
        headers: &[(&str, &str)],
        payload: &[u8],
    ) -> Result<(), Failed> {
        if !self.is_up.get() {
            return Err(Failed::Away);
        }
        let most = usize::try_from(self.payload_max.get()).unwrap_or(usize::MAX);
        if payload.len() > most {
            return Err(NotWritten::Long(payload.len(), most).into());
        }
        let mut out = self.out.borrow_mut();
        if out.bytes.len() - out.sent > OUT_BYTES_MAX {
            return Err(Failed::Full);
        }
        wire::publish(&mut out.bytes, subject, reply, headers, payload)?;
        self.wake();
        Ok(())
    }

    pub(super) fn expect(
        &self,
        number: u64,
    ) -> Result<oneshot::Receiver<Result<Answer, Failed>>, Failed> {
        let mut waiting = self.waiting.borrow_mut();
        if waiting.len() >= REQUESTS_MAX {
            return Err(Failed::Full);
        }
        let (asker, answer) = oneshot::channel();
        waiting.insert(number, asker);
        Ok(answer)
    }

    pub(super) fn forget(&self, number: u64) {
        self.waiting.borrow_mut().remove(&number);
    }

    /// An answer came; false when nobody waits for it.
    pub(super) fn answered(&self, number: u64, delivery: &Delivery<'_>) -> bool {
        let Some(asker) = self.waiting.borrow_mut().remove(&number) else {
            return false;
        };
        let _ = asker.send(Ok(Answer::of(delivery)));
        true
    }

    pub(super) fn say(&self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.out.borrow_mut().bytes);
    }

    /// Hands what waits for the socket to `write`, which says how much it took.
    pub(super) fn drain<E>(
        &self,
        mut write: impl FnMut(&[u8]) -> Option<Result<usize, E>>,
    ) -> Result<bool, E> {
        let mut out = self.out.borrow_mut();
        let mut has_written = false;
        while out.sent < out.bytes.len() {
            let rest = out.bytes.get(out.sent..).unwrap_or_default();
            match write(rest) {
                None => return Ok(has_written),
                Some(taken) => out.sent += taken?,
            }
            has_written = true;
        }
        out.bytes.clear();
        out.sent = 0;
        Ok(has_written)
    }

    pub(super) fn wake_by(&self, waker: &Waker) {
        let mut known = self.waker.borrow_mut();
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }
}
