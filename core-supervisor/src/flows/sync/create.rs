//! A new data object, and those who are invited to it.
//!
//! asked → (registered → kept → answered) | (invite → invited) | resume | children
//!
//! Which of the four a `create` means is told by its members, in the order in
//! which published runtimes look at them (spec services §1.3).

use std::sync::Arc;

use protocol::api::sync::{Create, Created, SUBSCRIPTION};
use protocol::{Address, Code};
use serde_json::{Map, Value, json};

use super::route::{self, Next};
use super::shape::{self, After};
use super::{
    body, change, children, delete, fan_out, from, identity, invite, is_truthy, keep, offline,
    parse, register, resume, selected,
};
use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::persist::Then;
use crate::flows::respond::{self, Refusal};
use crate::flows::serve::{self, Asked, Served};
use crate::flows::{judge, persist};
use crate::ids::{ObjectId, OwnerId, RoomName};
use crate::party::PartyKind;
use crate::rooms::discovery::Status;
use crate::rooms::sync::limits::NAME_BYTES_MAX;
use crate::rooms::sync::shape::Shape;
use crate::rooms::sync::{New, Role, schema};
use crate::rooms::user_agent::Asker;

/// A `create` to `/sm`.
pub(super) fn asked(core: &mut Core, asked: &Asked<'_>, out: &mut Actions) -> Served {
    let create: Create = body::read(asked)?;
    if create.attribute.is_some() {
        return children::kept(core, asked, create, out);
    }
    if create.resume {
        return resume::reporters(core, asked, create, out);
    }
    match create.authorise.clone() {
        Some(invited) => invite::asked(core, asked, &create, &invited, out),
        None => object(core, asked, create, out),
    }
}

fn object(core: &mut Core, asked: &Asked<'_>, mut create: Create, out: &mut Actions) -> Served {
    persist::has_room(core, asked.admitted.link)?;
    let mut value = body::value(&mut create)?;
    let schema = schema_of(&create, &value)?;
    let reporter = reporter_of(core, asked, &value)?;
    let provider = provider_of(core, asked.owner);
    let user = identity::user_of(core, &reporter);
    let collections = schema::children(&schema)
        .iter()
        .map(|&name| name.to_owned());
    let collections: Vec<String> = collections.collect();
    let address = match value
        .get("resource")
        .filter(|wanted| is_truthy(Some(wanted)))
    {
        Some(wanted) => {
            let wanted = wanted.clone();
            match reused(core, asked, &wanted, (&schema, &reporter, &value))? {
                Reused::New(address) => address,
                Reused::Known(address) => return again(core, asked, &address, &mut value, out),
            }
        }
        None => fresh(core, asked, &schema)?,
    };
    value.insert("isReporter".to_owned(), true.into());
    value.insert("store".to_owned(), create.store.into());
    value.insert("isToSaveData".to_owned(), create.store.into());
    value.insert("reporter".to_owned(), reporter.as_str().into());
    let new = New {
        address: address.clone(),
        reporter,
        provider,
        user,
        schema,
        collections,
        role: Role::Reported,
        value,
    };
    let url = new.schema.clone();
    shape::wanted(
        core,
        &url,
        After::Make(Box::new((new, asked.asker()))),
        asked.now,
        out,
    );
    Ok(serve::Answer::Later)
}

/// The schema of a new object is known, or there is none: it is made.
pub(super) fn made(
    core: &mut Core,
    new: New,
    shape: Option<Arc<Shape>>,
    asker: Asker,
    now: Now,
    out: &mut Actions,
) {
    let standing = core.rooms.registry.standing(asker.owner);
    if standing.and_then(|standing| standing.link) != Some(asker.link) {
        return; // whoever made it is gone
    }
    match make(core, new, shape, &asker, now, out) {
        Err(refusal) => respond::later(core, &asker, Err(refusal), out),
        Ok((id, steps, reporter)) => {
            let domain = core
                .rooms
                .sync
                .get(id)
                .map(|o| o.address.domain().to_owned());
            let domain = domain.unwrap_or_default();
            let (who, next) = (
                (&reporter, Value::Null),
                (asker.link, Next::Created(id, asker)),
            );
            if let Some(Next::Created(id, asker)) =
                route::open(core, (&domain, steps), who, next, now, out)
            {
                opened(core, id, asker, now, out);
            }
        }
    }
}

fn make(
    core: &mut Core,
    new: New,
    shape: Option<Arc<Shape>>,
    asker: &Asker,
    now: Now,
    out: &mut Actions,
) -> Result<(ObjectId, Vec<Vec<String>>, Address), Refusal> {
    let address = new.address.clone();
    let id = core.rooms.sync.create(new)?;
    let mut warning = None;
    let fits = match core.rooms.sync.get_mut(id) {
        Some(object) => {
            object.shape = shape;
            shape::judge(object, None, &mut warning)
        }
        None => Ok(()),
    };
    if let Err(bad) = fits {
        let _ = core.rooms.sync.remove(id);
        return Err(bad.into());
    }
    shape::warn(core, id, warning, now, out);
    attach(core, &address, asker.owner);
    offline::register(core, id, asker, now, out);
    let object = core.rooms.sync.get(id);
    let object = object.ok_or_else(|| Refusal::not_found("the object is gone"))?;
    Ok((id, route::reported(object), object.reporter.clone()))
}

/// The messages of a new object come here: it is found, kept, and then answered for.
pub(super) fn opened(core: &mut Core, id: ObjectId, asker: Asker, now: Now, out: &mut Actions) {
    register::there(core, id, Status::Live, now, out);
    let Some(object) = core.rooms.sync.get(id) else {
        let refusal = Refusal::not_found("the object was deleted meanwhile");
        return respond::later(core, &asker, Err(refusal), out);
    };
    let body = created(&object.address.clone(), object.collections.clone());
    let changes = core.rooms.sync.whole(id);
    persist::persist(core, changes, Then::Answer(asker, body), out);
}

/// They do not: there is no such object.
pub(super) fn not_opened(
    core: &mut Core,
    id: ObjectId,
    asker: &Asker,
    refusal: Refusal,
    out: &mut Actions,
) {
    let _ = delete::remove(core, id);
    respond::later(core, asker, Err(refusal), out);
}

/// Gives an object's address to who reports it, and its subscription to the core.
pub(super) fn attach(core: &mut Core, address: &Address, owner: OwnerId) {
    let registry = &mut core.rooms.registry;
    registry.unassign(address, OwnerId::Room(RoomName::Sync));
    registry.assign(address, owner);
    if let Ok(subscription) = address.join(SUBSCRIPTION) {
        registry.assign(&subscription, OwnerId::Room(RoomName::Sync));
    }
    core.epoch += 1;
}

fn created(address: &Address, children_resources: Vec<String>) -> Vec<u8> {
    let created = Created {
        code: Code::OK.0,
        resource: address.as_str().to_owned(),
        children_resources,
    };
    serde_json::to_vec(&created).unwrap_or_default()
}

fn schema_of(create: &Create, value: &Map<String, Value>) -> Result<String, Refusal> {
    let inner = value.get("schema").and_then(Value::as_str);
    let schema = Some(create.schema.as_str()).filter(|text| !text.is_empty());
    match schema.or(inner) {
        Some(schema) if schema.len() <= NAME_BYTES_MAX => Ok(schema.to_owned()),
        Some(_) => Err(Refusal::bad_request(format!(
            "`schema` is longer than {NAME_BYTES_MAX} bytes"
        ))),
        None => Err(Refusal::bad_request(
            "`schema` is missing: say the URL of the data schema",
        )),
    }
}

// The reporter may be named, and is then one of the asker's own addresses.
fn reporter_of(
    core: &Core,
    asked: &Asked<'_>,
    value: &Map<String, Value>,
) -> Result<Address, Refusal> {
    let reporter = match value.get("reporter").and_then(Value::as_str) {
        Some(named) => parse("reporter", named)?,
        None => from(asked)?,
    };
    if judge::sender_of(core, asked.admitted.link, &reporter) == Some(asked.owner) {
        return Ok(reporter);
    }
    Err(Refusal::new(
        Code::FORBIDDEN,
        "not-yours",
        format!("`{reporter}` is not an address of yours to report under"),
    ))
}

// Objects of a stub that speaks for others live in this runtime's own domain.
fn domain_of(core: &Core, owner: OwnerId) -> String {
    let standing = core.rooms.registry.standing(owner);
    let own = standing.filter(|s| !s.provider.is_empty() && s.kind != PartyKind::ProtoStub);
    let domain = own.map(|standing| standing.provider.clone());
    domain.unwrap_or_else(|| core.settings.runtime.domain().to_owned())
}

fn provider_of(core: &Core, owner: OwnerId) -> String {
    let standing = core.rooms.registry.standing(owner);
    standing.map(|s| s.provider.clone()).unwrap_or_default()
}

fn fresh(core: &mut Core, asked: &Asked<'_>, schema: &str) -> Result<Address, Refusal> {
    let domain = domain_of(core, asked.owner);
    let address = core
        .rooms
        .allocation
        .object(schema::scheme(schema), &domain);
    address.map_err(|bad| Refusal::bad_request(bad.to_string()))
}

enum Reused {
    New(Address),
    Known(Address),
}

// An address given by name is a new object's, or one of the same reporter's.
fn reused(
    core: &mut Core,
    asked: &Asked<'_>,
    wanted: &Value,
    (schema, reporter, value): (&str, &Address, &Map<String, Value>),
) -> Result<Reused, Refusal> {
    let Some(text) = wanted.as_str() else {
        let same = |member: &str, object: &crate::rooms::sync::Object| {
            object.meta(member) == value.get(member)
        };
        let known = core.rooms.sync.iter().find(|(_, object)| {
            object.reporter == *reporter
                && object.schema == schema
                && same("name", object)
                && same("resources", object)
        });
        let known = known.map(|(_, object)| object.address.clone());
        return match known {
            Some(known) => Ok(Reused::Known(known)),
            None => fresh(core, asked, schema).map(Reused::New),
        };
    };
    let address: Address = parse("resource", text)?;
    let known = core.rooms.sync.find(address.as_str());
    if let Some(object) = known.and_then(|id| core.rooms.sync.get(id)) {
        if object.reporter == *reporter {
            return Ok(Reused::Known(address));
        }
        return Err(taken(&address));
    }
    let is_foreign = address.domain() != domain_of(core, asked.owner);
    let holder = core.rooms.registry.owner_of(&address);
    if is_foreign || holder.is_some_and(|owner| owner != asked.owner) {
        return Err(taken(&address));
    }
    // The same schemes that are never given out are never taken.
    let domain = address.domain().to_owned();
    let allowed = core.rooms.allocation.object(address.scheme(), &domain);
    allowed.map_err(|bad| Refusal::bad_request(bad.to_string()))?;
    Ok(Reused::New(address))
}

fn taken(address: &Address) -> Refusal {
    let reason = format!("`{address}` is not yours to make an object of");
    Refusal::new(Code::FORBIDDEN, "not-yours", reason)
}

// The same object, made again: its data is what the reporter says now.
fn again(
    core: &mut Core,
    asked: &Asked<'_>,
    address: &Address,
    value: &mut Map<String, Value>,
    out: &mut Actions,
) -> Served {
    let id = selected(core, address.as_str())?;
    change::own(core, asked, id)?;
    let object = core.rooms.sync.get(id);
    let (version, collections) = object.map_or((0, Vec::new()), |object| {
        (object.version(), object.collections.clone())
    });
    let data = value.remove("data").unwrap_or_else(|| json!({}));
    let changes = core.rooms.sync.replace(id, (data, version + 1))?;
    attach(core, address, asked.owner);
    fan_out::say_behind(core, id, asked.owner, asked.now, out);
    keep::and_answer(core, changes, asked, created(address, collections), out)
}
