//! The message node of a domain is asked to bring what is sent to an object.
//!
//! open → answered … → next
//!
//! Only where a protocol stub for the domain is deployed: a runtime on its own
//! has nobody to ask, and needs nobody (spec services §1.3, §1.5).

use std::collections::VecDeque;

use protocol::api::sync::{CHANGES, PATH, SUBSCRIPTION};
use protocol::{Address, Code, MessageKind};
use serde_json::{Value, json};

use super::ask::{self, Answer, Purpose, Words};
use super::{create, far};
use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::respond::Refusal;
use crate::ids::{LinkId, ObjectId};
use crate::rooms::registry::Route as Way;
use crate::rooms::sync::Object;
use crate::rooms::user_agent::Asker;

/// How often a node that fails is asked again (spec services §1.3).
const RETRIES: u8 = 10;

/// Addresses that a node is asked to bring, a message for each list.
#[derive(Debug)]
pub(crate) struct Route {
    node: Address,
    source: String,
    identity: Value,
    steps: VecDeque<Vec<String>>,
    retries: u8,
    charged: LinkId,
    next: Next,
}

impl Route {
    /// Something was told to an object that is about to be observed.
    pub(super) fn note_missed(&mut self, object: &str) {
        if let Next::Observe(wanted) = &mut self.next {
            wanted.note_missed(object);
        }
    }
}

/// What follows once a node brings them, or does not.
#[derive(Debug)]
pub(crate) enum Next {
    /// Nothing: an object was resumed.
    Nothing,
    /// A new object exists.
    Created(ObjectId, Asker),
    /// The reporter of an object elsewhere is asked.
    Observe(far::Wanted),
}

/// A part of a domain's message node, if a stub here speaks for the domain.
pub(super) fn node(core: &Core, domain: &str, part: &str) -> Option<Address> {
    let node: Address = format!("domain://msg-node.{domain}/{part}").parse().ok()?;
    let registry = &core.rooms.registry;
    let way = registry.resolve(&node, &core.settings.runtime);
    matches!(way, Way::Stub(_)).then_some(node)
}

/// What the node of a reported object's domain has to bring.
pub(crate) fn reported(object: &Object) -> Vec<Vec<String>> {
    let url = object.address.as_str();
    let mut steps = Vec::new();
    if object.meta("domain_routing") != Some(&Value::Bool(false)) {
        steps.push(vec![url.to_owned(), format!("{url}/{SUBSCRIPTION}")]);
    }
    if !object.collections.is_empty() {
        steps.push(vec![format!("{url}/children/")]);
    }
    steps
}

/// What the node of an observed object's domain has to bring.
pub(crate) fn observed(object: &Address) -> Vec<String> {
    vec![format!("{object}/{CHANGES}"), format!("{object}/children/")]
}

/// Asks for routes; gives `next` back at once where there is nothing to ask.
pub(super) fn open(
    core: &mut Core,
    (domain, steps): (&str, Vec<Vec<String>>),
    (source, identity): (&Address, Value),
    (charged, next): (LinkId, Next),
    now: Now,
    out: &mut Actions,
) -> Option<Next> {
    let Some(node) = node(core, domain, PATH).filter(|_| !steps.is_empty()) else {
        return Some(next);
    };
    let retries = match next {
        Next::Observe(_) => 0,
        Next::Nothing | Next::Created(..) => RETRIES,
    };
    let route = Route {
        node,
        source: source.as_str().to_owned(),
        identity,
        steps: steps.into(),
        retries,
        charged,
        next,
    };
    step(core, route, now, out);
    None
}

/// The node has answered, or nobody will.
pub(super) fn answered(
    core: &mut Core,
    mut route: Route,
    answer: &Answer,
    now: Now,
    out: &mut Actions,
) {
    let may_retry = [Code::TIMEOUT, Code::FAILED].contains(&answer.code) && route.retries > 0;
    if answer.code == Code::OK {
        route.steps.pop_front();
        if route.steps.is_empty() {
            return opened(core, route.next, now, out);
        }
        step(core, route, now, out);
    } else if may_retry {
        route.retries -= 1;
        step(core, route, now, out);
    } else {
        failed(core, route, answer, out);
    }
}

/// The routes of an object are not needed any more.
pub(super) fn close(
    core: &mut Core,
    object: &Address,
    resources: &[String],
    source: &Address,
    now: Now,
    out: &mut Actions,
) {
    let Some(node) = node(core, object.domain(), PATH) else {
        return;
    };
    let body =
        json!({ "resource": object.as_str(), "resources": resources, "source": source.as_str() });
    let from = core.published_room(PATH);
    let words = Words {
        kind: MessageKind::Unsubscribe,
        from: &from,
        to: &node,
        body: &body,
    };
    ask::tell(core, words, now, out);
}

fn step(core: &mut Core, route: Route, now: Now, out: &mut Actions) {
    let Some(resources) = route.steps.front() else {
        return opened(core, route.next, now, out);
    };
    let mut body = json!({ "resources": resources, "source": route.source });
    if let (false, Some(members)) = (route.identity.is_null(), body.as_object_mut()) {
        members.insert("identity".to_owned(), route.identity.clone());
    }
    let (node, from) = (route.node.clone(), core.published_room(PATH));
    let words = Words {
        kind: MessageKind::Subscribe,
        from: &from,
        to: &node,
        body: &body,
    };
    let charged = route.charged;
    let asked = ask::try_ask(
        core,
        words,
        (charged, Purpose::Route(Box::new(route))),
        now,
        out,
    );
    if let Err((refusal, Purpose::Route(route))) = asked.map_err(|refused| *refused) {
        failed(core, *route, &(&refusal).into(), out);
    }
}

fn opened(core: &mut Core, next: Next, now: Now, out: &mut Actions) {
    match next {
        Next::Nothing => {}
        Next::Created(object, asker) => create::opened(core, object, asker, now, out),
        Next::Observe(wanted) => far::opened(core, wanted, now, out),
    }
}

fn failed(core: &mut Core, route: Route, answer: &Answer, out: &mut Actions) {
    match route.next {
        Next::Nothing => {}
        Next::Created(object, asker) => {
            let reason = format!(
                "the message node of `{}` does not bring the object's messages: {} {}",
                route.node.domain(),
                answer.code,
                answer.reason()
            );
            let refusal = Refusal::new(Code::UNAVAILABLE, "node", reason);
            create::not_opened(core, object, &asker, refusal, out);
        }
        Next::Observe(wanted) => far::relay(core, &wanted, answer, out),
    }
}
