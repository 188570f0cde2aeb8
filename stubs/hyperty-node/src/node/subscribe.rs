//! # Subscriptions — `domain://msg-node.<domain>/sm`
//!
//! Answers:  subscribe, unsubscribe, with `resources` (Vertx and runtimes since 0.15) or
//!           `subscribe`/`unsubscribe` (Node.js, P2P stubs); not with both (spec §10.2, §10.3)
//! Holds:    what is no channel is told to its owner alone: to subscribe is to claim

use std::collections::BTreeSet;

use protocol::{Address, Code};
use serde::Deserialize;

use super::Node;
use super::routes::base;
use crate::answer::Answer;
use crate::envelope::{Envelope, is_channel};
use crate::event::LinkId;
use crate::limits::ROUTES_PER_SESSION_MAX;
use crate::rows::{Row, Table, route_key};

#[derive(Debug, Deserialize)]
struct Body {
    resources: Option<Vec<String>>,
    subscribe: Option<Vec<String>>,
    unsubscribe: Option<Vec<String>>,
    resource: Option<String>,
}

impl Node {
    pub(super) fn subscribe(&mut self, link: LinkId, runtime: &Address, asked: &Envelope<'_>) {
        let is_wanted = match asked.kind.as_ref() {
            "subscribe" => true,
            "unsubscribe" => false,
            kind => {
                let why =
                    format!("`/sm` does not understand `{kind}`: say subscribe or unsubscribe");
                return self.send(link, Answer::refused(Code::FAILED, why).to(asked));
            }
        };
        let done = named(asked, is_wanted).and_then(|addresses| {
            if is_wanted {
                self.add_routes(runtime, addresses)
            } else {
                Ok(self.remove_routes(runtime, &addresses))
            }
        });
        match done {
            Ok(rows) => self.keep_and_answer(link, asked, rows, &Answer::ok()),
            Err(refusal) => self.send(link, refusal.to(asked)),
        }
    }

    // All or none: half a subscription would be a silence that nobody can explain.
    fn add_routes(
        &mut self,
        runtime: &Address,
        addresses: BTreeSet<Address>,
    ) -> Result<Vec<Row>, Answer> {
        let routes = self.sessions.get(runtime).map(|session| &session.routes);
        let is_new = |address: &Address| routes.is_some_and(|routes| !routes.contains(address));
        let added: Vec<_> = addresses.into_iter().filter(is_new).collect();
        let count = routes.map_or(0, BTreeSet::len) + added.len();
        if count > ROUTES_PER_SESSION_MAX {
            let why = format!(
                "a session is told of {ROUTES_PER_SESSION_MAX} addresses at most, this would be \
                 {count}: unsubscribe from some"
            );
            return Err(Answer::refused(Code::BUSY, why));
        }
        for address in &added {
            if !is_channel(address) {
                let claimed = self.claim(runtime, address);
                claimed.map_err(|(code, why)| Answer::refused(code, why))?;
            }
        }
        let is_here = self.is_here(runtime);
        let mut rows = Vec::with_capacity(added.len());
        for address in added {
            rows.push(Row::put(Table::Route, route_key(runtime, &address), &()));
            self.add_route(runtime, address, is_here);
        }
        Ok(rows)
    }

    pub(super) fn add_route(&mut self, runtime: &Address, address: Address, is_here: bool) {
        let Some(session) = self.sessions.get_mut(runtime) else {
            return;
        };
        self.routes.listen(&address, runtime);
        let base = base(&address);
        if session.routes.insert(address) && is_here {
            self.follow(&base);
        }
    }

    fn remove_routes(&mut self, runtime: &Address, addresses: &BTreeSet<Address>) -> Vec<Row> {
        let mut rows = Vec::new();
        for address in addresses {
            if self.remove_route(runtime, address) {
                rows.push(Row::remove(Table::Route, route_key(runtime, address)));
            }
        }
        rows
    }

    /// False when it was not there.
    pub(super) fn remove_route(&mut self, runtime: &Address, address: &Address) -> bool {
        let Some(session) = self.sessions.get_mut(runtime) else {
            return false;
        };
        if !session.routes.remove(address) {
            return false;
        }
        self.routes.unlisten(address, runtime);
        if self.is_here(runtime) {
            self.unfollow(&base(address));
        }
        true
    }
}

// The addresses of a request, in whichever dialect.
fn named(asked: &Envelope<'_>, is_wanted: bool) -> Result<BTreeSet<Address>, Answer> {
    let body: Body = asked
        .body()
        .map_err(|error| Answer::refused(Code::FAILED, format!("`body`: {error}")))?;
    let elder = if is_wanted { None } else { body.unsubscribe };
    let mut lists = [body.resources, body.subscribe, elder]
        .into_iter()
        .flatten();
    let list = match (lists.next(), lists.next(), body.resource) {
        (Some(list), None, _) => list,
        // What an observer that leaves may say; the published node refuses it.
        (None, None, Some(one)) if !is_wanted => vec![one],
        (None, ..) => return Err(unclear("neither is there")),
        (Some(_), Some(_), _) => return Err(unclear("more than one is there")),
    };
    list.iter().map(|text| address(text)).collect()
}

fn unclear(why: &str) -> Answer {
    let why = format!("one of `resources` and `subscribe` names the addresses: {why}");
    Answer::refused(Code::FAILED, why)
}

fn address(text: &str) -> Result<Address, Answer> {
    text.parse()
        .map_err(|why| Answer::refused(Code::FAILED, format!("`{text}`: {why}")))
}
