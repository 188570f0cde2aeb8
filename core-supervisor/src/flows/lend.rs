//! Slots for large bodies: lent, used, given back, taken back.
//!
//! take_slots → offer → (returned) → message → delivered → returned → rest
//!
//! A slot is a way past the core, so it exists only where the core would have
//! nothing to do: between two links of which the policy lets the one say
//! anything to the other, whatever is in it and whenever. As soon as that does
//! not hold any more the memory is sealed, which ends the way for both.

use std::time::Duration;

use protocol::frame::CoreFrame;
use protocol::limits::{SLOT_BYTES, SLOT_FROM_BYTES};
use protocol::slot::Lend;
use protocol::{Code, Message, MessageKind};

use crate::core::Core;
use crate::event::{Action, Actions, Now, SlotEnd};
use crate::flows::deliver;
use crate::flows::judge::{self, Judgement, Target};
use crate::flows::respond::{self, Refusal};
use crate::ids::{LinkId, SlotId};
use crate::ingress::{AdmittedMessage, Fault};
use crate::limits::{
    REFUSED_PER_SECOND_MAX, SLOT_REST, SLOTS_PER_RECEIVER_MAX, SLOTS_PER_SENDER_MAX,
};
use crate::rooms::bus::{Basis, Goes, Request, Slot, Turn};

/// A peer is ready to hold so many slots of each kind.
pub(crate) fn take_slots(core: &mut Core, link: LinkId, most: u16, out: &mut Actions) {
    if let Some(gate) = core.gates.get_mut(&link) {
        gate.slots_max = usize::from(most);
    }
    if most == 0 {
        forget_link(core, link, out);
    }
}

/// Whether a slot would have been used for a message.
pub(crate) const fn is_worth_a_slot(admitted: &AdmittedMessage<'_>) -> bool {
    admitted.message.body.len() > SLOT_FROM_BYTES
}

/// A large message went by stream: the next one may find a slot. `asked` is the
/// kind of the request when it was an answer.
pub(crate) fn offer(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    judgement: &Judgement,
    asked: Option<String>,
    now: Now,
    out: &mut Actions,
) {
    let (sender, header) = (admitted.link, &admitted.message.header);
    if !is_worth_a_slot(admitted) {
        return;
    }
    let Some(receiver) = receiver_of(core, judgement) else {
        return;
    };
    let slots = &core.rooms.bus.slots;
    if sender == receiver
        || now.mono < slots.rest_until
        || slots.len() >= core.settings.slots_max
        || !has_room(core, sender, receiver)
        || slots.has_spare(sender, receiver, header.to)
    {
        return;
    }
    let basis = Basis {
        from: header.from.to_owned(),
        to: header.to.to_owned(),
        kind: header.kind.as_str().to_owned(),
        asked,
    };
    if !holds(core, &basis, (sender, receiver), now) {
        return;
    }
    let slot = core.rooms.bus.slots.add(Slot {
        sender,
        receiver,
        basis,
        turn: Turn::Offered,
        moved: now.mono,
    });
    let bytes = bytes_of_a_slot();
    let frame = CoreFrame::Borrow {
        slot: slot.0,
        bytes,
    };
    hand_out(core, receiver, (slot, SlotEnd::Reading), &frame, out);
    core.check_by(now.mono + SLOT_REST);
}

/// A message whose body lies in a slot.
pub(crate) fn message(
    core: &mut Core,
    admitted: AdmittedMessage<'_>,
    id: SlotId,
    now: Now,
    out: &mut Actions,
) -> Result<(), Fault> {
    if !may_pass(core, &admitted, id, now) {
        return unsent(core, admitted.link, id, now, out);
    }
    deliver::message(core, admitted, now, out)?;
    // It was refused, and answered: nobody has been told of the slot.
    if core.rooms.bus.slots.get(id).is_some_and(is_free) {
        respond::send(
            core,
            admitted.link,
            &CoreFrame::Returned { slot: id.0 },
            out,
        );
    }
    Ok(())
}

/// Lets the receiver of a message read the slot that its body lies in.
pub(crate) fn pass(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    to: LinkId,
) -> Result<(), Refusal> {
    let Some((id, _)) = admitted.body_in else {
        return Ok(());
    };
    let time = core.time;
    match core.rooms.bus.slots.get_mut(id) {
        Some(slot) if slot.receiver == to && is_free(slot) => {
            slot.turn = Turn::Out;
            slot.moved = time;
            Ok(())
        }
        // `may_pass` has seen to it that this is not reached.
        _ => Err(Refusal::new(
            Code::FAILED,
            "slot",
            "the body lies where its receiver cannot read it",
        )),
    }
}

/// The receiver has the slot, or what lay in it.
pub(crate) fn returned(core: &mut Core, link: LinkId, id: SlotId, now: Now, out: &mut Actions) {
    let slots = &mut core.rooms.bus.slots;
    // One that was taken back meanwhile, or somebody else's: of no interest.
    let Some(slot) = slots.get_mut(id).filter(|slot| slot.receiver == link) else {
        return;
    };
    let (turn, sender) = (slot.turn, slot.sender);
    slot.turn = Turn::Free;
    slot.moved = now.mono;
    match turn {
        Turn::Out => respond::send(core, sender, &CoreFrame::Returned { slot: id.0 }, out),
        Turn::Offered => {
            let to = slot.basis.to.clone();
            let lend = CoreFrame::Lend(Lend {
                slot: id.0,
                bytes: bytes_of_a_slot(),
                to: &to,
            });
            hand_out(core, sender, (id, SlotEnd::Writing), &lend, out);
        }
        Turn::Free => {}
    }
}

/// The shell could make no slot: there is none.
pub(crate) fn not_lent(core: &mut Core, id: SlotId, now: Now, out: &mut Actions) {
    core.rooms.bus.slots.rest_until = now.mono + SLOT_REST;
    take_back(core, id, out);
}

/// What the slots were permitted by has changed: each is asked for again.
pub(crate) fn look_again(core: &mut Core, now: Now, out: &mut Actions) {
    core.rooms.bus.slots.epoch = core.epoch;
    let slots = core.rooms.bus.slots.iter();
    let slots: Vec<_> = slots
        .map(|(id, slot)| (id, (slot.sender, slot.receiver), slot.basis.clone()))
        .collect();
    for (id, ends, basis) in slots {
        if !holds(core, &basis, ends, now) {
            take_back(core, id, out);
        }
    }
}

/// Takes back every slot of a link.
pub(crate) fn forget_link(core: &mut Core, link: LinkId, out: &mut Actions) {
    take_back_where(
        core,
        |slot| slot.sender == link || slot.receiver == link,
        out,
    );
}

/// Takes back the slots that were not used for a while.
pub(crate) fn rest(core: &mut Core, now: Now, out: &mut Actions) {
    take_back_where(core, |slot| slot.moved + SLOT_REST <= now.mono, out);
}

/// When `rest` may have something to do.
pub(crate) fn next_deadline(core: &Core) -> Option<Duration> {
    let slots = core.rooms.bus.slots.iter();
    slots.map(|(_, slot)| slot.moved + SLOT_REST).min()
}

// Whether what a slot was lent for may still pass, whatever is in it.
fn holds(core: &mut Core, basis: &Basis, ends: (LinkId, LinkId), now: Now) -> bool {
    let Basis {
        from,
        to,
        kind,
        asked,
    } = basis;
    let mut may_pass = |(sender, receiver): (LinkId, LinkId), kind: &str, from: &str, to: &str| {
        let message = Message::new(MessageKind::parse(kind), from, to, &[]);
        judge::message(core, sender, &message, now).is_ok_and(|judgement| {
            judgement.permit && receiver_of(core, &judgement) == Some(receiver)
        })
    };
    let (sender, receiver) = ends;
    let may_ask = |asked: &String| may_pass((receiver, sender), asked, to, from);
    asked.as_ref().is_none_or(may_ask) && may_pass(ends, kind, from, to)
}

// The one link that a message like this goes to, if nothing else is to be done
// with it: no rule reads it, nobody listens, nobody watches bodies.
fn receiver_of(core: &Core, judgement: &Judgement) -> Option<LinkId> {
    match judgement.target {
        Target::Link(link, _)
            if judgement.is_lasting
                && !judgement.is_listened
                && !core.rooms.bus.taps.wants_bodies() =>
        {
            Some(link)
        }
        _ => None,
    }
}

fn has_room(core: &Core, sender: LinkId, receiver: LinkId) -> bool {
    let taken = |link: LinkId| core.gates.get(&link).map_or(0, |gate| gate.slots_max);
    let slots = &core.rooms.bus.slots;
    slots.held_by(sender).0 < taken(sender).min(SLOTS_PER_SENDER_MAX)
        && slots.held_by(receiver).1 < taken(receiver).min(SLOTS_PER_RECEIVER_MAX)
}

// Whether a message may be judged with its body in this slot. What is refused
// then is refused for good; what may not goes by stream, where all can be done.
fn may_pass(core: &mut Core, admitted: &AdmittedMessage<'_>, id: SlotId, now: Now) -> bool {
    let slot = core.rooms.bus.slots.get(id);
    let Some(slot) = slot.filter(|slot| slot.sender == admitted.link && is_free(slot)) else {
        return false;
    };
    let receiver = slot.receiver;
    let Ok(judgement) = judge::message(core, admitted.link, &admitted.message, now) else {
        return true;
    };
    let header = &admitted.message.header;
    if !judgement.is_lasting || core.rooms.bus.taps.wants_bodies() {
        return false;
    }
    if !judgement.permit {
        return true;
    }
    if header.kind == MessageKind::Response {
        let pending = &core.rooms.bus.pending;
        let key = pending.key(header.to, header.id);
        let request = pending.find(key, header.to, header.id);
        // What the core itself asked is answered to the core, which reads the body.
        let is_for = |request: &Request| request.asker == receiver && request.goes != Goes::In;
        return request.is_none_or(is_for);
    }
    receiver_of(core, &judgement) == Some(receiver)
}

// Counted like what is refused: each costs about as much.
fn unsent(
    core: &mut Core,
    link: LinkId,
    id: SlotId,
    now: Now,
    out: &mut Actions,
) -> Result<(), Fault> {
    respond::send(core, link, &CoreFrame::Unsent { slot: id.0 }, out);
    let gate = core.gates.get_mut(&link);
    let count = gate.map_or(0, |gate| {
        gate.refused.count(now.mono, Duration::from_secs(1))
    });
    if count > REFUSED_PER_SECOND_MAX {
        return Err(Fault::Flood);
    }
    Ok(())
}

fn take_back_where(core: &mut Core, is_it: impl Fn(&Slot) -> bool, out: &mut Actions) {
    let slots = core.rooms.bus.slots.iter();
    let ids: Vec<_> = slots
        .filter(|(_, slot)| is_it(slot))
        .map(|(id, _)| id)
        .collect();
    for id in ids {
        take_back(core, id, out);
    }
}

// Sealed first: whatever its ends still do, nothing is said by it any more.
fn take_back(core: &mut Core, id: SlotId, out: &mut Actions) {
    let Some(slot) = core.rooms.bus.slots.remove(id) else {
        return;
    };
    out.list.push(Action::Seal { slot: id });
    // What lies in it was delivered, and is still read.
    if slot.turn == Turn::Out {
        respond::send(core, slot.sender, &CoreFrame::Returned { slot: id.0 }, out);
    }
    if slot.turn != Turn::Offered {
        respond::send(core, slot.sender, &CoreFrame::Revoke { slot: id.0 }, out);
    }
    respond::send(core, slot.receiver, &CoreFrame::Revoke { slot: id.0 }, out);
}

fn hand_out(
    core: &mut Core,
    link: LinkId,
    (slot, end): (SlotId, SlotEnd),
    frame: &CoreFrame<'_>,
    out: &mut Actions,
) {
    if let Some(bytes) = respond::encoded(core, link, frame, out) {
        out.list.push(Action::SendSlot {
            link,
            bytes,
            slot,
            end,
        });
    }
}

const fn is_free(slot: &Slot) -> bool {
    matches!(slot.turn, Turn::Free)
}

fn bytes_of_a_slot() -> u32 {
    u32::try_from(SLOT_BYTES).unwrap_or(u32::MAX)
}
