//! A component or a data object is there, or is not any more: who looks for it
//! finds it so, and who subscribed to it is told.
//!
//! component_live → component_cut … → component_gone
//! object_registered → object_status … → object_unregistered
//!
//! Every change of a status is told once, to those who have subscribed to
//! `<url>/registration`; a stub's goes to all who listen to `<runtime>/status`.

use protocol::api::subscriptions::Status as Told;
use protocol::api::{registry, subscriptions};
use protocol::frame::ComponentKind;
use protocol::{Address, Code, CoreFrame, Message, MessageKind};
use serde_json::json;

use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::respond::Refusal;
use crate::flows::{enrol, hold, listen, observe, orphan, respond};
use crate::ids::{DeploymentId, OwnerId};
use crate::ingress::AdmittedMessage;
use crate::limits::STATUS_BYTES_MAX;
use crate::party::PartyKind;
use crate::rooms::discovery::{HypertyRecord, ObjectRecord, Status};
use crate::rooms::user_agent::{Package, Session, Stage};

/// The segment below the runtime's address where stubs' statuses are told.
pub(crate) const STATUS: &str = "status";

/// A component runs.
pub(crate) fn component_live(core: &mut Core, id: DeploymentId, now: Now, out: &mut Actions) {
    let Some(package) = package_of(core, id) else {
        return;
    };
    if package.kind != ComponentKind::Hyperty {
        return;
    }
    let record = HypertyRecord {
        descriptor: format!(
            "hyperty-catalogue://{}/.well-known/hyperty/{}",
            package.provider, package.name
        ),
        url: package.address.clone(),
        name: package.name,
        user: package.user,
        resources: package.resources,
        data_schemes: package.data_schemes,
        status: Status::Live,
        enters: enters(&package.config),
        runtime: core.settings.runtime.clone(),
        starting_us: now.wall_us,
        modified_us: now.wall_us,
    };
    if core.rooms.discovery.register_hyperty(record) != Some(Status::Live) {
        notify(core, &package.address, Status::Live, out);
    }
    enrol::hyperty(core, &package.address, now, out);
}

/// A component has no link any more; it may come back.
pub(crate) fn component_cut(core: &mut Core, id: DeploymentId, now: Now, out: &mut Actions) {
    let standing = core.rooms.registry.standing_mut(OwnerId::Component(id));
    let had_link = standing.is_some_and(|standing| standing.link.take().is_some());
    let deployment = core.rooms.user_agent.get(id);
    let Some(package) = deployment
        .filter(|d| d.has_run)
        .and_then(|d| d.package.clone())
    else {
        return;
    };
    match package.kind {
        ComponentKind::Hyperty => hyperty_down(core, &package.address, now, out),
        ComponentKind::ProtoStub if had_link => {
            enrol::cut(core, OwnerId::Component(id));
            if let Some(deployment) = core.rooms.user_agent.get_mut(id) {
                deployment.session = Session::new(Status::Disconnected.word(), "", now.mono);
            }
            let body = json!({
                "value": Status::Disconnected.word(),
                "resource": package.address.published(),
            });
            tell_status(core, &body, now, out);
        }
        ComponentKind::ProtoStub | ComponentKind::IdpProxy => {}
    }
}

/// A component is removed.
pub(crate) fn component_gone(core: &mut Core, id: DeploymentId, now: Now, out: &mut Actions) {
    if let Some(package) = package_of(core, id)
        && package.kind == ComponentKind::Hyperty
    {
        hyperty_down(core, &package.address, now, out);
        core.rooms.discovery.unregister_hyperty(&package.address);
        enrol::stands(core, &package.address, None, now, out);
    }
}

/// The runtime ends: each hyperty is told, so that it may tidy up (spec messaging §5.10).
///
/// Nobody waits for its answer; what it does in this turn of its script is done.
pub(crate) fn close_all(core: &mut Core, now: Now, out: &mut Actions) {
    enrol::leave_all(core, now, out);
    let from = registry(core);
    let body = br#"{"method":"close"}"#;
    let running = core.rooms.user_agent.iter().filter_map(|(id, deployment)| {
        let is_hyperty = deployment.package.as_ref()?.kind == ComponentKind::Hyperty;
        let standing = core.rooms.registry.standing(OwnerId::Component(id))?;
        (is_hyperty && deployment.stage == Stage::Running)
            .then(|| Some((standing.link?, standing.home.clone())))?
    });
    for (link, to) in running.collect::<Vec<_>>() {
        let id = core.next_ticket().0;
        let message = Message::new(MessageKind::Execute, &from, to.as_str(), body).with_id(id);
        respond::send(core, link, &CoreFrame::Deliver(message), out);
    }
}

/// A data object exists: it can be found from now on.
pub(crate) fn object_registered(
    core: &mut Core,
    record: ObjectRecord,
    now: Now,
    out: &mut Actions,
) {
    let (url, status) = (record.url.clone(), record.status);
    if core.rooms.discovery.register_object(record) != Some(status) {
        notify(core, &url, status, out);
    }
    enrol::object(core, &url, now, out);
}

/// The reporter of a data object is back, or gone.
pub(crate) fn object_status(
    core: &mut Core,
    url: &Address,
    status: Status,
    now: Now,
    out: &mut Actions,
) {
    if core.rooms.discovery.set_status(url, status, now.wall_us) {
        notify(core, url, status, out);
        enrol::stands(core, url, Some(status), now, out);
    }
}

/// A data object was deleted.
pub(crate) fn object_unregistered(core: &mut Core, url: &Address, now: Now, out: &mut Actions) {
    if core.rooms.discovery.unregister_object(url) == Some(Status::Live) {
        notify(core, url, Status::Disconnected, out);
    }
    enrol::stands(core, url, None, now, out);
}

/// A component says something at an address of its own: what a protocol stub says of
/// its status is told to everybody who listens (spec messaging §6.6).
pub(crate) fn overhear(
    core: &mut Core,
    sender: OwnerId,
    message: &Message<'_>,
    now: Now,
    out: &mut Actions,
) {
    if message.header.kind != MessageKind::Update || message.body.len() > STATUS_BYTES_MAX {
        return;
    }
    let Some(standing) = core.rooms.registry.standing(sender) else {
        return;
    };
    let status = standing.home.join(STATUS).ok();
    let is_it = standing.kind == PartyKind::ProtoStub && status == message.header.to.parse().ok();
    let resource = standing.home.published();
    if let Ok(said) = serde_json::from_slice::<StubStatus>(message.body)
        && is_it
    {
        stub_says(core, sender, &said, now, out);
        let body = json!(StubStatus { resource, ..said });
        tell_status(core, &body, now, out);
    }
}

// What it says is noted for whoever looks, and acted on when a session begins or ends.
fn stub_says(core: &mut Core, stub: OwnerId, said: &StubStatus, now: Now, out: &mut Actions) {
    let OwnerId::Component(id) = stub else {
        return;
    };
    // Two words have another form in some published stubs (spec messaging §5.9).
    let word = match said.value.as_str() {
        "create" => "created",
        "connected" => "live",
        word @ ("created" | "in-progress" | "live" | "failed" | "disconnected") => word,
        _ => return,
    };
    let desc = said.desc.as_deref().unwrap_or_default();
    if let Some(deployment) = core.rooms.user_agent.get_mut(id) {
        deployment.session = Session::new(word, desc, now.mono);
    }
    // A session that is being made says nothing about the one before.
    if matches!(word, "live" | "failed" | "disconnected") {
        enrol::session(core, stub, word == "live", now, out);
    }
    if word == "failed" {
        let standing = core.rooms.registry.standing(stub);
        let domain = standing.map_or("", |standing| &standing.speaks_for);
        let why: String = desc.chars().take(WHY_CHARS_MAX).collect();
        let reason = format!("the protocol stub for `{domain}` says that it failed: {why}");
        let reason = reason.trim_end_matches([' ', ':']);
        let refusal = Refusal::new(Code::UNAVAILABLE, "down", reason);
        orphan::end_requests_through(core, stub, &refusal, now, out);
        core.check_by(now.mono);
    }
}

/// Characters of a stub's reason that those who wait for it are told: a line.
const WHY_CHARS_MAX: usize = 200;

/// What comes in through a stub and is for its own domain: news of a registration
/// elsewhere is for those who have subscribed to it; all else would go in circles.
pub(crate) fn heard(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    out: &mut Actions,
) -> Result<(), Refusal> {
    let header = &admitted.message.header;
    let circle = || {
        let reason = format!("`{}` is where it comes from", header.to);
        Refusal::new(Code::NOT_FOUND, "circle", reason)
    };
    let topic: Address = header.to.parse().map_err(|_| circle())?;
    let url = topic
        .parent()
        .filter(|_| core.rooms.subscriptions.is_wanted(&topic));
    let url = url.ok_or_else(circle)?;
    // What its registry said before does not hold any more.
    core.rooms.discovery.far.drop(url.as_str());
    for (subscriber, to) in core.rooms.subscriptions.subscribers_to(&url) {
        let link = link_of(core, &subscriber);
        let bytes = admitted.message.body.len();
        if let Some(link) = link.filter(|link| hold::room_for(core, *link, bytes).is_ok()) {
            observe::update(core, link, header.from, &to, admitted.message.body, out);
        }
    }
    core.rooms.bus.numbers.delivered += 1;
    if header.reply != protocol::Reply::Unwanted {
        respond::done(core, admitted.link, header, out);
    }
    Ok(())
}

fn link_of(core: &Core, subscriber: &str) -> Option<crate::ids::LinkId> {
    let owner = core.rooms.registry.owner_of(&subscriber.parse().ok()?)?;
    core.rooms.registry.standing(owner)?.link
}

// A member that is there and says no; without it both are done (spec messaging §4.4).
fn enters(config: &str) -> (bool, bool) {
    let config: serde_json::Value = serde_json::from_str(config).unwrap_or_default();
    let says_no = |member| config.get(member) == Some(&serde_json::Value::Bool(false));
    (!says_no("domain_registration"), !says_no("domain_routing"))
}

/// What a stub says at `<stub>/status`, and what is made of it.
#[derive(serde::Serialize, serde::Deserialize)]
struct StubStatus {
    value: String,
    #[serde(default)]
    resource: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    desc: Option<String>,
}

fn hyperty_down(core: &mut Core, address: &Address, now: Now, out: &mut Actions) {
    let is_down = Status::Disconnected;
    if core
        .rooms
        .discovery
        .set_status(address, is_down, now.wall_us)
    {
        notify(core, address, is_down, out);
        enrol::stands(core, address, Some(is_down), now, out);
    }
    for object in core.rooms.discovery.objects_of(address) {
        object_status(core, &object, is_down, now, out);
    }
}

fn notify(core: &mut Core, url: &Address, status: Status, out: &mut Actions) {
    // Everything ends: nobody is left to be told, and all would be told of all.
    if core.stopping.is_some() {
        return;
    }
    let told = Told {
        value: status.word().to_owned(),
        attribute: "status".to_owned(),
    };
    let body = serde_json::to_vec(&told).unwrap_or_default();
    let from = registry(core);
    for (subscriber, to) in core.rooms.subscriptions.subscribers_to(url) {
        let link = link_of(core, &subscriber);
        // One that does not read misses it; it can ask (`check`) when it reads again.
        if let Some(link) = link.filter(|link| hold::room_for(core, *link, body.len()).is_ok()) {
            observe::update(core, link, &from, &to, &body, out);
        }
    }
}

// In the spelling that published components have for the runtime.
fn registry(core: &Core) -> String {
    format!("{}/{}", core.settings.runtime.published(), registry::PATH)
}

fn tell_status(core: &mut Core, body: &serde_json::Value, now: Now, out: &mut Actions) {
    if core.stopping.is_some() {
        return;
    }
    let from = core.settings.runtime.published();
    let to = format!("{from}/{STATUS}");
    let body = body.to_string();
    let message = Message::new(MessageKind::Update, &from, &to, body.as_bytes());
    for (link, _) in listen::permitted(core, &to, None, now) {
        if hold::room_for(core, link, body.len()).is_ok() {
            respond::send(core, link, &CoreFrame::Deliver(message), out);
        }
    }
}

fn package_of(core: &Core, id: DeploymentId) -> Option<Package> {
    core.rooms.user_agent.get(id)?.package.clone()
}

/// Whether an address is that of a registration which this component subscribed to:
/// it hears of it without a rule for the address itself.
pub(crate) fn is_subscribed(core: &Core, subscriber: &Address, topic: &Address) -> bool {
    topic.path().ends_with(subscriptions::REGISTRATION)
        && core.rooms.subscriptions.has(subscriber, topic)
}
