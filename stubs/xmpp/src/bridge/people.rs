//! Who talks with whom, and who hears how whom stands.

use std::collections::{BTreeMap, BTreeSet};

use protocol::Code;
use serde_json::{Value, json};

use super::Effect;
use crate::limits::{TALKS_MAX, WATCHES_MAX};
use crate::stanza::Standing;

#[derive(Debug, Default)]
struct Watched {
    standing: Standing,
    watchers: BTreeSet<String>,
}

/// The users that somebody here has to do with.
#[derive(Debug, Default)]
pub(super) struct People {
    inbox: String,
    turn: u64,
    // The user; who wrote last, and when in the order of all.
    talks: BTreeMap<String, (String, u64)>,
    watched: BTreeMap<String, Watched>,
}

impl People {
    pub(super) fn new(inbox: &str) -> Self {
        Self {
            inbox: inbox.to_owned(),
            ..Self::default()
        }
    }

    /// A hyperty has written to a user.
    pub(super) fn talked(&mut self, user: &str, hyperty: &str) {
        self.turn += 1;
        if self.talks.len() >= TALKS_MAX && !self.talks.contains_key(user) {
            let oldest = self.talks.iter().min_by_key(|(_, (_, turn))| *turn);
            if let Some(oldest) = oldest.map(|(user, _)| user.clone()) {
                self.talks.remove(&oldest);
            }
        }
        let talk = (hyperty.to_owned(), self.turn);
        self.talks.insert(user.to_owned(), talk);
    }

    /// Who hears a user's text; nobody, perhaps.
    pub(super) fn listener(&self, user: &str) -> Option<&str> {
        let last = self.talks.get(user).map(|(hyperty, _)| hyperty);
        Some(last.unwrap_or(&self.inbox).as_str()).filter(|listener| !listener.is_empty())
    }

    /// A hyperty wants to hear how a user stands; whether it is the first.
    pub(super) fn watch(&mut self, user: &str, hyperty: &str) -> Result<bool, (Code, String)> {
        let known = self.watched.get(user);
        let is_known = known.is_some_and(|watched| watched.watchers.contains(hyperty));
        let count: usize = self
            .watched
            .values()
            .map(|watched| watched.watchers.len())
            .sum();
        if count >= WATCHES_MAX && !is_known {
            let why = format!("{WATCHES_MAX} subscriptions to users of XMPP are kept already");
            return Err((Code::BUSY, why));
        }
        let watched = self.watched.entry(user.to_owned()).or_default();
        watched.watchers.insert(hyperty.to_owned());
        // Who asks again may have been refused by the user before.
        Ok(watched.watchers.len() == 1)
    }

    /// A hyperty does not want to hear it any more; whether it was the last.
    pub(super) fn unwatch(&mut self, user: &str, hyperty: &str) -> bool {
        let Some(watched) = self.watched.get_mut(user) else {
            return false;
        };
        let was_there = watched.watchers.remove(hyperty);
        let is_last = was_there && watched.watchers.is_empty();
        if is_last {
            self.watched.remove(user);
        }
        is_last
    }

    /// How a user stands, if somebody hears it.
    pub(super) fn standing(&self, user: &str) -> Option<Value> {
        let watched = self.watched.get(user)?;
        let (word, status) = watched.standing.now();
        Some(value(word, status))
    }

    /// News of a user's device, for those who hear it.
    pub(super) fn stands(
        &mut self,
        (user, device): (&str, &str),
        kind: &str,
        status: &str,
    ) -> Vec<Effect> {
        let Some(watched) = self.watched.get_mut(user) else {
            return Vec::new();
        };
        watched.standing.take(device, kind, status);
        let (word, status) = watched.standing.now();
        tell(user, &watched.watchers, &value(word, status))
    }

    /// The connection is gone, and with it what is known of everybody.
    pub(super) fn all_unknown(&mut self) -> Vec<Effect> {
        let mut news = Vec::new();
        for (user, watched) in &mut self.watched {
            if watched.standing.now().0 != "unavailable" {
                watched.standing = Standing::default();
                news.extend(tell(user, &watched.watchers, &value("unknown", "")));
            }
        }
        news
    }
}

fn value(word: &str, status: &str) -> Value {
    json!({ "type": "presence", "presence": word, "status": status })
}

fn tell(user: &str, watchers: &BTreeSet<String>, value: &Value) -> Vec<Effect> {
    let news = watchers.iter().map(|watcher| Effect::Post {
        kind: "update",
        from: format!("xmpp://{user}"),
        to: watcher.clone(),
        body: json!({ "value": value }),
    });
    news.collect()
}
