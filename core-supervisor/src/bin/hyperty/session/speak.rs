//! Messages by hand: one that waits for no answer, and listening.

use std::path::Path;
use std::time::{Duration, Instant};

use protocol::client::{Error, Incoming};
use protocol::message::MessageKind;
use serde_json::Value;

use super::{ANSWER_WITHIN, Answer, Session, failure, owned};
use crate::error::Failure;

impl Session {
    /// Sends a message to any address.
    ///
    /// It travels as a request: the core answers a denial, an absent and a dead
    /// peer at once. `None` when nothing was said against it in the time given.
    pub(crate) fn send(
        &mut self,
        kind: &str,
        to: &str,
        body: &Value,
        objection: Duration,
    ) -> Result<Option<Answer>, Failure> {
        let parsed = MessageKind::parse(kind);
        let body = body.to_string();
        let sent = if parsed.is_request() {
            let asked = self
                .client
                .ask(parsed, to, body.as_bytes(), objection.max(ANSWER_WITHIN));
            asked.map(Some)
        } else {
            self.client.send(parsed, to, body.as_bytes()).map(|()| None)
        };
        let id = sent.map_err(|error| self.failed(error, parsed, to))?;
        self.client
            .flush()
            .map_err(|error| self.failed(error, parsed, to))?;
        match id {
            Some(id) => self.response_to(id, objection),
            None => Ok(None),
        }
    }

    fn response_to(&mut self, id: u64, within: Duration) -> Result<Option<Answer>, Failure> {
        let deadline = Instant::now() + within;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.client.recv_within(left) {
                Ok((Incoming::Response(answer), _)) if answer.id == id => {
                    return Ok(Some(owned(&answer)));
                }
                Ok((Incoming::Closed | Incoming::Stop { .. }, _)) => return Err(failure::lost()),
                Ok(_) => {}
                Err(Error::TimedOut(_)) => return Ok(None),
                Err(error) => return Err(failure::of_link(error, Path::new(""))),
            }
        }
    }

    /// Asks to hear the messages to an address as well.
    pub(crate) fn listen(&mut self, address: &str) -> Result<(), Failure> {
        let own = self.address();
        let sent = self
            .client
            .listen(address)
            .and_then(|()| self.client.flush());
        sent.map_err(|error| failure::of_link(error, Path::new("")))?;
        let deadline = Instant::now() + self.wait.unwrap_or(ANSWER_WITHIN);
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.client.recv_within(left) {
                Ok((Incoming::Listening(told), _)) if told.code.is_success() => return Ok(()),
                Ok((Incoming::Listening(told), _)) => {
                    let what = format!("may not listen: {}", told.reason);
                    return Err(failure::of_code(told.code, &what).who(&own, "listen", address));
                }
                Ok((Incoming::Closed | Incoming::Stop { .. }, _)) => return Err(failure::lost()),
                Ok(_) => {}
                Err(error) => {
                    return Err(self.failed(error, MessageKind::Other("listen"), address));
                }
            }
        }
    }
}
