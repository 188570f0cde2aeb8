//! Requests whose receiver is gone: each is answered once, at once.

use protocol::{Address, Code};

use crate::core::Core;
use crate::event::{Actions, Now};
use crate::flows::respond::{self, Refusal};
use crate::ids::LinkId;

/// Answers 503 for a link that is gone, and forgets what its peers had asked.
pub(crate) fn end_requests(core: &mut Core, link: LinkId, now: Now, out: &mut Actions) {
    let mut unanswered = Vec::new();
    core.rooms.bus.pending.end_where(
        |request| {
            request.answerers.retain(|answerer| *answerer != link);
            request.asker == link || request.answerers.is_empty()
        },
        |request| {
            if request.asker != link {
                unanswered.push((
                    request.asker,
                    request.from.clone(),
                    request.to.clone(),
                    request.id,
                ));
            }
        },
    );
    let reason = "the receiver ended before it answered";
    answer_all(
        core,
        unanswered,
        &Refusal::new(Code::UNAVAILABLE, "down", reason),
        now,
        out,
    );
}

/// The same for one component of a link that lives on.
pub(crate) fn end_requests_to(
    core: &mut Core,
    link: LinkId,
    component: &Address,
    now: Now,
    out: &mut Actions,
) {
    let is_its = |text: &str| {
        text.parse::<Address>()
            .is_ok_and(|address| address.is_within(component))
    };
    let mut unanswered = Vec::new();
    core.rooms.bus.pending.end_where(
        |request| {
            let is_asker = request.asker == link && is_its(&request.from);
            is_asker || (request.answerers.contains(&link) && is_its(&request.to))
        },
        |request| {
            unanswered.push((
                request.asker,
                request.from.clone(),
                request.to.clone(),
                request.id,
            ));
        },
    );
    let reason = "the receiver was removed before it answered";
    answer_all(
        core,
        unanswered,
        &Refusal::new(Code::UNAVAILABLE, "down", reason),
        now,
        out,
    );
}

/// Answers a number of requests that ended without their receiver.
pub(crate) fn answer_all(
    core: &mut Core,
    requests: Vec<(LinkId, String, String, u64)>,
    refusal: &Refusal,
    _: Now,
    out: &mut Actions,
) {
    let body = refusal.body();
    for (asker, from, to, id) in requests {
        if let Some(gate) = core.gates.get_mut(&asker) {
            gate.pending = gate.pending.saturating_sub(1);
        }
        let asked =
            protocol::Message::new(protocol::MessageKind::Execute, &from, &to, &[]).with_id(id);
        respond::answer(core, asker, &asked.header, refusal.code, &body, out);
    }
}
