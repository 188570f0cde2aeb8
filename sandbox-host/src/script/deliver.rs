//! One message for the components: read, handed to the mini-bus, or answered.

use std::cell::Cell;

use protocol::frame::HostFrame;
use protocol::{Code, Message};
use rquickjs::{Object, Value};

use super::engine::Engine;
use super::failure::Failure;

impl Engine {
    pub(super) fn deliver(&self, message: &Message<'_>) {
        let entry = &self.entry.deliver;
        let header = message.header;
        let is_read = Cell::new(false);
        let outcome = self.turn(self.shared.limits.turn, |ctx| {
            let body = match message.body {
                [] => Object::new(ctx.clone())?.into_value(),
                json => ctx.json_parse(json)?,
            };
            let members = match header.members {
                "" => Value::new_undefined(ctx.clone()),
                json => ctx.json_parse(json)?,
            };
            is_read.set(true);
            #[expect(clippy::cast_precision_loss, reason = "ids come from scripts")]
            let id = header.id as f64;
            let deliver = entry.clone().restore(&ctx)?;
            deliver.call::<_, ()>((
                id,
                header.kind.as_str(),
                header.from,
                header.to,
                body,
                members,
            ))
        });
        if let (false, Err(failure)) = (is_read.get(), &outcome) {
            self.refuse_unreadable(message, failure);
        }
        self.settle(outcome);
    }

    // No component sees the message, so none can answer it.
    fn refuse_unreadable(&self, message: &Message<'_>, failure: &Failure) {
        if !message.header.kind.is_request() || !self.shared.is_of_a_component(message.header.to) {
            return;
        }
        let desc = format!("the body cannot be read: {}", failure.reason);
        let body = serde_json::json!({ "code": 400, "desc": desc, "description": desc });
        let body = body.to_string();
        let answer = message.answer(Code::BAD_REQUEST, body.as_bytes());
        self.shared.say(&HostFrame::Send(answer));
    }
}
