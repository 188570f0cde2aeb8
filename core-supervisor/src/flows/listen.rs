//! Who else hears what is sent to an address.
//!
//! A component may listen to an address that is not its own if policy permits
//! `listen` on it. That is asked again whenever the policy has changed, at the
//! next message: what is revoked is heard no more (BU-09).

use std::collections::BTreeSet;

use protocol::api::sync::{CHANGES, CHILDREN};
use protocol::{Address, Code, CoreFrame};

use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::respond;
use crate::flows::{judge, observe, quotas, registration};
use crate::ids::{LinkId, OwnerId};
use crate::ingress::Fault;
use crate::quota::Quota;
use crate::rooms::bus::Listener;
use crate::rooms::policy::{Act, Reuse};

/// A component wants to listen to an address.
pub(crate) fn listen(
    core: &mut Core,
    link: LinkId,
    component: &str,
    address: &str,
    now: Now,
    out: &mut Actions,
) -> Result<(), Fault> {
    let (home, owner) = own_component(core, link, component)?;
    let outcome = match address.parse::<Address>() {
        // What is told of a registration comes by itself: nothing to add.
        Ok(wanted) if registration::is_subscribed(core, &home, &wanted) => Ok(()),
        // Heard by who takes part in the object, and by nobody else: nothing to add.
        Ok(wanted) if core.rooms.sync.channel(&wanted).is_some() => Ok(()),
        Ok(wanted) => match add(core, owner, &home, &wanted, now) {
            // Libraries listen before they subscribe, and to objects elsewhere.
            Err((Code::FORBIDDEN, _)) if is_channel_elsewhere(core, &wanted) => Ok(()),
            outcome => outcome,
        },
        Err(bad) => Err((Code::BAD_REQUEST, bad.to_string())),
    };
    let (code, reason) = match outcome {
        Ok(()) => (Code::OK, String::new()),
        Err(refused) => refused,
    };
    if code != Code::OK {
        observe::not_listening(core, &home, address, &reason, now, out);
    }
    respond::send(
        core,
        link,
        &CoreFrame::Listening {
            address,
            code,
            reason: &reason,
        },
        out,
    );
    Ok(())
}

// The channel of an object that nobody here reports.
fn is_channel_elsewhere(core: &Core, address: &Address) -> bool {
    let mut segments = address.path().rsplit('/');
    let last = segments.next().unwrap_or_default();
    [CHANGES, CHILDREN].contains(&last) && core.rooms.registry.owner_of(address).is_none()
}

/// A component does not want to listen any more.
pub(crate) fn unlisten(
    core: &mut Core,
    link: LinkId,
    component: &str,
    address: &str,
) -> Result<(), Fault> {
    let (_, owner) = own_component(core, link, component)?;
    if let Ok(address) = address.parse::<Address>() {
        core.rooms.bus.listeners.remove(address.as_str(), owner);
        core.epoch += 1;
    }
    Ok(())
}

/// Those who hear what is sent to `to`, as of now, besides the link that has it already.
///
/// One for each link: a sandbox hands what comes to all who listen in it, so a second
/// copy would be heard twice by each.
pub(crate) fn permitted(
    core: &mut Core,
    to: &str,
    except: Option<LinkId>,
    now: Now,
) -> Vec<(LinkId, OwnerId)> {
    let Ok(address) = to.parse::<Address>() else {
        return Vec::new();
    };
    let version = core.rooms.policy.version();
    let owner = core.rooms.registry.owner_of(&address);
    let mut listeners = core.rooms.bus.listeners.of(address.as_str()).to_vec();
    // Somebody who listened before it was given the address is its owner now.
    listeners.retain(|listener| Some(listener.owner) != owner);
    let mut reached: BTreeSet<LinkId> = except.into_iter().collect();
    let mut heard_by = Vec::with_capacity(listeners.len());
    for listener in listeners {
        let standing = core.rooms.registry.standing(listener.owner);
        let Some((link, home)) = standing.and_then(|s| Some((s.link?, s.home.clone()))) else {
            continue;
        };
        if listener.permitted_by != version
            && !ask_again(core, listener.owner, &home, &address, now)
        {
            continue;
        }
        if reached.insert(link) {
            heard_by.push((link, listener.owner));
        }
    }
    heard_by
}

fn add(
    core: &mut Core,
    owner: OwnerId,
    home: &Address,
    wanted: &Address,
    now: Now,
) -> Result<(), (Code, String)> {
    let (permit, reuse, decision) =
        judge::decide(core, Act::Listen, owner, (home, wanted), &[], now);
    if !permit {
        return Err((
            Code::FORBIDDEN,
            format!("{} (decision {decision})", judge::reason(core, decision)),
        ));
    }
    // What is sent to an own address comes anyway.
    if core.rooms.registry.owner_of(wanted) == Some(owner) {
        return Ok(());
    }
    let permitted_by = if reuse == Reuse::Version {
        core.rooms.policy.version()
    } else {
        0
    };
    let most = quotas::count_of(core, owner, Quota::Listeners);
    let listener = Listener {
        owner,
        permitted_by,
    };
    if !core
        .rooms
        .bus
        .listeners
        .add(wanted.as_str(), listener, most)
    {
        let reason = format!("listens to {most} addresses already, its share (`limits.listeners`)");
        return Err((Code::BUSY, reason));
    }
    core.epoch += 1;
    Ok(())
}

fn ask_again(core: &mut Core, owner: OwnerId, home: &Address, address: &Address, now: Now) -> bool {
    let (permit, reuse, _) = judge::decide(core, Act::Listen, owner, (home, address), &[], now);
    let version = core.rooms.policy.version();
    let listeners = core.rooms.bus.listeners.of_mut(address.as_str());
    if let Some(listener) = listeners
        .iter_mut()
        .find(|listener| listener.owner == owner)
    {
        listener.permitted_by = if permit && reuse == Reuse::Version {
            version
        } else {
            0
        };
    }
    permit
}

// A frame that names a component must name one of its own link.
fn own_component(core: &Core, link: LinkId, component: &str) -> Result<(Address, OwnerId), Fault> {
    let foreign = || Fault::Component(component.to_owned());
    let address: Address = component.parse().map_err(|_| foreign())?;
    let owner = judge::sender_of(core, link, &address).ok_or_else(foreign)?;
    let home = core
        .rooms
        .registry
        .standing(owner)
        .map(|standing| standing.home.clone());
    Ok((home.ok_or_else(foreign)?, owner))
}
