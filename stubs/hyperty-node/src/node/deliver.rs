//! How a message gets to those it is for: to each connection once, never back.

use protocol::{Address, Code};

use super::Node;
use super::routes::base;
use crate::answer::Answer;
use crate::envelope::{Envelope, is_channel};
use crate::event::Text;

impl Node {
    /// Delivers what a session sent.
    pub(super) fn deliver(
        &mut self,
        runtime: &Address,
        envelope: &Envelope<'_>,
        to: &Address,
        text: &Text,
    ) {
        let targets = self.targets(to, Some(runtime));
        for target in &targets {
            if self.is_here(target) {
                self.hand_over(target, Text::clone(text));
            }
        }
        let is_whole = !is_channel(to) && targets.iter().any(|target| self.is_here(target));
        if is_whole {
            return;
        }
        let wants_answer = envelope.wants_answer(to);
        if self.settings.is_one_of_many {
            self.relay(base(to), text, wants_answer.then_some(envelope));
        } else if targets.is_empty() && wants_answer {
            self.refuse_unrouted(envelope, to);
        }
    }

    /// Delivers what another node passed on.
    pub(super) fn relayed(&mut self, text: &Text) {
        let Ok(envelope) = Envelope::read(text) else {
            return;
        };
        let Ok(to) = envelope.to.parse() else { return };
        for target in self.targets(&to, None) {
            if self.is_here(&target) {
                self.hand_over(&target, Text::clone(text));
            }
        }
    }

    /// Sends what the node itself says, here and at the other nodes.
    pub(super) fn give(&mut self, to: &Address, text: &Text) {
        let targets = self.targets(to, None);
        for target in &targets {
            if self.is_here(target) {
                self.hand_over(target, Text::clone(text));
            }
        }
        let is_whole = !is_channel(to) && targets.iter().any(|target| self.is_here(target));
        if self.settings.is_one_of_many && !is_whole {
            self.relay(base(to), text, None);
        }
    }

    /// Gives a message to a session's connection, or keeps it until there is one.
    pub(super) fn hand_over(&mut self, runtime: &Address, text: Text) {
        let now = self.now;
        let Some(session) = self.sessions.get_mut(runtime) else {
            return self.refuse_later(&text, Code::UNAVAILABLE, "the runtime has left");
        };
        if let Some(link) = session.link {
            self.send(link, text);
        } else if !session.park(Text::clone(&text), now) {
            let why = "the runtime is away, and too much waits for it already";
            self.refuse_later(&text, Code::UNAVAILABLE, why);
        }
    }

    /// Answers a request that could not be delivered after all.
    pub(super) fn refuse_later(&mut self, text: &Text, code: Code, why: &str) {
        let Ok(envelope) = Envelope::read(text) else {
            return;
        };
        let [from, to] = [&envelope.from, &envelope.to].map(|text| text.parse::<Address>());
        let (Ok(from), Ok(to)) = (from, to) else {
            return;
        };
        if envelope.wants_answer(&to) {
            self.numbers.unrouted += u64::from(code == Code::NOT_FOUND);
            self.give(&from, &Answer::refused(code, why).to(&envelope));
        }
    }

    fn refuse_unrouted(&mut self, envelope: &Envelope<'_>, to: &Address) {
        self.numbers.unrouted += 1;
        let domain = &self.settings.domain;
        let why = format!("nobody at `{domain}` has the address `{to}`");
        if let Ok(from) = envelope.from.parse() {
            self.give(&from, &Answer::refused(Code::NOT_FOUND, why).to(envelope));
        }
    }

    // Who it belongs to and who listens, without the sender: its own bus has told its
    // own listeners already.
    fn targets(&self, to: &Address, sender: Option<&Address>) -> Vec<Address> {
        let mut targets: Vec<_> = self.routes.listeners(to).collect();
        if !is_channel(to)
            && let Some(owner) = self.owner_of(&base(to))
            && self.sessions.contains_key(owner)
            && !targets.contains(&owner)
        {
            targets.push(owner);
        }
        let others = targets.into_iter().filter(|target| Some(*target) != sender);
        others.cloned().collect()
    }
}
