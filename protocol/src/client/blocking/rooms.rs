//! Requests of a blocking link to the core's rooms.

use std::os::fd::AsFd;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Link;
use crate::api::user_agent;
use crate::client::{Error, room};
use crate::message::MessageKind;

impl<S: AsFd> Link<S> {
    /// Asks one of the core's rooms, and reads the `value` of its answer.
    ///
    /// `()` is the value of answers that bring none.
    pub fn call_room<Q, A>(
        &mut self,
        path: &str,
        kind: MessageKind<'_>,
        query: &Q,
    ) -> Result<A, Error>
    where
        Q: Serialize + ?Sized,
        A: DeserializeOwned,
    {
        self.call_room_within(path, kind, query, room::ROOM_WAIT)
    }

    /// The same with another time limit.
    pub fn call_room_within<Q, A>(
        &mut self,
        path: &str,
        kind: MessageKind<'_>,
        query: &Q,
        within: Duration,
    ) -> Result<A, Error>
    where
        Q: Serialize + ?Sized,
        A: DeserializeOwned,
    {
        let to = room::address(self.runtime(), path);
        let body = room::write(query)?;
        room::read(self.request(kind, &to, &body, within)?)
    }

    /// Deploys a component, and waits until it runs.
    pub fn deploy(&mut self, wanted: &user_agent::Deploy) -> Result<user_agent::Component, Error> {
        let kind = MessageKind::Create;
        self.call_room_within(user_agent::PATH, kind, wanted, room::DEPLOY_WAIT)
    }

    /// Every deployed component that this link may know of.
    pub fn components(&mut self) -> Result<user_agent::Listing, Error> {
        self.call_room(user_agent::PATH, MessageKind::Read, &serde_json::json!({}))
    }

    /// Ends a deployed component and forgets it.
    pub fn remove(&mut self, component: &str) -> Result<(), Error> {
        let resource = component.to_owned();
        let select = user_agent::Select {
            resource,
            ..user_agent::Select::default()
        };
        self.call_room(user_agent::PATH, MessageKind::Delete, &select)
    }
}
