//! Subscriptions: in the dialect of the node, and again after a session was lost
//! (spec messaging §10.5).

use protocol::Code;
use protocol::message::{Message, MessageKind};
use serde::Deserialize;

use super::pending::{Key, Routed};
use super::{Session, canonical};
use crate::dialect::Dialect;
use crate::limits::{ROUTES_MAX, ROUTES_PER_MESSAGE};
use crate::wire::{self, quoted};

#[derive(Debug, Default, Deserialize)]
struct Body {
    #[serde(default)]
    resources: Vec<String>,
    #[serde(default)]
    subscribe: Vec<String>,
    #[serde(default)]
    unsubscribe: Vec<String>,
}

impl Session {
    /// What a request asks the node to route, once it agrees.
    pub(super) fn routed_by(message: &Message<'_>) -> Routed {
        let is_wanted = match message.header.kind {
            MessageKind::Subscribe => true,
            MessageKind::Unsubscribe => false,
            _ => return Routed::default(),
        };
        if !is_node_service(message.header.to, "sm") {
            return Routed::default();
        }
        let body: Body = serde_json::from_slice(message.body).unwrap_or_default();
        let lists = [body.resources, body.subscribe, body.unsubscribe];
        Routed {
            is_wanted,
            addresses: lists.concat(),
        }
    }

    /// A subscription, or a message to the registry, as the Node.js node knows it;
    /// `None` when it goes as it is.
    pub(super) fn subscription(&self, message: &Message<'_>) -> Option<String> {
        if self.config.dialect != Dialect::Nodejs {
            return None;
        }
        let via = self.session_url();
        let header = &message.header;
        if canonical(header.to).starts_with("domain://registry.") && !header.to.ends_with('/') {
            let to = format!("{}/", header.to);
            let mut slashed = *message;
            slashed.header.to = &to;
            return Some(wire::write(&slashed, &via));
        }
        let routed = Self::routed_by(message);
        if routed.addresses.is_empty() {
            return None;
        }
        let list = self.config.dialect.list(routed.is_wanted);
        // Without `source` the node would put the sender's own address to the list.
        let source = wire::spelling(header.from);
        let body = serde_json::json!({ list: routed.addresses, "source": source });
        let body = body.to_string();
        let mut renamed = *message;
        renamed.body = body.as_bytes();
        Some(wire::write(&renamed, &via))
    }

    /// Notes what the node has agreed to.
    pub(super) fn remember(&mut self, routed: Routed) {
        for address in routed.addresses {
            if !routed.is_wanted {
                self.routes.remove(&address);
            } else if self.routes.len() < ROUTES_MAX {
                self.routes.insert(address);
            } else {
                self.log("more addresses are subscribed than can be renewed");
                return;
            }
        }
    }

    /// Subscribes everything again, at a node that has forgotten it.
    pub(super) fn renew(&mut self) {
        let routes: Vec<_> = self.routes.iter().cloned().collect();
        let Some(domain) = self.domain_of(&routes) else {
            return;
        };
        let list = self.config.dialect.list(true);
        for part in routes.chunks(ROUTES_PER_MESSAGE) {
            let id = self.next_id();
            let (from, part) = (quoted(&self.session_url()), serde_json::json!(part));
            let text = format!(
                r#"{{"id":{id},"type":"subscribe","from":{from},"to":"domain://msg-node.{domain}/sm","body":{{"{list}":{part}}}}}"#
            );
            self.control.push_back(self.config.dialect.write(text));
        }
    }

    /// Whether an answer is to a renewal.
    pub(super) fn renewed(&mut self, key: &Key, code: Code) -> bool {
        let ours = self.session_url();
        let is_ours = (1..=self.last_id)
            .rev()
            .take(64)
            .any(|id| *key == Key::of(&ours, id));
        if is_ours && code != Code::OK {
            self.log("the node did not renew a subscription");
        }
        is_ours
    }

    // All subscriptions of one stub are at one node, whose domain their addresses have.
    fn domain_of(&self, routes: &[String]) -> Option<String> {
        if self.config.domain.is_some() {
            return self.config.domain.clone().filter(|_| !routes.is_empty());
        }
        let address: Option<protocol::Address> = routes.first().and_then(|text| text.parse().ok());
        address.map(|address| address.domain().to_owned())
    }
}

fn is_node_service(address: &str, name: &str) -> bool {
    let address = canonical(address);
    address.starts_with("domain://msg-node.") && address.ends_with(&format!("/{name}"))
}
