//! # Subscriptions — who is told how whose registration stands
//!
//! Address:  hyperty-runtime://<runtime>/subscriptions
//! Answers:  Subscribe, Unsubscribe, Read   — see protocol::api::subscriptions
//! Keeps:    subscriber → `<url>/registration`, on disk; and the other way round
//! Holds:    a subscriber is an address, not a process: it is told again after it, or
//!           the runtime, was restarted
//! Not here: what there is to tell (rooms/discovery), telling it (flows/registration.rs)

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use protocol::Address;
use protocol::api::subscriptions::REGISTRATION;

use crate::limits::{SUBSCRIPTIONS_MAX, SUBSCRIPTIONS_PER_SUBSCRIBER_MAX};
use crate::store::{Change, Record, Table};

/// Something that can be subscribed to: `<url>/registration`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Topic {
    address: Address,
    /// As the subscriber wrote it: that is where it listens.
    written: String,
}

/// Why a subscription is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSubscribed {
    /// It is not the address of a registration.
    #[error("`{0}` is not `<url>/registration`")]
    NotTopic(String),
    /// The subscriber has its share.
    #[error("you have {SUBSCRIPTIONS_PER_SUBSCRIBER_MAX} subscriptions already; end some")]
    Share,
    /// There are too many in all.
    #[error("there are {SUBSCRIPTIONS_MAX} subscriptions already")]
    Full,
}

impl Topic {
    /// Reads `<url>/registration`.
    pub fn parse(written: &str) -> Result<Self, NotSubscribed> {
        let not_topic = || NotSubscribed::NotTopic(written.to_owned());
        let address: Address = written.parse().map_err(|_| not_topic())?;
        let last = address.path().rsplit('/').next();
        if last != Some(REGISTRATION) || address.parent().is_none() {
            return Err(not_topic());
        }
        let written = written.to_owned();
        Ok(Self { address, written })
    }

    /// Its address.
    pub const fn address(&self) -> &Address {
        &self.address
    }
}

/// The subscription manager.
#[derive(Debug, Default)]
pub struct Subscriptions {
    // INVARIANT: the same pairs in both; `written` of each in the first.
    of_subscriber: BTreeMap<String, BTreeMap<String, String>>,
    of_topic: BTreeMap<String, BTreeSet<String>>,
}

impl Subscriptions {
    /// Notes that a subscriber wants to hear of these, all or none; whether any is new.
    pub fn subscribe(
        &mut self,
        subscriber: &Address,
        topics: &[Topic],
    ) -> Result<bool, NotSubscribed> {
        let known = self.of_subscriber.get(subscriber.as_str());
        let is_new =
            |topic: &&Topic| !known.is_some_and(|k| k.contains_key(topic.address.as_str()));
        let new: BTreeSet<&Address> = topics.iter().filter(is_new).map(|t| &t.address).collect();
        let has = known.map_or(0, BTreeMap::len);
        if has + new.len() > SUBSCRIPTIONS_PER_SUBSCRIBER_MAX {
            return Err(NotSubscribed::Share);
        }
        if self.len() + new.len() > SUBSCRIPTIONS_MAX {
            return Err(NotSubscribed::Full);
        }
        let is_any_new = !new.is_empty();
        for topic in topics {
            self.insert(subscriber.as_str(), topic.clone());
        }
        Ok(is_any_new)
    }

    /// Notes that it does not want to hear of one any more; whether it did.
    pub fn unsubscribe(&mut self, subscriber: &Address, topic: &Topic) -> bool {
        let subscriber = subscriber.as_str();
        let Some(topics) = self.of_subscriber.get_mut(subscriber) else {
            return false;
        };
        let did = topics.remove(topic.address.as_str()).is_some();
        if topics.is_empty() {
            self.of_subscriber.remove(subscriber);
        }
        if let Some(subscribers) = self.of_topic.get_mut(topic.address.as_str()) {
            subscribers.remove(subscriber);
            if subscribers.is_empty() {
                self.of_topic.remove(topic.address.as_str());
            }
        }
        did
    }

    /// Forgets a subscriber that cannot come back.
    pub fn forget(&mut self, subscriber: &Address) {
        let topics = self.of_subscriber.get(subscriber.as_str());
        let topics: Vec<String> = topics
            .into_iter()
            .flat_map(BTreeMap::values)
            .cloned()
            .collect();
        for topic in topics
            .iter()
            .filter_map(|written| Topic::parse(written).ok())
        {
            self.unsubscribe(subscriber, &topic);
        }
    }

    /// What a subscriber hears of, as it wrote it.
    pub fn of(&self, subscriber: &Address) -> Vec<&str> {
        let topics = self.of_subscriber.get(subscriber.as_str());
        topics
            .into_iter()
            .flat_map(BTreeMap::values)
            .map(String::as_str)
            .collect()
    }

    /// Whether a subscriber hears of this.
    pub fn has(&self, subscriber: &Address, topic: &Address) -> bool {
        let topics = self.of_subscriber.get(subscriber.as_str());
        topics.is_some_and(|topics| topics.contains_key(topic.as_str()))
    }

    /// Who hears how `url` stands: their addresses, and where each listens.
    pub fn subscribers_to(&self, url: &Address) -> Vec<(String, String)> {
        let Ok(topic) = url.join(REGISTRATION) else {
            return Vec::new();
        };
        let subscribers = self.of_topic.get(topic.as_str()).into_iter().flatten();
        subscribers
            .filter_map(|subscriber| {
                let written = self.of_subscriber.get(subscriber)?.get(topic.as_str())?;
                Some((subscriber.clone(), written.clone()))
            })
            .collect()
    }

    /// Everything that somebody hears of.
    pub fn topics(&self) -> Vec<Address> {
        let topics = self.of_topic.keys();
        topics.filter_map(|topic| topic.parse().ok()).collect()
    }

    /// Whether anybody hears of this.
    pub fn is_wanted(&self, topic: &Address) -> bool {
        self.of_topic.contains_key(topic.as_str())
    }

    /// What is to be written about a subscriber.
    pub fn change(&self, subscriber: &Address) -> Change {
        let topics = self.of(subscriber);
        let value = (!topics.is_empty()).then(|| serde_json::to_vec(&topics).unwrap_or_default());
        Change {
            table: Table::Subscriptions,
            key: subscriber.as_str().to_owned(),
            value,
        }
    }

    /// Takes back what was kept; one that cannot be read any more is left out.
    pub fn restore(&mut self, record: &Record) {
        let Ok(subscriber) = record.key.parse::<Address>() else {
            return;
        };
        let written: Vec<String> = serde_json::from_slice(&record.value).unwrap_or_default();
        for topic in written
            .iter()
            .filter_map(|written| Topic::parse(written).ok())
        {
            self.insert(subscriber.as_str(), topic);
        }
    }

    fn insert(&mut self, subscriber: &str, topic: Topic) {
        let address = topic.address.as_str().to_owned();
        let subscribers = self.of_topic.entry(address.clone()).or_default();
        subscribers.insert(subscriber.to_owned());
        let topics = self.of_subscriber.entry(subscriber.to_owned()).or_default();
        topics.insert(address, topic.written);
    }

    fn len(&self) -> usize {
        self.of_subscriber.values().map(BTreeMap::len).sum()
    }
}
