//! What the core asks components and other runtimes, and what they answer.
//!
//! ask → answered
//!
//! The core's numbers begin where no sender's counter gets to, so that an answer
//! to an object's address is the core's or its reporter's by its number alone.
//! Every question ends once: by its answer, after 15 s, or when its receiver is
//! gone; the allowance of whoever caused it pays for the wait.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::limits::REPLY_WAIT_MS;
use protocol::message::Header;
use protocol::{Address, Code, CoreFrame, Message, MessageKind, Reply};
use serde_json::{Map, Value};

use super::{body, far, invite, read, route, subscribe};
use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::respond::{self, Refusal};
use crate::flows::{enrol, fetch, heartbeat, hold, observe, refuse, search};
use crate::ids::{LinkId, ObjectId, OwnerId};
use crate::limits::PENDING_MAX;
use crate::quota::Quota;
use crate::rooms::bus;
use crate::rooms::registry::{Route, Step};
use crate::rooms::user_agent::Asker;

/// The first of the core's own numbers; a sender's bus counts from 1.
const FIRST: u64 = 1 << 50;

/// What the core is to do with an answer.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// An invited hyperty answers whoever had it invited.
    Invite(Asker),
    /// A reporter says whether somebody may observe.
    Accept(subscribe::Wanted),
    /// Another runtime says whether somebody may observe an object of its.
    Far(far::Wanted),
    /// A message node brings what is sent to an object.
    Route(Box<route::Route>),
    /// A reporter elsewhere hands out its object.
    Read(ObjectId, Asker),
    /// The node or registry of a domain hears of an entry.
    Enrol(String, Step),
    /// A registry elsewhere is searched.
    Search(Box<search::Search>),
    /// A registry elsewhere says again how somebody stands.
    Heal(String),
    /// The catalogue's stub brings what stands elsewhere.
    Fetch(Box<fetch::Key>),
}

/// The questions that wait for their answers.
#[derive(Debug, Default)]
pub(crate) struct Questions {
    open: BTreeMap<u64, (String, Purpose)>,
    last: u64,
}

/// An answer: its number and the members of its body.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) code: Code,
    pub(crate) body: Map<String, Value>,
    /// The body as it came, of an answer that is no JSON.
    pub(crate) bytes: Vec<u8>,
}

/// A message that the core sends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words<'a> {
    pub(crate) kind: MessageKind<'a>,
    pub(crate) from: &'a str,
    pub(crate) to: &'a Address,
    pub(crate) body: &'a Value,
}

impl Answer {
    /// Reads an answer. One without a number is none that agrees to anything.
    pub(crate) fn of(header: &Header<'_>, body: &[u8]) -> Self {
        let body = body::members(body).unwrap_or_default();
        let said = body.get("code").and_then(Value::as_u64);
        let said = said.and_then(|code| u16::try_from(code).ok()).map(Code);
        let code = match header.code {
            Code::NONE => said.unwrap_or(Code::FAILED),
            code => code,
        };
        let bytes = Vec::new();
        Self { code, body, bytes }
    }

    /// An answer whose body is not looked at unless it says why there is none.
    pub(crate) fn raw(header: &Header<'_>, body: &[u8]) -> Self {
        if header.code != Code::OK {
            return Self::of(header, body);
        }
        Self {
            code: header.code,
            body: Map::new(),
            bytes: body.to_vec(),
        }
    }

    /// Its reason, under whichever name it has.
    pub(crate) fn reason(&self) -> &str {
        let names = ["desc", "description", "error"];
        let mut reasons = names.into_iter().filter_map(|name| self.body.get(name));
        let reason = reasons.find_map(Value::as_str);
        reason.unwrap_or("no reason given")
    }
}

impl From<&Refusal> for Answer {
    fn from(refusal: &Refusal) -> Self {
        Self {
            code: refusal.code,
            body: body::members(&refusal.body()).unwrap_or_default(),
            bytes: Vec::new(),
        }
    }
}

impl Questions {
    /// The questions about an object's subscription, to be ended with it.
    pub(crate) fn about(&self, object: ObjectId) -> Vec<(u64, String)> {
        let open = self.open.iter();
        let about = open.filter(|(_, (_, purpose))| match purpose {
            Purpose::Accept(wanted) => wanted.object == object,
            Purpose::Invite(_)
            | Purpose::Far(_)
            | Purpose::Route(_)
            | Purpose::Read(..)
            | Purpose::Enrol(..)
            | Purpose::Search(_)
            | Purpose::Heal(_)
            | Purpose::Fetch(_) => false,
        });
        about.map(|(id, (from, _))| (*id, from.clone())).collect()
    }

    /// Notes for those who wait for leave to observe an object that it was told of
    /// something on the channel `to`.
    pub(crate) fn note_missed(&mut self, to: &str) {
        let object = to.split_once("/changes").or(to.split_once("/children"));
        let Some((object, _)) = object else { return };
        for (_, purpose) in self.open.values_mut() {
            match purpose {
                Purpose::Far(wanted) => wanted.note_missed(object),
                Purpose::Route(route) => route.note_missed(object),
                _ => {}
            }
        }
    }

    /// Under which spelling of its address the core asked: far ends have their own.
    pub(crate) fn spelling(&self, to: &str, id: u64) -> Option<&str> {
        let (from, _) = self.open.get(&id)?;
        let same = to.parse::<Address>().ok()? == from.parse().ok()?;
        same.then_some(from.as_str())
    }

    /// Whether the answer to a question is bytes, and no JSON.
    pub(crate) fn wants_bytes(&self, id: u64) -> bool {
        let question = self.open.get(&id);
        question.is_some_and(|(_, purpose)| matches!(purpose, Purpose::Fetch(_)))
    }

    /// A number that no message of the core has had.
    pub(super) const fn number(&mut self) -> u64 {
        self.last += 1;
        FIRST + self.last
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.open.len()
    }
}

/// Asks somebody; `answered` follows, once, unless this is refused.
pub(crate) fn ask(
    core: &mut Core,
    words: Words<'_>,
    purpose: (LinkId, Purpose),
    now: Now,
    out: &mut Actions,
) -> Result<(), Refusal> {
    try_ask(core, words, purpose, now, out).map_err(|refused| refused.0)
}

/// The same, giving back what could not be asked.
pub(crate) fn try_ask(
    core: &mut Core,
    words: Words<'_>,
    (charged, purpose): (LinkId, Purpose),
    now: Now,
    out: &mut Actions,
) -> Result<(), Box<(Refusal, Purpose)>> {
    match put(core, words, None, charged, now, out) {
        Ok(id) => {
            let from = words.from.to_owned();
            core.questions.open.insert(id, (from, purpose));
            Ok(())
        }
        Err(refusal) => Err(Box::new((refusal, purpose))),
    }
}

/// Asks under a number that was used before, if there is one: a repetition has the
/// number of its first (spec messaging §6.2). Gives back the number.
pub(crate) fn ask_as(
    core: &mut Core,
    words: Words<'_>,
    number: Option<u64>,
    (charged, purpose): (LinkId, Purpose),
    now: Now,
    out: &mut Actions,
) -> Result<u64, Refusal> {
    let id = put(core, words, number, charged, now, out)?;
    core.questions
        .open
        .insert(id, (words.from.to_owned(), purpose));
    Ok(id)
}

fn put(
    core: &mut Core,
    words: Words<'_>,
    number: Option<u64>,
    charged: LinkId,
    now: Now,
    out: &mut Actions,
) -> Result<u64, Refusal> {
    let (to, _) = receiver(core, words.to)?;
    let body = serde_json::to_vec(words.body).unwrap_or_default();
    hold::room_for(core, to, body.len() + protocol::limits::HEADER_BYTES_MAX)?;
    let Some(gate) = core.gates.get_mut(&charged) else {
        return Err(Refusal::not_found("whoever asked is gone"));
    };
    let pending = &mut core.rooms.bus.pending;
    if u64::from(gate.pending) >= gate.quotas.of(Quota::Pending) || pending.len() >= PENDING_MAX {
        return Err(Refusal::busy(format!(
            "{} requests of this link wait for their answers already, its share; try later",
            gate.pending
        )));
    }
    let id = number.unwrap_or_else(|| core.questions.number());
    let key = pending.key(words.from, id);
    let asked = bus::Asked {
        from: words.from,
        to: words.to.as_str(),
        kind: words.kind.as_str(),
        id,
        asker: charged,
        goes: bus::Goes::In,
        since: now.mono,
        deadline: now.mono + Duration::from_millis(REPLY_WAIT_MS.into()),
        is_timed: true,
    };
    let request = pending.open(key, asked);
    let request = request.ok_or_else(|| Refusal::busy("try again"))?;
    request.answerers.push(to);
    gate.pending += 1;
    let reply = Reply::Within(REPLY_WAIT_MS);
    send(
        core,
        to,
        &message(words, &body).with_id(id).expecting(reply),
        now,
        out,
    );
    Ok(id)
}

/// Tells somebody something that is not answered; who cannot be reached misses it.
pub(crate) fn tell(core: &mut Core, words: Words<'_>, now: Now, out: &mut Actions) {
    if let Ok((to, _)) = receiver(core, words.to) {
        tell_link(core, to, words, now, out);
    }
}

/// The same to a link that is not its receiver's own: a stub that carries it.
pub(crate) fn tell_link(
    core: &mut Core,
    to: LinkId,
    words: Words<'_>,
    now: Now,
    out: &mut Actions,
) {
    let body = serde_json::to_vec(words.body).unwrap_or_default();
    if hold::room_for(core, to, body.len() + protocol::limits::HEADER_BYTES_MAX).is_ok() {
        let id = core.questions.number();
        send(core, to, &message(words, &body).with_id(id), now, out);
    }
}

/// A question has its answer, or will not have one.
pub(crate) fn answered(
    core: &mut Core,
    from: &str,
    id: u64,
    answer: Answer,
    now: Now,
    out: &mut Actions,
) {
    if !answer.code.is_final() {
        // The final one follows, or the deadline.
        if let Some((_, Purpose::Read(object, _))) = core.questions.open.get(&id) {
            read::part(core, *object, &answer, now);
        }
        return;
    }
    match core.questions.open.remove(&id) {
        Some((asked, purpose)) if asked == from => match purpose {
            Purpose::Invite(asker) => invite::invited(core, &asker, answer, out),
            Purpose::Accept(wanted) => subscribe::decided(core, &wanted, &answer, now, out),
            Purpose::Far(wanted) => far::decided(core, wanted, &answer, now, out),
            Purpose::Route(route) => route::answered(core, *route, &answer, now, out),
            Purpose::Read(object, asker) => {
                read::answered(core, object, &asker, &answer, now, out);
            }
            Purpose::Enrol(url, step) => enrol::answered(core, &url, step, &answer, now, out),
            Purpose::Search(search) => search::found(core, *search, &answer, now, out),
            Purpose::Heal(domain) => search::healed(core, &domain, &answer, now),
            Purpose::Fetch(key) => fetch::answered(core, &key, &answer, now, out),
        },
        Some(other) => drop(core.questions.open.insert(id, other)),
        None => {}
    }
}

/// Ends a question with a refusal of the core's.
pub(crate) fn end(
    core: &mut Core,
    (id, from): (u64, &str),
    refusal: &Refusal,
    now: Now,
    out: &mut Actions,
) {
    let pending = &mut core.rooms.bus.pending;
    let key = pending.key(from, id);
    if let Some(request) = pending.find(key, from, id) {
        let charged = request.asker;
        pending.close(key);
        hold::uncharge(core, charged);
    }
    answered(core, from, id, refusal.into(), now, out);
}

/// Where a message for an address goes: to its owner, or to the stub for its domain.
pub(crate) fn receiver(core: &Core, to: &Address) -> Result<(LinkId, OwnerId), Refusal> {
    let registry = &core.rooms.registry;
    let owner = match registry.resolve(to, &core.settings.runtime) {
        Route::Owner(owner) | Route::Stub(owner) => owner,
        Route::Absent | Route::Foreign => {
            return Err(Refusal::not_found(format!("nobody has the address `{to}`")));
        }
    };
    let link = registry.standing(owner).and_then(|standing| standing.link);
    let link = link.ok_or_else(|| refuse::down(core, owner, to.as_str()))?;
    Ok((link, owner))
}

fn message<'a>(words: Words<'a>, body: &'a [u8]) -> Message<'a> {
    Message::new(words.kind, words.from, words.to.as_str(), body)
}

fn send(core: &mut Core, to: LinkId, message: &Message<'_>, now: Now, out: &mut Actions) {
    observe::said(core, message, now);
    respond::send(core, to, &CoreFrame::Deliver(*message), out);
    heartbeat::heartbeat_soon(core, to, now);
}
