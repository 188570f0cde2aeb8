//! The link to a supervisor: rooms are asked, streams are heard.
//!
//! Everything that can go wrong on it becomes a [`Failure`] here, once. A denial
//! is explained by the decision that made it, before it is reported.

use std::path::Path;
use std::time::Duration;

use protocol::api::policy::{self, Why};
use protocol::client::blocking::Client;
use protocol::client::{Error, Incoming, Response};
use protocol::code::Code;
use protocol::frame::Role;
use protocol::message::MessageKind;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Context;
use crate::error::{Failure, Id};

pub(crate) mod failure;
mod rpc;
mod speak;

pub(crate) use rpc::NextCall;

/// How long a room is given when the reader did not say.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// How long a deployment is given: reading, launching, locking, loading, and
/// waiting for its turn among five hundred others.
pub(crate) const DEPLOY_WITHIN: Duration = Duration::from_mins(1);

/// A message that was heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    /// The sender.
    pub(crate) from: String,
    /// The destination, in the sender's spelling.
    pub(crate) to: String,
    /// The message type.
    pub(crate) kind: String,
    /// The sender's number for it.
    pub(crate) id: u64,
    /// JSON text.
    pub(crate) body: Vec<u8>,
}

/// What a link brings within some time.
#[derive(Debug)]
pub(crate) enum Next {
    /// A message.
    Message(Heard),
    /// The answer to a request of [`Session::ask_later`].
    Answered(u64, Answer),
    /// Nothing.
    Nothing,
    /// The supervisor ends.
    End,
}

/// An answer to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Its number.
    pub(crate) code: Code,
    /// Who answered.
    pub(crate) from: String,
    /// JSON text.
    pub(crate) body: Vec<u8>,
}

/// A link of the operator.
#[derive(Debug)]
pub(crate) struct Session {
    client: Client,
    wait: Option<Duration>,
}

impl Session {
    /// Connects to the supervisor of this context.
    pub(crate) fn open(context: &Context) -> Result<Self, Failure> {
        Self::open_at(&context.paths.endpoint(), context.timeout)
    }

    /// Connects to the supervisor behind this socket.
    pub(crate) fn open_at(endpoint: &Path, wait: Option<Duration>) -> Result<Self, Failure> {
        let within = wait.unwrap_or(ANSWER_WITHIN);
        let client = Client::connect_within(endpoint, Role::Operator, within)
            .map_err(|error| failure::of_link(error, endpoint))?;
        Ok(Self { client, wait })
    }

    /// The operator's own address on this link.
    pub(crate) fn address(&self) -> String {
        self.client.address().to_owned()
    }

    /// The runtime's address.
    pub(crate) fn runtime(&self) -> String {
        self.client.runtime().to_owned()
    }

    /// The address of a room.
    pub(crate) fn room(&self, path: &str) -> String {
        match path {
            "" => self.runtime(),
            path => format!("{}/{path}", self.client.runtime()),
        }
    }

    /// Asks a room and reads the value of its answer.
    pub(crate) fn ask<Q, A>(&mut self, path: &str, kind: &str, query: &Q) -> Result<A, Failure>
    where
        Q: Serialize,
        A: DeserializeOwned,
    {
        self.ask_within(path, kind, query, ANSWER_WITHIN)
    }

    /// The same, with another time limit when the reader did not give one.
    pub(crate) fn ask_within<Q, A>(
        &mut self,
        path: &str,
        kind: &str,
        query: &Q,
        within: Duration,
    ) -> Result<A, Failure>
    where
        Q: Serialize,
        A: DeserializeOwned,
    {
        let within = self.wait.unwrap_or(within);
        let kind = MessageKind::parse(kind);
        self.client
            .call_room_within(path, kind, query, within)
            .map_err(|error| {
                let to = self.room(path);
                self.failed(error, kind, &to)
            })
    }

    /// Asks a room without waiting; [`Self::next`] brings the answer to this number.
    pub(crate) fn ask_later<Q: Serialize>(
        &mut self,
        path: &str,
        kind: &str,
        query: &Q,
        within: Duration,
    ) -> Result<u64, Failure> {
        let to = self.room(path);
        let body = serde_json::to_vec(query).map_err(|error| {
            Failure::new(Id::Failed, format!("cannot write a request: {error}"))
        })?;
        let within = self.wait.unwrap_or(within);
        let kind = MessageKind::parse(kind);
        let asked = self.client.ask(kind, &to, &body, within);
        asked.map_err(|error| self.failed(error, kind, &to))
    }

    /// Sends a request to any address and waits for the final answer.
    pub(crate) fn call(&mut self, kind: &str, to: &str, body: &Value) -> Result<Answer, Failure> {
        let within = self.wait.unwrap_or(ANSWER_WITHIN);
        let kind = MessageKind::parse(kind);
        let body = body.to_string();
        match self.client.request(kind, to, body.as_bytes(), within) {
            Ok(answer) => Ok(owned(&answer)),
            Err(error) => Err(self.failed(error, kind, to)),
        }
    }

    /// Waits for the next message for so long.
    pub(crate) fn next(&mut self, within: Duration) -> Result<Next, Failure> {
        match self.client.recv_within(within) {
            Ok((Incoming::Message(message), _)) => Ok(Next::Message(Heard {
                from: message.header.from.to_owned(),
                to: message.header.to.to_owned(),
                kind: message.header.kind.as_str().to_owned(),
                id: message.header.id,
                body: message.body.to_vec(),
            })),
            Ok((Incoming::Response(answer), _)) => Ok(Next::Answered(answer.id, owned(&answer))),
            Ok((Incoming::Listening(_) | Incoming::Network(_), _)) | Err(Error::TimedOut(_)) => {
                Ok(Next::Nothing)
            }
            Ok((Incoming::Closed | Incoming::Stop { .. }, _)) | Err(Error::Closed) => Ok(Next::End),
            Err(error) => Err(failure::of_link(error, Path::new(""))),
        }
    }

    /// Explains an answer that reports failure, by the decision that it names.
    pub(crate) fn explain(&mut self, kind: &str, to: &str, answer: &Answer) -> Failure {
        let refused = failure::refusal(answer.code, &answer.body);
        self.refused(&refused, MessageKind::parse(kind), to)
    }

    fn failed(&mut self, error: Error, kind: MessageKind<'_>, to: &str) -> Failure {
        match error {
            Error::Answered(refused) => self.refused(&refused, kind, to),
            Error::TimedOut(_) => {
                let failure = Failure::new(Id::TimedOut, "the supervisor does not answer")
                    .fix("to wait longer", "repeat it with --timeout 60s");
                self.name_both(failure, kind, to)
            }
            other => failure::of_link(other, Path::new("")),
        }
    }

    // Who asked whom is worth a line when it was not one of the runtime's own rooms.
    fn name_both(&self, failure: Failure, kind: MessageKind<'_>, to: &str) -> Failure {
        if to.starts_with(self.client.runtime()) {
            return failure;
        }
        failure.who(self.client.address(), kind.as_str(), to)
    }

    fn refused(
        &mut self,
        refused: &protocol::client::Failure,
        kind: MessageKind<'_>,
        to: &str,
    ) -> Failure {
        let why = Why {
            decision: refused.decision.clone(),
            ..Why::default()
        };
        let explanation: Option<policy::Explanation> = (!refused.decision.is_empty())
            .then(|| {
                self.client
                    .call_room(policy::PATH, MessageKind::Read, &why)
                    .ok()
            })
            .flatten();
        match explanation {
            Some(explanation) => failure::of_decision(&explanation),
            None if kind == MessageKind::Execute && to.ends_with(policy::PATH) => {
                failure::of_problems(&refused.reason, &failure::problems(&refused.body))
            }
            None => {
                let failure = failure::of_code(refused.code, &refused.reason)
                    .fact("decision", refused.decision.as_str());
                self.name_both(failure, kind, to)
            }
        }
    }
}

fn owned(answer: &Response<'_>) -> Answer {
    Answer {
        code: answer.code,
        from: answer.from.to_owned(),
        body: answer.body.to_vec(),
    }
}

/// The `value` of an update's or an answer's body.
pub(crate) fn value<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    #[derive(serde::Deserialize)]
    struct Update<T> {
        value: T,
    }
    serde_json::from_slice::<Update<T>>(body)
        .ok()
        .map(|update| update.value)
}
