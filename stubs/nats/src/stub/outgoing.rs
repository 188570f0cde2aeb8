//! Messages of this runtime, on their way to the domain.
//!
//! sent → (claim of the sender) → place → owner | hearers | node | registry

use std::rc::Rc;
use std::time::Instant;

use protocol::client::Outbox;
use protocol::message::{Message, Reply};
use protocol::{Address, Code, MessageKind};

use super::desk::{Awaited, Desk, Done, Waiting, parse, wait_of};
use super::envelope::{self, Held};
use super::kept::{Kept, is_kept};
use super::known::Look;
use super::letters::{IDENTIFIER, Letter};
use super::limits::AWAITED_MAX;
use super::places::{self, Channel, Place};
use crate::client::Failed;
use crate::names::runtime_token;
use crate::wire::NotWritten;

/// How long the asker waits, in milliseconds.
pub(super) const WAIT: &str = "Hy-Wait";

/// The number of an answer: not every component repeats it in the body.
pub(super) const CODE: &str = "Hy-Code";

impl Desk {
    /// A message came from the core.
    pub(super) fn sent(&mut self, message: &Message<'_>, out: &mut Outbox) {
        if message.header.kind == MessageKind::Response {
            return self.answered_here(message, out);
        }
        // Behind those that came before, or it would overtake them.
        if !self.is_ready || !self.early.is_empty() {
            let held = Held::of(message);
            if self.park(&held) {
                self.early.push_back(held);
            } else {
                let reason = "too many messages wait for the domain's cluster, which is away";
                self.refuse(message, Code::BUSY, reason, out);
            }
            return;
        }
        self.send(message, out);
    }

    /// Sends a message as far as it can go now.
    pub(super) fn send(&mut self, message: &Message<'_>, out: &mut Outbox) {
        let header = &message.header;
        let (Some(from), Some(to)) = (parse(header.from), parse(header.to)) else {
            return self.refuse(message, Code::BAD_REQUEST, "not an address", out);
        };
        match places::place(&to, &self.domain) {
            Place::Node(part) => self.ask_node(message, part, out),
            Place::Registry => self.ask_registry(message, out),
            Place::Elsewhere => {
                let reason = format!("this stub speaks for `{}` only", self.domain);
                self.refuse(message, Code::NOT_FOUND, &reason, out);
            }
            place if self.claim(&from, message, out) => self.send_to(message, place, out),
            // It waits, or was refused.
            _ => {}
        }
    }

    // Whether the sender's address is known to be this runtime's.
    fn claim(&mut self, from: &Address, message: &Message<'_>, out: &mut Outbox) -> bool {
        let names = self.api.names();
        if runtime_token(from).is_ok_and(|token| token == names.runtime()) {
            return true;
        }
        let base = places::base(from);
        if self.claims.look(base.as_str(), Instant::now()) == Look::Found(()) {
            return true;
        }
        let held = Held::of(message);
        if !self.park(&held) {
            self.refuse(message, Code::BUSY, "too many messages wait already", out);
        } else if self.claims.wait(base.as_str(), Waiting::Out(held)) {
            let (book, name): (_, Rc<str>) = (self.book.clone(), base.as_str().into());
            let failed = Rc::clone(&name);
            let work = async move { Done::Claimed(name, book.claim(&base).await) };
            if !self.job(work) {
                let all = self.claims.failed(&failed);
                self.give_up(all, Code::BUSY, "too much is under way", out);
            }
        }
        false
    }

    fn send_to(&mut self, message: &Message<'_>, place: Place, out: &mut Outbox) {
        match place {
            Place::Runtime(token) => self.send_to_runtime(message, &token.into(), out),
            Place::Owner(base) => match self.owners.look(base.as_str(), Instant::now()) {
                Look::Found(owner) => self.send_to_owner(message, owner.as_ref(), out),
                Look::Asking | Look::Nothing => {
                    self.find_owner(&base, Waiting::Out(Held::of(message)), out);
                }
            },
            Place::Channel {
                channel,
                base,
                kind,
            } => self.tell(message, &channel, &base, kind, out),
            Place::Node(_) | Place::Registry | Place::Elsewhere => {}
        }
    }

    fn send_to_owner(&mut self, message: &Message<'_>, owner: Option<&Rc<str>>, out: &mut Outbox) {
        let Some(owner) = owner else {
            let (domain, to) = (&self.domain, message.header.to);
            let reason = format!("nobody in `{domain}` has the address `{to}`");
            return self.refuse(message, Code::NOT_FOUND, &reason, out);
        };
        self.send_to_runtime(message, owner, out);
    }

    fn send_to_runtime(&mut self, message: &Message<'_>, to: &Rc<str>, out: &mut Outbox) {
        if **to == *self.api.names().runtime() {
            let reason = format!(
                "nobody in this runtime has the address `{}`",
                message.header.to
            );
            return self.refuse(message, Code::NOT_FOUND, &reason, out);
        }
        let payload = match envelope::write(message) {
            Ok(payload) => payload,
            Err(bad) => return self.refuse(message, Code::BAD_REQUEST, &bad.to_string(), out),
        };
        if is_answered(message) {
            self.ask_runtime(message, to, &payload, out);
        } else {
            let subject = self.api.names().mail_to(to);
            self.post(message, subject, None, payload.into(), out);
        }
    }

    fn ask_runtime(
        &mut self,
        message: &Message<'_>,
        to: &Rc<str>,
        payload: &[u8],
        out: &mut Outbox,
    ) {
        let Some((number, at)) = self.await_answer(message, to, out) else {
            return;
        };
        let subject = self.api.names().to(to);
        let wait = match message.header.reply {
            Reply::Within(ms) => ms.to_string(),
            Reply::Untimed | Reply::Unwanted => String::new(),
        };
        let identifier = is_kept(message, payload).then(|| self.letters.identifier());
        let header = match &identifier {
            Some(identifier) => Some((IDENTIFIER, &**identifier)),
            None if wait.is_empty() => None,
            None => Some((WAIT, wait.as_str())),
        };
        let headers = header.as_slice();
        if let Err(failed) = self.api.publish(&subject, Some(&at), headers, payload) {
            self.awaited.remove(&number);
            let code = match &failed {
                Failed::NotWritten(NotWritten::Long(..)) => Code::TOO_LARGE,
                Failed::Full => Code::BUSY,
                _ => Code::UNAVAILABLE,
            };
            return self.refuse(message, code, &failed.to_string(), out);
        }
        if let Some(awaited) = self.awaited.get_mut(&number) {
            awaited.kept = identifier.map(|identifier| Kept::new(identifier, payload));
        }
    }

    // The number of a new request, and where its answer is to come.
    fn await_answer(
        &mut self,
        message: &Message<'_>,
        to: &Rc<str>,
        out: &mut Outbox,
    ) -> Option<(u64, String)> {
        if !self.room_to_ask() {
            let reason = format!("{AWAITED_MAX} requests wait for answers of the domain already");
            self.refuse(message, Code::BUSY, &reason, out);
            return None;
        }
        let header = &message.header;
        let number = self.api.number();
        let awaited = Awaited {
            id: header.id,
            from: header.from.to_owned(),
            to: header.to.to_owned(),
            runtime: Rc::clone(to),
            until: Instant::now() + wait_of(header.reply),
            is_untimed: header.reply == Reply::Untimed,
            kept: None,
        };
        self.awaited.insert(number, awaited);
        Some((number, self.api.names().answer_from(to, number)))
    }

    fn post(
        &mut self,
        message: &Message<'_>,
        subject: String,
        reply: Option<String>,
        payload: Rc<[u8]>,
        out: &mut Outbox,
    ) {
        let letter = Letter {
            identifier: self.letters.identifier(),
            subject,
            reply,
            payload,
        };
        if self.letters.post(letter).is_err() {
            let reason = "too many messages wait to be stored by the domain's cluster";
            self.refuse(message, Code::BUSY, reason, out);
        }
        self.send_letters();
    }

    /// Hands a message to everybody who hears a channel.
    pub(super) fn tell(
        &mut self,
        message: &Message<'_>,
        channel: &Address,
        base: &Address,
        kind: Channel,
        out: &mut Outbox,
    ) {
        // The reporter hears what its observers share without asking for it.
        let owner = if kind == Channel::Children {
            match self.owners.look(base.as_str(), Instant::now()) {
                Look::Found(owner) => owner,
                Look::Asking | Look::Nothing => {
                    return self.find_owner(base, Waiting::Out(Held::of(message)), out);
                }
            }
        } else {
            None
        };
        let Some(hearers) = self.hearers_of(channel, message, out) else {
            return;
        };
        let payload: Rc<[u8]> = match envelope::write(message) {
            Ok(payload) => payload.into(),
            Err(bad) => return self.refuse(message, Code::BAD_REQUEST, &bad.to_string(), out),
        };
        let own: Rc<str> = self.api.names().runtime().into();
        let owner = owner.filter(|owner| *owner != own);
        if let Some(owner) = &owner {
            let mut reply = None;
            if is_answered(message) {
                let Some((_, at)) = self.await_answer(message, owner, out) else {
                    return;
                };
                reply = Some(at);
            }
            let subject = self.api.names().mail_to(owner);
            self.post(message, subject, reply, Rc::clone(&payload), out);
        }
        for hearer in hearers.iter() {
            if *hearer != own && owner.as_ref() != Some(hearer) {
                let subject = self.api.names().mail_to(hearer);
                self.post(message, subject, None, Rc::clone(&payload), out);
            }
        }
    }

    fn hearers_of(
        &mut self,
        channel: &Address,
        message: &Message<'_>,
        out: &mut Outbox,
    ) -> Option<Rc<[Rc<str>]>> {
        if let Look::Found(hearers) = self.hearers.look(channel.as_str(), Instant::now()) {
            return Some(hearers);
        }
        let held = Held::of(message);
        if !self.park(&held) {
            self.refuse(message, Code::BUSY, "too many messages wait already", out);
        } else if self.hearers.wait(channel.as_str(), Waiting::Out(held)) {
            let (book, channel) = (self.book.clone(), channel.clone());
            let name: Rc<str> = channel.as_str().into();
            let failed = Rc::clone(&name);
            let work = async move { Done::Hearers(name, book.hearers(&channel).await) };
            if !self.job(work) {
                let all = self.hearers.failed(&failed);
                self.give_up(all, Code::BUSY, "too much is under way", out);
            }
        }
        None
    }

    /// Looks up whose an address is; `waiting` goes on when that is known.
    pub(super) fn find_owner(&mut self, base: &Address, waiting: Waiting, out: &mut Outbox) {
        if !self.park(waiting.held()) {
            return self.give_up_one(waiting, Code::BUSY, "too many messages wait already", out);
        }
        if self.owners.wait(base.as_str(), waiting) {
            let (book, base) = (self.book.clone(), base.clone());
            let name: Rc<str> = base.as_str().into();
            let failed = Rc::clone(&name);
            let work = async move { Done::Owner(name, book.owner(&base).await) };
            if !self.job(work) {
                let all = self.owners.failed(&failed);
                self.give_up(all, Code::BUSY, "too much is under way", out);
            }
        }
    }

    /// An answer of this runtime to a request of another one.
    fn answered_here(&mut self, message: &Message<'_>, out: &mut Outbox) {
        let header = &message.header;
        let key = (header.to.to_owned(), header.id);
        let Some(asked) = self.asked.get_mut(&key) else {
            return;
        };
        asked.is_heard = true;
        let at = asked.at.clone();
        if header.code.is_final() {
            self.asked.remove(&key);
        }
        let code = header.code.to_string();
        let sent = match envelope::write(message) {
            Ok(payload) => self
                .api
                .publish(&at, None, &[(CODE, &code)], &payload)
                .map_err(|e| e.to_string()),
            Err(bad) => Err(bad.to_string()),
        };
        if let Err(reason) = sent {
            self.lost(
                &format!("an answer to `{}` was not sent: {reason}", header.to),
                out,
            );
        }
    }
}

pub(super) fn is_answered(message: &Message<'_>) -> bool {
    message.header.kind.is_request() && message.header.reply != Reply::Unwanted
}
