//! Saying no: the sender is told, the tap is shown, and who keeps at it is cut off.

use std::time::Duration;

use protocol::Code;

use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::audit;
use crate::flows::hold;
use crate::flows::judge::Judgement;
use crate::flows::observe;
use crate::flows::respond::{self, Refusal};
use crate::flows::sync;
use crate::ids::OwnerId;
use crate::ingress::{AdmittedMessage, Fault};
use crate::limits::{FORGED_PER_MINUTE_MAX, REFUSED_PER_SECOND_MAX};
use crate::rooms::bus::Goes;

// Tells the sender, shows the tap, and counts: who keeps being refused is cut.
pub(crate) fn refused(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    judgement: Option<&Judgement>,
    refusal: &Refusal,
    now: Now,
    out: &mut Actions,
) -> Result<(), Fault> {
    observe::refused(core, admitted, judgement, refusal, now);
    audit::denied(core, admitted, judgement, refusal, now, out);
    respond::refuse(core, admitted.link, &admitted.message.header, refusal, out);
    let gate = core.gates.get_mut(&admitted.link);
    let count = gate.map_or(0, |gate| {
        gate.refused.count(now.mono, Duration::from_secs(1))
    });
    if count > REFUSED_PER_SECOND_MAX {
        return Err(Fault::Flood);
    }
    Ok(())
}

pub(crate) fn forged(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    now: Now,
    out: &mut Actions,
) -> Result<(), Fault> {
    if let Some(gate) = core.gates.get_mut(&admitted.link)
        && gate.forged.count(now.mono, Duration::from_mins(1)) > FORGED_PER_MINUTE_MAX
    {
        return Err(Fault::Forgery);
    }
    let from = admitted.message.header.from;
    let refusal = Refusal::new(
        Code::FORBIDDEN,
        "forged-from",
        format!("`{from}` is not an address of the sender"),
    );
    refused(core, admitted, None, &refusal, now, out)
}

pub(crate) fn down(core: &Core, owner: OwnerId, to: &str) -> Refusal {
    let why = match owner {
        OwnerId::Component(id) => core.rooms.user_agent.get(id).map(|d| d.reason.clone()),
        OwnerId::Room(_) | OwnerId::Local(_) => None,
    };
    let why = why
        .filter(|why| !why.is_empty())
        .map(|why| format!(": {why}"))
        .unwrap_or_default();
    Refusal::new(
        Code::UNAVAILABLE,
        "down",
        format!("the owner of `{to}` is not running now{why}"),
    )
}

// An answer that policy refuses still ends its request: the asker is told.
pub(crate) fn end_unanswerable(
    core: &mut Core,
    admitted: &AdmittedMessage<'_>,
    refusal: &Refusal,
    now: Now,
    out: &mut Actions,
) {
    let header = &admitted.message.header;
    let is_answer = header.kind == protocol::MessageKind::Response && header.code.is_final();
    let pending = &mut core.rooms.bus.pending;
    let key = pending.key(header.to, header.id);
    let request = pending.find(key, header.to, header.id);
    let Some(request) = request.filter(|r| is_answer && r.answerers.contains(&admitted.link))
    else {
        return;
    };
    let (asker, is_cores) = (request.asker, request.goes == Goes::In);
    pending.close(key);
    hold::uncharge(core, asker);
    if is_cores {
        return sync::answered(core, header.to, header.id, refusal.into(), now, out);
    }
    let answered = protocol::message::Header {
        from: header.to,
        to: header.from,
        ..*header
    };
    respond::answer(core, asker, &answered, refusal.code, &refusal.body(), out);
}
