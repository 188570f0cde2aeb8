//! What a script tells: sent at once, and stored when nobody says that it arrived.
//!
//! sent, with an identifier → received (the other core has it) | answered
//!                          → away, silent or cut off → stored → heard once
//!
//! A runtime that is killed is connected for the server as long as its stub's socket
//! stands, and takes with it what it was sent meanwhile: that the server knew a
//! receiver says nothing, the receiver's own word does.

use std::collections::HashSet;
use std::rc::Rc;
use std::time::Instant;

use protocol::client::Outbox;
use protocol::message::{Message, Reply};
use protocol::{Code, MessageKind};

use super::desk::{Awaited, Desk};
use super::letters::Letter;
use super::limits::{AWAITED_MAX, KEPT_BYTES_MAX, RECEIVED_WITHIN};

/// The header of the receiver's word that its core has a message.
pub(super) const RECEIVED: &str = "Hy-Received";

/// A message that was sent and is not known to have arrived.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) identifier: Rc<str>,
    pub(super) payload: Rc<[u8]>,
    /// When it is stored, unless its receiver has spoken.
    pub(super) until: Instant,
}

impl Kept {
    pub(super) fn new(identifier: Rc<str>, payload: &[u8]) -> Self {
        Self {
            identifier,
            payload: payload.into(),
            until: Instant::now() + RECEIVED_WITHIN,
        }
    }
}

/// Whether a message is worth keeping until its receiver has it.
///
/// Scripts give no time for anything, and seldom look at an answer. What tells of
/// something is as good later; what asks for something is not.
pub(super) fn is_kept(message: &Message<'_>, payload: &[u8]) -> bool {
    let tells = matches!(
        message.header.kind,
        MessageKind::Create | MessageKind::Update | MessageKind::Delete
    );
    tells && message.header.reply == Reply::Untimed && payload.len() <= KEPT_BYTES_MAX
}

impl Desk {
    /// A runtime turned out to be away: everything is stored for it that it has not
    /// said to have, in the order in which it was sent. Whether this request is among
    /// that, and need not be ended.
    pub(super) fn store_for(&mut self, runtime: &Rc<str>, asked: u64, out: &mut Outbox) -> bool {
        let is_kept = |awaited: &Awaited| awaited.kept.is_some();
        let is_among = self.awaited.get(&asked).is_some_and(is_kept);
        self.store_all(|of| of == runtime, out);
        is_among
    }

    /// Makes room for another request; false when everybody who asked gave a time.
    ///
    /// Scripts cannot say whether they want an answer. The oldest of theirs is as good
    /// as forgotten by its sender, but what it told is not.
    pub(super) fn room_to_ask(&mut self) -> bool {
        if self.awaited.len() < AWAITED_MAX {
            return true;
        }
        let mut untimed = self
            .awaited
            .iter()
            .filter(|(_, awaited)| awaited.is_untimed);
        let Some((&oldest, awaited)) = untimed.next() else {
            return false;
        };
        if awaited.kept.is_some() && !self.store_instead(oldest) {
            return false;
        }
        self.awaited.remove(&oldest);
        true
    }

    /// Stores a message whose receiver has not said to have it; false when there is
    /// nothing to store, or no room for it.
    pub(super) fn store_instead(&mut self, number: u64) -> bool {
        let Some(awaited) = self.awaited.get_mut(&number) else {
            return false;
        };
        let Some(kept) = awaited.kept.take() else {
            return false;
        };
        let names = self.api.names();
        let letter = Letter {
            identifier: kept.identifier,
            subject: names.mail_to(&awaited.runtime),
            reply: Some(names.answer_from(&awaited.runtime, number)),
            payload: kept.payload,
        };
        let is_posted = self.letters.post(letter).is_ok();
        self.send_letters();
        is_posted
    }

    /// Stores what has not been said to have come in time, with everything that was
    /// sent after it to the same runtime: else that would be heard before it.
    pub(super) fn store_overdue(&mut self, out: &mut Outbox) {
        let now = Instant::now();
        let kept = self.awaited.values().filter_map(|awaited| {
            let kept = awaited.kept.as_ref()?;
            (kept.until <= now).then(|| Rc::clone(&awaited.runtime))
        });
        let silent: HashSet<Rc<str>> = kept.collect();
        if !silent.is_empty() {
            self.store_all(|of| silent.contains(of), out);
        }
    }

    fn store_all(&mut self, is_it: impl Fn(&Rc<str>) -> bool, out: &mut Outbox) {
        let kept = self
            .awaited
            .iter()
            .filter(|(_, awaited)| awaited.kept.is_some() && is_it(&awaited.runtime));
        let numbers: Vec<u64> = kept.map(|(number, _)| *number).collect();
        for number in numbers {
            if !self.store_instead(number) {
                let reason = "too many messages wait to be stored by the domain's cluster";
                self.end(number, Code::BUSY, reason, out);
            }
        }
    }
}
