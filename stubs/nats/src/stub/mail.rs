//! The mailbox: stored messages are asked for, taken once, and acknowledged.

use std::time::{Duration, Instant};

use protocol::client::Outbox;
use protocol::frame::LogLevel;

use super::desk::{Desk, Pulling, Receipt, log};
use super::kept::RECEIVED;
use super::letters::IDENTIFIER;
use crate::client::{PULL_MESSAGES, PULL_STANDS};
use crate::wire::{Delivery, Headers, Status};

impl Desk {
    /// A stored message came.
    pub(super) fn mail(
        &mut self,
        delivery: &Delivery<'_>,
        from: &str,
        reply: Option<&str>,
        out: &mut Outbox,
    ) {
        if let Some(pulling) = &mut self.pulling {
            pulling.left = pulling.left.saturating_sub(1);
        }
        let receipt = delivery.reply.map(|at| Receipt::Stored(at.to_owned()));
        let identifier = Headers::of(delivery.headers).get(IDENTIFIER);
        if identifier.is_some_and(|identifier| self.seen.has(identifier)) {
            // Handed out again: the receipt was lost, the message was not.
            self.receipts.extend(receipt);
        } else if !identifier
            .is_some_and(|identifier| self.sleeping.again(identifier, delivery.reply))
        {
            self.message(delivery, from, reply, receipt, out);
        }
        if self
            .pulling
            .as_ref()
            .is_none_or(|pulling| pulling.left == 0)
        {
            self.pull(out);
        }
    }

    /// Asks for stored messages.
    pub(super) fn pull(&mut self, out: &mut Outbox) {
        match self.mailbox.pull() {
            Ok(pull) => {
                self.pulling = Some(Pulling {
                    number: pull.number,
                    left: PULL_MESSAGES,
                    until: Instant::now() + PULL_STANDS + Duration::from_secs(2),
                });
            }
            Err(error) => log(
                out,
                LogLevel::Debug,
                &format!("cannot ask for stored messages: {error}"),
            ),
        }
    }

    pub(super) fn pull_ended(&mut self, delivery: &Delivery<'_>, number: u64, out: &mut Outbox) {
        if self
            .pulling
            .as_ref()
            .is_none_or(|pulling| pulling.number != number)
        {
            return;
        }
        let headers = Headers::of(delivery.headers);
        if headers.status() == Some(Status::NO_RESPONDERS) || headers.status() == Some(Status(409))
        {
            // The mailbox is not there any more, or its servers are not: by and by.
            let text = format!("stored messages do not come: {}", headers.description());
            log(out, LogLevel::Warn, &text);
            self.setup_again = Some(Instant::now() + Duration::from_secs(1));
            return;
        }
        self.pull(out);
    }

    /// Acknowledges what the core has.
    pub(super) fn acknowledge(&mut self) {
        for receipt in std::mem::take(&mut self.receipts) {
            // Without a connection they are handed out again, and known.
            let _ = match receipt {
                Receipt::Stored(at) => self.mailbox.taken(&at),
                Receipt::Sent(at) => self.api.publish(&at, None, &[(RECEIVED, "1")], &[]),
            };
        }
    }
}
