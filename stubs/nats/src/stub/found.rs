//! What was looked up or done beside the loop comes back, and who waited goes on.

use std::rc::Rc;

use protocol::client::Outbox;
use protocol::message::{Message, Reply};
use protocol::{Address, Code, MessageKind};

use super::answer::Answer;
use super::book::NotBooked;
use super::desk::{Desk, Done, Waiting, parse, post_answer};
use super::limits::{
    CHANNEL_KEPT, CLAIM_AGAIN, CLAIM_STAYS, MAIL_STAYS, NOBODY_KEPT, OWNER_KEPT, REGISTRATION_STAYS,
};
use super::places::{self, Channel};
use crate::client::JetStreamError;

impl Desk {
    /// Something is done.
    pub(super) fn done(&mut self, done: Done, out: &mut Outbox) {
        self.come_back(done, out);
        self.wake(out);
    }

    fn come_back(&mut self, done: Done, out: &mut Outbox) {
        if !matches!(done, Done::Sent(_)) {
            self.jobs = self.jobs.saturating_sub(1);
        }
        match done {
            Done::Ready(outcome) => self.ready(outcome, out),
            Done::Claimed(name, outcome) => self.claimed(&name, outcome, out),
            Done::Owner(name, outcome) => self.found_owner(&name, outcome, out),
            Done::Hearers(name, outcome) => self.found_hearers(&name, outcome, out),
            Done::Answered(answered) => {
                let (question, registered) = *answered;
                if question.reply != Reply::Unwanted {
                    post_answer(&question.message(), &registered.answer, out);
                }
                if let Some((address, status)) = registered.news {
                    self.tell_status(&address, &status, out);
                }
            }
            Done::Sent(sent) => {
                if let Some((letter, reason)) = self.letters.sent(sent) {
                    let reason =
                        format!("a message was not stored at `{}`: {reason}", letter.subject);
                    self.lost(&reason, out);
                }
                self.send_letters();
            }
        }
    }

    /// Makes what is missing in the cluster; `Done::Ready` follows.
    pub(super) fn set_up(&mut self) {
        let (book, registry) = (self.book.table().clone(), self.registry.table().clone());
        let mailbox = self.mailbox.clone();
        let work = async move {
            let made = async {
                book.ensure(CLAIM_STAYS).await?;
                registry.ensure(REGISTRATION_STAYS).await?;
                mailbox.ensure(MAIL_STAYS).await
            };
            Done::Ready(made.await)
        };
        if !self.job(work) {
            self.setup_again = Some(std::time::Instant::now() + super::limits::SETUP_AGAIN);
        }
    }

    fn ready(&mut self, outcome: Result<(), JetStreamError>, out: &mut Outbox) {
        match outcome {
            Ok(()) if self.api.is_up() => {}
            // The connection went meanwhile: the next one begins anew.
            Ok(()) => return,
            Err(error) => {
                if self.api.is_up() {
                    let reason = format!("the cluster keeps nothing for us: {error}");
                    self.status("failed", &reason, out);
                    self.setup_again = Some(std::time::Instant::now() + super::limits::SETUP_AGAIN);
                }
                return;
            }
        }
        if !self.is_ready {
            self.is_ready = true;
            self.status(
                "live",
                &format!("the domain `{}` is reached", self.domain),
                out,
            );
        }
        self.pull(out);
        self.send_letters();
        while let Some(held) = self.early.pop_front() {
            self.unpark(&held);
            self.send(&held.message(), out);
        }
    }

    fn claimed(&mut self, name: &str, outcome: Result<(), NotBooked>, out: &mut Outbox) {
        match outcome {
            Ok(()) => {
                // As long as the claim stands, and no longer.
                for waiting in self.claims.found(name, (), CLAIM_AGAIN) {
                    self.unpark(waiting.held());
                    if let Waiting::Out(held) = waiting {
                        self.send(&held.message(), out);
                    }
                }
            }
            Err(bad) => {
                let all = self.claims.failed(name);
                self.give_up(all, code_of(&bad), &bad.to_string(), out);
            }
        }
    }

    fn found_owner(
        &mut self,
        name: &str,
        outcome: Result<Option<Rc<str>>, NotBooked>,
        out: &mut Outbox,
    ) {
        let owner = match outcome {
            Ok(owner) => owner,
            Err(bad) => {
                let all = self.owners.failed(name);
                return self.give_up(all, code_of(&bad), &bad.to_string(), out);
            }
        };
        let keep = if owner.is_some() {
            OWNER_KEPT
        } else {
            NOBODY_KEPT
        };
        for waiting in self.owners.found(name, owner.clone(), keep) {
            self.unpark(waiting.held());
            match waiting {
                Waiting::Out(held) => self.send(&held.message(), out),
                Waiting::In(inbound) => self.take_found(inbound, owner.as_ref(), out),
            }
        }
    }

    fn found_hearers(
        &mut self,
        name: &str,
        outcome: Result<Rc<[Rc<str>]>, NotBooked>,
        out: &mut Outbox,
    ) {
        match outcome {
            Ok(hearers) => {
                for waiting in self.hearers.found(name, hearers, CHANNEL_KEPT) {
                    self.unpark(waiting.held());
                    if let Waiting::Out(held) = waiting {
                        self.send_again(&held.message(), out);
                    }
                }
            }
            Err(bad) => {
                let all = self.hearers.failed(name);
                self.give_up(all, code_of(&bad), &bad.to_string(), out);
            }
        }
    }

    // What the registry itself tells has no sender that could be claimed.
    fn send_again(&mut self, message: &Message<'_>, out: &mut Outbox) {
        let is_own_news = parse(message.header.from)
            .is_some_and(|from| places::place(&from, &self.domain) == places::Place::Registry);
        if !is_own_news {
            return self.send(message, out);
        }
        if let Some(base) = parse(message.header.to).map(|to| places::base(&to))
            && let Some(channel) = places::channel(&base, Channel::Registration)
        {
            self.tell(message, &channel, &base, Channel::Registration, out);
        }
    }

    // Those who hear of a registration are told how it stands (spec messaging §8.4).
    fn tell_status(&mut self, address: &Address, status: &str, out: &mut Outbox) {
        let base = places::base(address);
        let Some(channel) = places::channel(&base, Channel::Registration) else {
            return;
        };
        let from = format!("domain://registry.{}", self.domain);
        let body = serde_json::json!({ "value": status, "attribute": "status" }).to_string();
        let message = Message::new(
            MessageKind::Update,
            &from,
            channel.as_str(),
            body.as_bytes(),
        );
        self.tell(&message, &channel, &base, Channel::Registration, out);
    }

    /// What waited in vain.
    pub(super) fn give_up(
        &mut self,
        all: Vec<Waiting>,
        code: Code,
        reason: &str,
        out: &mut Outbox,
    ) {
        for waiting in all {
            self.unpark(waiting.held());
            self.give_up_one(waiting, code, reason, out);
        }
    }

    pub(super) fn give_up_one(
        &mut self,
        waiting: Waiting,
        code: Code,
        reason: &str,
        out: &mut Outbox,
    ) {
        match waiting {
            Waiting::Out(held) => self.refuse(&held.message(), code, reason, out),
            Waiting::In(inbound) => self.turn_away(&inbound, code, reason, out),
        }
    }
}

fn code_of(bad: &NotBooked) -> Code {
    Answer::from(bad.clone()).code
}
