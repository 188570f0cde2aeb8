//! Questions to the domain's own services, which this stub answers out of the cluster.

use protocol::Code;
use protocol::client::Outbox;
use protocol::message::Message;

use super::desk::{Desk, Done};
use super::envelope::Held;
use super::node::Question;
use super::places::Part;

impl Desk {
    /// A question to the domain's message node.
    pub(super) fn ask_node(&mut self, message: &Message<'_>, part: Part, out: &mut Outbox) {
        let held = Held::of(message);
        let question = Question {
            part,
            kind: held.kind.clone(),
            body: held.body.clone(),
            domain: self.domain.to_string(),
        };
        let book = self.book.clone();
        let work = async move {
            let answer = question.answer(&book).await;
            Done::Answered(Box::new((held, answer.into())))
        };
        if !self.job(work) {
            self.refuse(
                message,
                Code::BUSY,
                "too many questions to the message node",
                out,
            );
        }
    }

    /// A question to the domain's registry.
    pub(super) fn ask_registry(&mut self, message: &Message<'_>, out: &mut Outbox) {
        let held = Held::of(message);
        let registry = self.registry.clone();
        let (kind, body) = (held.kind.clone(), held.body.clone());
        let work = async move {
            let registered = registry.answer(kind, body).await;
            Done::Answered(Box::new((held, registered)))
        };
        if !self.job(work) {
            self.refuse(
                message,
                Code::BUSY,
                "too many questions to the registry",
                out,
            );
        }
    }
}
