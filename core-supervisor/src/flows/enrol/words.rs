//! What nodes and registries are told, in the words that they know.

use protocol::api::{allocation, registry, subscriptions};
use protocol::{Address, MessageKind};
use serde_json::{Value, json};

use super::registry_of;
use crate::core::Core;
use crate::flows::sync::route;
use crate::rooms::discovery::{HypertyRecord, ObjectRecord, Status};
use crate::rooms::registry::{Row, Stands, Step, What};

// What is said: how, by which room, to whom, and its body.
pub(super) type Saying = (MessageKind<'static>, String, Address, Value);

pub(super) const fn stands_as(status: Status) -> Stands {
    match status {
        Status::Live => Stands::Live,
        Status::Disconnected => Stands::Down,
    }
}

// What the node of the domain is asked to bring (spec messaging §10.4).
pub(super) fn subscription(core: &Core, url: &str, row: &Row) -> Option<Saying> {
    let to = format!("domain://msg-node.{}/sm", row.domain)
        .parse()
        .ok()?;
    let address: Address = url.parse().ok()?;
    let (room, resources, source) = match row.what {
        What::Hyperty => (
            subscriptions::PATH,
            vec![url.to_owned()],
            core.published_room(allocation::PATH),
        ),
        What::Topic => (
            subscriptions::PATH,
            vec![url.to_owned()],
            core.published_room(subscriptions::PATH),
        ),
        What::Object => {
            let object = core.rooms.sync.get(core.rooms.sync.find(url)?)?;
            let resources = route::reported(object).concat();
            (
                protocol::api::sync::PATH,
                resources,
                object.reporter.as_str().to_owned(),
            )
        }
        What::Followed => {
            let source = core.published_room(protocol::api::sync::PATH);
            (protocol::api::sync::PATH, route::observed(&address), source)
        }
    };
    let body = json!({"resources": resources, "source": source});
    Some((MessageKind::Subscribe, core.published_room(room), to, body))
}

// What its registry is told (spec messaging §§6.2–6.4).
pub(super) fn entry(core: &Core, url: &str, row: &Row, step: Step) -> Option<Saying> {
    let to = registry_of(&row.domain)?;
    let from = registry_room(core);
    let address: Address = url.parse().ok()?;
    let status = match row.wanted {
        Some(Stands::Live) => Status::Live,
        Some(Stands::Down) | None => Status::Disconnected,
    };
    let status = status.word();
    let (kind, body) = match step {
        Step::Create => {
            let discovery = &core.rooms.discovery;
            let value = match row.what {
                What::Hyperty => of_hyperty(discovery.hyperty(&address)?, status),
                _ => of_object(discovery.object(&address)?, status),
            };
            (
                MessageKind::Create,
                json!({"policy": "policy", "value": value}),
            )
        }
        Step::Refresh => (
            MessageKind::Update,
            json!({"resource": url, "value": {"status": status}, "method": "refresh"}),
        ),
        Step::Update => {
            let record = core.rooms.discovery.hyperty(&address);
            let value = match record.map(user) {
                Some(user) => json!({ "status": status, "user": user }),
                None => json!({ "status": status }),
            };
            (
                MessageKind::Update,
                json!({"resource": url, "value": value}),
            )
        }
        Step::Leave | Step::Subscribe => (
            MessageKind::Update,
            json!({"resource": url, "value": {"status": status}}),
        ),
    };
    Some((kind, from, to, body))
}

fn of_hyperty(record: &HypertyRecord, status: &str) -> Value {
    json!({
        "user": user(record),
        "guid": record.user.guid(),
        "descriptor": record.descriptor,
        "url": record.url.as_str(),
        "expires": 3600,
        "resources": record.resources,
        "dataSchemes": record.data_schemes,
        "runtime": record.runtime.published(),
        "status": status,
    })
}

fn of_object(record: &ObjectRecord, status: &str) -> Value {
    json!({
        "name": record.name,
        "schema": record.schema,
        "url": record.url.as_str(),
        "reporter": record.reporter.as_str(),
        "expires": record.expires_s,
        "resources": record.resources,
        "dataSchemes": record.data_schemes,
        "runtime": record.runtime.published(),
        "startingTime": crate::utc::text(record.starting_us),
        "status": status,
    })
}

// The mail address where there is one: published registries look people up by it.
fn user(record: &HypertyRecord) -> String {
    let email = record.user.email();
    if email.is_empty() {
        return record.user.url().as_str().to_owned();
    }
    email
}

// With the slash that published registries know it by (spec messaging §2.3).
pub(super) fn registry_room(core: &Core) -> String {
    core.published_room(registry::PATH) + "/"
}
