//! Hyperties called, and what they call back.

use std::path::Path;
use std::time::Duration;

use protocol::api::rpc::{Changed, Description, Request, Snapshot, Tag, Thrown};
use protocol::client::rpc::{Callback, Called, Reference, Returned, Target};
use protocol::client::{Error, Incoming};
use protocol::code::Code;
use protocol::message::MessageKind;

use super::{ANSWER_WITHIN, Session, failure};
use crate::error::{Failure, Id};

/// What a link brings to who waits for calls.
#[derive(Debug)]
pub(crate) enum NextCall {
    /// A function of ours was called; it has been answered.
    Called(Called),
    /// A data object that was lent to us changed.
    Changed(Changed),
    /// The hyperty that holds our functions ended, and why.
    Over(String),
    /// Nothing.
    Nothing,
    /// The supervisor ends.
    End,
}

impl Session {
    /// Asks an API. `written` is what the reader called it.
    pub(crate) fn ask_api(
        &mut self,
        written: &str,
        target: Target,
        request: &Request,
    ) -> Result<Returned, Failure> {
        let within = self.wait.unwrap_or(ANSWER_WITHIN);
        let api = target.api();
        let asked = self.client.target(target).within(within).ask(request);
        asked.map_err(|error| self.api_failed(error, written, &api))
    }

    /// What there is to call.
    pub(crate) fn describe(
        &mut self,
        written: &str,
        target: Target,
    ) -> Result<Description, Failure> {
        let request = target.describe();
        let returned = self.ask_api(written, target, &request)?;
        returned
            .read()
            .map_err(|error| failure::of_link(error, Path::new("")))
    }

    /// All the data of a data object that was lent to us.
    pub(crate) fn snapshot(&mut self, reference: &Reference) -> Result<Snapshot, Failure> {
        let within = self.wait.unwrap_or(ANSWER_WITHIN);
        let read = self.client.reference(reference).within(within).snapshot();
        read.map_err(|error| failure::of_link(error, Path::new("")))
    }

    /// A function that the hyperty at this address may call.
    pub(crate) fn callback(&mut self, address: &str, name: &str) -> Result<Callback, Failure> {
        let made = self.client.hyperty(address).callback(name);
        made.map_err(|error| failure::of_link(error, Path::new("")))
    }

    /// Waits so long for the next call of one of our functions.
    pub(crate) fn next_call(&mut self, within: Duration) -> Result<NextCall, Failure> {
        let answered = match self.client.recv_within(within) {
            Ok((Incoming::Message(message), out)) => match out.called(&message) {
                Some(called) => out
                    .answer_call(&called, Ok(&Tag::Undefined.to_value()))
                    .map(|()| NextCall::Called(called)),
                None => Ok(out
                    .changed(&message)
                    .map_or(NextCall::Nothing, NextCall::Changed)),
            },
            // Nothing else is asked meanwhile: it is the end of the watched.
            Ok((Incoming::Response(response), _)) => {
                let told = failure::refusal(response.code, response.body);
                Ok(NextCall::Over(told.reason))
            }
            Ok((Incoming::Closed | Incoming::Stop { .. }, _)) | Err(Error::Closed) => {
                Ok(NextCall::End)
            }
            Ok((Incoming::Listening(_) | Incoming::Network(_), _)) | Err(Error::TimedOut(_)) => {
                Ok(NextCall::Nothing)
            }
            Err(error) => Err(error),
        };
        answered.map_err(|error| failure::of_link(error, Path::new("")))
    }

    fn api_failed(&mut self, error: Error, written: &str, api: &str) -> Failure {
        let Error::Answered(answered) = &error else {
            return self.failed(error, MessageKind::Execute, api);
        };
        if let Some(thrown) = answered.thrown() {
            return thrown_failure(&thrown).who(&self.address(), "execute", api);
        }
        if answered.code == Code::NOT_FOUND && answered.decision.is_empty() {
            return Failure::new(Id::NotFound, &answered.reason)
                .who(&self.address(), "execute", api)
                .fix(
                    "to see what can be called",
                    format!("hyperty api {written}"),
                )
                .fix("to see what runs", "hyperty ps");
        }
        self.failed(error, MessageKind::Execute, api)
    }
}

fn thrown_failure(thrown: &Thrown) -> Failure {
    let what = format!("it threw {}: {}", thrown.name, thrown.message);
    let code = thrown.code.as_ref().map(ToString::to_string);
    Failure::new(Id::Thrown, what)
        .fact("stack", thrown.stack.trim())
        .fact("code", code.unwrap_or_default())
}
