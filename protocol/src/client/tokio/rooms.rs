//! Requests of an async link to the core's rooms.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Client;
use crate::api::user_agent;
use crate::client::{Error, room};
use crate::message::MessageKind;

impl Client {
    /// Asks one of the core's rooms, and reads the `value` of its answer.
    ///
    /// `()` is the value of answers that bring none.
    pub async fn call_room<Q, A>(
        &mut self,
        path: &str,
        kind: MessageKind<'_>,
        query: &Q,
    ) -> Result<A, Error>
    where
        Q: Serialize + ?Sized,
        A: DeserializeOwned,
    {
        let limit = room::ROOM_WAIT;
        self.call_room_within(path, kind, query, limit).await
    }

    /// The same with another time limit.
    pub async fn call_room_within<Q, A>(
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
        room::read(self.request(kind, &to, &body, within).await?)
    }

    /// Deploys a component, and waits until it runs.
    pub async fn deploy(
        &mut self,
        wanted: &user_agent::Deploy,
    ) -> Result<user_agent::Component, Error> {
        let (path, kind) = (user_agent::PATH, MessageKind::Create);
        let limit = room::DEPLOY_WAIT;
        self.call_room_within(path, kind, wanted, limit).await
    }

    /// Every deployed component that this link may know of.
    pub async fn components(&mut self) -> Result<user_agent::Listing, Error> {
        let (path, kind) = (user_agent::PATH, MessageKind::Read);
        self.call_room(path, kind, &serde_json::json!({})).await
    }

    /// Ends a deployed component and forgets it.
    pub async fn remove(&mut self, component: &str) -> Result<(), Error> {
        let (path, kind) = (user_agent::PATH, MessageKind::Delete);
        let resource = component.to_owned();
        let select = user_agent::Select {
            resource,
            ..user_agent::Select::default()
        };
        self.call_room(path, kind, &select).await
    }
}
