//! Who pays for objects, and when what changed in them is written.

use std::collections::BTreeMap;
use std::time::Duration;

use super::limits::{BYTES_PER_PROVIDER_MAX, OBSERVERS_PER_OBJECT_MAX};
use super::{Bad, Object, Sync, restore};
use crate::ids::ObjectId;
use crate::store::{Change, Record};

impl Sync {
    /// What has to be written of an object whole.
    pub(crate) fn whole(&mut self, id: ObjectId) -> Vec<Change> {
        self.due.remove(&id);
        self.objects
            .get_mut(&id)
            .map(Object::whole)
            .unwrap_or_default()
    }

    /// What has to be written of one observer of an object.
    pub(crate) fn remembered(&self, id: ObjectId, observer: &str) -> Vec<Change> {
        let object = self.objects.get(&id);
        object.map(|o| o.remembered(observer)).into_iter().collect()
    }

    /// What has to be written by now.
    pub(crate) fn take_due(&mut self, now: Duration) -> Vec<Change> {
        let due = self.due.iter().filter(|(_, at)| **at <= now);
        let due: Vec<ObjectId> = due.map(|(id, _)| *id).collect();
        let mut changes = Vec::new();
        for id in due {
            self.due.remove(&id);
            if let Some(object) = self.objects.get_mut(&id) {
                changes.extend(object.gathered());
            }
        }
        changes
    }

    /// When something has to be written.
    pub(crate) fn next_due(&self) -> Option<Duration> {
        self.due.values().min().copied()
    }

    /// Takes in what was kept; what to write at once, and what could not be read.
    pub(crate) fn restore(&mut self, records: Vec<Record>) -> (Vec<Change>, Vec<String>) {
        let restored = restore::restore(records);
        for object in restored.objects {
            self.enter(object);
        }
        (restored.changes, restored.problems)
    }

    pub(super) fn enter(&mut self, object: Object) -> ObjectId {
        self.last += 1;
        let id = ObjectId(self.last);
        self.by_address
            .insert(object.address.as_str().to_owned(), id);
        self.recharge(&object.provider, 0, object.charge());
        self.objects.insert(id, object);
        id
    }

    pub(super) fn with_room(&mut self, id: ObjectId) -> Result<(&mut Object, usize), Bad> {
        let provider = self.objects.get(&id).map(|object| object.provider.as_str());
        let room = self.room(provider.unwrap_or_default());
        let object = self.objects.get_mut(&id);
        let object = object.ok_or_else(|| Bad::Unknown("the object is gone".to_owned()))?;
        Ok((object, room))
    }

    pub(super) fn with_children(
        &mut self,
        id: ObjectId,
        name: &str,
        now: Duration,
        change: impl FnOnce(&mut Object, usize) -> Result<(), Bad>,
    ) -> Result<(), Bad> {
        let (object, room) = self.with_room(id)?;
        let before = object.charge();
        change(object, room)?;
        object.log.note_child(name, now);
        let after = object.charge();
        let grown = isize::try_from(after).unwrap_or(0) - isize::try_from(before).unwrap_or(0);
        self.settle(id, grown);
        Ok(())
    }

    // The books after an object has grown, and when it is written.
    pub(super) fn settle(&mut self, id: ObjectId, grown: isize) {
        let Some(object) = self.objects.get(&id) else {
            return;
        };
        if let Some(due) = object.log.due() {
            self.due.insert(id, due);
        }
        if let Some(charged) = self.charged.get_mut(&object.provider) {
            *charged = charged.saturating_add_signed(grown);
        }
    }

    pub(super) fn room(&self, provider: &str) -> usize {
        let charged = self.charged.get(provider).copied().unwrap_or_default();
        BYTES_PER_PROVIDER_MAX.saturating_sub(charged)
    }

    pub(super) fn no_room(&self, provider: &str) -> Bad {
        Bad::Share(format!(
            "the objects of `{provider}` have {} bytes left; delete some",
            self.room(provider)
        ))
    }

    pub(super) fn recharge(&mut self, provider: &str, less: usize, more: usize) {
        let charged = self.charged.entry(provider.to_owned()).or_default();
        *charged = charged.saturating_sub(less) + more;
        if *charged == 0 {
            self.charged.remove(provider);
        }
    }

    /// Looks for a broken invariant of the books.
    pub(crate) fn audit(&self) -> Result<(), String> {
        let mut charged = BTreeMap::<&str, usize>::new();
        for object in self.objects.values() {
            *charged.entry(&object.provider).or_default() += object.charge();
            if self.find(object.address.as_str()).is_none() {
                return Err(format!("object `{}` cannot be found", object.address));
            }
            if object.observers.len() > OBSERVERS_PER_OBJECT_MAX {
                return Err(format!("I8: `{}` has too many observers", object.address));
            }
        }
        let noted = self
            .charged
            .iter()
            .map(|(name, bytes)| (name.as_str(), *bytes));
        if charged != noted.collect() || self.objects.len() != self.by_address.len() {
            return Err(format!(
                "I8: objects of {charged:?}, charged {:?}",
                self.charged
            ));
        }
        Ok(())
    }
}
