//! What the cluster brings: messages of other runtimes, answers, stored messages.
//!
//! message → read → whose is `from`? → handed to the core → (answered) → published

use std::rc::Rc;
use std::time::{Duration, Instant};

use protocol::client::Outbox;
use protocol::limits::{REPLY_WAIT_MS, REPLY_WAIT_MS_MAX};
use protocol::message::{Header, Message, Reply};
use protocol::{Address, Code, MessageKind};

use super::answer::Answer;
use super::asked::Asked;
use super::book;
use super::desk::{Desk, Inbound, Receipt, Waiting, parse, post_answer};
use super::envelope::{self, Envelope};
use super::kept::RECEIVED;
use super::known::Look;
use super::letters::{IDENTIFIER, REPLY};
use super::outgoing::{CODE, WAIT};
use super::places::{self, Channel, Place};
use crate::names::{Came, runtime_token};
use crate::wire::{Delivery, Headers, Status};

impl Desk {
    /// A message of a subscription.
    pub(super) fn came(&mut self, delivery: &Delivery<'_>, out: &mut Outbox) {
        let names = self.api.names().clone();
        match names.read(delivery.subject) {
            Came::Message { from } => {
                let reply = delivery.reply.filter(|reply| names.may_answer(reply, from));
                let is_kept = Headers::of(delivery.headers).get(IDENTIFIER).is_some();
                let receipt = reply.filter(|_| is_kept);
                let receipt = receipt.map(|at| Receipt::Sent(at.to_owned()));
                self.message(delivery, from, reply, receipt, out);
            }
            Came::Mail { from } => {
                let reply = Headers::of(delivery.headers).get(REPLY);
                let reply = reply.filter(|reply| names.may_answer(reply, from));
                self.mail(delivery, from, reply, out);
            }
            Came::Answer { from, number } => self.answer(delivery, from, number, out),
            Came::ClusterAnswer { number } => self.pull_ended(delivery, number, out),
            Came::Other => {
                // Somebody began or ceased to hear a channel.
                if let Some(channel) = book::changed(delivery.subject, &names.book()) {
                    self.hearers.forget(channel.as_str());
                }
            }
        }
    }

    pub(super) fn message(
        &mut self,
        delivery: &Delivery<'_>,
        from: &str,
        reply: Option<&str>,
        receipt: Option<Receipt>,
        out: &mut Outbox,
    ) {
        let envelope = match envelope::read(delivery.payload) {
            Ok(envelope) if envelope.kind() != MessageKind::Response => envelope,
            Ok(_) => return self.dropped(from, "a response that nobody asked for", receipt, out),
            Err(bad) => return self.dropped(from, &bad.to_string(), receipt, out),
        };
        let wait = Headers::of(delivery.headers).get(WAIT);
        let wait = wait.and_then(|wait| wait.parse::<u32>().ok());
        let wanted = match (reply, wait) {
            (Some(_), Some(wait)) => Reply::Within(wait.clamp(1, REPLY_WAIT_MS_MAX)),
            (Some(_), None) => Reply::Untimed,
            (None, _) => Reply::Unwanted,
        };
        let inbound = Inbound {
            held: envelope.held(wanted),
            runtime: from.into(),
            answer_at: reply.map(str::to_owned),
            receipt,
            identifier: Headers::of(delivery.headers)
                .get(IDENTIFIER)
                .map(Into::into),
        };
        self.take(inbound, out);
    }

    /// Hands a message to the core, once it is known whose its `from` is.
    pub(super) fn take(&mut self, inbound: Inbound, out: &mut Outbox) {
        let (from, to) = (parse(&inbound.held.from), parse(&inbound.held.to));
        let (Some(from), Some(to)) = (from, to) else {
            return self.turn_away(&inbound, Code::BAD_REQUEST, "not an address", out);
        };
        if !places::is_of(&from, &self.domain) {
            let reason = format!("`{from}` is not of `{}`", self.domain);
            return self.turn_away(&inbound, Code::FORBIDDEN, &reason, out);
        }
        let base = match self.witness(&from, &to) {
            Witness::Runtime(token) if *token == *inbound.runtime => {
                return self.hand_over(inbound, out);
            }
            Witness::Runtime(_) => return self.forged(&inbound, out),
            Witness::Owner(base) => base,
        };
        match self.owners.look(base.as_str(), Instant::now()) {
            Look::Found(Some(owner)) if owner == inbound.runtime => self.hand_over(inbound, out),
            Look::Found(Some(_)) => self.forged(&inbound, out),
            // That nobody had it a moment ago says nothing about now.
            Look::Found(None) | Look::Asking | Look::Nothing => {
                self.owners.forget(base.as_str());
                self.find_owner(&base, Waiting::In(inbound), out);
            }
        }
    }

    /// The owner of a sender was looked up.
    pub(super) fn take_found(
        &mut self,
        inbound: Inbound,
        owner: Option<&Rc<str>>,
        out: &mut Outbox,
    ) {
        if owner == Some(&inbound.runtime) {
            self.hand_over(inbound, out);
        } else {
            self.forged(&inbound, out);
        }
    }

    // Who must have published a message of `from` to `to`.
    fn witness(&self, from: &Address, to: &Address) -> Witness {
        if let Ok(token) = runtime_token(from) {
            return Witness::Runtime(token);
        }
        let is_registry = places::place(from, &self.domain) == Place::Registry;
        if is_registry
            && let Place::Channel {
                base,
                kind: Channel::Registration,
                ..
            } = places::place(to, &self.domain)
        {
            // What the registry tells is told by whoever was registered.
            return Witness::Owner(base);
        }
        Witness::Owner(places::base(from))
    }

    fn forged(&mut self, inbound: &Inbound, out: &mut Outbox) {
        let reason = format!(
            "`{}` is not an address of the runtime `{}`",
            inbound.held.from, inbound.runtime
        );
        self.turn_away(inbound, Code::FORBIDDEN, &reason, out);
    }

    // A stored message waits until its receiver has shown itself.
    fn hand_over(&mut self, inbound: Inbound, out: &mut Outbox) {
        if let Some(Receipt::Stored(receipt)) = &inbound.receipt
            && let Some(name) = parse(&inbound.held.to).and_then(|to| self.sleeper(&to))
        {
            if self.park(&inbound.held) {
                self.sleeping.wait(&name, inbound);
            } else {
                let _ = self.mailbox.later(receipt);
            }
            return;
        }
        self.hand_over_now(inbound, out);
    }

    // What an address has to show itself as, when it has not yet.
    fn sleeper(&self, to: &Address) -> Option<Rc<str>> {
        let names = match places::place(to, &self.domain) {
            Place::Owner(base) => [Some(base), None],
            Place::Channel { channel, base, .. } => [Some(channel), Some(base)],
            // The runtime itself is here.
            Place::Runtime(_) | Place::Node(_) | Place::Registry | Place::Elsewhere => return None,
        };
        let mut names = names.into_iter().flatten();
        let first = names.next()?;
        let is_awake = |name: &Address| self.sleeping.is_awake(name.as_str());
        let is_any = is_awake(&first) || names.any(|name| is_awake(&name));
        (!is_any).then(|| first.as_str().into())
    }

    /// Hands over what has waited for addresses that have shown themselves.
    pub(super) fn wake(&mut self, out: &mut Outbox) {
        for shown in self.book.shown() {
            for inbound in self.sleeping.show(shown) {
                self.unpark(&inbound.held);
                self.hand_over_now(inbound, out);
            }
        }
    }

    fn hand_over_now(&mut self, mut inbound: Inbound, out: &mut Outbox) {
        let identifier = inbound.identifier.as_deref();
        if identifier.is_some_and(|identifier| self.seen.has(identifier)) {
            // Stored because its sender did not hear that it had arrived.
            self.receipts.extend(inbound.receipt);
            return;
        }
        let key = (inbound.held.from.clone(), inbound.held.id);
        // What was answered for the time being is not asked a second time by anybody but
        // who was started again: the answers are for the newer one.
        let known = self.asked.get(&key);
        let is_known = known.is_some_and(|asked| !asked.is_heard);
        let is_told = inbound.identifier.is_some() && inbound.held.reply == Reply::Untimed;
        let wait = match inbound.held.reply {
            Reply::Within(wait) if !is_known => wait,
            Reply::Untimed if !is_known => REPLY_WAIT_MS,
            Reply::Within(_) => {
                let reason = "a request of this sender with this number waits already";
                return self.turn_away(&inbound, Code::CONFLICT, reason, out);
            }
            // A component that was started again counts from one again, and what it
            // said before may still wait: heard all the same, answered no more.
            Reply::Untimed | Reply::Unwanted => {
                inbound.held.reply = Reply::Unwanted;
                return self.deliver(inbound, out);
            }
        };
        // The core, too, makes room for what only tells by forgetting the oldest.
        if !is_told {
            inbound.held.reply = Reply::Within(wait);
        }
        let until = Instant::now() + Duration::from_millis(wait.into()) + Duration::from_secs(1);
        let at = inbound.answer_at.clone().unwrap_or_default();
        let asked = Asked {
            at,
            until,
            is_heard: false,
            is_told,
        };
        if !self.asked.put(key, asked) {
            return self.turn_away(&inbound, Code::BUSY, "too many requests wait here", out);
        }
        self.deliver(inbound, out);
    }

    fn deliver(&mut self, inbound: Inbound, out: &mut Outbox) {
        let posted = out.post(&inbound.held.message());
        if let Err(error) = posted {
            self.asked
                .remove(&(inbound.held.from.clone(), inbound.held.id));
            return self.turn_away(&inbound, Code::TOO_LARGE, &error.to_string(), out);
        }
        if let Some(identifier) = &inbound.identifier {
            self.seen.note(identifier);
        }
        self.receipts.extend(inbound.receipt);
    }

    /// Refuses a message of another runtime.
    pub(super) fn turn_away(
        &mut self,
        inbound: &Inbound,
        code: Code,
        reason: &str,
        out: &mut Outbox,
    ) {
        self.receipts.extend(inbound.receipt.clone());
        self.lost(
            &format!("a message of `{}` was refused: {reason}", inbound.runtime),
            out,
        );
        let Some(at) = &inbound.answer_at else {
            return;
        };
        let answer = Answer::refusal(code, reason);
        let question = inbound.held.message();
        if let Ok(payload) = envelope::write(&question.answer(answer.code, &answer.body)) {
            // When it cannot be sent, the asker's own time ends it.
            let _ = self.api.publish(at, None, &[], &payload);
        }
    }

    fn dropped(&mut self, from: &str, reason: &str, receipt: Option<Receipt>, out: &mut Outbox) {
        self.receipts.extend(receipt);
        self.lost(&format!("the runtime `{from}` sent {reason}"), out);
    }

    fn answer(&mut self, delivery: &Delivery<'_>, from: &str, number: u64, out: &mut Outbox) {
        let Some(awaited) = self.awaited.get_mut(&number) else {
            return;
        };
        if *awaited.runtime != *from {
            return;
        }
        if Headers::of(delivery.headers).get(RECEIVED).is_some() {
            awaited.kept = None;
            return;
        }
        if Headers::of(delivery.headers).status() == Some(Status::NO_RESPONDERS) {
            let runtime = Rc::clone(&awaited.runtime);
            if self.store_for(&runtime, number, out) {
                return;
            }
            let reason = format!("the runtime `{from}` is not connected to the domain's cluster");
            return self.end(number, Code::UNAVAILABLE, &reason, out);
        }
        match envelope::read(delivery.payload) {
            Ok(envelope)
                if envelope.kind() == MessageKind::Response && envelope.id == awaited.id =>
            {
                let code = Headers::of(delivery.headers).get(CODE);
                let code = code.and_then(|code| code.parse().ok());
                let code = code.map_or_else(|| envelope.code(), Code);
                self.pass_on(number, &envelope, code, out);
            }
            Ok(_) => self.lost(
                &format!("the runtime `{from}` answered something else"),
                out,
            ),
            Err(bad) => {
                let reason =
                    format!("the runtime `{from}` answered with what is no message: {bad}");
                self.end(number, Code::FAILED, &reason, out);
            }
        }
    }

    fn pass_on(&mut self, number: u64, envelope: &Envelope<'_>, code: Code, out: &mut Outbox) {
        let Some(mut awaited) = self.awaited.remove(&number) else {
            return;
        };
        let message = Message {
            header: Header {
                id: awaited.id,
                kind: MessageKind::Response,
                // Whoever it was, it answers for whom was asked (spec messaging §1.4).
                from: &awaited.to,
                to: &awaited.from,
                code,
                reply: Reply::Unwanted,
                members: "",
            },
            body: envelope.body(),
        };
        let _ = out.post(&message);
        if code == Code::NOT_FOUND
            && let Some(to) = parse(&awaited.to)
        {
            self.owners.forget(places::base(&to).as_str());
        }
        if !code.is_final() {
            awaited.kept = None;
            self.awaited.insert(number, awaited);
        }
    }

    // A request of this runtime gets its last answer from the stub itself.
    pub(super) fn end(&mut self, number: u64, code: Code, reason: &str, out: &mut Outbox) {
        let Some(awaited) = self.awaited.remove(&number) else {
            return;
        };
        if let Some(to) = parse(&awaited.to) {
            self.owners.forget(places::base(&to).as_str());
        }
        let question = Message::new(MessageKind::Read, &awaited.from, &awaited.to, &[]);
        let question = question.with_id(awaited.id);
        post_answer(&question, &Answer::refusal(code, reason), out);
    }

    /// The connection is gone: what was asked is not answered any more.
    pub(super) fn cut(&mut self, reason: &str, out: &mut Outbox) {
        self.is_ready = false;
        self.pulling = None;
        let numbers: Vec<u64> = self.awaited.keys().copied().collect();
        for number in numbers {
            if self.store_instead(number) {
                continue;
            }
            let reason = format!("{reason}; the request may have been done");
            self.end(number, Code::UNAVAILABLE, &reason, out);
        }
        // Receipts are of the connection that brought the messages.
        self.receipts.clear();
        self.hearers.forget_all();
        self.owners.forget_all();
    }
}

enum Witness {
    Runtime(String),
    Owner(Address),
}
