//! An answer goes back to whoever asked, and ends the request; an event goes to
//! whoever owns or hears its address, and nobody answers it.

use protocol::{Address, Code, codec};

use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::judge::{Judgement, Target};
use crate::flows::respond::{self, Refusal};
use crate::flows::{deliver, hold, lend, observe, refuse, registration, search, sync};
use crate::ingress::AdmittedMessage;
use crate::rooms::bus::{Goes, Key, Request};

/// A message that is no request: an answer ends what it answers.
pub(crate) fn response(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    judgement: &Judgement,
    now: Now,
    out: &mut Actions,
) -> Result<(), Refusal> {
    let header = &admitted.message.header;
    if header.kind != protocol::MessageKind::Response {
        // An event: nobody answers it, and whoever owns or hears the address gets it.
        return event(core, admitted, judgement, now, out);
    }
    let Some((key, request)) = answered(core, header.to, header.id) else {
        return Err(Refusal::new(
            Code::NOT_FOUND,
            "no-request",
            "answers a request that was not made, or has ended",
        ));
    };
    if !request.answerers.contains(&admitted.link) {
        return Err(Refusal::new(
            Code::FORBIDDEN,
            "not-asked",
            "answers a request that was made to somebody else",
        ));
    }
    let (asker, since) = (request.asker, request.since);
    let is_final = header.code.is_final() || request.goes == Goes::OutOnce;
    let missed = (header.code == Code::NOT_FOUND).then(|| request.to.clone());
    if request.goes == Goes::In {
        let from = request.from.clone();
        observe::delivered(core, admitted, judgement, None, now);
        if is_final {
            core.rooms.bus.pending.close(key);
            hold::uncharge(core, asker);
        }
        let body = admitted.message.body;
        let answer = if core.questions.wants_bytes(header.id) {
            sync::Answer::raw(header, body)
        } else {
            sync::Answer::of(header, body)
        };
        sync::answered(core, &from, header.id, answer, now, out);
        return Ok(());
    }
    let asked = lend::is_worth_a_slot(admitted).then(|| request.kind.clone());
    if let Some(missed) = missed {
        search::heal(core, &missed, asker, now, out);
    }
    let owner = match judgement.target {
        Target::Link(_, owner) => owner,
        _ => judgement.sender,
    };
    let latency = now.mono.saturating_sub(since);
    // Without room it goes on waiting: the answer may be sent again, or 408 ends it.
    hold::room_for(core, asker, admitted.bytes())?;
    lend::pass(core, admitted, asker)?;
    if is_final {
        core.rooms.bus.pending.close(key);
        hold::uncharge(core, asker);
    }
    let start = out.bytes.len();
    codec::forward(admitted.raw, &mut out.bytes);
    respond::queued(core, asker, start, out);
    observe::delivered(core, admitted, judgement, Some((owner, Some(latency))), now);
    lend::offer(core, admitted, judgement, asked, now, out);
    Ok(())
}

// The request that an answer is for. Nodes and published components write `runtime://…`
// for whoever asked as `hyperty-runtime://…`: it is the same address.
fn answered<'core>(core: &'core Core, to: &str, id: u64) -> Option<(Key, &'core Request)> {
    let pending = &core.rooms.bus.pending;
    let under = |to: &str| {
        let key = pending.key(to, id);
        Some((key, pending.find(key, to, id)?))
    };
    let own = || under(core.questions.spelling(to, id)?);
    let renamed = || {
        let address: Address = to.parse().ok().filter(Address::is_runtime)?;
        under(address.as_str()).or_else(|| under(&address.published()))
    };
    under(to).or_else(own).or_else(renamed)
}

fn event(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    judgement: &Judgement,
    now: Now,
    out: &mut Actions,
) -> Result<(), Refusal> {
    match judgement.target {
        Target::Link(to, _) if to == admitted.link && judgement.is_abroad => {
            registration::heard(core, admitted, out)
        }
        Target::Link(to, owner) => {
            deliver::forward(core, admitted, to, owner, judgement, now, out)?;
            if judgement.is_listened {
                deliver::publish(core, admitted, judgement, Some(to), now, out)?;
            }
            Ok(())
        }
        Target::Object(id, channel) => {
            sync::channel(core, admitted, judgement, (id, channel), now, out)
        }
        Target::Listeners => deliver::publish(core, admitted, judgement, None, now, out),
        Target::Room(_) => Ok(()),
        Target::Down(owner) => Err(refuse::down(core, owner, admitted.message.header.to)),
        Target::Absent => Err(Refusal::not_found(format!(
            "nobody has the address `{}`",
            admitted.message.header.to
        ))),
        Target::Foreign => deliver::abroad(core, admitted, judgement, now, out),
    }
}
