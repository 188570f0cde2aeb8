//! Somebody here wants to observe an object that another runtime reports.
//!
//! want → (route: opened) → the reporter's runtime is asked → decided → kept → answered
//!
//! What is kept here follows what comes in from the object's domain. It answers
//! reads as long as nothing was missed; then the reporter is read.

use protocol::api::sync::{Offered, PATH, SUBSCRIPTION, Subscribe};
use protocol::{Address, Code, MessageKind};
use serde_json::{Map, Value, json};

use super::ask::{self, Answer, Purpose, Words};
use super::{fan_out, from, identity, parse, route, subscribe};
use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::persist::{self, Then};
use crate::flows::reach;
use crate::flows::respond::{self, Refusal};
use crate::flows::serve::{self, Asked, Served};
use crate::ids::ObjectId;
use crate::rooms::registry::Route as Way;
use crate::rooms::sync::{New, Observer, Role, schema};
use crate::rooms::user_agent::Asker;

/// A subscription to an object elsewhere.
#[derive(Debug)]
pub(crate) struct Wanted {
    object: Address,
    schema: String,
    observer: Address,
    mutual: Option<bool>,
    offline: Option<Address>,
    asker: Asker,
    /// Whether the object was told of something before the answer was here.
    has_missed: bool,
}

impl Wanted {
    /// Something was told to an object.
    pub(super) fn note_missed(&mut self, object: &str) {
        self.has_missed |= self.object.as_str() == object;
    }
}

/// Whether an address leads to another runtime, through a stub.
pub(super) fn is_elsewhere(core: &Core, resource: &str) -> bool {
    let registry = &core.rooms.registry;
    let way = |address: Address| registry.resolve(&address, &core.settings.runtime);
    let is_known = core.rooms.sync.find(resource);
    let is_followed = is_known.and_then(|id| core.rooms.sync.get(id));
    match is_followed {
        Some(object) => object.role == Role::Followed,
        None => resource
            .parse()
            .is_ok_and(|address| matches!(way(address), Way::Stub(_))),
    }
}

/// Whether it is of a domain whose stub is not there yet.
pub(super) fn is_unreached(core: &Core, resource: &str) -> bool {
    let is_here = core.rooms.sync.find(resource).is_some();
    let address = resource.parse();
    !is_here && address.is_ok_and(|address: Address| reach::is_unreached(core, &address))
}

/// The request waits until the domain can be reached, and comes again then.
pub(super) fn reach(
    core: &mut Core,
    asked: &Asked<'_>,
    resource: &str,
    out: &mut Actions,
) -> Served {
    let object = parse("resource", resource)?;
    let observer = from(asked)?;
    fan_out::permitted(core, asked.owner, (&observer, &object), asked.now)?;
    reach::wait(core, asked.admitted, asked.owner, &object, asked.now, out)?;
    Ok(serve::Answer::Later)
}

/// A `subscribe` to `/sm` about an object elsewhere.
pub(super) fn want(
    core: &mut Core,
    asked: &Asked<'_>,
    subscribe: &Subscribe,
    out: &mut Actions,
) -> Served {
    let object = parse("resource", &subscribe.resource)?;
    let observer = from(asked)?;
    let parties = (&observer, &object);
    fan_out::permitted(core, asked.owner, parties, asked.now)?;
    core.rooms.sync.may_observe_more(observer.as_str())?;
    // Who is to accept in the reporter's place is in the object's own domain.
    let offline = subscribe.offline.as_deref();
    let offline = offline.map(|text| parse("offline", text)).transpose()?;
    let domain = object.domain().to_owned();
    let wanted = Wanted {
        schema: subscribe.schema.clone(),
        observer: observer.clone(),
        mutual: subscribe.mutual,
        offline: offline.filter(|offline| offline.domain() == domain),
        asker: asked.asker(),
        has_missed: false,
        object,
    };
    let steps = if subscribe.domain_subscription {
        vec![route::observed(&wanted.object)]
    } else {
        Vec::new()
    };
    let who = (&observer, identity::of(core, &observer));
    let next = (asked.admitted.link, route::Next::Observe(wanted));
    let next = route::open(core, (&domain, steps), who, next, asked.now, out);
    if let Some(route::Next::Observe(wanted)) = next {
        opened(core, wanted, asked.now, out);
    }
    Ok(serve::Answer::Later)
}

/// Its messages come here: the observer is told so, and the reporter's runtime asked.
pub(super) fn opened(core: &mut Core, wanted: Wanted, now: Now, out: &mut Actions) {
    let collections = schema::children(&wanted.schema).iter();
    let offered = Offered {
        code: Code::TRYING.0,
        children_resources: collections.map(|&name| name.to_owned()).collect(),
        schema: wanted.schema.clone(),
        resource: wanted.object.as_str().to_owned(),
    };
    subscribe::offer(core, &wanted.asker, &offered, out);
    let Ok(to) = wanted.object.join(SUBSCRIPTION) else {
        return;
    };
    let body = question(core, &wanted);
    put(core, &to, MessageKind::Subscribe, &body, wanted, now, out);
}

/// The reporter's runtime has answered, or nobody will.
pub(super) fn decided(
    core: &mut Core,
    mut wanted: Wanted,
    answer: &Answer,
    now: Now,
    out: &mut Actions,
) {
    if answer.code == Code::OK {
        if let Err(refusal) = accepted(core, &wanted, answer, now, out) {
            respond::later(core, &wanted.asker, Err(refusal), out);
        }
        return;
    }
    let Some(offline) = wanted.offline.take() else {
        return relay(core, &wanted, answer, out);
    };
    let from = core.published_room(PATH);
    let body = json!({
        "type": "subscribe",
        "from": from,
        "to": format!("{}/{SUBSCRIPTION}", wanted.object),
        "body": question(core, &wanted),
    });
    put(
        core,
        &offline,
        MessageKind::Forward,
        &body,
        wanted,
        now,
        out,
    );
}

/// Hands an answer on to the observer as it came.
pub(super) fn relay(core: &mut Core, wanted: &Wanted, answer: &Answer, out: &mut Actions) {
    let mut body = answer.body.clone();
    body.insert("code".to_owned(), answer.code.0.into());
    body.insert("desc".to_owned(), answer.reason().into());
    body.insert("description".to_owned(), answer.reason().into());
    let text = serde_json::to_vec(&body).unwrap_or_default();
    respond::later_with(core, &wanted.asker, answer.code, &text, out);
}

fn question(core: &Core, wanted: &Wanted) -> Value {
    let mut body = json!({
        "subscriber": wanted.observer.as_str(),
        "identity": identity::of(core, &wanted.observer),
    });
    if let (Some(mutual), Some(body)) = (wanted.mutual, body.as_object_mut()) {
        body.insert("mutual".to_owned(), mutual.into());
    }
    body
}

fn put(
    core: &mut Core,
    to: &Address,
    kind: MessageKind<'_>,
    body: &Value,
    wanted: Wanted,
    now: Now,
    out: &mut Actions,
) {
    let from = core.published_room(PATH);
    let words = Words {
        kind,
        from: &from,
        to,
        body,
    };
    let purpose = (wanted.asker.link, Purpose::Far(wanted));
    let asked = ask::try_ask(core, words, purpose, now, out);
    if let Err((refusal, Purpose::Far(wanted))) = asked.map_err(|refused| *refused) {
        decided(core, wanted, &(&refusal).into(), now, out);
    }
}

fn accepted(
    core: &mut Core,
    wanted: &Wanted,
    answer: &Answer,
    now: Now,
    out: &mut Actions,
) -> Result<(), Refusal> {
    let standing = core.rooms.registry.standing(wanted.asker.owner);
    if standing.and_then(|s| s.link) != Some(wanted.asker.link) {
        return Ok(());
    }
    let provider = standing.map(|s| s.provider.clone()).unwrap_or_default();
    let parties = (&wanted.observer, &wanted.object);
    let permitted_by = fan_out::permitted(core, wanted.asker.owner, parties, now)?;
    let value = answer.body.get("value").and_then(Value::as_object);
    let id = follow(
        core,
        wanted,
        provider,
        value.cloned().unwrap_or_default(),
        answer,
        now,
    )?;
    let observer = Observer {
        owner: Some(wanted.asker.owner),
        permitted_by,
        user: identity::user_of(core, &wanted.observer),
        is_far: false,
    };
    let name = wanted.observer.as_str();
    if let Some(object) = core.rooms.sync.get_mut(id) {
        object.observe(name, observer)?;
    }
    core.epoch += 1;
    if wanted.has_missed {
        core.rooms.sync.note_missed(id);
        core.rooms.sync.behind.note(wanted.asker.link, id);
    }
    let mut body = answer.body.clone();
    body.insert("code".to_owned(), Code::OK.0.into());
    body.insert("resource".to_owned(), wanted.object.as_str().into());
    body.entry("schema")
        .or_insert_with(|| wanted.schema.as_str().into());
    let mut changes = core.rooms.sync.whole(id);
    changes.extend(core.rooms.sync.remembered(id, name));
    let text = serde_json::to_vec(&body).unwrap_or_default();
    persist::persist(core, changes, Then::Answer(wanted.asker.clone(), text), out);
    fan_out::drained(core, wanted.asker.link, now, out);
    Ok(())
}

// What is kept of the object here: made when the first of its observers comes.
fn follow(
    core: &mut Core,
    wanted: &Wanted,
    provider: String,
    value: Map<String, Value>,
    answer: &Answer,
    now: Now,
) -> Result<ObjectId, Refusal> {
    if let Some(id) = core.rooms.sync.find(wanted.object.as_str()) {
        core.rooms.sync.catch_up(id, value, now.mono);
        return Ok(id);
    }
    let owner = answer.body.get("owner").or_else(|| value.get("reporter"));
    let owner = owner
        .and_then(Value::as_str)
        .and_then(|text| text.parse().ok());
    let said = value.get("schema").and_then(Value::as_str);
    let schema = said.unwrap_or(&wanted.schema).to_owned();
    let new = New {
        address: wanted.object.clone(),
        reporter: owner.unwrap_or_else(|| wanted.object.clone()),
        provider,
        collections: schema::children(&schema)
            .iter()
            .map(|&n| n.to_owned())
            .collect(),
        schema,
        user: String::new(),
        role: Role::Followed,
        value,
    };
    Ok(core.rooms.sync.create(new)?)
}
