//! Asking the cluster from anywhere in the thread.

use std::rc::Rc;
use std::time::Duration;

use tokio::time::timeout;

use super::shared::Shared;
use crate::names::Names;
use crate::wire::{Delivery, Headers, NotWritten, Status};

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// There is no connection.
    #[error("not connected to the cluster")]
    Away,
    /// The connection ended before the answer came: it may have been done.
    #[error("the connection ended before the answer came")]
    Cut,
    /// No answer in time.
    #[error("the cluster did not answer in time")]
    Late,
    /// More waits already than is kept.
    #[error("too much waits for the cluster already")]
    Full,
    /// Nobody serves the subject.
    #[error("nothing in the cluster answers `{0}`: is JetStream on, and is a leader elected?")]
    Nobody(String),
    /// It cannot be said.
    #[error(transparent)]
    NotWritten(#[from] NotWritten),
}

/// What the cluster answered.
#[derive(Debug, Clone)]
pub struct Answer {
    headers: Vec<u8>,
    /// The payload.
    pub payload: Vec<u8>,
}

impl Answer {
    pub(super) fn of(delivery: &Delivery<'_>) -> Self {
        Self {
            headers: delivery.headers.to_vec(),
            payload: delivery.payload.to_vec(),
        }
    }

    /// Its headers.
    pub fn headers(&self) -> Headers<'_> {
        Headers::of(&self.headers)
    }
}

/// A hand on the connection.
#[derive(Debug, Clone)]
pub struct Api {
    shared: Rc<Shared>,
    names: Rc<Names>,
}

impl Api {
    pub(super) fn new(shared: Rc<Shared>, names: Names) -> Self {
        let names = Rc::new(names);
        Self { shared, names }
    }

    /// The subjects of this runtime.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Whether there is a connection now.
    pub fn is_up(&self) -> bool {
        self.shared.is_up()
    }

    /// A number for a request whose answer comes as a message.
    pub fn number(&self) -> u64 {
        self.shared.number()
    }

    /// Publishes; nobody says whether it arrived.
    pub fn publish(
        &self,
        subject: &str,
        reply: Option<&str>,
        headers: &[(&str, &str)],
        payload: &[u8],
    ) -> Result<(), Failed> {
        self.shared.publish(subject, reply, headers, payload)
    }

    /// Publishes, and waits for the answer of the cluster.
    pub async fn ask(
        &self,
        subject: &str,
        headers: &[(&str, &str)],
        payload: &[u8],
        within: Duration,
    ) -> Result<Answer, Failed> {
        let number = self.shared.number();
        let reply = self.names.cluster_answer(number);
        self.shared
            .publish(subject, Some(&reply), headers, payload)?;
        let waiting = Waiting(&self.shared, number);
        let answer = timeout(within, self.shared.expect(number)?).await;
        drop(waiting);
        let answer = answer
            .map_err(|_| Failed::Late)?
            .map_err(|_| Failed::Cut)??;
        if answer.headers().status() == Some(Status::NO_RESPONDERS) {
            return Err(Failed::Nobody(subject.to_owned()));
        }
        Ok(answer)
    }
}

// Whoever stops waiting leaves nothing behind.
struct Waiting<'a>(&'a Shared, u64);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.forget(self.1);
    }
}
