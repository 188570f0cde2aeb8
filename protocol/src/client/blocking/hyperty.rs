//! Hyperties called over a blocking link.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::Link;
use crate::api::rpc::{Description, Request, Snapshot};
use crate::client::rpc::{self, CALL_WAIT, Callback, Reference, Returned, Target};
use crate::client::{Error, room};
use crate::message::MessageKind;

/// The API of a hyperty, or of an object that it lent, over a blocking link.
#[derive(Debug)]
pub struct Hyperty<'l, S> {
    link: &'l mut Link<S>,
    target: Target,
    within: Duration,
}

impl<S: AsFd> Link<S> {
    /// The API of the hyperty at this address. Nothing is asked yet.
    pub fn hyperty(&mut self, address: &str) -> Hyperty<'_, S> {
        self.target(Target::instance(address))
    }

    /// The API of something that a hyperty lent.
    pub fn reference(&mut self, reference: &Reference) -> Hyperty<'_, S> {
        self.target(Target::reference(reference))
    }

    /// The API of what this names.
    pub fn target(&mut self, target: Target) -> Hyperty<'_, S> {
        self.session.out.books.open();
        Hyperty {
            link: self,
            target,
            within: CALL_WAIT,
        }
    }
}

impl<S: AsFd> Hyperty<'_, S> {
    /// Waits so long for each answer; the core answers 408 then.
    #[must_use]
    pub const fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// The same at the end of these members' names.
    #[must_use]
    pub fn at(mut self, path: &[&str]) -> Self {
        self.target = self.target.at(path);
        self
    }

    /// Calls a method and waits for what it returns, or promises.
    ///
    /// [`Error::Answered`] when it threw (500, see [`crate::client::Failure::thrown`]),
    /// is not there (404) or not exposed (403), or its owner is gone (410, 503).
    pub fn call(&mut self, method: &str, args: &[Value]) -> Result<Returned, Error> {
        self.ask(&self.target.call(method, args))
    }

    /// Calls the function that a reference stands for.
    pub fn apply(&mut self, args: &[Value]) -> Result<Returned, Error> {
        self.ask(&self.target.apply(args))
    }

    /// Reads a member.
    pub fn get(&mut self, name: &str) -> Result<Returned, Error> {
        self.ask(&self.target.get(name))
    }

    /// Assigns a member.
    pub fn set(&mut self, name: &str, value: &Value) -> Result<(), Error> {
        self.ask(&self.target.set(name, value)).map(|_| ())
    }

    /// Deletes a member.
    pub fn delete(&mut self, name: &str) -> Result<(), Error> {
        self.ask(&self.target.delete(name)).map(|_| ())
    }

    /// The data of a data object that was lent, for [`rpc::Mirror::adopt`].
    pub fn snapshot(&mut self) -> Result<Snapshot, Error> {
        let returned = self.ask(&self.target.snapshot())?;
        rpc::snapshot(&returned)
    }

    /// What there is to call and to read.
    pub fn describe(&mut self) -> Result<Description, Error> {
        rpc::description(self.ask(&self.target.describe())?)
    }

    /// Makes something that this hyperty may call, to be sent as an argument.
    ///
    /// Its calls come by `recv`, see [`crate::client::Outbox::called`].
    pub fn callback(&mut self, name: &str) -> Result<Callback, Error> {
        self.link.session.out.callback(self.target.peer(), name)
    }

    /// Asks with a request of [`Target`]'s making.
    pub fn ask(&mut self, request: &Request) -> Result<Returned, Error> {
        let body = room::write(request)?;
        // In the order in which it happened: dropped, then called.
        self.link.session.out.tell_dropped()?;
        let queue = Arc::clone(self.link.session.out.books.queue());
        let api = self.target.api();
        let kind = MessageKind::Execute;
        let response = self.link.request(kind, &api, &body, self.within)?;
        self.target.returned(response, &queue)
    }
}
