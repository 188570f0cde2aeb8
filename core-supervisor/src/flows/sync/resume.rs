//! Objects taken up again by those who reported or observed them before.
//!
//! Whoever has the address under which it was done may: published runtimes add
//! objects whose schema, user or any member matches, which hands out the objects
//! of others. Criteria narrow here, and only with `match: "all"` (README).

use protocol::api::sync::{Create, Offered, Subscribe};
use protocol::{Address, Code};
use serde_json::{Map, Value, json};

use super::read::{self, PART_BYTES_MAX};
use super::{again, create, fan_out, from, identity, keep, offline, parse, register, route};
use crate::core::Core;
use crate::event::Actions;
use crate::flows::judge;
use crate::flows::respond::{self, Refusal};
use crate::flows::serve::{Asked, Served};
use crate::ids::ObjectId;
use crate::rooms::discovery::Status;
use crate::rooms::sync::{Object, Observer, Role};

/// What published libraries look for when there is nothing to resume.
const NO_REPORTED: &str = "No data objects reporters to be resumed";
const NO_OBSERVED: &str = "No data objects observers to be resumed";

/// A `create` with `resume` to `/sm`.
pub(super) fn reporters(
    core: &mut Core,
    asked: &Asked<'_>,
    create: Create,
    out: &mut Actions,
) -> Served {
    let criteria = match create.value {
        Value::Object(criteria) => criteria,
        _ => Map::new(),
    };
    let reporter = match criteria.get("reporter").and_then(Value::as_str) {
        Some(named) => parse("reporter", named)?,
        None => from(asked)?,
    };
    if judge::sender_of(core, asked.admitted.link, &reporter) != Some(asked.owner) {
        let reason = format!("`{reporter}` is not an address of yours to report under");
        return Err(Refusal::new(Code::FORBIDDEN, "not-yours", reason));
    }
    let its = |object: &Object| {
        object.role == Role::Reported && object.reporter == reporter && matches(object, &criteria)
    };
    let found = select(core, its);
    if found.is_empty() {
        return Err(Refusal::not_found(NO_REPORTED));
    }
    let mut values = Vec::new();
    for id in found {
        let Some(address) = core.rooms.sync.get(id).map(|o| o.address.clone()) else {
            continue;
        };
        create::attach(core, &address, asked.owner);
        register::there(core, id, Status::Live, asked.now, out);
        offline::back(core, id, asked.now, out);
        reroute(core, id, asked, out);
        again::reported(core, id, asked.now, out);
        let schema = core.rooms.sync.get(id).map(|object| object.schema.clone());
        let again = super::shape::After::Again(id);
        super::shape::wanted(core, &schema.unwrap_or_default(), again, asked.now, out);
        values.extend(core.rooms.sync.get(id).map(|o| stored(o, true)));
    }
    answer(core, asked, values, out)
}

/// A `subscribe` with `resume` to `/sm`.
pub(super) fn observers(
    core: &mut Core,
    asked: &Asked<'_>,
    subscribe: &Subscribe,
    out: &mut Actions,
) -> Served {
    let observer = from(asked)?;
    let wanted = &subscribe.resource;
    let its = |object: &Object| {
        object.observers.contains_key(observer.as_str())
            && (wanted.is_empty() || wanted == object.address.as_str())
            && (subscribe.schema.is_empty() || subscribe.schema == object.schema)
    };
    let mut values = Vec::new();
    for id in select(core, its) {
        if let Some(value) = observe_again(core, asked, id, &observer, out) {
            values.push(value);
        }
    }
    if values.is_empty() {
        return Err(Refusal::not_found(NO_OBSERVED));
    }
    answer(core, asked, values, out)
}

// The node of its domain brings its messages again; nobody waits for that.
fn reroute(core: &mut Core, id: ObjectId, asked: &Asked<'_>, out: &mut Actions) {
    let Some(object) = core.rooms.sync.get(id) else {
        return;
    };
    let (steps, reporter) = (route::reported(object), object.reporter.clone());
    let domain = object.address.domain().to_owned();
    let next = (asked.admitted.link, route::Next::Nothing);
    let who = (&reporter, Value::Null);
    let _ = route::open(core, (&domain, steps), who, next, asked.now, out);
}

// The reporter agreed before; policy is asked as of now.
fn observe_again(
    core: &mut Core,
    asked: &Asked<'_>,
    id: ObjectId,
    observer: &Address,
    out: &mut Actions,
) -> Option<Value> {
    let object = core.rooms.sync.get(id)?;
    let address = object.address.clone();
    let offered = Offered {
        code: Code::TRYING.0,
        children_resources: object.collections.clone(),
        schema: object.schema.clone(),
        resource: address.as_str().to_owned(),
    };
    let parties = (observer, &address);
    let permitted_by = fan_out::permitted(core, asked.owner, parties, asked.now).ok()?;
    let how = Observer {
        owner: Some(asked.owner),
        permitted_by,
        user: identity::user_of(core, observer),
        is_far: false,
    };
    let object = core.rooms.sync.get_mut(id)?;
    object.observe(observer.as_str(), how).ok()?;
    core.epoch += 1;
    super::subscribe::offer(core, &asked.asker(), &offered, out);
    let has_missed = core.rooms.sync.has_missed(id);
    let mut value = core
        .rooms
        .sync
        .get(id)
        .map(|object| stored(object, false))?;
    if let (true, Some(members)) = (has_missed, value.as_object_mut()) {
        members.insert("stale".to_owned(), true.into());
    }
    Some(value)
}

// A record as it is stored, with who takes part.
fn stored(object: &Object, is_reporter: bool) -> Value {
    let mut parts = Vec::new();
    let mut value = read::value(object, &mut parts);
    value.insert("isReporter".to_owned(), is_reporter.into());
    if is_reporter {
        let urls: Vec<&str> = object.observers.keys().map(String::as_str).collect();
        let users: Vec<&str> = object.users().into_iter().collect();
        value.insert("subscriptions".to_owned(), urls.into());
        value.insert("subscriberUsers".to_owned(), users.into());
    }
    value.into()
}

fn select(core: &Core, is_its: impl Fn(&Object) -> bool) -> Vec<ObjectId> {
    let objects = core.rooms.sync.iter();
    let its = objects.filter(|(_, object)| is_its(object));
    its.map(|(id, _)| id).collect()
}

fn matches(object: &Object, criteria: &Map<String, Value>) -> bool {
    if criteria.get("match").and_then(Value::as_str) != Some("all") {
        return true;
    }
    let own = ["match", "resume", "reporter"];
    let mut criteria = criteria
        .iter()
        .filter(|(name, _)| !own.contains(&name.as_str()));
    criteria.all(|(name, value)| {
        object.meta(name) == Some(value) || object.data().get(name) == Some(value)
    })
}

// After everything that was to be written before: a version that a start moved
// on is on the disk before anybody counts from it.
fn answer(core: &mut Core, asked: &Asked<'_>, values: Vec<Value>, out: &mut Actions) -> Served {
    let mut parts = vec![Vec::new()];
    let mut size = 0;
    for value in values {
        let bytes = value.to_string().len() + 1;
        size += bytes;
        if size > PART_BYTES_MAX && parts.last().is_some_and(|part| !part.is_empty()) {
            parts.push(Vec::new());
            size = bytes;
        }
        if let Some(part) = parts.last_mut() {
            part.push(value);
        }
    }
    let count = parts.len();
    let last = parts.pop().unwrap_or_default();
    if count == 1 {
        return keep::and_answer(core, Vec::new(), asked, respond::valued(&last), out);
    }
    for part in parts {
        read::provisional(core, asked, &json!(part), out);
    }
    let body = json!({ "code": 200, "value": last, "responses": count });
    keep::and_answer(core, Vec::new(), asked, body.to_string().into_bytes(), out)
}
