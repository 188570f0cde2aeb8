//! One message from a connection, in the order in which it is looked at.

use protocol::{Address, Code};

use super::Node;
use crate::answer::Answer;
use crate::envelope::{Envelope, Unreadable};
use crate::event::{End, LinkId, Text};
use crate::limits::{FORGERIES_MAX, REASON_BYTES_MAX};

impl Node {
    pub(super) fn receive(&mut self, link: LinkId, text: &Text) {
        if !self.links.contains_key(&link) {
            return;
        }
        self.numbers.received += 1;
        match Envelope::read(text) {
            Ok(envelope) => self.admit(link, &envelope, text),
            Err(garbage @ Unreadable::Garbage(_)) => {
                let why = garbage.to_string();
                let kept = why.floor_char_boundary(REASON_BYTES_MAX);
                let why = why.get(..kept).unwrap_or_default().to_owned();
                self.hang_up(link, End::Garbage(why));
            }
            Err(Unreadable::Incomplete { why, id, from }) => {
                let answer = Answer::refused(Code::FAILED, why);
                self.send(link, answer.write(&id, "mn:/validator", &from));
            }
        }
    }

    fn admit(&mut self, link: LinkId, envelope: &Envelope<'_>, text: &Text) {
        let [from, to] = [&envelope.from, &envelope.to].map(|text| text.parse::<Address>());
        let (from, to) = match (from, to) {
            (Ok(from), Ok(to)) => (from, to),
            (Err(why), _) | (_, Err(why)) => {
                let answer = Answer::refused(Code::FAILED, why.to_string());
                let answer = answer.write(envelope.id, "mn:/validator", &envelope.from);
                return self.send(link, answer);
            }
        };
        if to.as_str() == "mn:/session" {
            return self.session_message(link, envelope, &from);
        }
        let runtime = self.links.get(&link).and_then(|link| link.runtime.clone());
        let Some(runtime) = runtime else {
            // Under the name by which the published node complains of it.
            let answer = Answer::refused(Code::FAILED, "no session: say `open` first");
            return self.send(
                link,
                answer.write(envelope.id, "mn:/pipeline", &envelope.from),
            );
        };
        if let Err((code, why)) = self.claim(&runtime, &from) {
            return self.refuse_speaker(link, envelope, code, why);
        }
        if is_service(&to) {
            self.serve(link, &runtime, envelope, &to);
        } else {
            self.deliver(&runtime, envelope, &to, text);
        }
    }

    // Answered, so that an honest peer finds its mistake; closed, when it goes on.
    fn refuse_speaker(&mut self, link: LinkId, envelope: &Envelope<'_>, code: Code, why: String) {
        self.numbers.forged += 1;
        let answer = Answer::refused(code, why);
        self.send(
            link,
            answer.write(envelope.id, "mn:/policies", &envelope.from),
        );
        let Some(state) = self.links.get_mut(&link) else {
            return;
        };
        state.forgeries += u32::from(code == Code::FORBIDDEN);
        if state.forgeries >= FORGERIES_MAX {
            self.hang_up(link, End::Forged);
        }
    }

    fn serve(&mut self, link: LinkId, runtime: &Address, asked: &Envelope<'_>, to: &Address) {
        if asked.kind == "response" {
            return;
        }
        let domain = &self.settings.domain;
        let at = |label: &str, path: &str| {
            let mut labels = to.domain().split_once('.');
            to.scheme() == "domain" && labels.take() == Some((label, domain)) && to.path() == path
        };
        if self.is_busy() {
            let answer = Answer::refused(Code::BUSY, "the store is behind: try again");
            self.send(link, answer.to(asked));
        } else if at("msg-node", "/sm") {
            self.subscribe(link, runtime, asked);
        } else if at("registry", "") {
            self.register(link, runtime, asked);
        } else if at("msg-node", "/address-allocation") {
            self.allocate(link, runtime, asked, None);
        } else if at("msg-node", "/hyperty-address-allocation") {
            self.allocate(link, runtime, asked, Some("hyperty"));
        } else if at("msg-node", "/object-address-allocation") {
            self.allocate(link, runtime, asked, Some("resource"));
        } else {
            let why = format!("the node of `{domain}` has no service `{to}`");
            self.send(link, Answer::refused(Code::NOT_FOUND, why).to(asked));
        }
    }
}

// Of this domain or another: nodes do not pass messages on to each other's services.
fn is_service(to: &Address) -> bool {
    matches!(to.scheme(), "domain" | "global" | "mn")
}
