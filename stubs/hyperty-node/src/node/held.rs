//! Answers that wait for the store, and requests that wait for other nodes.

use std::collections::BTreeMap;

use protocol::{Address, Code};

use super::Node;
use crate::answer::Answer;
use crate::envelope::Envelope;
use crate::event::{Action, LinkId, Text, Ticket};
use crate::limits::WRITES_MAX;
use crate::rows::Row;

/// What a ticket stands for.
#[derive(Debug)]
enum Awaited {
    /// A write, and who is told of it.
    Write(Option<(LinkId, Text, Refusal)>),
    /// A request that other nodes were asked to take, and until when they may say no.
    Request(Refusal, u64),
}

/// How long the other nodes have to say that nobody is there, in milliseconds.
///
/// They do so at once; a server that is slower than this has lost the question.
const UNHEARD_MS: u64 = 5_000;

// What is needed to answer.
#[derive(Debug)]
struct Refusal {
    id: String,
    from: String,
    to: String,
}

/// All that wait.
#[derive(Debug, Default)]
pub(super) struct Held {
    last: u64,
    awaited: BTreeMap<Ticket, Awaited>,
}

impl Held {
    pub(super) fn len(&self) -> usize {
        self.awaited.len()
    }

    fn put(&mut self, awaited: Awaited) -> Ticket {
        self.last += 1;
        let ticket = Ticket(self.last);
        self.awaited.insert(ticket, awaited);
        ticket
    }
}

impl Node {
    /// Keeps rows, and answers once they are kept.
    pub(super) fn keep_and_answer(
        &mut self,
        link: LinkId,
        asked: &Envelope<'_>,
        rows: Vec<Row>,
        answer: &Answer,
    ) {
        let text = answer.to(asked);
        if rows.is_empty() {
            return self.send(link, text);
        }
        self.persist(Awaited::Write(Some((link, text, refusal(asked)))), rows);
    }

    /// Keeps rows that nobody asked about.
    pub(super) fn keep(&mut self, rows: Vec<Row>) {
        if !rows.is_empty() {
            self.persist(Awaited::Write(None), rows);
        }
    }

    /// Whether more may be handed to the store now.
    pub(super) fn is_busy(&self) -> bool {
        self.held.len() >= WRITES_MAX
    }

    pub(super) fn persisted(&mut self, ticket: Ticket, result: Result<(), String>) {
        let Some(Awaited::Write(Some((link, text, refusal)))) = self.held.awaited.remove(&ticket)
        else {
            return;
        };
        let text = match result {
            Ok(()) => text,
            Err(why) => Answer::refused(Code::FAILED, format!("not kept: {why}")).write(
                &refusal.id,
                &refusal.from,
                &refusal.to,
            ),
        };
        if self.links.contains_key(&link) {
            self.send(link, text);
        } else if let Ok(asker) = refusal.to.parse() {
            // It asked, lost its connection, and is back with another.
            self.give(&asker, &text);
        }
    }

    /// Passes a message on to other nodes; a request comes back when none takes it.
    pub(super) fn relay(&mut self, base: Address, text: &Text, asked: Option<&Envelope<'_>>) {
        let until = self.now + UNHEARD_MS;
        let asked = asked.filter(|_| !self.is_busy());
        let ticket = asked.map(|asked| self.held.put(Awaited::Request(refusal(asked), until)));
        self.actions.push(Action::Relay {
            ticket,
            base,
            text: Text::clone(text),
        });
    }

    pub(super) fn unheard(&mut self, ticket: Ticket) {
        let Some(Awaited::Request(asked, _)) = self.held.awaited.remove(&ticket) else {
            return;
        };
        self.numbers.unrouted += 1;
        let domain = &self.settings.domain;
        let why = format!("nobody at `{domain}` has the address `{}`", asked.from);
        let answer = Answer::refused(Code::NOT_FOUND, why);
        let answer = answer.write(&asked.id, &asked.from, &asked.to);
        if let Ok(asker) = asked.to.parse() {
            self.give(&asker, &answer);
        }
    }

    /// Forgets the questions that other nodes did not say no to.
    pub(super) fn forget_heard(&mut self) {
        let now = self.now;
        let is_open =
            |awaited: &Awaited| !matches!(awaited, Awaited::Request(_, until) if *until <= now);
        self.held.awaited.retain(|_, awaited| is_open(awaited));
    }

    fn persist(&mut self, awaited: Awaited, rows: Vec<Row>) {
        let ticket = self.held.put(awaited);
        self.actions.push(Action::Persist { ticket, rows });
    }
}

fn refusal(asked: &Envelope<'_>) -> Refusal {
    Refusal {
        id: asked.id.to_owned(),
        from: asked.to.to_string(),
        to: asked.from.to_string(),
    }
}
