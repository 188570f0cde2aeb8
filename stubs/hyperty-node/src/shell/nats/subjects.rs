//! Messages between nodes.

use std::collections::HashMap;

use super::{
    Address, Client, Event, FROM, HeaderMap, JoinHandle, Letters, StatusCode, StreamExt, Text,
    Ticket, Told, word,
};
use crate::names::digest;

/// The subjects that this node follows.
#[derive(Debug)]
pub(super) struct Subjects {
    client: Client,
    id: String,
    prefix: String,
    inbox: String,
    followed: HashMap<Address, JoinHandle<()>>,
    hub: Letters,
}

impl Subjects {
    pub(super) async fn start(
        client: Client,
        domain: &str,
        id: &str,
        hub: Letters,
    ) -> Result<Self, String> {
        let inbox = client.new_inbox();
        let unheard = client.subscribe(format!("{inbox}.*")).await;
        let unheard = unheard.map_err(|error| error.to_string())?;
        tokio::spawn(tell_unheard(unheard, hub.clone()));
        Ok(Self {
            client,
            id: id.to_owned(),
            prefix: format!("hyperty-node.{}.to.", word(domain)),
            inbox,
            followed: HashMap::new(),
            hub,
        })
    }

    pub(super) async fn follow(&mut self, base: Address) {
        match self.client.subscribe(self.subject(&base)).await {
            Ok(messages) => {
                let task = tokio::spawn(pass_on(messages, self.id.clone(), self.hub.clone()));
                self.followed.insert(base, task);
            }
            Err(error) => tracing::error!(address = %base, %error, "cannot follow"),
        }
    }

    pub(super) fn unfollow(&mut self, base: &Address) {
        if let Some(task) = self.followed.remove(base) {
            // Its subscription ends with it.
            task.abort();
        }
    }

    pub(super) async fn relay(&self, ticket: Option<Ticket>, base: &Address, text: &Text) {
        let mut headers = HeaderMap::new();
        headers.insert(FROM, self.id.as_str());
        let subject = self.subject(base);
        let payload = text.to_string().into();
        let published = match ticket {
            Some(Ticket(ticket)) => {
                let reply = format!("{}.{ticket}", self.inbox);
                let client = &self.client;
                client
                    .publish_with_reply_and_headers(subject, reply, headers, payload)
                    .await
            }
            None => {
                self.client
                    .publish_with_headers(subject, headers, payload)
                    .await
            }
        };
        if let Err(error) = published {
            tracing::warn!(address = %base, %error, "cannot pass a message on");
            if let Some(ticket) = ticket {
                let _ = self.hub.send(Told::Event(Event::Unheard(ticket))).await;
            }
        }
    }

    pub(super) async fn flush(&self) {
        // The server is gone, or has it all.
        let _ = self.client.flush().await;
    }

    // A digest: addresses have characters that subjects have not.
    fn subject(&self, base: &Address) -> String {
        let digest = digest(base.as_str());
        format!("{}{}", self.prefix, digest.get(..32).unwrap_or_default())
    }
}

async fn pass_on(mut messages: async_nats::Subscriber, id: String, hub: Letters) {
    while let Some(message) = messages.next().await {
        let from = message
            .headers
            .as_ref()
            .and_then(|headers| headers.get(FROM));
        if from.is_some_and(|from| from.as_str() == id) {
            continue;
        }
        if let Ok(text) = std::str::from_utf8(&message.payload)
            && hub
                .send(Told::Event(Event::Relayed(text.into())))
                .await
                .is_err()
        {
            return;
        }
    }
}

async fn tell_unheard(mut messages: async_nats::Subscriber, hub: Letters) {
    while let Some(message) = messages.next().await {
        let ticket = message.subject.rsplit('.').next();
        let ticket = ticket.and_then(|ticket| ticket.parse().ok());
        if message.status == Some(StatusCode::NO_RESPONDERS)
            && let Some(ticket) = ticket
            && hub
                .send(Told::Event(Event::Unheard(Ticket(ticket))))
                .await
                .is_err()
        {
            return;
        }
    }
}
