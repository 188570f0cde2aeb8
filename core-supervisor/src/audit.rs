//! What must be true of the core's state after every event.
//!
//! The simulation asks after each of its events. Nothing here is needed for the
//! work of the core; a running supervisor does not call it.

use std::collections::HashMap;

use crate::core::Core;
use crate::ids::{LinkId, OwnerId};
use crate::limits::{
    COMPONENTS_MAX, PENDING_MAX, PENDING_PER_LINK_MAX, PERSISTS_MAX, SLOTS_PER_RECEIVER_MAX,
    SLOTS_PER_SENDER_MAX, UNREAD_BYTES_MAX, WAYS_MAX, WAYS_OPENING_MAX,
};
use crate::quota::Quota;
use crate::rooms::bus::Goes;
use crate::rooms::sandboxes::Phase;
use crate::rooms::user_agent::Stage;

impl Core {
    /// Looks for a broken invariant; says which, and where.
    pub fn audit(&self) -> Result<(), String> {
        self.audit_pending()?;
        self.audit_owners()?;
        self.audit_sandboxes()?;
        self.audit_objects()?;
        self.audit_slots()?;
        self.audit_parked()?;
        self.audit_bounds()
    }

    // I5, I8: a slot has two living ends, which asked for it, and each its share.
    fn audit_slots(&self) -> Result<(), String> {
        let slots = &self.rooms.bus.slots;
        for (id, slot) in slots.iter() {
            let ends = [slot.sender, slot.receiver];
            let asked = |link: &LinkId| self.gates.get(link).is_some_and(|gate| gate.slots_max > 0);
            let (lent, _) = slots.held_by(slot.sender);
            let (_, borrowed) = slots.held_by(slot.receiver);
            if !ends.iter().all(asked)
                || lent > SLOTS_PER_SENDER_MAX
                || borrowed > SLOTS_PER_RECEIVER_MAX
            {
                return Err(format!(
                    "I8: slot {id} from link {} ({lent}) to {} ({borrowed})",
                    slot.sender, slot.receiver
                ));
            }
        }
        let is_old = slots.len() > 0 && slots.epoch != self.epoch;
        if slots.len() > self.settings.slots_max || is_old {
            return Err(format!("I5, I8: {} slots, permitted before", slots.len()));
        }
        Ok(())
    }

    // I8, I11: what waits for a way out is charged to a living sender, and comes to
    // its end: by a way that opens, or by the clock.
    fn audit_parked(&self) -> Result<(), String> {
        let ways = &self.rooms.registry.ways;
        if ways.len() > WAYS_MAX || ways.opening().count() > WAYS_OPENING_MAX {
            return Err(format!("I8: {} ways are known", ways.len()));
        }
        let parked = &self.rooms.bus.parked;
        if parked.len() > 0 && self.next_deadline().is_none() {
            return Err("I11: messages wait for a stub, and no clock is set".to_owned());
        }
        parked.audit(|link| self.gates.contains_key(&link))
    }

    // I8, I11: every request that waits is charged to a living asker and may be
    // answered by somebody who lives.
    fn audit_pending(&self) -> Result<(), String> {
        let mut charged: HashMap<LinkId, u32> = HashMap::new();
        for request in self.rooms.bus.pending.iter() {
            *charged.entry(request.asker).or_default() += 1;
            let is_alive = |link: &LinkId| self.gates.contains_key(link);
            if !is_alive(&request.asker) || !request.answerers.iter().any(is_alive) {
                return Err(format!(
                    "I11: request {} of `{}` can never end",
                    request.id, request.from
                ));
            }
        }
        for (link, gate) in &self.gates {
            let waits = charged.get(link).copied().unwrap_or_default();
            if gate.pending != waits {
                return Err(format!(
                    "I8: link {link} is charged for {} requests, {waits} wait",
                    gate.pending
                ));
            }
        }
        Ok(())
    }

    // I6: an owner's link lives and is the link of its sandbox.
    fn audit_owners(&self) -> Result<(), String> {
        for (address, owner) in self.rooms.registry.entries() {
            let Some(standing) = self.rooms.registry.standing(owner) else {
                return Err(format!(
                    "I6: `{address}` belongs to {owner:?}, who is not there"
                ));
            };
            let Some(link) = standing.link else { continue };
            if !self.gates.contains_key(&link) {
                return Err(format!(
                    "I6: `{address}` leads to link {link}, which is gone"
                ));
            }
            if let OwnerId::Component(id) = owner {
                let sandbox = self.rooms.user_agent.get(id).and_then(|d| d.sandbox);
                let its = sandbox.and_then(|sandbox| self.rooms.sandboxes.get(sandbox)?.link);
                if its != Some(link) {
                    return Err(format!(
                        "I6: `{address}` leads to link {link}, its sandbox has {its:?}"
                    ));
                }
            }
        }
        Ok(())
    }

    // A cell's code shares a process with nobody else's, and stages fit phases.
    fn audit_sandboxes(&self) -> Result<(), String> {
        for (id, sandbox) in self.rooms.sandboxes.iter() {
            for component in &sandbox.components {
                let Some(deployment) = self.rooms.user_agent.get(*component) else {
                    return Err(format!(
                        "sandbox {id} holds component {component}, which is not deployed"
                    ));
                };
                let package = deployment.package.as_ref();
                let provider = package.map(|package| (&package.provider, &package.user));
                let cell = sandbox.cell.as_ref();
                if provider != cell.map(|cell| (&cell.provider, &cell.user)) {
                    return Err(format!(
                        "sandbox {id} of {:?} holds code of {provider:?}",
                        sandbox.cell
                    ));
                }
                if deployment.stage == Stage::Running
                    && !matches!(sandbox.phase, Phase::Ready | Phase::Ending)
                {
                    return Err(format!(
                        "component {component} runs in sandbox {id}, which is not ready"
                    ));
                }
            }
        }
        Ok(())
    }

    // Who observes is there; what the core asked, it waits for; who pays, pays all.
    fn audit_objects(&self) -> Result<(), String> {
        for (_, object) in self.rooms.sync.iter() {
            for (url, observer) in &object.observers {
                let standing = observer
                    .owner
                    .map(|owner| self.rooms.registry.standing(owner));
                if standing.is_some_and(|standing| standing.is_none_or(|s| s.link.is_none())) {
                    return Err(format!(
                        "`{url}` observes `{}`, and is down",
                        object.address
                    ));
                }
            }
        }
        let asked = self
            .rooms
            .bus
            .pending
            .iter()
            .filter(|r| r.goes == Goes::In)
            .count();
        if asked != self.questions.len() {
            return Err(format!(
                "I11: the core has {} questions, {asked} of them wait",
                self.questions.len()
            ));
        }
        self.rooms.sync.audit()
    }

    fn audit_bounds(&self) -> Result<(), String> {
        let queued: usize = self.gates.values().map(|gate| gate.queued).sum();
        if queued != self.queued {
            return Err(format!(
                "I8: {} bytes are counted for all links, they have {queued}",
                self.queued
            ));
        }
        for (link, gate) in &self.gates {
            if gate.queued > UNREAD_BYTES_MAX + protocol::limits::FRAME_BYTES_MAX
                || gate.pending > PENDING_PER_LINK_MAX
            {
                return Err(format!(
                    "I8: link {link} holds {} bytes, {} requests",
                    gate.queued, gate.pending
                ));
            }
        }
        if self.rooms.bus.pending.len() > PENDING_MAX
            || self.rooms.user_agent.len() > COMPONENTS_MAX
        {
            return Err("I8: a table is over its bound".to_owned());
        }
        // What rooms have kept on their own behalf is not asked for by anybody.
        if self.persisting.len() > 2 * PERSISTS_MAX {
            return Err("I8: too much is on its way to the disk".to_owned());
        }
        match self.rooms.bus.listeners.most() {
            most if most as u64 > Quota::Listeners.row().most => {
                Err(format!("I8: a component listens to {most} addresses"))
            }
            _ => Ok(()),
        }
    }
}
