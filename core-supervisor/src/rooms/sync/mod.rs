//! # Sync manager — data objects, their reporters and observers
//!
//! Address:  hyperty-runtime://<runtime>/sm, and `<object>/subscription` of each object
//! Answers:  Create, Subscribe, Update, Read, Unsubscribe, Delete, Execute
//!                                                        — see protocol::api::sync
//! Keeps:    a copy of every object with its children and its version, who reports
//!           it, who observes it, and what of it is not written yet
//! Holds:    only the reporter changes an object and only its creator a child; a
//!           version is used once; what does not fit is not done; every object is
//!           paid for by its reporter's provider
//! Not here: whether somebody may observe (flows/sync/subscribe.rs), who is told
//!           (flows/sync/fan_out.rs), writing to the disk (flows/persist.rs)

mod behind;
mod books;
mod catch_up;
mod children;
mod delta;
pub mod limits;
mod log;
mod measure;
mod object;
mod path;
mod restore;
pub(crate) mod schema;
pub(crate) mod shape;
mod shapes;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use protocol::Address;
use protocol::api::sync::{CHANGES, CHILDREN, Delta};
use serde_json::Value;

pub(crate) use behind::Behind;
pub(crate) use children::Child;
pub(crate) use object::{New, Object, Observer, Role};
pub use protocol::api::sync::PATH;
use shapes::Shapes;

use crate::ids::{ObjectId, OwnerId};
use crate::store::Change;
use limits::{OBJECTS_MAX, OBJECTS_PER_REPORTER_MAX, SUBSCRIPTIONS_PER_OBSERVER_MAX};
use shape::Strictness;

/// The sync manager.
#[derive(Debug, Default)]
pub struct Sync {
    objects: BTreeMap<ObjectId, Object>,
    // INVARIANT: names every object once, by its canonical address.
    by_address: HashMap<String, ObjectId>,
    // INVARIANT: the sum of `Object::charge` over a provider's objects.
    charged: BTreeMap<String, usize>,
    // The objects with something to be written, by when.
    due: BTreeMap<ObjectId, Duration>,
    last: u64,
    pub(crate) behind: Behind,
    pub(crate) shapes: Shapes,
}

/// What an address below an object's is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    /// The reporter's changes.
    Changes,
    /// Everybody's children.
    Children,
}

/// Why something is not done to an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Bad {
    /// It makes no sense whatever the object.
    #[error("{0}")]
    Malformed(String),
    /// The object has no such place, or something else there.
    #[error("{0}")]
    NoPlace(String),
    /// The version does not follow this one, the last.
    #[error("the version does not follow the last, which is {0}")]
    Version(u64),
    /// It does not fit.
    #[error("{0}")]
    TooLarge(String),
    /// Somebody has their share already.
    #[error("{0}")]
    Share(String),
    /// It is somebody else's.
    #[error("{0}")]
    NotYours(String),
    /// It does not fit the object's schema.
    #[error("{0}")]
    Shape(String),
    /// It is not there.
    #[error("{0}")]
    Unknown(String),
}

impl Sync {
    /// The object at an address.
    pub(crate) fn find(&self, address: &str) -> Option<ObjectId> {
        self.by_address.get(address).copied()
    }

    /// One object.
    pub(crate) fn get(&self, id: ObjectId) -> Option<&Object> {
        self.objects.get(&id)
    }

    /// One object, to note who observes it.
    pub(crate) fn get_mut(&mut self, id: ObjectId) -> Option<&mut Object> {
        self.objects.get_mut(&id)
    }

    /// All objects, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (ObjectId, &Object)> {
        self.objects.iter().map(|(id, object)| (*id, object))
    }

    /// Whether there are none: what a runtime without data objects pays.
    pub(crate) fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// The same, to note who observes them.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Object> {
        self.objects.values_mut()
    }

    /// The object and the channel of it that an address names.
    pub(crate) fn channel(&self, to: &Address) -> Option<(ObjectId, Channel)> {
        let (above, last) = to.as_str().rsplit_once('/')?;
        let (object, channel) = match last {
            CHANGES => (above, Channel::Changes),
            CHILDREN => (above, Channel::Children),
            // Old peers have an address for each collection (spec services §1.22).
            _ => (above.strip_suffix("/children")?, Channel::Children),
        };
        Some((self.find(object)?, channel))
    }

    /// Takes in a new object.
    pub(crate) fn create(&mut self, new: New) -> Result<ObjectId, Bad> {
        let same = |object: &&Object| object.reporter == new.reporter;
        let held = self.objects.values().filter(same).count();
        if held >= OBJECTS_PER_REPORTER_MAX || self.objects.len() >= OBJECTS_MAX {
            return Err(Bad::Share(format!(
                "`{}` has {held} objects; delete some",
                new.reporter
            )));
        }
        let object = Object::new(new)?;
        if self.find(object.address.as_str()).is_some() {
            return Err(Bad::NotYours(format!(
                "`{}` is an object already",
                object.address
            )));
        }
        if object.charge() > self.room(&object.provider) {
            return Err(self.no_room(&object.provider));
        }
        Ok(self.enter(object))
    }

    /// Takes an object out; gives it back with the rows to be erased.
    pub(crate) fn remove(&mut self, id: ObjectId) -> Option<(Object, Vec<Change>)> {
        let mut object = self.objects.remove(&id)?;
        self.by_address.remove(object.address.as_str());
        self.due.remove(&id);
        self.behind.forget(id);
        self.recharge(&object.provider, object.charge(), 0);
        let rows = object.erased();
        Some((object, rows))
    }

    /// Applies a change of an object's data that `judge` agrees to.
    ///
    /// The version that the object has then; on refusal it is as it was.
    pub(crate) fn change(
        &mut self,
        id: ObjectId,
        (delta, body): (Delta, &[u8]),
        now: Duration,
        judge: impl FnOnce(&Object, &[String]) -> Result<(), Bad>,
    ) -> Result<u64, Bad> {
        let (object, room) = self.with_room(id)?;
        let changed = object.change(delta, room)?;
        if let Err(bad) = judge(object, &changed.keys) {
            object.undo(changed);
            return Err(bad);
        }
        let version = object.version();
        object.log.note(version, body, now);
        self.settle(id, changed.grown);
        Ok(version)
    }

    /// Puts other data in the place of an object's; gives back what to write.
    pub(crate) fn replace(
        &mut self,
        id: ObjectId,
        (data, version): (Value, u64),
    ) -> Result<Vec<Change>, Bad> {
        let (object, room) = self.with_room(id)?;
        if let Some(shape) = object
            .shape
            .as_ref()
            .filter(|s| s.strictness == Strictness::Reject)
        {
            shape.check(&data, None).map_err(Bad::Shape)?;
        }
        let grown = object.replace(data, version, room)?;
        self.settle(id, grown);
        Ok(self.whole(id))
    }

    /// Takes in a child.
    pub(crate) fn put_child(
        &mut self,
        id: ObjectId,
        (name, child): (&str, Child),
        now: Duration,
    ) -> Result<(), Bad> {
        self.with_children(id, name, now, |object, room| {
            object.children.put(name, child, room)
        })
    }

    /// Changes a child's data.
    pub(crate) fn change_child(
        &mut self,
        id: ObjectId,
        (name, writer): (&str, &str),
        delta: Delta,
        now: Duration,
    ) -> Result<(), Bad> {
        self.with_children(id, name, now, |object, room| {
            object.children.change(name, writer, delta, room)
        })
    }

    /// Takes a child out.
    pub(crate) fn remove_child(
        &mut self,
        id: ObjectId,
        (name, writer): (&str, &str),
        now: Duration,
    ) -> Result<(), Bad> {
        self.with_children(id, name, now, |object, _| {
            object.children.remove(name, writer)
        })
    }

    /// How many objects somebody observes.
    pub(crate) fn observed_by(&self, observer: &str) -> usize {
        let observes = |object: &&Object| object.observers.contains_key(observer);
        self.objects.values().filter(observes).count()
    }

    /// Whether somebody may observe one object more.
    pub(crate) fn may_observe_more(&self, observer: &str) -> Result<(), Bad> {
        if self.observed_by(observer) >= SUBSCRIPTIONS_PER_OBSERVER_MAX {
            return Err(Bad::Share(format!(
                "`{observer}` observes {SUBSCRIPTIONS_PER_OBSERVER_MAX} objects already"
            )));
        }
        Ok(())
    }

    /// The objects that `owner` observes now.
    pub(crate) fn live_for(&self, owner: OwnerId) -> Vec<(ObjectId, String)> {
        let objects = self.objects.iter();
        objects
            .flat_map(|(id, object)| object.observers.iter().map(move |observer| (*id, observer)))
            .filter(|(_, (_, observer))| observer.owner == Some(owner))
            .map(|(id, (url, _))| (id, url.clone()))
            .collect()
    }
}
