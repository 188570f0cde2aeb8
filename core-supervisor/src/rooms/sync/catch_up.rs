//! The copy of an object that is reported elsewhere, when something of it was missed.

use std::time::Duration;

use serde_json::{Map, Value};

use super::{Child, Role, Sync};
use crate::ids::ObjectId;

impl Sync {
    /// Notes that the copy of an object elsewhere is not what it should be.
    pub(crate) fn note_missed(&mut self, id: ObjectId) {
        if let Some(object) = self.objects.get_mut(&id) {
            object.has_missed = object.role == Role::Followed;
        }
    }

    /// Whether it is not.
    pub(crate) fn has_missed(&self, id: ObjectId) -> bool {
        self.objects
            .get(&id)
            .is_some_and(|object| object.has_missed)
    }

    /// Takes what the reporter of an object elsewhere says it is now: all of it, or the
    /// last of several parts (spec services §1.10).
    pub(crate) fn catch_up(&mut self, id: ObjectId, value: Map<String, Value>, now: Duration) {
        let is_answer = value.contains_key("data") || value.contains_key("responses");
        if is_answer
            && self.take_part(id, value, now)
            && let Some(object) = self.objects.get_mut(&id)
        {
            object.has_missed = false;
        }
    }

    /// Takes a part of it; false when its data is none that may be here.
    pub(crate) fn take_part(
        &mut self,
        id: ObjectId,
        mut value: Map<String, Value>,
        now: Duration,
    ) -> bool {
        let Some(object) = self.objects.get(&id).filter(|o| o.role == Role::Followed) else {
            return false;
        };
        let known = object.version();
        let version = value.get("version").and_then(Value::as_u64);
        let is_part = value.contains_key("responses");
        let data = value.remove("data");
        let is_whole = data.is_some();
        if let (Some(data), Some(version)) = (data, version)
            && known < version
            && self.replace(id, (data, version)).is_err()
        {
            return false;
        }
        match value.remove("childrenObjects") {
            Some(Value::Object(children)) => self.take_children(id, children, now),
            // A part that is nothing but children.
            None if is_part && !is_whole => self.take_children(id, value, now),
            _ => {}
        }
        true
    }

    // Those that are not here yet. What cannot be taken in is left out, as a child is
    // that comes by itself.
    fn take_children(&mut self, id: ObjectId, children: Map<String, Value>, now: Duration) {
        for (name, stored) in children {
            let Some(object) = self.objects.get(&id) else {
                return;
            };
            let Value::Object(mut stored) = stored else {
                continue;
            };
            if object.children.get(&name).is_some() {
                continue;
            }
            let value = stored.remove("value").unwrap_or_default();
            let said = value.get("reporter").and_then(Value::as_str);
            let creator = said.unwrap_or(object.reporter.as_str()).to_owned();
            let identity = stored.remove("identity").unwrap_or_default();
            let child = Child::new(&creator, identity, value);
            let _ = self.put_child(id, (&name, child), now);
        }
    }
}
